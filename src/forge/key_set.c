#include "forge/key_set.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/base64url.h"
#include "base/json.h"
#include "config/url.h"

/* Of a modulus.  What is longer costs a second for each signature. */
#define RSA_MIN_BYTES      256
#define RSA_MAX_BYTES      1024
#define EXPONENT_MAX_BYTES 8
#define P256_BYTES         32

struct key {
        char id[KEY_ID_MAX];
        enum id_token_algorithm algorithm;
        EVP_PKEY *key;
};

struct key_set {
        struct key keys[KEY_SET_KEYS_MAX];
        size_t count;
};

struct key_set *key_set_free(struct key_set *set) {
        for (size_t i = 0; set && i < set->count; i++)
                EVP_PKEY_free(set->keys[i].key);
        free(set);
        return NULL;
}

/* A number as its bytes, the first of which is not 0 (RFC 7518, section 2). */
static struct secret *read_bytes(const json_t *jwk, const char *name, size_t min, size_t max) {
        _cleanup_(secret_unrefp) struct secret *bytes = secret_new(max);
        const char *text = json_member_string(jwk, name);

        if (!bytes || !text ||
            !base64url_decode(text, json_member_string_length(jwk, name), bytes) ||
            secret_length(bytes) < min)
                return NULL;
        return take(bytes);
}

/* Takes the parameters over. */
static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *parts) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
        OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(parts);
        EVP_PKEY *key = NULL;

        if (!context || !parameters || EVP_PKEY_fromdata_init(context) != 1 ||
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
                key = NULL;
        OSSL_PARAM_free(parameters);
        EVP_PKEY_CTX_free(context);
        return key;
}

static EVP_PKEY *read_rsa(const json_t *jwk) {
        _cleanup_(secret_unrefp) struct secret *n =
            read_bytes(jwk, "n", RSA_MIN_BYTES, RSA_MAX_BYTES);
        _cleanup_(secret_unrefp) struct secret *e = read_bytes(jwk, "e", 1, EXPONENT_MAX_BYTES);
        OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
        BIGNUM *modulus = NULL, *exponent = NULL;
        EVP_PKEY *key = NULL;

        if (n && e && secret_bytes(n)[0] != 0) {
                modulus =
                    BN_bin2bn((const unsigned char *)secret_bytes(n), (int)secret_length(n), NULL);
                exponent =
                    BN_bin2bn((const unsigned char *)secret_bytes(e), (int)secret_length(e), NULL);
        }
        if (parts && modulus && exponent && BN_is_odd(modulus) && BN_is_odd(exponent) &&
            !BN_is_one(exponent) && BN_num_bits(modulus) >= RSA_MIN_BYTES * 8 &&
            OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
            OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
                key = make_key("RSA", parts);
        OSSL_PARAM_BLD_free(parts);
        BN_free(modulus);
        BN_free(exponent);
        return key;
}

static EVP_PKEY *read_p256(const json_t *jwk) {
        _cleanup_(secret_unrefp) struct secret *x = read_bytes(jwk, "x", P256_BYTES, P256_BYTES);
        _cleanup_(secret_unrefp) struct secret *y = read_bytes(jwk, "y", P256_BYTES, P256_BYTES);
        OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
        unsigned char point[1 + 2 * P256_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
        EVP_PKEY *key = NULL;

        if (parts && x && y) {
                memcpy(point + 1, secret_bytes(x), P256_BYTES);
                memcpy(point + 1 + P256_BYTES, secret_bytes(y), P256_BYTES);
                /* A point that is not on the curve is refused. */
                if (OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
                                                    0) == 1 &&
                    OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                     sizeof(point)) == 1)
                        key = make_key("EC", parts);
        }
        OSSL_PARAM_BLD_free(parts);
        return key;
}

static bool text_is(const char *text, const char *wanted) {
        return text && strcmp(text, wanted) == 0;
}

static bool is_absent_or(const json_t *jwk, const char *name, const char *wanted) {
        return !json_object_get(jwk, name) || text_is(json_member_string(jwk, name), wanted);
}

/* False for one that no ID token can name or need. */
static bool read_key(const json_t *jwk, struct key *ret) {
        const char *type = json_member_string(jwk, "kty"), *id = json_member_string(jwk, "kid");

        *ret = (struct key){ 0 };
        if (!id || !*id || strlen(id) >= sizeof(ret->id) || !is_absent_or(jwk, "use", "sig"))
                return false;
        memcpy(ret->id, id, strlen(id) + 1);
        if (text_is(type, "RSA") && is_absent_or(jwk, "alg", "RS256")) {
                ret->algorithm = ID_TOKEN_RS256;
                ret->key = read_rsa(jwk);
        } else if (text_is(type, "EC") && text_is(json_member_string(jwk, "crv"), "P-256") &&
                   is_absent_or(jwk, "alg", "ES256")) {
                ret->algorithm = ID_TOKEN_ES256;
                ret->key = read_p256(jwk);
        }
        ERR_clear_error();
        return ret->key != NULL;
}

