/*
 * What the broker's views look like as JSON.  docs/api.md describes every member; what is absent is
 * null.
 *
 * Each function returns a new reference, or NULL for lack of memory.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"
#include "broker/broker.h"

/** render_text() - clean text as a JSON string, cut where it is longer than any of ours */
json_t *render_text(const char *text);

/** render_time() - RFC 3339, or null for 0 */
json_t *render_time(usec_t realtime);

json_t *render_attempts(const struct attempts *attempts);

/** render_token() - how a token stands, never its value; @in_full: with its rules, and what was
 * tried for it */
json_t *render_token(const struct token_view *view, bool in_full);

/** render_rejection() - the verdict on a report, and how the token stands now */
json_t *render_rejection(const struct rejection *rejection);

/** render_match() - which token it is: name, user, forge, whether it wants a proof */
json_t *render_match(const struct token_config *token);

/** render_tokens() - the tokens that @peer may ask for, as far as that is known without a proof;
 * NULL: all */
json_t *render_tokens(const struct broker *broker, const struct peer *peer);
json_t *render_status(const struct broker *broker);

/** render_unusable() - why a token is not usable: name, code, detail, remedy */
json_t *render_unusable(const struct token_view *view);

json_t *render_problems(const struct config_problems *problems);

/** render_issuance() - the one answer with a value in it, made in locked memory; NULL when that is
 * full */
struct secret *render_issuance(const struct issuance *issuance);
