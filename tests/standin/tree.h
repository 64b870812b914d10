/*
 * Finding things in the trees: projects, environments, folders, secrets, identities, tokens, and
 * who may do what. All results are borrowed and may be NULL.  Secrets that were deleted stay in the
 * tree, for their old versions.
 */
#pragma once

#include "standin.h"

json_t *project_find(const struct standin *s, const char *key, const char *value);
json_t *project_named(const struct standin *s, const char *id_or_slug);
json_t *environment_find(const json_t *project, const char *slug);

/** folder_find() - by path; doubled slashes do not matter, a missing first slash does */
json_t *folder_find(const json_t *environment, const char *path);

/** folder_exists() - folder_find(), and also the parents of folders that are in the file */
bool folder_exists(const json_t *environment, const char *path);

json_t *secret_find(const json_t *folder, const char *name);
json_t *secret_by_id(const struct standin *s, const char *id);

/** secret_put() - makes or changes a secret from {name, value | value_bytes, ...}; a change is a
 * new version */
json_t *secret_put(struct standin *s, json_t *folder, const json_t *wanted);

json_t *identity_find(const struct standin *s, const char *id_or_name);
json_t *identity_by_client_id(const struct standin *s, const char *client_id);
json_t *token_find(const struct standin *s, const char *id_or_name);
json_t *token_by_value(const struct standin *s, const char *value);
json_t *membership_find(const json_t *identity, const json_t *project);

/** rights_allow() - may the member do @action there; NULL for @environment asks about anywhere */
bool rights_allow(const json_t *membership, const char *action, const char *environment,
                  const char *path);

/** rights_rules() - a new array of the member's own rules for @action, as "details" lists them */
json_t *rights_rules(const json_t *membership, const char *action);

/** address_trusted() - is @address in one of the ranges; no list trusts everybody */
bool address_trusted(const json_t *ranges, const char *address);

/* state.c: fill in what the file leaves out (ids, dates) and check what is there. */
bool identity_complete(struct standin *s, json_t *identity);
bool token_complete(struct standin *s, json_t *token);
bool project_complete(struct standin *s, json_t *project);
