/* ID tokens and key sets with keys made here: what is genuine, and what only looks so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/base64url.h"
#include "base/wiping.h"
#include "forge/key_set.h"
#include "net/http.h"

#define ISSUER   "https://git.example.org/api/actions"
#define AUDIENCE "forge-broker"
#define NOW      (UINT64_C(1800000000) * USEC_PER_SEC)

static EVP_PKEY *rsa, *small_rsa, *p256, *p384;

static size_t encode(char *to, const void *bytes, size_t length) {
        size_t used = (size_t)EVP_EncodeBlock((unsigned char *)to, bytes, (int)length);

        while (used > 0 && to[used - 1] == '=')
                used--;
        to[used] = '\0';
        for (size_t i = 0; i < used; i++)
                to[i] = to[i] == '+' ? '-' : to[i] == '/' ? '_' : to[i];
        return used;
}

static void encode_number(char *to, EVP_PKEY *key, const char *name) {
        unsigned char bytes[1100];
        BIGNUM *number = NULL;

        assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
        (void)encode(to, bytes, (size_t)BN_bn2bin(number, bytes));
        BN_free(number);
}

static void encode_coordinate(char *to, EVP_PKEY *key, const char *name) {
        unsigned char bytes[48];
        BIGNUM *number = NULL;
        int length = key == p384 ? 48 : 32;

        assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
        assert_int_equal(BN_bn2binpad(number, bytes, length), length);
        (void)encode(to, bytes, (size_t)length);
        BN_free(number);
}

/* A JWK; @more: further members, each with a comma in front. */
static char *jwk(EVP_PKEY *key, const char *kid, const char *more) {
        char a[1500], b[1500], *text = NULL;

        if (EVP_PKEY_is_a(key, "RSA")) {
                encode_number(a, key, OSSL_PKEY_PARAM_RSA_N);
                assert_true(
                    asprintf(&text,
                             "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"AQAB\"%s}", kid,
                             a, more) > 0);
        } else {
                encode_coordinate(a, key, OSSL_PKEY_PARAM_EC_PUB_X);
                encode_coordinate(b, key, OSSL_PKEY_PARAM_EC_PUB_Y);
                assert_true(asprintf(&text,
                                     "{\"kty\":\"EC\",\"crv\":\"%s\",\"kid\":\"%s\",\"x\":\"%s\","
                                     "\"y\":\"%s\"%s}",
                                     key == p384 ? "P-384" : "P-256", kid, a, b, more) > 0);
        }
        return text;
}

/* The set of these two JWKs, which are freed; the second may be NULL. */
static struct key_set *read_set(char *first, char *second, struct error *err) {
        struct key_set *set = NULL;
        char *text = NULL;
        int length =
            asprintf(&text, "{\"keys\":[%s%s%s]}", first, second ? "," : "", second ? second : "");

        assert_true(length > 0);
        (void)key_set_read(text, (size_t)length, &set, err);
        free(text);
        free(first);
        free(second);
        return set;
}

static struct secret *jwt(EVP_PKEY *key, const char *header, const char *claims) {
        struct secret *text = secret_new(PROOF_MAX_BYTES);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char signature[1024], raw[64];
        size_t length = sizeof(signature);
        char part[2048];

        assert_true(secret_append(text, part, encode(part, header, strlen(header))));
        assert_true(secret_append(text, ".", 1));
        assert_true(secret_append(text, part, encode(part, claims, strlen(claims))));
        assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
        assert_int_equal(EVP_DigestSign(context, signature, &length,
                                        (const unsigned char *)secret_bytes(text),
                                        secret_length(text)),
                         1);
        EVP_MD_CTX_free(context);
        if (!EVP_PKEY_is_a(key, "RSA")) {
                const unsigned char *der = signature;
                ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);

                assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32), 32);
                assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32), 32);
                ECDSA_SIG_free(pair);
                memcpy(signature, raw, sizeof(raw));
                length = sizeof(raw);
        }
        assert_true(secret_append(text, ".", 1));
        assert_true(secret_append(text, part, encode(part, signature, length)));
        return text;
}

/* What becomes of a token: DIAG_NONE, or why not.  Takes it over. */
static int verify(const struct key_set *set, struct secret *text) {
        struct id_token token = { 0 };
        struct error err = { 0 };
        int r = id_token_read(text, &token, &err);

        if (r >= 0)
                r = key_set_verify(set, &token, &err);
        id_token_done(&token);
        (void)secret_unref(text);
        return r;
}

#define CLAIMS                                                                                     \
        "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"iat\":1800000000,\"exp\":1800000300}"
