#include <string.h>

#include "base/base64url.h"
#include "base/json.h"
#include "base/text.h"
#include "infisical/session.h"

/* Infisical's payloads are below 700 bytes; what is longer than a credential is none. */
#define PAYLOAD_MAX_BYTES 8192

/* The year 9999: what lies behind it is a mistake, not a date. */
#define SECONDS_MAX INT64_C(253402300799)

bool token_claims_read(const struct secret *token, struct token_claims *ret) {
        _cleanup_(secret_unrefp) struct secret *payload = secret_new(PAYLOAD_MAX_BYTES);
        const char *text = secret_bytes(token), *first = strchr(text, '.');
        const char *second = first ? strchr(first + 1, '.') : NULL;
        json_int_t number;
        const char *name;
        json_t *claims;

        *ret = (struct token_claims){ 0 };
        if (!payload || !second || strchr(second + 1, '.') ||
            !base64url_decode(first + 1, (size_t)(second - first - 1), payload))
                return false;
        claims = json_parse(secret_bytes(payload), secret_length(payload));
        if (!json_is_object(claims)) {
                json_decref(claims);
                return false;
        }
        if (json_member_int(claims, "exp", &number) && number > 0 && number <= SECONDS_MAX)
                ret->expires_at = (usec_t)number * USEC_PER_SEC;
        if (json_member_int(claims, "numUsesLimit", &number) && number > 0)
                ret->uses_limit = number;
        name = json_member_string(claims, "identityName");
        if (name)
                (void)text_clean(ret->identity_name, sizeof(ret->identity_name), name,
                                 json_member_string_length(claims, "identityName"));
        json_decref(claims);
        return true;
}
