#include "forge/id_token.h"

#include <string.h>

#include "base/base64url.h"
#include "base/json.h"
#include "base/text.h"

/* The forges' claims nest two deep. */
#define CLAIMS_DEPTH_MAX 4

/* The year 9999: what lies behind it is a mistake, not a date. */
#define SECONDS_MAX INT64_C(253402300799)

struct parts {
        const char *header, *payload, *signature;
        size_t header_bytes, payload_bytes, signature_bytes;
};

static bool split(const struct secret *text, struct parts *parts) {
        const char *bytes = secret_bytes(text), *end = bytes + secret_length(text);
        const char *first = memchr(bytes, '.', (size_t)(end - bytes));
        const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

        if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
                return false;
        *parts = (struct parts){ bytes,
                                 first + 1,
                                 second + 1,
                                 (size_t)(first - bytes),
                                 (size_t)(second - first - 1),
                                 (size_t)(end - second - 1) };
        return true;
}

bool id_token_is_one(const struct secret *text) {
        struct parts parts;

        return split(text, &parts) && parts.header_bytes > 2 && memcmp(parts.header, "ey", 2) == 0;
}

/* An object of bounded depth, or NULL. */
static json_t *read_object(const char *text, size_t length) {
        _cleanup_(secret_unrefp) struct secret *bytes = secret_new(PROOF_MAX_BYTES);
        json_t *root;

        if (!bytes || !base64url_decode(text, length, bytes))
                return NULL;
        root = json_parse(secret_bytes(bytes), secret_length(bytes));
        if (json_is_object(root) && json_depth_is_within(root, CLAIMS_DEPTH_MAX))
                return root;
        json_decref(root);
        return NULL;
}

static int reject(struct error *err, const char *what) {
        return error_set(err, DIAG_PROOF_REJECTED, "the ID token %s", what);
}

static int read_header(const json_t *header, struct id_token *token, struct error *err) {
        const char *algorithm = json_member_string(header, "alg"),
                   *key_id = json_member_string(header, "kid");
        char shown[24];

        if (!algorithm)
                return reject(err, "names no algorithm");
        if (strcmp(algorithm, "RS256") == 0)
                token->algorithm = ID_TOKEN_RS256;
        else if (strcmp(algorithm, "ES256") == 0)
                token->algorithm = ID_TOKEN_ES256;
        else
                return error_set(err, DIAG_PROOF_REJECTED,
                                 "the ID token's algorithm is '%s', and only RS256 and ES256 count",
                                 text_clean(shown, sizeof(shown), algorithm, strlen(algorithm)));
        if (json_object_get(header, "crit"))
                return reject(err, "has critical header parameters, which nobody here understands");
        if (!key_id || !*key_id || strlen(key_id) >= sizeof(token->key_id))
                return reject(err, "does not name its key");
        memcpy(token->key_id, key_id, strlen(key_id) + 1);
        return 0;
}

int id_token_read(struct secret *text, struct id_token *ret, struct error *err) {
        struct parts parts;
        json_t *header;
        int r;

        if (secret_length(text) > PROOF_MAX_BYTES)
                return error_set(err, DIAG_PROOF_REJECTED, "the ID token is longer than %zu bytes",
                                 PROOF_MAX_BYTES);
        if (!split(text, &parts))
                return reject(err, "does not have three parts");
        /* Blanks before its first name: nobody writes that, and what decides whether a proof is
         * one would not see it. */
        if (!id_token_is_one(text))
                return reject(err, "does not begin as a JSON object does");
        header = read_object(parts.header, parts.header_bytes);
        if (!header)
                return reject(err, "has no header that can be read");
        r = read_header(header, ret, err);
        json_decref(header);
        if (r < 0)
                return r;
        ret->signature = secret_new(PROOF_MAX_BYTES);
        if (!ret->signature)
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "no locked memory is left for an ID token");
        if (!base64url_decode(parts.signature, parts.signature_bytes, ret->signature))
                return reject(err, "is not signed");
        ret->claims = read_object(parts.payload, parts.payload_bytes);
        if (!ret->claims)
                return reject(err, "has no claims that can be read");
        ret->text = secret_ref(text);
        ret->signed_bytes = parts.header_bytes + 1 + parts.payload_bytes;
        return 0;
}

void id_token_done(struct id_token *token) {
        (void)secret_unref(token->text);
        (void)secret_unref(token->signature);
        json_decref(token->claims);
        *token = (struct id_token){ 0 };
}

static bool is_for(const json_t *audiences, const char *audience) {
        if (json_is_string(audiences))
                return strcmp(json_string_value(audiences), audience) == 0;
        for (size_t i = 0; i < json_array_size(audiences); i++) {
                const char *one = json_string_value(json_array_get(audiences, i));

                if (one && strcmp(one, audience) == 0)
                        return true;
        }
        return false;
}

/* A NumericDate (RFC 7519, section 2) in whole seconds. */
static bool read_time(const json_t *claims, const char *name, usec_t *ret) {
        json_int_t seconds;

        if (!json_member_int(claims, name, &seconds) || seconds <= 0 || seconds > SECONDS_MAX)
                return false;
        *ret = (usec_t)seconds * USEC_PER_SEC;
        return true;
}

int id_token_check(const struct id_token *token, const char *issuer, const char *audience,
                   usec_t now, usec_t *ret_expires, struct error *err) {
        const char *from = json_member_string(token->claims, "iss");
        usec_t expires, issued, begins = 0;
        char span[CLOCK_TEXT_MAX];

        if (!from || strcmp(from, issuer) != 0)
                return error_set(err, DIAG_PROOF_REJECTED, "the ID token is not from %.128s",
                                 issuer);
        if (!is_for(json_object_get(token->claims, "aud"), audience))
                return error_set(err, DIAG_PROOF_REJECTED,
                                 "the ID token is for another audience than '%.96s'", audience);
        if (!read_time(token->claims, "exp", &expires) ||
            !read_time(token->claims, "iat", &issued) ||
            (json_object_get(token->claims, "nbf") && !read_time(token->claims, "nbf", &begins)))
                return reject(err, "does not say from when until when it holds");
        if (now >= expires + ID_TOKEN_LEEWAY)
                return error_set(err, DIAG_PROOF_REJECTED, "the ID token expired %s ago",
                                 clock_format_span(now - expires, span));
        if (begins > now + ID_TOKEN_LEEWAY || issued > now + ID_TOKEN_LEEWAY)
                return error_set(
                    err, DIAG_PROOF_REJECTED,
                    "the ID token holds only in %s: compare the clocks of this host and "
                    "of the forge",
                    clock_format_span((begins > issued ? begins : issued) - now, span));
        *ret_expires = expires;
        return 0;
}
