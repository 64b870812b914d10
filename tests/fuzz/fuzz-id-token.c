/*
 * ID tokens and what checks them: the first byte of the input chooses the parser, the rest is for
 * it.
 *   J a JWT   P a header and, behind the first line break, claims: they are made a JWT of   K a JWK set   D a discovery document
 *   U an address of an ID token's request
 */
#include <assert.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/wiping.h"
#include "config/url.h"
#include "forge/key_set.h"
#include "forge/vouch_internal.h"

#define ISSUER   "https://git.example.org/api/actions"
#define AUDIENCE "forge-broker"
#define NOW      (UINT64_C(1800000000) * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct key_set *keys;

static void check_error(int r, const struct error *err, bool may_succeed) {
        char clean[ERROR_DETAIL_MAX];

        assert(r == -(int)err->code || (may_succeed && r >= 0));
        assert(strcmp(text_clean(clean, sizeof(clean), err->detail, strlen(err->detail)),
                      err->detail) == 0);
}

/* Nobody here can sign: whatever comes, no token is signed by the key that there is. */
static void try_token(const char *bytes, size_t size) {
        struct secret *text = secret_copy(bytes, size);
        struct id_token token = { 0 };
        struct error err = { 0 };
        struct job_facts facts;
        usec_t expires = 0;
        int r;

        assert(text);
        (void)id_token_is_one(text);
        r = id_token_read(text, &token, &err);
        check_error(r, &err, true);
        if (r >= 0) {
                assert(id_token_is_one(text) && token.key_id[0] && json_is_object(token.claims));
                r = key_set_verify(keys, &token, &err);
                assert(r == KEY_SET_UNKNOWN_KEY || r == -(int)DIAG_PROOF_REJECTED);
                err = (struct error){ 0 };
                r = id_token_check(&token, ISSUER, AUDIENCE, NOW, &expires, &err);
                check_error(r, &err, true);
                assert(r < 0 || expires + ID_TOKEN_LEEWAY > NOW);
                for (int type = FORGE_FORGEJO; type <= FORGE_GITLAB; type++) {
                        err = (struct error){ 0 };
                        r = job_facts_read_claims((enum forge_type)type, token.claims, &facts,
                                                  &err);
                        check_error(r, &err, true);
                        assert(r < 0 || fact_is_repository(facts.repository));
                }
        }
        id_token_done(&token);
        (void)secret_unref(text);
}

static size_t encode(char *to, const char *bytes, size_t length) {
        size_t used =
            (size_t)EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)bytes, (int)length);

        while (used > 0 && to[used - 1] == '=')
                used--;
        for (size_t i = 0; i < used; i++)
                to[i] = to[i] == '+' ? '-' : to[i] == '/' ? '_' : to[i];
        return used;
}

static void try_parts(const char *text, size_t size) {
        const char *newline = memchr(text, '\n', size);
        char jwt[12288];
        size_t used;

        if (!newline || size > PROOF_MAX_BYTES)
                return;
        used = encode(jwt, text, (size_t)(newline - text));
        jwt[used++] = '.';
        used += encode(jwt + used, newline + 1, size - (size_t)(newline + 1 - text));
        memset(jwt + used, 'A', 87);
        jwt[used] = '.';
        try_token(jwt, used + 87);
}

static void try_keys(const char *text, size_t size) {
        struct key_set *set = NULL;
        struct error err = { 0 };
        int r = key_set_read(text, size, &set, &err);

        check_error(r, &err, true);
        assert((r >= 0) == (set != NULL));
        (void)key_set_free(set);
}

static void try_discovery(const char *text, size_t size) {
        struct error err = { 0 };
        char *url = NULL;
        int r = discovery_read(text, size, ISSUER, &url, &err);

        check_error(r, &err, true);
        assert(r < 0 || url_is_same_origin(url, ISSUER));
        free(url);
}

static void try_address(const char *text, size_t size) {
        static char url[] = "https://git.example.org", audience[] = "forge broker",
                    pattern[] = "*.actions.example.com";
        static char *hosts[] = { pattern, NULL };
        const struct forge_config forge = { .url = url,
                                            .oidc_audience = audience,
                                            .id_token_hosts = hosts };
        char *copy = calloc(1, size + 1), *request = NULL, *origin = NULL;

        assert(copy);
        memcpy(copy, text, size);
        if (vouch_is_id_token_url(&forge, copy)) {
                origin = url_origin_of(copy);
                assert(strcmp(origin, url) == 0 || strstr(origin, ".actions.example.com"));
                request = vouch_id_token_request(&forge, copy);
                assert(request && url_is_same_origin(request, copy) &&
                       strstr(request, "audience=forge%20broker"));
        }
        free(origin);
        free(request);
        free(copy);
}

static void set_up(void) {
        /* The key of RFC 7515, appendix A.3. */
        static const char text[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"one\","
                                   "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                   "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

        json_set_alloc_funcs(wiping_malloc, wiping_free);
        assert(secret_init(false, NULL) == 0);
        assert(key_set_read(text, sizeof(text) - 1, &keys, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const struct {
                char letter;
                void (*try)(const char *text, size_t size);
        } parsers[] = { { 'J', try_token },
                        { 'P', try_parts },
                        { 'K', try_keys },
                        { 'D', try_discovery },
                        { 'U', try_address } };

        if (!keys)
                set_up();
        if (size < 1 || size > 32768)
                return 0;
        for (size_t i = 0; i < ELEMENTS(parsers); i++)
                if (data[0] == (uint8_t)parsers[i].letter)
                        parsers[i].try((const char *)data + 1, size - 1);
        assert(secret_in_use() == 0 && wiping_in_use() == 0);
        return 0;
}
