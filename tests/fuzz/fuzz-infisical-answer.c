/*
 * What an answer to a secret read means, and whether it is the status of an Infisical.  The input
 * is a line "STATUS CONTENT-TYPE FLAGS" and the body; the flags are letters: 4 the v4 route was
 * asked, e an ETag was sent, r the server said Retry-After.  Whatever comes: a value is a token,
 * only what Infisical itself could have said ends the life of one, messages are clean, and nothing
 * stays in memory.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/wiping.h"
#include "infisical/infisical.h"
#include "infisical/status.h"

#define ANSWER_MAX_BYTES ((size_t)64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct infisical_address address = {
        .project_id = "a5db14e9-3090-42e4-a6a0-514a805f306f",
        .environment = "prod",
        .secret_path = "/home-platform/forgejo_accounts",
        .secret_name = "p+codex@durlej.me",
};

static void check_text(const char *text, size_t size) {
        char clean[512];

        assert(strlen(text) < size);
        assert(strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0);
}

static void check_value(const struct infisical_result *result) {
        size_t length = secret_length(result->value);
        const char *bytes = secret_bytes(result->value);

        assert(length > 0 && length <= INFISICAL_VALUE_MAX_BYTES && strlen(bytes) == length);
        for (size_t i = 0; i < length; i++)
                assert(bytes[i] >= 0x21 && bytes[i] <= 0x7e);
        assert(result->version >= 0);
}

static void check_result(const struct http_response *response,
                         const struct infisical_result *result, const struct error *err, int r) {
        const struct infisical_verdict *verdict = &result->verdict;

        assert(r == -(int)verdict->code && err->code == verdict->code);
        assert(verdict->code == DIAG_NONE || (verdict->code >= DIAG_CREDENTIAL_EXPIRED &&
                                              verdict->code <= DIAG_UPSTREAM_MALFORMED));
        assert((verdict->code == DIAG_NONE) == (result->value != NULL || verdict->unchanged));
        assert(!verdict->unchanged || (response->status == 304 && !result->value));
        assert(!result->value || (response->status == 200 &&
                                  strcmp(response->content_type, "application/json") == 0));
        if (verdict->authoritative) {
                assert(response->status == 200 ||
                       (response->status >= 400 && response->status < 500));
                assert(strcmp(response->content_type, "application/json") == 0);
                assert(verdict->code < DIAG_UPSTREAM_BLOCKED);
        }
        assert(!verdict->route_unknown || verdict->code == DIAG_UPSTREAM_MALFORMED);
        assert((verdict->pause > 0) == (verdict->code == DIAG_UPSTREAM_RATE_LIMITED) &&
               verdict->pause <= USEC_PER_HOUR);
        if (result->value)
                check_value(result);
        check_text(err->detail, sizeof(err->detail));
        if (verdict->code != DIAG_NONE)
                check_text(error_remedy(err), sizeof(err->remedy));
}

/* The same answer to the question whether this is Infisical: only a 200 of the right shape says
 * so. */
static void check_status(const struct http_response *response) {
        struct infisical_verdict verdict;
        struct error err;
        int r =
            infisical_classify_status(response, "https://infisical.example.org", &verdict, &err);

        assert(r == -(int)verdict.code && err.code == verdict.code);
        assert(
            verdict.code != DIAG_NONE ||
            (response->status == 200 && strcmp(response->content_type, "application/json") == 0));
        assert((verdict.pause > 0) == (verdict.code == DIAG_UPSTREAM_RATE_LIMITED));
        check_text(err.detail, sizeof(err.detail));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static bool ready;
        struct http_response response = { 0 };
        const uint8_t *newline = memchr(data, '\n', size < 96 ? size : 96);
        char line[97] = "", flags[8] = "";
        struct infisical_result result;
        struct error err;
        int r;

        if (!ready) {
                json_set_alloc_funcs(wiping_malloc, wiping_free);
                assert(secret_init(false, NULL) == 0);
                ready = true;
        }
        if (!newline || size - (size_t)(newline + 1 - data) > ANSWER_MAX_BYTES)
                return 0;
        memcpy(line, data, (size_t)(newline - data));
        if (sscanf(line, "%3d %63s %7s", &response.status, response.content_type, flags) < 1 ||
            response.status < 100)
                return 0;
        if (strchr(flags, 'r'))
                response.retry_after = 9 * USEC_PER_SEC;
        response.body = secret_copy(newline + 1, size - (size_t)(newline + 1 - data));
        assert(response.body);

        r = infisical_classify_read(&response, &address, "https://infisical.example.org",
                                    strchr(flags, '4') != NULL, strchr(flags, 'e') != NULL, &result,
                                    &err);
        check_result(&response, &result, &err, r);
        check_status(&response);
        (void)secret_unref(result.value);
        (void)secret_unref(response.body);
        assert(secret_in_use() == 0 && wiping_in_use() == 0);
        return 0;
}