static const struct key *find(const struct key_set *set, const char *id) {
        for (size_t i = 0; i < set->count; i++)
                if (strcmp(set->keys[i].id, id) == 0)
                        return &set->keys[i];
        return NULL;
}

int key_set_read(const char *text, size_t length, struct key_set **ret, struct error *err) {
        _cleanup_(key_set_freep) struct key_set *set = calloc(1, sizeof(*set));
        _cleanup_(json_decrefp) json_t *root =
            length <= KEY_SET_TEXT_MAX_BYTES ? json_parse(text, length) : NULL;
        const json_t *keys = json_object_get(root, "keys");

        if (!set)
                return error_oom(err);
        if (!json_is_array(keys) || json_array_size(keys) > KEY_SET_KEYS_MAX)
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "there is no JWK set of at most %d keys", KEY_SET_KEYS_MAX);
        for (size_t i = 0; i < json_array_size(keys); i++) {
                struct key *key = &set->keys[set->count];

                if (!read_key(json_array_get(keys, i), key))
                        continue;
                set->count++;
                if (find(set, key->id) != key)
                        return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                         "two keys of the JWK set have the same kid");
        }
        if (set->count == 0)
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "the JWK set has no key for RS256 or ES256");
        *ret = take(set);
        return 0;
}

/* A JWS has r and s side by side, the library wants them in DER.  Return: the DER's length, or
 * 0. */
static size_t signature_to_der(const struct secret *signature, unsigned char **ret) {
        const unsigned char *bytes = (const unsigned char *)secret_bytes(signature);
        ECDSA_SIG *pair =
            secret_length(signature) == (size_t)2 * P256_BYTES ? ECDSA_SIG_new() : NULL;
        BIGNUM *r = pair ? BN_bin2bn(bytes, P256_BYTES, NULL) : NULL;
        BIGNUM *s = pair ? BN_bin2bn(bytes + P256_BYTES, P256_BYTES, NULL) : NULL;
        int length = 0;

        if (r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
                length = i2d_ECDSA_SIG(pair, ret);
        } else {
                BN_free(r);
                BN_free(s);
        }
        ECDSA_SIG_free(pair);
        return length > 0 ? (size_t)length : 0;
}

static bool is_signed(const struct key *key, const struct id_token *token) {
        const unsigned char *text = (const unsigned char *)secret_bytes(token->text);
        const unsigned char *signature = (const unsigned char *)secret_bytes(token->signature);
        size_t length = secret_length(token->signature);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char *der = NULL;
        bool good;

        if (key->algorithm == ID_TOKEN_ES256) {
                length = signature_to_der(token->signature, &der);
                signature = der;
        }
        /* RSA without further parameters is PKCS #1 v1.5, which is what RS256 means. */
        good = context && signature && length > 0 &&
               EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->key) == 1 &&
               EVP_DigestVerify(context, signature, length, text, token->signed_bytes) == 1;
        OPENSSL_free(der);
        EVP_MD_CTX_free(context);
        ERR_clear_error();
        return good;
}

int key_set_verify(const struct key_set *set, const struct id_token *token, struct error *err) {
        const struct key *key = find(set, token->key_id);

        if (!key)
                return KEY_SET_UNKNOWN_KEY;
        if (key->algorithm != token->algorithm)
                return error_set(err, DIAG_PROOF_REJECTED,
                                 "the ID token names a key that is for another algorithm");
        if (!is_signed(key, token))
                return error_set(err, DIAG_PROOF_REJECTED,
                                 "the ID token's signature is not the forge's");
        return KEY_SET_SIGNED;
}

int discovery_read(const char *text, size_t length, const char *issuer, char **ret,
                   struct error *err) {
        _cleanup_(json_decrefp) json_t *root =
            length <= KEY_SET_TEXT_MAX_BYTES ? json_parse(text, length) : NULL;
        const char *from = json_member_string(root, "issuer"),
                   *keys = json_member_string(root, "jwks_uri");

        if (!from || !keys)
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "there is no discovery document with an issuer and its jwks_uri");
        if (strcmp(from, issuer) != 0)
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "the discovery document is another issuer's");
        if (!url_is_same_origin(keys, issuer))
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "the jwks_uri is not at the issuer's own address");
        *ret = strdup(keys);
        return *ret ? 0 : error_oom(err);
}
