#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "test-inquiry.h"

static const char value[] = "canary-0123456789";

static const struct canned *find(const struct canned *table, const char *request) {
        for (; table && table->request; table++)
                if (text_starts_with(request, table->request))
                        return table;
        return NULL;
}

static void set_headers(struct http_response *response, const char *headers) {
        while (headers && *headers) {
                size_t name = strcspn(headers, ":"), length = strcspn(headers, "\n");
                char text[64];

                assert_in_range(name, 1, sizeof(text) - 1);
                memcpy(text, headers, name);
                text[name] = '\0';
                http_header_keep(response, text, headers + name + 2, length - name - 2);
                headers += length + (headers[length] == '\n');
        }
}

static void answer(struct forge_inquiry *inquiry, size_t probe, const struct canned *canned) {
        struct http_response response = { .status = canned->status };
        struct error err = { 0 };

        if (canned->status == 0) {
                (void)error_set(&err, DIAG_UPSTREAM_TIMEOUT, "no answer");
                inquiry_answered(inquiry, probe, NULL, &err);
                return;
        }
        (void)snprintf(response.content_type, sizeof(response.content_type), "%s",
                       canned->content_type);
        set_headers(&response, canned->headers);
        response.body = secret_copy(canned->body, strlen(canned->body));
        inquiry_answered(inquiry, probe, &response, &err);
        (void)secret_unref(response.body);
}

/* The path of an address: what stands behind its host. */
static const char *path_of(const char *url) {
        const char *host = strstr(url, "://");

        assert_non_null(host);
        return host + 3 + strcspn(host + 3, "/");
}

static void ask_one(struct forge_inquiry *inquiry, size_t probe, bool may_lack,
                    const struct canned *first, const struct canned *then,
                    struct canned_result *ret) {
        size_t used = strlen(ret->log);
        struct secret *body = NULL;
        const struct canned *canned;
        char line[2048];
        struct error err = { 0 };
        const char *url;

        if (inquiry_fill(inquiry, probe, &url, &body, &err) < 0) {
                if (!may_lack)
                        fail_msg("probe %zu: %s", probe, err.detail);
                inquiry_answered(inquiry, probe, NULL, &err);
                return;
        }
        assert_null(strstr(url, value));
        (void)snprintf(line, sizeof(line), "%s %s%s%s\n", inquiry->evidence->probes[probe].method,
                       path_of(url), body ? " " : "", body ? secret_bytes(body) : "");
        /* Only what takes away is tried twice. */
        if (strstr(ret->log, line) && !text_starts_with(line, "DELETE "))
                fail_msg("asked twice: %s", line);
        assert_true(text_append(ret->log, sizeof(ret->log), &used, "%s", line));
        (void)secret_unref(body);
        canned = find(first, line);
        if (!canned)
                canned = find(then, line);
        if (!canned)
                fail_msg("not expected: %s", line);
        else
                answer(inquiry, probe, canned);
}

void canned_ask(const struct canned_question *question, const struct canned *first,
                const struct canned *then, struct canned_result *ret) {
        static char name[] = "home";
        char url[128], registry[64] = "";
        struct forge_config forge = { .name = name, .type = question->type, .url = url };
        struct forge_question asked = { .forge = &forge,
                                        .username = "deploy-bot",
                                        .kept = "as secret 'x' in Infisical's /y",
                                        .needs = question->needs,
                                        .repository = "o/r",
                                        .image = "o/i",
                                        .write_probe = question->write_probe };
        const char *text = question->token ? question->token : value;
        struct secret *token = secret_copy(text, strlen(text));
        struct forge_inquiry *inquiry;
        struct error err;
        int probe;

        (void)snprintf(url, sizeof(url), "%s", question->url);
        (void)snprintf(registry, sizeof(registry), "%s",
                       question->registry ? question->registry : "");
        if (question->registry)
                forge.registry = registry;
        if (question->handed_in)
                asked.kept[0] = '\0';
        (void)snprintf(asked.ref, sizeof(asked.ref), "%s", question->ref);
        ret->log[0] = '\0';
        assert_int_equal(inquiry_new(&asked, token, &inquiry, &err), 0);
        while ((probe = inquiry_next(inquiry)) >= 0)
                ask_one(inquiry, (size_t)probe, question->may_lack, first, then, ret);
        inquiry_judge(inquiry, &ret->report);
        (void)inquiry_free(inquiry);
        (void)secret_unref(token);
}

void canned_rows(const struct canned_question *like, const struct canned *good,
                 const struct canned_row *rows) {
        static struct canned_result result;

        for (const struct canned_row *row = rows; row->remedy; row++) {
                struct canned_question asked = *like;
                const struct forge_finding *finding = &result.report.findings[row->need];

                asked.needs = 1u << row->need;
                asked.ref = row->ref;
                asked.write_probe = row->write_probe;
                canned_ask(&asked, row->with, good, &result);
                if (finding->verdict != row->verdict || finding->error.code != row->code ||
                    !strstr(error_remedy(&finding->error), row->remedy))
                        fail_msg("row %zu, %s %s: %s %s, %s, remedy %s\n%s", (size_t)(row - rows),
                                 forge_need_name(row->need),
                                 row->with[0].request ? row->with[0].request : "",
                                 forge_verdict_name(finding->verdict),
                                 diagnosis_info(finding->error.code)->name, finding->error.detail,
                                 error_remedy(&finding->error), result.log);
                assert_true(finding->error.detail[0] != '\0');
                assert_null(strchr(finding->error.detail, '{'));
                assert_null(strchr(error_remedy(&finding->error), '{'));
                assert_null(strstr(finding->error.detail, value));
                assert_null(strstr(error_remedy(&finding->error), value));
        }
}
