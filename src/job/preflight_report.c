#include "job/preflight_report.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "job/token_list.h"

static const char *const verdicts[] = {
        [PREFLIGHT_YES] = "yes", [PREFLIGHT_CANNOT_TELL] = "cannot-tell", [PREFLIGHT_NO] = "no"
};

const char *preflight_verdict_name(enum preflight_verdict verdict) {
        return verdict == PREFLIGHT_CANNOT_TELL ? "cannot tell" : verdicts[verdict];
}

void preflight_report_done(struct preflight_report *report) {
        locked_buffer_done(&report->answer);
}

static void read_finding(struct json item, struct preflight_finding *ret) {
        char verdict[16];

        (void)json_text(item, "verdict", verdict, sizeof(verdict));
        ret->verdict = PREFLIGHT_CANNOT_TELL;
        for (size_t i = 0; i < ELEMENTS(verdicts); i++)
                if (strcmp(verdict, verdicts[i]) == 0)
                        ret->verdict = (enum preflight_verdict)i;
        (void)json_text(item, "evidence", ret->evidence, sizeof(ret->evidence));
        (void)json_text(item, "code", ret->code, sizeof(ret->code));
        (void)json_text(item, "remedy", ret->remedy, sizeof(ret->remedy));
}

/* A list that is cut says so. */
static void read_scopes(struct json identity, struct preflight_report *ret) {
        struct json list, item = { 0 };
        char scope[64];
        size_t length, used = 0;

        if (!json_member(identity, "scopes", &list) || json_type(list) != JSON_ARRAY)
                return;
        ret->scopes_known = true;
        while (json_next(list, &item)) {
                char clean[sizeof(scope)];

                if (!json_string(item, scope, sizeof(scope), &length) ||
                    used + length + sizeof(" ...") >= sizeof(ret->scopes)) {
                        (void)text_append(ret->scopes, sizeof(ret->scopes), &used, "%s...",
                                          used > 0 ? " " : "");
                        return;
                }
                (void)text_append(ret->scopes, sizeof(ret->scopes), &used, "%s%s",
                                  used > 0 ? " " : "",
                                  text_clean(clean, sizeof(clean), scope, length));
        }
}

static int read_identity(struct preflight_report *ret, struct failure *failure) {
        struct json identity;

        if (!json_member(ret->json, "identity", &identity) || json_type(identity) != JSON_OBJECT)
                return failure_set(failure, EXIT_UNREACHABLE,
                                   "the broker's answer has no proper 'identity'");
        (void)snprintf(ret->identity.need, sizeof(ret->identity.need), "identity");
        read_finding(identity, &ret->identity);
        (void)json_text(identity, "login", ret->login, sizeof(ret->login));
        (void)json_text(identity, "kind", ret->kind, sizeof(ret->kind));
        (void)json_text(identity, "expires_at", ret->expires_at, sizeof(ret->expires_at));
        read_scopes(identity, ret);
        return 0;
}

/* The answer's finding on one need, or that there is none. */
static void add_finding(struct preflight_report *ret, const char *need) {
        struct preflight_finding *finding = &ret->findings[ret->count++];
        struct json list, item = { 0 };
        char name[sizeof(finding->need)];

        *finding = (struct preflight_finding){ .verdict = PREFLIGHT_CANNOT_TELL };
        (void)snprintf(finding->need, sizeof(finding->need), "%s", need);
        if (json_member(ret->json, "needs", &list))
                while (json_next(list, &item))
                        if (json_text(item, "need", name, sizeof(name)) &&
                            strcmp(name, need) == 0) {
                                read_finding(item, finding);
                                return;
                        }
        (void)snprintf(finding->evidence, sizeof(finding->evidence),
                       "the broker's answer says nothing of it");
        (void)snprintf(finding->remedy, sizeof(finding->remedy),
                       "Use the client that the broker's host provides.");
}

static void read_warnings(struct preflight_report *ret) {
        struct json list, item = { 0 };
        char text[2 * ERROR_DETAIL_MAX];
        size_t length;

        if (!json_member(ret->json, "warnings", &list))
                return;
        while (ret->warning_count < PREFLIGHT_WARNINGS_MAX && json_next(list, &item))
                if (json_string(item, text, sizeof(text), &length))
                        (void)text_clean(ret->warnings[ret->warning_count++], ERROR_DETAIL_MAX,
                                         text, length);
}

int preflight_report_read(const struct preflight_question *question, struct preflight_report *ret,
                          struct failure *failure) {
        int r;

        r = read_identity(ret, failure);
        if (r < 0)
                return r;
        for (enum preflight_need i = 0; i < PREFLIGHT_NEED_COUNT; i++)
                if (question->needs & 1u << i)
                        add_finding(ret, preflight_need_name(i));
        /* With contents:write a ref's protection is part of that. */
        if (question->ref[0] && !(question->needs & 1u << PREFLIGHT_CONTENTS_WRITE))
                add_finding(ret, "ref");
        read_warnings(ret);
        return 0;
}

int preflight_ask(const struct client *client, const struct preflight_question *question,
                  struct preflight_report *ret, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer body = { 0 };
        char path[128] = "";
        size_t used = 0;
        int r;

        (void)text_append(path, sizeof(path), &used, "/v1/tokens/%s/preflight", question->name);
        if (!preflight_question_write(question, &body))
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        r = client_post(client, path, body.bytes, body.used, &ret->answer, &ret->json, failure);
        if (r == -EXIT_UNKNOWN_TOKEN)
                token_list_add_known(client, failure);
        /* A forge that is too slow gives no verdict; that there is no value it does not mean. */
        if (r == -EXIT_NO_VALUE &&
            strcmp(failure->code, diagnosis_info(DIAG_UPSTREAM_TIMEOUT)->name) == 0)
                r = -(failure->exit_code = EXIT_CANNOT_TELL);
        return r < 0 ? r : preflight_report_read(question, ret, failure);
}

size_t preflight_count(const struct preflight_report *report, enum preflight_verdict verdict) {
        size_t count = 0;

        for (size_t i = 0; i < report->count; i++)
                count += report->findings[i].verdict == verdict ? 1 : 0;
        return count;
}
