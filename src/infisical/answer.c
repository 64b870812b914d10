#include "infisical/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A 429 that does not say how long, and the longest that is believed. */
#define PAUSE_DEFAULT (60 * USEC_PER_SEC)
#define PAUSE_MAX     USEC_PER_HOUR

#define ISSUES_SHOWN 3

/* Its texts mean nothing to us.  The first range that fits decides. */
static const struct {
        int from, to;
        enum diagnosis code;
} foreign_meanings[] = {
        { 300, 399, DIAG_UPSTREAM_BLOCKED }, /* to a login page; never followed */
        { 429, 429, DIAG_UPSTREAM_RATE_LIMITED },
        { 431, 431, DIAG_CREDENTIAL_REJECTED }, /* the only long header is the credential */
        { 400, 499, DIAG_UPSTREAM_BLOCKED },
        { 500, 599, DIAG_UPSTREAM_UNREACHABLE }, /* a gateway that does not reach it */
        { 0, 999, DIAG_UPSTREAM_MALFORMED },
};

static void clean_member(char *buffer, size_t size, const json_t *root, const char *key) {
        const char *text = json_member_string(root, key);

        (void)text_clean(buffer, size, text ? text : "", json_member_string_length(root, key));
}

/* "projectId: Required; environment: Required": where the request was not accepted. */
static void clean_issues(char *buffer, size_t size, const json_t *issues) {
        size_t used = 0, index;
        const json_t *issue;

        buffer[0] = '\0';
        json_array_foreach(issues, index, issue) {
                const char *first =
                    json_string_value(json_array_get(json_object_get(issue, "path"), 0));
                char path[48], text[64];

                if (index == ISSUES_SHOWN)
                        break;
                (void)text_clean(path, sizeof(path), first ? first : "?",
                                 first ? strlen(first) : 1);
                clean_member(text, sizeof(text), issue, "message");
                if (!text_append(buffer, size, &used, "%s%s: %s", used > 0 ? "; " : "", path, text))
                        return;
        }
}

void answer_read(struct answer *answer, int status, const json_t *root) {
        const json_t *message = json_object_get(root, "message");
        json_int_t status_code = 0;

        *answer = (struct answer){ .status = status, .origin = ANSWER_FOREIGN };
        if (!json_member_string(root, "error") ||
            !(json_is_string(message) || json_is_array(message)) ||
            !json_member_int(root, "statusCode", &status_code) || status_code != status)
                return;
        clean_member(answer->error, sizeof(answer->error), root, "error");
        clean_member(answer->request_id, sizeof(answer->request_id), root, "reqId");
        if (json_is_array(message))
                clean_issues(answer->message, sizeof(answer->message), message);
        else
                clean_member(answer->message, sizeof(answer->message), root, "message");
        answer->origin =
            text_starts_with(answer->request_id, "req-") ? ANSWER_INFISICAL : ANSWER_FRAMEWORK;
}

bool answer_is_unknown_route(const struct answer *answer) {
        return answer->status == 404 && answer->origin == ANSWER_FRAMEWORK &&
               strcmp(answer->error, "Not Found") == 0 &&
               text_starts_with(answer->message, "Route GET:");
}

int verdict_set(struct infisical_verdict *verdict, enum diagnosis code, bool ends_value) {
        verdict->code = code;
        verdict->authoritative = ends_value;
        return -(int)code;
}

/* "Please try again in 57 seconds" */
static usec_t pause_in_text(const char *message) {
        const char *p = strstr(message, "again in ");
        unsigned seconds;
        int end = 0;

        if (!p || sscanf(p, "again in %4u second%n", &seconds, &end) != 1 || end == 0)
                return 0;
        return seconds * USEC_PER_SEC;
}

usec_t answer_pause(const struct http_response *response, const struct answer *answer) {
        usec_t pause = response->retry_after;

        if (pause == 0)
                pause = pause_in_text(answer->message);
        if (pause == 0)
                pause = PAUSE_DEFAULT;
        return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

const char *answer_type(char buffer[static HTTP_CONTENT_TYPE_MAX],
                        const struct http_response *response) {
        const char *type = response->content_type[0] ? response->content_type : "no content type";

        return text_clean(buffer, HTTP_CONTENT_TYPE_MAX, type, strlen(type));
}

int answer_classify_foreign(const struct http_response *response, const struct answer *answer,
                            const char *url, struct infisical_verdict *verdict, struct error *err) {
        char type[HTTP_CONTENT_TYPE_MAX];
        enum diagnosis code = DIAG_UPSTREAM_MALFORMED;

        for (size_t i = 0; i < ELEMENTS(foreign_meanings); i++) {
                if (response->status < foreign_meanings[i].from ||
                    response->status > foreign_meanings[i].to)
                        continue;
                code = foreign_meanings[i].code;
                break;
        }
        (void)error_set(err, code, "%s answered %d (%s), which is not an answer of Infisical", url,
                        response->status, answer_type(type, response));
        if (response->status >= 300 && response->status < 400)
                error_remedy_set(
                    err,
                    "Correct url = %s, or let this host through the login proxy in front of it "
                    "(header_file): redirects are never followed.",
                    url);
        else if (code == DIAG_CREDENTIAL_REJECTED)
                error_remedy_set(err, ANSWER_HEAD_TOO_LONG_REMEDY);
        if (code == DIAG_UPSTREAM_RATE_LIMITED)
                verdict->pause = answer_pause(response, answer);
        return verdict_set(verdict, code, false);
}
