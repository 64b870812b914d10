#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "jwt.h"
#include "standin.h"

static char *encode(const void *bytes, size_t length) {
        char *text = malloc(length * 4 / 3 + 5);

        if (!text)
                abort();
        (void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
        for (char *p = text; *p; p++) {
                if (*p == '+')
                        *p = '-';
                else if (*p == '/')
                        *p = '_';
                else if (*p == '=')
                        *p = '\0';
                if (!*p)
                        break;
        }
        return text;
}

/* A part of the token as JSON, or NULL. */
static json_t *decode(const char *text, size_t length) {
        _cleanup_(freep) unsigned char *padded = malloc(length + 4), *bytes = malloc(length + 4);
        size_t padding = (4 - length % 4) % 4;
        int count;

        if (!padded || !bytes)
                abort();
        if (length == 0 || padding == 3)
                return NULL;
        for (size_t i = 0; i < length; i++)
                padded[i] = (unsigned char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
        memset(padded + length, '=', padding);
        count = EVP_DecodeBlock(bytes, padded, (int)(length + padding));
        if (count < 0)
                return NULL;
        return json_loadb((const char *)bytes, (size_t)count - padding, 0, NULL);
}

static char *sign(const char *text, size_t length, const char *key) {
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned size = 0;

        if (!HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, length, mac,
                  &size))
                abort();
        return encode(mac, size);
}

char *jwt_make(const json_t *claims, const char *key) {
        static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
        _cleanup_(freep) char *payload = json_dumps(claims, JSON_COMPACT);
        _cleanup_(freep) char *first = encode(header, sizeof header - 1);
        _cleanup_(freep) char *second = encode(payload, strlen(payload));
        _cleanup_(freep) char *body = format_text("%s.%s", first, second);
        _cleanup_(freep) char *signature = sign(body, strlen(body), key);

        return format_text("%s.%s", body, signature);
}

const char *jwt_check(const char *token, const char *key, double now, json_t **ret_claims) {
        const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL,
                   *alg;
        _cleanup_(json_decrefp) json_t *header = NULL, *claims = NULL;
        _cleanup_(freep) char *signature = NULL;

        *ret_claims = NULL;
        if (!*token)
                return "jwt must be provided";
        if (!second || strchr(second + 1, '.'))
                return "jwt malformed";
        header = decode(token, (size_t)(first - token));
        claims = decode(first + 1, (size_t)(second - first - 1));
        if (!json_is_object(header) || !json_is_object(claims))
                return "invalid token";
        if (!second[1])
                return "jwt signature is required";
        alg = member_text(header, "alg", "");
        if (strcmp(alg, "HS384") == 0 || strcmp(alg, "HS512") == 0)
                return "invalid signature"; /* allowed, but nobody here signs that way */
        if (strcmp(alg, "HS256") != 0)
                return "invalid algorithm";
        signature = sign(token, (size_t)(second - token), key);
        if (strcmp(signature, second + 1) != 0)
                return "invalid signature";
        *ret_claims = json_incref(claims);
        if (json_is_number(json_object_get(claims, "exp")) &&
            json_number_value(json_object_get(claims, "exp")) <= now)
                return "jwt expired";
        return NULL;
}
