/*
 * What belongs to Universal Auth: the first byte of the input chooses the parser, the rest is for
 * it.
 *   A an answer to a login ("STATUS CONTENT-TYPE\n" and the body)   J an access token   H header lines   L the lockout file
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/wiping.h"
#include "infisical/header_lines.h"
#include "infisical/lockout.h"
#include "infisical/session.h"

#define NOW (UINT64_C(1800000000) * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_answer(const char *text, size_t size) {
        struct http_response response = { 0 };
        const char *newline = memchr(text, '\n', size < 80 ? size : 80);
        struct infisical_session session;
        char line[81] = "", clean[512];
        struct error err;
        int r;

        if (!newline)
                return;
        memcpy(line, text, (size_t)(newline - text));
        if (sscanf(line, "%3d %63s", &response.status, response.content_type) < 1 ||
            response.status < 100)
                return;
        response.body = secret_copy(newline + 1, size - (size_t)(newline + 1 - text));
        assert(response.body);
        r = infisical_classify_login(&response, "https://infisical.example.org", NOW, &session,
                                     &err);
        assert(r == -(int)err.code && session.verdict.code == err.code);
        assert((session.access_token != NULL) == (err.code == DIAG_NONE));
        assert(strcmp(text_clean(clean, sizeof(clean), err.detail, strlen(err.detail)),
                      err.detail) == 0);
        for (size_t i = 0; session.access_token && i < secret_length(session.access_token); i++)
                assert(secret_bytes(session.access_token)[i] > ' ');
        (void)secret_unref(session.access_token);
        (void)secret_unref(response.body);
}

static void try_token(const char *text, size_t size) {
        struct secret *token = secret_copy(text, size);
        struct token_claims claims;

        (void)token_claims_read(token, &claims);
        assert(strlen(claims.identity_name) < sizeof(claims.identity_name) &&
               claims.uses_limit >= 0);
        (void)secret_unref(token);
}

static void try_headers(const char *text, size_t size) {
        struct secret *lines = NULL;
        unsigned line;

        if (header_lines_check(text, size, &lines, &line) == 0)
                for (size_t i = 0; i < secret_length(lines); i++)
                        assert(secret_bytes(lines)[i] == '\n' || secret_bytes(lines)[i] == '\t' ||
                               (secret_bytes(lines)[i] >= ' ' && secret_bytes(lines)[i] <= '~'));
        (void)secret_unref(lines);
}

static void try_lockout(const char *text, size_t size) {
        struct lockout lockout = { 0 };
        char file[128];

        if (size >= sizeof(file))
                return;
        memcpy(file, text, size);
        file[size] = '\0';
        if (lockout_parse(&lockout, file))
                assert(lockout_wait(&lockout, lockout.print, NOW) <= 600 * USEC_PER_SEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static bool ready;
        const char *text = (const char *)data + 1;

        if (!ready) {
                json_set_alloc_funcs(wiping_malloc, wiping_free);
                assert(secret_init(false, NULL) == 0);
                ready = true;
        }
        if (size < 1 || size > 32768)
                return 0;
        switch (data[0]) {
        case 'A':
                try_answer(text, size - 1);
                break;
        case 'J':
                try_token(text, size - 1);
                break;
        case 'H':
                try_headers(text, size - 1);
                break;
        case 'L':
                try_lockout(text, size - 1);
                break;
        default:
                break;
        }
        assert(secret_in_use() == 0 && wiping_in_use() == 0);
        return 0;
}
