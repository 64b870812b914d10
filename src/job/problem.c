#include "job/problem.h"

#include <stdio.h>
#include <string.h>

#include "job/json_reader.h"
#include "job/proof.h"

static int exit_code_of_status(int status) {
        if (status == 401 || status == 403)
                return EXIT_REFUSED;
        if (status == 429 || status >= 500)
                return EXIT_NO_VALUE;
        return EXIT_UNREACHABLE;
}

/* "tried infisical-token-auth at https://a.example: secret-not-found: there is no ...", and its
 * remedy. */
static void add_item(struct json item, const char *before, const char *member,
                     struct failure *failure) {
        char what[72], url[192], code[48], detail[ERROR_DETAIL_MAX], remedy[ERROR_REMEDY_MAX];

        if (!json_text(item, member, what, sizeof(what)))
                return;
        (void)json_text(item, "url", url, sizeof(url));
        (void)json_text(item, "code", code, sizeof(code));
        (void)json_text(item, "detail", detail, sizeof(detail));
        failure_line_add(failure, "%s %s%s%s%s%s%s%s", before, what, url[0] ? " at " : "", url,
                         code[0] ? ": " : "", code, detail[0] ? ": " : "", detail);
        if (json_text(item, "remedy", remedy, sizeof(remedy)) && remedy[0])
                failure_line_add(failure, "  remedy: %s", remedy);
}

static void add_items(struct json problem, const char *list, const char *before, const char *member,
                      struct failure *failure) {
        struct json items, item = { 0 };

        if (json_member(problem, list, &items))
                while (json_next(items, &item))
                        add_item(item, before, member, failure);
}

static int read_members(struct json problem, int status, struct failure *failure) {
        char code[sizeof(failure->code)], detail[ERROR_DETAIL_MAX], remedy[ERROR_REMEDY_MAX];
        enum diagnosis diagnosis;
        int r;

        if (!json_text(problem, "code", code, sizeof(code)))
                return failure_set(failure, exit_code_of_status(status),
                                   "status %d, with a problem that has no code", status);
        if (!json_text(problem, "detail", detail, sizeof(detail)))
                (void)json_text(problem, "title", detail, sizeof(detail));
        diagnosis = diagnosis_find(code);
        if (!json_text(problem, "remedy", remedy, sizeof(remedy)) && diagnosis != DIAG_NONE)
                (void)snprintf(remedy, sizeof(remedy), "%s", diagnosis_info(diagnosis)->remedy);

        r = failure_set(failure,
                        diagnosis != DIAG_NONE ? diagnosis_info(diagnosis)->exit_code
                                               : exit_code_of_status(status),
                        "%s", detail);
        memcpy(failure->code, code, sizeof(code));
        if (remedy[0])
                failure_remedy_set(failure, "%s", remedy);
        add_items(problem, "attempts", "tried", "source", failure);
        add_items(problem, "tokens", "token", "name", failure); /* of /readyz */
        failure->lasting = failure->exit_code == EXIT_REFUSED ||
                           failure->exit_code == EXIT_UNKNOWN_TOKEN ||
                           failure->exit_code == EXIT_USAGE;
        if (diagnosis == DIAG_PROOF_REQUIRED || diagnosis == DIAG_PROOF_REJECTED ||
            diagnosis == DIAG_PROOF_INSUFFICIENT)
                proof_explain(diagnosis, failure);
        return r;
}

/* False for an answer that is not the broker's words. */
static bool find_problem(const struct http_answer *answer, struct json *ret) {
        struct failure unused;

        return strcmp(answer->content_type, "application/problem+json") == 0 &&
               json_parse(answer->body, answer->body_length, ret, &unused) == 0 &&
               json_type(*ret) == JSON_OBJECT;
}

bool problem_asks_for_proof(const struct http_answer *answer) {
        char code[sizeof(((struct failure *)NULL)->code)];
        struct json problem;

        return answer->status == 401 && find_problem(answer, &problem) &&
               json_text(problem, "code", code, sizeof(code)) &&
               diagnosis_find(code) == DIAG_PROOF_REQUIRED;
}

int problem_read(const struct http_answer *answer, struct failure *failure) {
        struct json problem;

        if (!find_problem(answer, &problem))
                return failure_set(failure, exit_code_of_status(answer->status),
                                   "status %d, without the broker's explanation", answer->status);
        return read_members(problem, answer->status, failure);
}
