#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

static json_t *find_member(const json_t *array, const char *key, const char *value) {
        size_t i;
        json_t *entry;

        json_array_foreach(array, i, entry) {
                const char *text = member_text(entry, key, NULL);

                if (value && text && strcmp(text, value) == 0)
                        return entry;
        }
        return NULL;
}

json_t *project_find(const struct standin *s, const char *key, const char *value) {
        return find_member(s->projects, key, value);
}

json_t *project_named(const struct standin *s, const char *id_or_slug) {
        json_t *project = find_member(s->projects, "id", id_or_slug);

        return project ? project : find_member(s->projects, "slug", id_or_slug);
}

json_t *environment_find(const json_t *project, const char *slug) {
        return find_member(json_object_get(project, "environments"), "slug", slug);
}

/* Compares paths as the server looks folders up: piece by piece, empty pieces do not count. */
static bool path_equal(const char *a, const char *b, bool prefix) {
        if (*a != '/' || *b != '/')
                return false;
        for (;;) {
                size_t la, lb;

                a += strspn(a, "/");
                b += strspn(b, "/");
                la = strcspn(a, "/");
                lb = strcspn(b, "/");
                if (la == 0)
                        return prefix || lb == 0;
                if (la != lb || strncmp(a, b, la) != 0)
                        return false;
                a += la;
                b += lb;
        }
}

json_t *folder_find(const json_t *environment, const char *path) {
        size_t i;
        json_t *folder;

        json_array_foreach(
            json_object_get(environment, "folders"), i,
            folder) if (path_equal(path, member_text(folder, "path", ""), false)) return folder;
        return NULL;
}

bool folder_exists(const json_t *environment, const char *path) {
        size_t i;
        json_t *folder;

        json_array_foreach(
            json_object_get(environment, "folders"), i,
            folder) if (path_equal(path, member_text(folder, "path", ""), true)) return true;
        return environment && path_equal(path, "/", false);
}

json_t *secret_find(const json_t *folder, const char *name) {
        return find_member(json_object_get(folder, "secrets"), "name", name);
}

json_t *secret_by_id(const struct standin *s, const char *id) {
        size_t p, e, f;
        json_t *project, *environment, *folder;

        json_array_foreach(s->projects, p, project)
            json_array_foreach(json_object_get(project, "environments"), e, environment)
                json_array_foreach(json_object_get(environment, "folders"), f, folder) {
                json_t *secret = find_member(json_object_get(folder, "secrets"), "id", id);

                if (secret)
                        return secret;
        }
        return NULL;
}

json_t *identity_find(const struct standin *s, const char *id_or_name) {
        json_t *identity = find_member(s->identities, "id", id_or_name);

        return identity ? identity : find_member(s->identities, "name", id_or_name);
}

json_t *identity_by_client_id(const struct standin *s, const char *client_id) {
        size_t i;
        json_t *identity;

        json_array_foreach(s->identities, i, identity) {
                const json_t *login = json_object_get(identity, "universal_auth");

                if (login && strcmp(member_text(login, "client_id", ""), client_id) == 0)
                        return identity;
        }
        return NULL;
}

json_t *token_find(const struct standin *s, const char *id_or_name) {
        json_t *token = find_member(s->tokens, "id", id_or_name);

        return token ? token : find_member(s->tokens, "name", id_or_name);
}

json_t *token_by_value(const struct standin *s, const char *value) {
        return find_member(s->tokens, "value", value);
}

json_t *membership_find(const json_t *identity, const json_t *project) {
        const json_t *all = json_object_get(identity, "memberships");
        json_t *membership = find_member(all, "project", member_text(project, "id", NULL));

        return membership ? membership
                          : find_member(all, "project", member_text(project, "slug", NULL));
}

static bool names_action(const json_t *right, const char *action) {
        size_t i;
        json_t *entry;

        json_array_foreach(json_object_get(right, "actions"), i,
                           entry) if (strcmp(json_string_value(entry), action) == 0) return true;
        return false;
}

/* A path ending in "**" is a glob; others must be equal to the letter, as the server compares what
 * was sent. */
static bool path_covered(const char *pattern, const char *path) {
        size_t length = strlen(pattern);

        if (length >= 2 && strcmp(pattern + length - 2, "**") == 0)
                return strncmp(pattern, path, length - 2) == 0;
        return strcmp(pattern, path) == 0;
}

bool rights_allow(const json_t *membership, const char *action, const char *environment,
                  const char *path) {
        size_t i;
        json_t *right;

        if (strcmp(member_text(membership, "role", ""), "viewer") == 0)
                return true;
        json_array_foreach(json_object_get(membership, "rights"), i, right) {
                const char *only_environment = member_text(right, "environment", NULL);
                const char *only_path = member_text(right, "path", NULL);

                if (!names_action(right, action))
                        continue;
                if (!environment)
                        return true;
                if ((!only_environment || strcmp(only_environment, environment) == 0) &&
                    (!only_path || path_covered(only_path, path)))
                        return true;
        }
        return false;
}

json_t *rights_rules(const json_t *membership, const char *action) {
        json_t *rules = json_array();
        size_t i;
        json_t *right;

        json_array_foreach(json_object_get(membership, "rights"), i, right) {
                const char *environment = member_text(right, "environment", NULL);
                const char *path = member_text(right, "path", NULL);
                json_t *conditions = json_object(), *rule;

                if (path)
                        (void)json_object_set_new(
                            conditions, "secretPath",
                            json_pack("{s:s}", strchr(path, '*') ? "$glob" : "$eq", path));
                if (environment)
                        (void)json_object_set_new(conditions, "environment",
                                                  json_pack("{s:s}", "$eq", environment));
                rule = json_pack("{s:O, s:b, s:[s]}", "action", json_object_get(right, "actions"),
                                 "inverted", 0, "subject", "secrets");
                if (json_object_size(conditions) > 0)
                        (void)json_object_set(rule, "conditions", conditions);
                json_decref(conditions);
                if (names_action(right, action))
                        (void)json_array_append(rules, rule);
                json_decref(rule);
        }
        return rules;
}

static bool in_range(const char *range, const char *address) {
        char network[INET6_ADDRSTRLEN + 8];
        unsigned char a[16], n[16];
        const char *slash = strchr(range, '/');
        int family = strchr(range, ':') ? AF_INET6 : AF_INET;
        size_t length = slash ? (size_t)(slash - range) : strlen(range);
        long bits = slash ? strtol(slash + 1, NULL, 10) : (family == AF_INET ? 32 : 128);

        if (length >= sizeof network || bits < 0 || bits > (family == AF_INET ? 32 : 128))
                return false;
        memcpy(network, range, length);
        network[length] = '\0';
        if (inet_pton(family, network, n) != 1 || inet_pton(family, address, a) != 1)
                return false;
        if (memcmp(a, n, (size_t)bits / 8) != 0)
                return false;
        if (bits % 8 == 0)
                return true;
        return (a[bits / 8] ^ n[bits / 8]) >> (8 - bits % 8) == 0;
}

bool address_trusted(const json_t *ranges, const char *address) {
        size_t i;
        json_t *range;

        if (!json_is_array(ranges) || json_array_size(ranges) == 0)
                return true;
        json_array_foreach(ranges, i,
                           range) if (json_is_string(range) &&
                                      in_range(json_string_value(range), address)) return true;
        return false;
}
