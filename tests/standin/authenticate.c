/*
 * The hook in front of every route: who asks.  docs/upstream/infisical.md, "What the token is" and
 * "Errors".
 */
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "answer.h"
#include "tree.h"

static bool deny(struct request *r, const char *message) {
        answer_unauthorized(r, message);
        return false;
}

static const char *revoked_text(const json_t *record) {
        const char *what = member_text(record, "revoked", "token");

        if (strcmp(what, "identity") == 0)
                return "Failed to authorize: identity tokens have been revoked";
        if (strcmp(what, "client-secret") == 0)
                return "Failed to authorize: client secret has been revoked";
        if (strcmp(what, "auth-method") == 0)
                return "Failed to authorize: auth method has been revoked";
        return "Failed to authorize: token has been revoked";
}

/* A token that was issued before the server became generation C: it lacks C's claims. */
static bool legacy(const json_t *claims, const json_t *record) {
        return claims ? !json_object_get(claims, "creationEpoch")
                      : json_is_true(json_object_get(record, "legacy"));
}

static bool deny_revoked(struct request *r, const json_t *record, const json_t *claims) {
        switch (settings_generation(r->standin)) {
        case GENERATION_2024:
        case GENERATION_A:
                return deny(r, default_forbidden);
        case GENERATION_B:
                return deny(r, "No identity access token found");
        case GENERATION_C:
                break;
        }
        if (legacy(claims, record))
                return deny(r, "Cannot renew revoked or unknown access token");
        return deny(r, revoked_text(record));
}

static bool check_address(struct request *r, const json_t *record) {
        if (address_trusted(json_object_get(record, "trusted_ips"), r->address))
                return true;
        answer_error(r, 403, "ForbiddenError",
                     "You are not allowed to access this resource from the current IP address",
                     NULL);
        return false;
}

static bool check_organization(struct request *r) {
        if (!json_is_false(json_object_get(r->identity, "in_organization")))
                return true;
        switch (settings_generation(r->standin)) {
        case GENERATION_2024:
        case GENERATION_A:
                return deny(r, "Identity does not belong to any organization");
        case GENERATION_B:
                answer_error(r, 400, "BadRequest", "Identity does not belong to this organization",
                             NULL);
                return false;
        case GENERATION_C:
                break;
        }
        /* C's text is not known */
        return deny(r, "Identity does not belong to this organization");
}

static bool check_uses(struct request *r, json_t *record) {
        enum generation generation = settings_generation(r->standin);
        double uses = settings_number(record, "uses", 0),
               limit = settings_number(record, "uses_limit", 0);

        if (limit == 0 || uses < limit) {
                (void)json_object_set_new(record, "uses", json_integer((json_int_t)uses + 1));
                return true;
        }
        if (generation == GENERATION_C)
                return deny(r, "Failed to authorize: token usage limit reached");
        access_delete(record);
        if (generation == GENERATION_B)
                return deny(r, "Unable to renew because access token number of uses limit reached");
        answer_error(r, 400, "BadRequest",
                     "Unable to renew because access token number of uses limit reached", NULL);
        return false;
}

/* The row's own TTL, which only shows where the JWT has no end of its own. */
static bool check_row_ttl(struct request *r, const json_t *record) {
        double ttl = settings_number(record, "ttl", 0);
        double since = settings_number(record, "renewed", settings_number(record, "created", 0));

        if (!json_is_true(json_object_get(record, "expired")) &&
            (ttl == 0 || since + ttl > standin_now(r->standin)))
                return true;
        return deny(r, "Failed to renew MI access token due to TTL expiration");
}

static bool authorize(struct request *r, json_t *record, const json_t *claims) {
        enum generation generation = settings_generation(r->standin);

        if (!record || json_object_get(record, "revoked"))
                return deny_revoked(r, record, claims);
        r->identity = identity_find(r->standin, member_text(record, "identity", NULL));
        if (generation == GENERATION_C) {
                if (claims && legacy(claims, record) && !json_object_get(claims, "exp"))
                        return deny(
                            r, "Identity access token exceeded max age, please re-authenticate");
                /* C counts the use first: a request from a wrong address burns one as well. */
                return check_uses(r, record) && check_address(r, record) && check_organization(r);
        }
        if (!check_address(r, record) || !check_organization(r))
                return false;
        if (generation != GENERATION_B && !check_row_ttl(r, record))
                return false;
        return check_uses(r, record);
}

static bool deny_service_token(struct request *r, const char *token) {
        _cleanup_(freep) char *message = format_text("Service token with ID '%.*s' not found",
                                                     (int)strcspn(token + 3, "."), token + 3);

        if (settings_generation(r->standin) <= GENERATION_A)
                return deny(r, default_forbidden);
        answer_not_found(r, "NotFound", message);
        return false;
}

bool authenticate(struct request *r) {
        const char *header = request_header(r, "authorization"), *token;
        _cleanup_(json_decrefp) json_t *claims = NULL;
        json_t *record = NULL;

        if (request_header(r, "x-api-key"))
                return deny(r, default_forbidden);
        if (!header)
                return true;
        /* The scheme is not looked at: whatever is in front of the eighth byte is dropped. */
        token = strlen(header) > 7 ? header + 7 : "";
        if (strncmp(token, "st.", 3) == 0)
                return deny_service_token(r, token);
        return access_lookup(r, token, &record, &claims) && authorize(r, record, claims);
}
