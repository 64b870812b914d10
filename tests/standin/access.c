#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "answer.h"
#include "jwt.h"
#include "tree.h"

/* What UA and OIDC logins announce as max TTL when the token has a period. */
#define PERIODIC_MAX_TTL 1000000000

/* Generation C: no JWT lives longer than the server's own maximum, nor than what is left of the
 * max TTL. */
static json_int_t capped_ttl(const struct standin *s, const json_t *record, json_int_t ttl) {
        json_int_t cap = (json_int_t)settings_number(s->settings, "max_age_seconds", 7776000);
        json_int_t max = (json_int_t)settings_number(record, "max_ttl", 0);
        json_int_t left =
            (json_int_t)(settings_number(record, "created", 0) + (double)max - standin_now(s));

        if (ttl == 0 || ttl > cap)
                ttl = cap;
        if (max > 0 && settings_number(record, "period", 0) == 0 && ttl > left)
                ttl = left;
        return ttl;
}

static json_int_t record_ttl(const json_t *record) {
        double period = settings_number(record, "period", 0);

        return (json_int_t)(period > 0 ? period : settings_number(record, "ttl", 0));
}

static void add_claims_of_c(const struct standin *s, const json_t *record, json_t *claims) {
        const json_t *identity = identity_find(s, member_text(record, "identity", NULL));
        const char *organization = member_text(s->organization, "id", "");
        double uses = settings_number(record, "uses_limit", 0);

        (void)json_object_update_new(
            claims,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:{}}", "jti",
                      member_text(record, "id", ""), "identityName",
                      member_text(identity, "name", ""), "authMethod",
                      member_text(record, "method", ""), "orgId", organization, "rootOrgId",
                      organization, "parentOrgId", organization, "accessTokenTTL",
                      (json_int_t)settings_number(record, "ttl", 0), "accessTokenMaxTTL",
                      (json_int_t)settings_number(record, "max_ttl", 0), "accessTokenPeriod",
                      (json_int_t)settings_number(record, "period", 0), "creationEpoch",
                      (json_int_t)settings_number(record, "created", 0), "ipRestrictionEnabled",
                      json_array_size(json_object_get(record, "trusted_ips")) > 0, "identityAuth"));
        if (uses > 0)
                (void)json_object_set_new(claims, "numUsesLimit", json_integer((json_int_t)uses));
}

char *access_issue(const struct standin *s, const json_t *record, json_int_t *ret_ttl) {
        enum generation generation = settings_generation(s);
        const char *secret_id = member_text(record, "client_secret_id", "");
        json_int_t now = (json_int_t)standin_now(s), ttl = record_ttl(record);
        _cleanup_(json_decrefp) json_t *claims =
            json_pack("{s:O}", "identityId", json_object_get(record, "identity"));

        if (generation == GENERATION_C || *secret_id)
                (void)json_object_set_new(claims, "clientSecretId", json_string(secret_id));
        (void)json_object_set(claims, "identityAccessTokenId", json_object_get(record, "id"));
        (void)json_object_set_new(claims, "authTokenType", json_string("identityAccessToken"));
        if (generation == GENERATION_C) {
                ttl = capped_ttl(s, record, ttl);
                add_claims_of_c(s, record, claims);
        }
        (void)json_object_set_new(claims, "iat", json_integer(now));
        if (ttl > 0 && generation != GENERATION_2024)
                (void)json_object_set_new(claims, "exp", json_integer(now + ttl));
        *ret_ttl = ttl;
        return jwt_make(claims, settings_text(s, "auth_secret"));
}

