/*
 * What a forge answers to all that a preflight asks, and the body of the request for one.
 *
 * The input's first line is "TYPE NEEDS FLAGS", TYPE as a word that begins one (fo, gitea, gith,
 * gitl), NEEDS a number; with the flag b the rest is the body of a request.  Else each further line
 * is "STATUS CONTENT-TYPE LENGTH", and behind it lines with a header "-NAME: VALUE" each, so many
 * bytes of a body and a newline: the answers in the order of the requests; when they are used up,
 * nothing more answers. Whatever comes: nothing is asked twice but what takes away, no "yes"
 * without an answer, texts are clean, and nothing stays in memory.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/preflight.h"
#include "base/text.h"
#include "base/wiping.h"
#include "forge/inquiry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char token_value[] = "fuzz-token-0123456789";

struct input {
        const char *at, *end;
};

static bool take_line(struct input *input, char *line, size_t size) {
        const char *newline = memchr(input->at, '\n', (size_t)(input->end - input->at));
        size_t length = newline ? (size_t)(newline - input->at) : 0;

        if (!newline || length >= size)
                return false;
        memcpy(line, input->at, length);
        line[length] = '\0';
        input->at = newline + 1;
        return true;
}

static void take_headers(struct input *input, struct http_response *response) {
        char line[512], *colon;

        while (input->at < input->end && *input->at == '-' &&
               take_line(input, line, sizeof(line))) {
                colon = strstr(line, ": ");
                if (!colon)
                        continue;
                *colon = '\0';
                if (line[1])
                        http_header_keep(response, line + 1, colon + 2, strlen(colon + 2));
        }
}

static void answer(struct forge_inquiry *inquiry, size_t probe, struct input *input) {
        struct http_response response = { 0 };
        struct error err = { 0 };
        size_t length = 0;
        char line[128];

        if (!take_line(input, line, sizeof(line)) ||
            sscanf(line, "%3d %63s %5zu", &response.status, response.content_type, &length) < 2 ||
            response.status < 100) {
                input->at = input->end;
                (void)error_set(&err, DIAG_UPSTREAM_TIMEOUT, "no answer");
                inquiry_answered(inquiry, probe, NULL, &err);
                return;
        }
        if (strcmp(response.content_type, "-") == 0)
                response.content_type[0] = '\0';
        take_headers(input, &response);
        if (length > (size_t)(input->end - input->at))
                length = (size_t)(input->end - input->at);
        response.body = secret_copy(input->at, length);
        assert(response.body);
        input->at += length;
        if (input->at < input->end && *input->at == '\n')
                input->at++;
        inquiry_answered(inquiry, probe, &response, &err);
        (void)secret_unref(response.body);
}

static void check_text(const char *text, size_t size) {
        char clean[1100];

        assert(strlen(text) < size && !strstr(text, token_value));
        assert(strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0);
}

static void check_report(const struct forge_report *report) {
        for (enum forge_need need = 0; need < NEED_COUNT; need++) {
                const struct forge_finding *finding = &report->findings[need];

                if (!(report->needs & (1u << need)))
                        continue;
                assert((finding->verdict == FORGE_YES) == (finding->error.code == DIAG_NONE));
                assert(finding->verdict != FORGE_YES || report->identity.verdict == FORGE_YES);
                check_text(finding->error.detail, sizeof(finding->error.detail));
                check_text(finding->error.remedy, sizeof(finding->error.remedy));
        }
        check_text(report->login, sizeof(report->login));
        check_text(report->scopes, sizeof(report->scopes));
        assert(report->n_warnings <= FORGE_WARNINGS_MAX);
        for (size_t i = 0; i < report->n_warnings; i++)
                check_text(report->warnings[i], sizeof(report->warnings[i]));
}

static void run(const struct forge_question *question, struct input *input) {
        struct secret *token = secret_copy(token_value, strlen(token_value));
        static struct forge_report report;
        struct forge_inquiry *inquiry = NULL;
        struct error err;
        unsigned asked = 0;
        int probe;

        assert(token);
        if (inquiry_new(question, token, &inquiry, &err) == 0) {
                while ((probe = inquiry_next(inquiry)) >= 0) {
                        struct secret *body = NULL;
                        const char *url;

                        assert(++asked <= FORGE_PROBES_MAX);
                        if (inquiry_fill(inquiry, (size_t)probe, &url, &body, &err) < 0) {
                                inquiry_answered(inquiry, (size_t)probe, NULL, &err);
                                continue;
                        }
                        assert(!strstr(url, token_value));
                        (void)secret_unref(body);
                        answer(inquiry, (size_t)probe, input);
                }
                inquiry_judge(inquiry, &report);
                check_report(&report);
        }
        (void)inquiry_free(inquiry);
        (void)secret_unref(token);
}

/* Two dots within a name are none. */
static bool goes_up(const char *place) {
        char framed[FORGE_PLACE_MAX + 2];

        (void)snprintf(framed, sizeof(framed), "/%s/", place);
        return strstr(framed, "/../") != NULL;
}

static void read_body(const struct input *input) {
        static struct preflight_query query;
        struct error err = { 0 };

        if (preflight_read(input->at, (size_t)(input->end - input->at), &query, &err) == 0) {
                assert(strlen(query.repository) < FORGE_PLACE_MAX && !goes_up(query.repository));
                assert(!(query.needs & (1u << NEED_REF)));
        } else {
                assert(err.code == DIAG_MALFORMED_REQUEST);
        }
        (void)secret_unref(query.token);
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
        static char name[] = "home", url[] = "https://git.example.org",
                    registry[] = "registry.example.org";
        struct forge_config forge = { .name = name, .url = url, .registry = registry };
        struct forge_question question = { .forge = &forge,
                                           .username = "deploy-bot",
                                           .kept = "as secret 'x' in Infisical's /y",
                                           .repository = "group/o/r",
                                           .image = "o/i" };
        struct input input = { .at = (const char *)data, .end = (const char *)data + size };
        char line[128], type[16] = "", flags[8] = "";

        if (!ready) {
                json_set_alloc_funcs(wiping_malloc, wiping_free);
                assert(secret_init(false, NULL) == 0);
                ready = true;
        }
        if (size > 65536 || !take_line(&input, line, sizeof(line)) ||
            sscanf(line, "%15s %3u %7s", type, &question.needs, flags) < 2)
                return 0;
        question.needs &= (1u << NEED_COUNT) - 1;
        question.write_probe = strchr(flags, 'w') != NULL;
        if (strchr(flags, 't'))
                (void)snprintf(question.ref, sizeof(question.ref), "refs/tags/v1");
        else if (strchr(flags, 'h'))
                (void)snprintf(question.ref, sizeof(question.ref), "refs/heads/main");
        if (strchr(flags, 'b'))
                read_body(&input);
        else if (find_type(type, &forge.type))
                run(&question, &input);
        assert(secret_in_use() == 0 && wiping_in_use() == 0);
        return 0;
}
