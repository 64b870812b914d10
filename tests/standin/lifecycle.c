/*
 * Renew and revoke, which differ most between the generations.  docs/upstream/infisical.md, "Renew"
 * and "Revoke".
 */
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "answer.h"
#include "routes.h"
#include "tree.h"

/* The body's token, checked: the record, or NULL and the answer is made. */
static json_t *body_token(struct request *r, json_t **ret_claims) {
        const json_t *text = json_object_get(r->json, "accessToken");
        json_t *issues, *record = NULL;

        *ret_claims = NULL;
        if (!json_is_object(r->json) || !json_is_string(text)) {
                issues = json_array();
                if (!json_is_object(r->json))
                        issue_type(issues, NULL, "object", r->json);
                else
                        issue_type(issues, "accessToken", "string", text);
                answer_issues(r, issues);
                return NULL;
        }
        if (!access_lookup(r, json_string_value(text), &record, ret_claims))
                return NULL;
        if (*ret_claims &&
            strcmp(member_text(*ret_claims, "authTokenType", ""), "identityAccessToken") != 0) {
                answer_error(r, 400, "BadRequest",
                             settings_generation(r->standin) == GENERATION_C
                                 ? "Token is not an identity access token"
                                 : "Only identity access tokens can be renewed",
                             NULL);
                return NULL;
        }
        return record ? record : json_null();
}

static const char *revoked_text(const json_t *record, const json_t *claims) {
        const char *what = member_text(record, "revoked", "token");

        if (json_is_null(record) || (claims && !json_object_get(claims, "creationEpoch")))
                return "Cannot renew revoked or unknown access token";
        if (strcmp(what, "identity") == 0)
                return "Cannot renew: identity tokens have been revoked";
        if (strcmp(what, "client-secret") == 0)
                return "Cannot renew: client secret has been revoked";
        if (strcmp(what, "auth-method") == 0)
                return "Cannot renew: auth method has been revoked";
        return "Cannot renew: token has been revoked";
}

static bool usable(struct request *r, json_t *record, const json_t *claims) {
        enum generation generation = settings_generation(r->standin);
        double limit = settings_number(record, "uses_limit", 0);

        if (json_is_null(record) || json_object_get(record, "revoked")) {
                answer_unauthorized(r, generation == GENERATION_C ? revoked_text(record, claims)
                                       : generation == GENERATION_B
                                           ? "No identity access token found"
                                           : default_forbidden);
                return false;
        }
        if (limit > 0 && settings_number(record, "uses", 0) >= limit) {
                if (generation == GENERATION_C) {
                        answer_unauthorized(r, "Cannot renew exhausted access token");
                        return false;
                }
                access_delete(record);
                if (generation == GENERATION_B)
                        answer_unauthorized(
                            r, "Unable to renew because access token number of uses limit reached");
                else
                        answer_error(
                            r, 400, "BadRequest",
                            "Unable to renew because access token number of uses limit reached",
                            NULL);
                return false;
        }
        return true;
}

/* Generations before C destroy the token when its renewal would pass the max TTL. */
static bool within_max_ttl(struct request *r, json_t *record) {
        double now = standin_now(r->standin), max = settings_number(record, "max_ttl", 0);
        double ttl = settings_number(record, "ttl", 0);
        double end = settings_number(record, "created", 0) + max;

        if (max == 0 || settings_number(record, "period", 0) > 0)
                return true;
        if (settings_generation(r->standin) == GENERATION_C) {
                if (now < end)
                        return true;
                answer_unauthorized(r,
                                    "Cannot renew: identity access token has reached its max TTL");
                return false;
        }
        if (now + ttl <= end)
                return true;
        access_delete(record);
        answer_unauthorized(r, now > end
                                   ? "Failed to renew MI access token due to Max TTL expiration"
                                   : "Failed to renew MI access token past its Max TTL expiration");
        return false;
}

static bool row_alive(struct request *r, const json_t *record) {
        double ttl = settings_number(record, "ttl", 0);
        double since = settings_number(record, "renewed", settings_number(record, "created", 0));

        if (settings_generation(r->standin) != GENERATION_2024)
                return true;
        if (!json_is_true(json_object_get(record, "expired")) &&
            (ttl == 0 || since + ttl > standin_now(r->standin)))
                return true;
        answer_unauthorized(r, "Failed to renew MI access token due to TTL expiration");
        return false;
}

void token_renew(struct request *r) {
        enum generation generation = settings_generation(r->standin);
        _cleanup_(json_decrefp) json_t *claims = NULL;
        json_t *record = body_token(r, &claims);
        json_int_t ttl;
        char *text;

        if (!record || !usable(r, record, claims) || !row_alive(r, record) ||
            !within_max_ttl(r, record))
                return;
        (void)json_object_set_new(record, "renewed", json_real(standin_now(r->standin)));
        text = access_issue(r->standin, record, &ttl);
        if (generation <= GENERATION_A) { /* the same JWT, which still dies at its own end */
                free(text);
                text = format_text("%s", member_text(r->json, "accessToken", ""));
        }
        answer_json(r, 200, access_answer(r->standin, record, text, ttl));
}

void token_revoke(struct request *r) {
        enum generation generation = settings_generation(r->standin);
        _cleanup_(json_decrefp) json_t *claims = NULL;
        json_t *record = body_token(r, &claims);

        if (!record)
                return;
        if (generation < GENERATION_C &&
            (json_is_null(record) || json_object_get(record, "revoked"))) {
                answer_unauthorized(r, generation == GENERATION_B ? "No identity access token found"
                                                                  : default_forbidden);
                return;
        }
        if (!json_is_null(record))
                (void)json_object_set_new(record, "revoked", json_string("token"));
        answer_json(r, 200, json_pack("{s:s}", "message", "Successfully revoked access token"));
}