#define REJECTED (-(int)DIAG_PROOF_REJECTED)

static void only_the_named_key_signs(void **state) {
        struct error err = { 0 };
        struct key_set *set =
            read_set(jwk(rsa, "r", ""), jwk(p256, "e", ",\"alg\":\"ES256\",\"use\":\"sig\""), &err);
        EVP_PKEY *other = EVP_RSA_gen(2048);

        (void)state;
        assert_non_null(set);
        assert_int_equal(verify(set, jwt(rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS)),
                         KEY_SET_SIGNED);
        assert_int_equal(verify(set, jwt(p256, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS)),
                         KEY_SET_SIGNED);
        assert_int_equal(verify(set, jwt(other, "{\"alg\":\"RS256\",\"kid\":\"r\"}", CLAIMS)),
                         REJECTED);
        assert_int_equal(verify(set, jwt(rsa, "{\"alg\":\"RS256\",\"kid\":\"e\"}", CLAIMS)),
                         REJECTED);
        assert_int_equal(verify(set, jwt(p256, "{\"alg\":\"RS256\",\"kid\":\"e\"}", CLAIMS)),
                         REJECTED);
        assert_int_equal(verify(set, jwt(rsa, "{\"alg\":\"RS256\",\"kid\":\"x\"}", CLAIMS)),
                         KEY_SET_UNKNOWN_KEY);
        assert_int_equal(verify(set, jwt(rsa, "{\"alg\":\"RS256\",\"kid\":\"\"}", CLAIMS)),
                         REJECTED);
        EVP_PKEY_free(other);
        (void)key_set_free(set);
}

static void every_changed_character_breaks_it(void **state) {
        static const char *const headers[] = { "{\"alg\":\"RS256\",\"kid\":\"r\"}",
                                               "{\"alg\":\"ES256\",\"kid\":\"e\"}" };
        struct error err = { 0 };
        struct key_set *set = read_set(jwk(rsa, "r", ""), jwk(p256, "e", ""), &err);

        (void)state;
        for (size_t kind = 0; kind < ELEMENTS(headers); kind++) {
                struct secret *good = jwt(kind ? p256 : rsa, headers[kind], CLAIMS);

                for (size_t i = 0; i < secret_length(good); i++) {
                        struct secret *bad = secret_copy(secret_bytes(good), secret_length(good));
                        char *at = secret_buffer(bad) + i;

                        *at = *at == 'A' ? 'B' : 'A';
                        if (verify(set, bad) == KEY_SET_SIGNED)
                                fail_msg("kind %zu: character %zu does not matter", kind, i);
                }
                assert_int_equal(verify(set, good), KEY_SET_SIGNED);
        }
        (void)key_set_free(set);
}

/* Of ES256: not 64 bytes, or numbers that are none. */
static void signatures_of_other_shapes_are_refused(void **state) {
        struct error err = { 0 };
        struct key_set *set = read_set(jwk(p256, "e", ""), NULL, &err);
        static const size_t lengths[] = { 1, 32, 63, 64, 65, 70, 128 };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(lengths); i++)
                for (int byte = 0; byte <= 0xff; byte += 0xff) {
                        struct secret *text =
                            jwt(p256, "{\"alg\":\"ES256\",\"kid\":\"e\"}", CLAIMS);
                        unsigned char signature[128];
                        char encoded[256];

                        memset(signature, byte, sizeof(signature));
                        secret_truncate(text, (size_t)(strrchr(secret_bytes(text), '.') + 1 -
                                                       secret_bytes(text)));
                        assert_true(
                            secret_append(text, encoded, encode(encoded, signature, lengths[i])));
                        assert_int_equal(verify(set, text), REJECTED);
                }
        (void)key_set_free(set);
}

static void key_sets_have_keys_that_can_be_used(void **state) {
        static const struct {
                const char *more;
                bool used;
        } rows[] = {
                { "", true },
                { ",\"use\":\"sig\"", true },
                { ",\"alg\":\"RS256\"", true },
                { ",\"x5c\":[\"AAAA\"]", true },
                { ",\"use\":\"enc\"", false },
                { ",\"use\":1", false },
                { ",\"alg\":\"RS512\"", false },
                { ",\"alg\":\"HS256\"", false },
                { ",\"kty\":\"RSA\"", false },
        };
        struct key_set *set;
        struct error err;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                set = read_set(jwk(rsa, "r", rows[i].more), NULL, &err);
                if ((set != NULL) != rows[i].used)
                        fail_msg("%s: %s", rows[i].more, rows[i].used ? err.detail : "used");
                (void)key_set_free(set);
        }
        assert_null(read_set(jwk(small_rsa, "r", ""), NULL, &err));
        assert_null(read_set(jwk(p384, "e", ""), NULL, &err));
        assert_null(read_set(jwk(rsa, "", ""), NULL, &err));
        assert_null(read_set(jwk(rsa, "r", ""), jwk(p256, "r", ""), &err));
        assert_non_null(strstr(err.detail, "same kid"));
        set = read_set(jwk(rsa, "r", ""), jwk(p384, "r", ""), &err);
        assert_non_null(set);
        (void)key_set_free(set);
}