json_t *access_record(struct standin *s, const json_t *identity, const char *method,
                      const char *secret_id) {
        static const char *const copied[] = { "ttl", "max_ttl", "period", "uses_limit",
                                              "trusted_ips" };
        const json_t *config = json_object_get(
            identity, strcmp(method, "token-auth") == 0 ? "token_auth" : "universal_auth");
        json_t *record = json_pack("{s:s, s:s, s:b}", "identity", member_text(identity, "id", ""),
                                   "method", method, "issued", 1);
        _cleanup_(freep) char *name = NULL;

        for (size_t i = 0; i < ELEMENTS(copied); i++)
                if (json_object_get(config, copied[i]))
                        (void)json_object_set(record, copied[i],
                                              json_object_get(config, copied[i]));
        if (secret_id)
                (void)json_object_set_new(record, "client_secret_id", json_string(secret_id));
        name = format_text("%s-%s-%zu", member_text(identity, "name", ""),
                           secret_id ? "login" : "issued", json_array_size(s->tokens));
        (void)json_object_set_new(record, "name", json_string(name));
        (void)token_complete(s, record);
        (void)json_array_append_new(s->tokens, record);
        return record;
}

json_t *access_answer(const struct standin *s, const json_t *record, char *text, json_int_t ttl) {
        json_int_t max = (json_int_t)settings_number(record, "max_ttl", 0);
        json_t *answer;

        if (settings_number(record, "period", 0) > 0)
                max = PERIODIC_MAX_TTL;
        if (settings_generation(s) != GENERATION_C)
                ttl = record_ttl(record);
        answer = json_pack("{s:s, s:I, s:I, s:s}", "accessToken", text, "expiresIn", ttl,
                           "accessTokenMaxTTL", max, "tokenType", "Bearer");
        free(text);
        return answer;
}

static void answer_token_error(struct request *r, const char *text) {
        unsigned expired_status =
            (unsigned)settings_number(r->standin->settings, "expired_status", 403);

        if (settings_generation(r->standin) == GENERATION_2024) {
                answer_framework(r, 500, "Internal Server Error", text);
                return;
        }
        if (strcmp(text, "jwt expired") == 0)
                answer_error(r, expired_status, "TokenError",
                             "Your token has expired. Please re-authenticate.", NULL);
        else if (strcmp(text, "jwt malformed") == 0)
                answer_error(r, 403, "TokenError",
                             "The provided access token is malformed. Please use a valid token or "
                             "generate a new "
                             "one and try again.",
                             NULL);
        else if (strcmp(text, "invalid algorithm") == 0)
                answer_error(r, 403, "TokenError",
                             "The access token is signed with an invalid algorithm. Please provide "
                             "a valid token "
                             "and try again.",
                             NULL);
        else
                answer_error(r, 403, "TokenError", text, NULL);
}

void access_delete(json_t *record) {
        (void)json_object_set_new(record, "gone", json_true());
}

/* A literal token of the state file stands for a JWT: it has an end, but nobody can read it. */
static bool literal_expired(const struct request *r, const json_t *record) {
        double ttl = (double)record_ttl(record);

        if (settings_generation(r->standin) == GENERATION_2024)
                return false;
        return ttl > 0 && settings_number(record, "created", 0) + ttl <= standin_now(r->standin);
}

bool access_lookup(struct request *r, const char *text, json_t **ret_record, json_t **ret_claims) {
        struct standin *s = r->standin;
        json_t *record = token_by_value(s, text), *claims = NULL;
        const char *error = NULL;

        if (!record) {
                error = jwt_check(text, settings_text(s, "auth_secret"), standin_now(s), &claims);
                record = token_find(s, member_text(claims, "identityAccessTokenId", NULL));
        } else if (literal_expired(r, record)) {
                error = "jwt expired";
        }
        if (!error && json_is_true(json_object_get(record, "expired")) &&
            settings_generation(s) != GENERATION_2024)
                error = "jwt expired";
        if (record)
                r->token = record;
        if (error) {
                json_decref(claims);
                answer_token_error(r, error);
                return false;
        }
        if (json_is_true(json_object_get(record, "gone")))
                record = NULL;
        *ret_record = record;
        *ret_claims = claims;
        return true;
}
