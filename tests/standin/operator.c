/*
 * The operator's side of Token Auth.  Only an identity with "operator": true may use it.
 */
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "answer.h"
#include "routes.h"
#include "tree.h"

static bool is_operator(struct request *r) {
        if (json_is_true(json_object_get(r->identity, "operator")))
                return true;
        answer_error(r, 403, "PermissionDenied", "You are not allowed to read on identity",
                     json_array());
        return false;
}

static json_t *named_identity(struct request *r) {
        const char *id = json_string_value(r->params[0]);
        json_t *identity = identity_find(r->standin, id);
        _cleanup_(freep) char *message = format_text("Failed to find identity with ID %s", id);

        if (!identity)
                answer_not_found(r, "NotFound", message);
        return identity;
}

void tokenauth_create(struct request *r) {
        json_t *identity, *record;
        json_int_t ttl;
        char *text;

        if (!is_operator(r) || !(identity = named_identity(r)))
                return;
        record = access_record(r->standin, identity, "token-auth", NULL);
        if (json_is_string(json_object_get(r->json, "name")))
                (void)json_object_set(record, "name", json_object_get(r->json, "name"));
        text = access_issue(r->standin, record, &ttl);
        answer_json(r, 200, access_answer(r->standin, record, text, ttl));
}

static json_t *shown(const json_t *record) {
        char created[32], renewed[32];
        json_t *secret_id = json_object_get(record, "client_secret_id"), *renewed_at = NULL;

        (void)iso_date(settings_number(record, "created", 0), created);
        (void)iso_date(settings_number(record, "renewed", settings_number(record, "created", 0)),
                       renewed);
        if (json_object_get(record, "renewed"))
                renewed_at = json_string(renewed);
        return json_pack(
            "{s:O, s:O, s:O, s:i, s:O, s:n, s:o?, s:b, s:O?, s:O, s:s, s:s, s:O, s:O, s:O}", "id",
            json_object_get(record, "id"), "accessTokenTTL", json_object_get(record, "ttl"),
            "accessTokenMaxTTL", json_object_get(record, "max_ttl"), "accessTokenNumUses", 0,
            "accessTokenNumUsesLimit", json_object_get(record, "uses_limit"),
            "accessTokenLastUsedAt", "accessTokenLastRenewedAt", renewed_at, "isAccessTokenRevoked",
            json_object_get(record, "revoked") != NULL, "identityUAClientSecretId", secret_id,
            "identityId", json_object_get(record, "identity"), "createdAt", created, "updatedAt",
            renewed, "name", json_object_get(record, "name"), "authMethod",
            json_object_get(record, "method"), "accessTokenPeriod",
            json_object_get(record, "period"));
}

void tokenauth_list(struct request *r) {
        json_t *tokens, *record;
        const json_t *identity;
        size_t i;

        if (!is_operator(r) || !(identity = named_identity(r)))
                return;
        tokens = json_array();
        json_array_foreach(r->standin->tokens, i,
                           record) if (strcmp(member_text(record, "identity", ""),
                                              member_text(identity, "id", "")) == 0 &&
                                       strcmp(member_text(record, "method", ""), "token-auth") ==
                                           0 &&
                                       !json_is_true(json_object_get(record, "gone")))(void)
            json_array_append_new(tokens, shown(record));
        answer_json(r, 200, json_pack("{s:o}", "tokens", tokens));
}

void tokenauth_revoke(struct request *r) {
        const char *id = json_string_value(r->params[0]);
        json_t *record = token_find(r->standin, id);
        _cleanup_(freep) char *message =
            format_text("Token with ID %s not found or already revoked", id);

        if (!is_operator(r))
                return;
        if (!record || json_object_get(record, "revoked") ||
            json_is_true(json_object_get(record, "gone"))) {
                answer_not_found(r, "NotFound", message);
                return;
        }
        (void)json_object_set_new(record, "revoked", json_string("token"));
        answer_json(r, 200, json_pack("{s:s}", "message", "Successfully revoked access token"));
}

/* Settings of the auth method: the only change on record is the one that needs a paid plan. */
void tokenauth_change(struct request *r) {
        if (!is_operator(r) || !named_identity(r))
                return;
        answer_error(r, 400, "BadRequest",
                     "Failed to add IP access range to access token due to plan restriction. "
                     "Upgrade plan to "
                     "add IP "
                     "access range.",
                     NULL);
}
