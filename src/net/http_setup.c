#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/wiping.h"
#include "net/http.h"

static void *openssl_malloc(size_t bytes, const char *file, int line) {
        (void)file;
        (void)line;
        return bytes > 0 ? wiping_malloc(bytes) : NULL;
}

static void *openssl_realloc(void *block, size_t bytes, const char *file, int line) {
        (void)file;
        (void)line;
        if (bytes == 0) {
                wiping_free(block);
                return NULL;
        }
        return wiping_realloc(block, bytes);
}

static void openssl_free(void *block, const char *file, int line) {
        (void)file;
        (void)line;
        wiping_free(block);
}

int http_setup(struct error *err) {
        if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "the TLS library was used before its allocator was set");
        json_set_alloc_funcs(wiping_malloc, wiping_free);

        /* libcurl would write the session keys of every connection to the file that this names. */
        (void)unsetenv("SSLKEYLOGFILE");
        if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
                                 wiping_strdup, wiping_calloc) != CURLE_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "libcurl cannot be set up");
        return 0;
}

void http_cleanup(void) {
        curl_global_cleanup();
        OPENSSL_cleanup();
}
