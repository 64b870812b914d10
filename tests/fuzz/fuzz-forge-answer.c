/*
 * What a forge's answer to "who is this" says about a token.  The input is a line "FORGE STATUS
 * CONTENT-TYPE FLAGS" and the body; FORGE begins a type (fo, gitea, gith, gitl), the flag r means
 * that the server said Retry-After.  Whatever comes: only the forge's own JSON makes a verdict,
 * messages are clean, and nothing stays in memory.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/wiping.h"
#include "forge/alive.h"

#define ANSWER_MAX_BYTES ((size_t)32 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size) {
        char clean[512];

        assert(strlen(text) < size);
        assert(strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0);
}

static void check_verdict(const struct http_response *response, enum forge_life life,
                          const struct error *err) {
        bool json = strcmp(response->content_type, "application/json") == 0;

        switch (life) {
        case FORGE_TOKEN_ALIVE:
                assert(err->code == DIAG_NONE && json &&
                       (response->status == 200 || response->status == 403));
                return;
        case FORGE_TOKEN_DEAD:
                assert(err->code == DIAG_FORGE_TOKEN_REJECTED && json && response->status == 401);
                break;
        default:
                assert(
                    err->code == DIAG_FORGE_CANNOT_TELL ||
                    (err->code >= DIAG_UPSTREAM_BLOCKED && err->code <= DIAG_UPSTREAM_MALFORMED));
        }
        check_text(err->detail, sizeof(err->detail));
        check_text(error_remedy(err), sizeof(err->remedy));
}

static bool find_type(const char *prefix, enum forge_type *ret) {
        for (int type = 0; type < FORGE_OTHER; type++) {
                *ret = (enum forge_type)type;
                if (*prefix && text_starts_with(forge_type_name(*ret), prefix))
                        return true;
        }
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static bool ready;
        static char name[] = "home", url[] = "https://git.example.org";
        struct forge_config forge = { .name = name, .url = url };
        struct http_response response = { 0 };
        const uint8_t *newline = memchr(data, '\n', size < 96 ? size : 96);
        char line[97] = "", type[16] = "", flags[8] = "";
        struct error err;

        if (!ready) {
                json_set_alloc_funcs(wiping_malloc, wiping_free);
                assert(secret_init(false, NULL) == 0);
                ready = true;
        }
        if (!newline || size - (size_t)(newline + 1 - data) > ANSWER_MAX_BYTES)
                return 0;
        memcpy(line, data, (size_t)(newline - data));
        if (sscanf(line, "%15s %3d %63s %7s", type, &response.status, response.content_type,
                   flags) < 2 ||
            response.status < 100 || !find_type(type, &forge.type))
                return 0;
        if (strchr(flags, 'r'))
                response.retry_after = 9 * USEC_PER_SEC;
        response.body = secret_copy(newline + 1, size - (size_t)(newline + 1 - data));
        assert(response.body);
        check_verdict(&response, forge_classify_life(&forge, &response, &err), &err);
        (void)secret_unref(response.body);
        assert(secret_in_use() == 0 && wiping_in_use() == 0);
        return 0;
}
