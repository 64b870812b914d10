#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "infisical/session.h"

/* Infisical's payloads are below 700 bytes; what is longer than a credential is none. */
#define PAYLOAD_MAX_BYTES 8192

/* The year 9999: what lies behind it is a mistake, not a date. */
#define SECONDS_MAX INT64_C(253402300799)

static int base64url_value(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '-')
                return 62;
        return c == '_' ? 63 : -1;
}

/* Without padding, as JWTs are written (RFC 7515, section 2). */
static bool decode(const char *text, size_t length, struct secret *into) {
        unsigned bits = 0, held = 0;

        if (length == 0 || length > PAYLOAD_MAX_BYTES || length % 4 == 1)
                return false;
        for (size_t i = 0; i < length; i++) {
                int value = base64url_value(text[i]);
                unsigned char byte;

                if (value < 0)
                        return false;
                bits = (bits << 6 | (unsigned)value) & 0xffff;
                held += 6;
                if (held < 8)
                        continue;
                held -= 8;
                byte = (unsigned char)(bits >> held);
                if (!secret_append(into, &byte, 1))
                        return false;
        }
        return true;
}

bool token_claims_read(const struct secret *token, struct token_claims *ret) {
        _cleanup_(secret_unrefp) struct secret *payload = secret_new(PAYLOAD_MAX_BYTES);
        const char *text = secret_bytes(token), *first = strchr(text, '.');
        const char *second = first ? strchr(first + 1, '.') : NULL;
        json_int_t number;
        const char *name;
        json_t *claims;

        *ret = (struct token_claims){ 0 };
        if (!payload || !second || strchr(second + 1, '.') || !decode(first + 1, (size_t)(second - first - 1), payload))
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