static void what_is_no_key_set_is_refused(void **state) {
        static const char *const texts[] = {
                "",
                "[]",
                "{}",
                "{\"keys\":{}}",
                "{\"keys\":[]}",
                "{\"keys\":[1]}",
                "{\"keys\":[{}]}",
                "{\"keys\":[]} ",
                "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAAA\"}]}",
                "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
                "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"AQAB\",\"y\":"
                "\"AQAB\"}]}",
                /* Of the right size, and not on the curve. */
                ("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":"
                 "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\","
                 "\"y\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}]}"),
        };
        char *large = calloc(1, KEY_SET_TEXT_MAX_BYTES + 2);
        struct key_set *set;
        struct error err;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(texts); i++)
                assert_int_equal(key_set_read(texts[i], strlen(texts[i]), &set, &err),
                                 -(int)DIAG_UPSTREAM_MALFORMED);
        memset(large, ' ', KEY_SET_TEXT_MAX_BYTES + 1);
        assert_int_equal(key_set_read(large, KEY_SET_TEXT_MAX_BYTES + 1, &set, &err),
                         -(int)DIAG_UPSTREAM_MALFORMED);
        free(large);
}

static int check(const char *claims, struct error *err) {
        struct secret *text = jwt(rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", claims);
        struct id_token token = { 0 };
        usec_t expires = 0;
        int r;

        assert_int_equal(id_token_read(text, &token, err), 0);
        r = id_token_check(&token, ISSUER, AUDIENCE, NOW, &expires, err);
        if (r == 0)
                assert_true(expires + ID_TOKEN_LEEWAY > NOW);
        id_token_done(&token);
        (void)secret_unref(text);
        return r;
}

/* Seconds from now. */
static int check_times(long expires, long begins, long issued) {
        struct error err = { 0 };
        char claims[256];

        (void)snprintf(claims, sizeof(claims),
                       "{\"iss\":\"%s\",\"aud\":\"%s\",\"exp\":%ld,\"nbf\":%ld,\"iat\":%ld}",
                       ISSUER, AUDIENCE, 1800000000 + expires, 1800000000 + begins,
                       1800000000 + issued);
        return check(claims, &err);
}

static void clocks_may_differ_by_a_minute(void **state) {
        (void)state;
        assert_int_equal(check_times(300, 0, 0), 0);
        assert_int_equal(check_times(-59, -300, -300), 0);
        assert_int_equal(check_times(-60, -300, -300), REJECTED);
        assert_int_equal(check_times(300, 60, 0), 0);
        assert_int_equal(check_times(300, 61, 0), REJECTED);
        assert_int_equal(check_times(300, 0, 60), 0);
        assert_int_equal(check_times(300, 0, 61), REJECTED);
        assert_int_equal(check_times(-1800000000, 0, 0), REJECTED);
        assert_int_equal(check_times(300, -1800000001, 0), REJECTED);
        assert_int_equal(check_times(INT64_C(253402300799) - 1800000000, 0, 0), 0);
        assert_int_equal(check_times(INT64_C(253402300800) - 1800000000, 0, 0), REJECTED);
}

static void an_audience_is_one_text_or_among_some(void **state) {
        static const struct {
                const char *aud;
                bool good;
        } rows[] = {
                { "\"forge-broker\"", true },
                { "[\"forge-broker\"]", true },
                { "[\"x\",\"forge-broker\"]", true },
                { "[1,null,\"forge-broker\"]", true },
                { "\"Forge-Broker\"", false },
                { "\"forge-broker \"", false },
                { "\"\"", false },
                { "[]", false },
                { "{}", false },
                { "null", false },
                { "[[\"forge-broker\"]]", false },
                { "{\"forge-broker\":1}", false },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct error err = { 0 };
                char claims[256];

                (void)snprintf(claims, sizeof(claims),
                               "{\"iss\":\"%s\",\"aud\":%s,\"iat\":1800000000,\"exp\":1800000300}",
                               ISSUER, rows[i].aud);
                if ((check(claims, &err) == 0) != rows[i].good)
                        fail_msg("%s: %s", rows[i].aud, err.detail);
        }
}

static void only_one_spelling_is_base64url(void **state) {
        static const struct {
                const char *text, *bytes; /* NULL: none */
        } rows[] = {
                { "Zg", "f" },
                { "Zm8", "fo" },
                { "Zm9v", "foo" },
                { "Zm9vYg", "foob" },
                { "-_-_", "\xfb\xff\xbf" },
                { "", NULL },
                { "Z", NULL },
                { "Zm9vY", NULL },
                { "Zg==", NULL },
                { "Zh", NULL },
                { "Zm9", NULL },
                { "+/+/", NULL },
                { "Zm 9v", NULL },
                { "Zm9v\n", NULL },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct secret *bytes = secret_new(16);
                bool good = base64url_decode(rows[i].text, strlen(rows[i].text), bytes);

                if (good != (rows[i].bytes != NULL) ||
                    (good && strcmp(secret_bytes(bytes), rows[i].bytes) != 0))
                        fail_msg("'%s'", rows[i].text);
                (void)secret_unref(bytes);
        }
}

static void keys_are_at_the_issuers_own_address(void **state) {
        static const struct {
                const char *text;
                bool good;
        } rows[] = {
                { "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://git.example.org/keys\"}",
                  true },
                { "{\"issuer\":\"" ISSUER
                  "\",\"jwks_uri\":\"https://GIT.example.org:443/keys?x=1\"}",
                  true },
                { "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://git.example.org/keys\"}",
                  false },
                { "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://git.example.org:8443/keys\"}",
                  false },
                { "{\"issuer\":\"" ISSUER
                  "\",\"jwks_uri\":\"https://git.example.org.evil.example/keys\"}",
                  false },
                { "{\"issuer\":\"" ISSUER
                  "\",\"jwks_uri\":\"https://git.example.org@evil.example/keys\"}",
                  false },
                { "{\"issuer\":\"" ISSUER
                  "\",\"jwks_uri\":\"https://evil.example\\\\@git.example.org/keys\"}",
                  false },
                { "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://git.example.org/keys\\n\"}",
                  false },
                { "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"/keys\"}", false },
                { "{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"https://git.example.org/keys\"}",
                  false },
                { "{\"issuer\":\"https://evil.example\",\"jwks_uri\":\"https://git.example.org/"
                  "keys\"}",
                  false },
                { "{\"issuer\":\"" ISSUER "\"}", false },
                { "{\"issuer\":\"" ISSUER "\",\"issuer\":\"" ISSUER
                  "\",\"jwks_uri\":\"https://git.example.org/keys\"}",
                  false },
                { "[]", false },
                { "", false },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct error err = { 0 };
                char *url = NULL;
                int r = discovery_read(rows[i].text, strlen(rows[i].text), ISSUER, &url, &err);

                if ((r == 0) != rows[i].good)
                        fail_msg("%s: %s", rows[i].text, err.detail);
                free(url);
        }
}

static int set_up(void **state) {
        struct error err;

        (void)state;
        assert_int_equal(http_setup(&err), 0);
        assert_int_equal(secret_init(false, &err), 0);
        rsa = EVP_RSA_gen(2048);
        small_rsa = EVP_RSA_gen(1024);
        p256 = EVP_EC_gen("P-256");
        p384 = EVP_EC_gen("P-384");
        return rsa && small_rsa && p256 && p384 ? 0 : -1;
}

static int tear_down(void **state) {
        (void)state;
        EVP_PKEY_free(rsa);
        EVP_PKEY_free(small_rsa);
        EVP_PKEY_free(p256);
        EVP_PKEY_free(p384);
        http_cleanup();
        assert_int_equal(wiping_in_use(), 0);
        assert_int_equal(secret_in_use(), 0);
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_the_named_key_signs),
                cmocka_unit_test(every_changed_character_breaks_it),
                cmocka_unit_test(signatures_of_other_shapes_are_refused),
                cmocka_unit_test(key_sets_have_keys_that_can_be_used),
                cmocka_unit_test(what_is_no_key_set_is_refused),
                cmocka_unit_test(clocks_may_differ_by_a_minute),
                cmocka_unit_test(an_audience_is_one_text_or_among_some),
                cmocka_unit_test(only_one_spelling_is_base64url),
                cmocka_unit_test(keys_are_at_the_issuers_own_address),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
