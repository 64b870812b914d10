/*
 * The jobs' HTTP answer parser, and the failure that a problem becomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "job/http_answer.h"
#include "job/problem.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

/* On a copy of exactly that length, so that a sanitizer sees each byte too many; the copy must be
 * freed. */
static int parse(const char *text, size_t length, bool ended, char **ret_copy,
                 struct http_answer *ret, struct failure *failure) {
        *failure = (struct failure){ 0 };
        *ret_copy = malloc(length);
        assert_non_null(*ret_copy);
        memcpy(*ret_copy, text, length);
        return http_answer_parse(*ret_copy, length, ended, ret, failure);
}

/* The whole text is an answer with this status and body, every shorter beginning asks for more. */
static void gives(const char *text, bool until_end, int status, const char *body) {
        struct http_answer answer = { 0 };
        struct failure failure;
        char *copy;

        for (size_t length = 1; length < strlen(text); length++) {
                assert_int_equal(parse(text, length, false, &copy, &answer, &failure), HTTP_MORE);
                free(copy);
        }
        if (parse(text, strlen(text), until_end, &copy, &answer, &failure) != HTTP_DONE)
                fail_msg("%s: %s", text, failure.detail);
        assert_int_equal(answer.status, status);
        assert_int_equal(answer.body_length, strlen(body));
        assert_memory_equal(answer.body, body, strlen(body));
        free(copy);
}

static void an_answer_is_whole_exactly_when_its_length_has_arrived(void **state) {
        (void)state;
        gives(OK_HEAD "Content-Length: 5\r\n\r\nhello", false, 200, "hello");
        gives(OK_HEAD "content-length:0\r\n\r\n", false, 200, "");
        gives("HTTP/1.0 404 Not Found\r\nContent-Length: \t 3 \t\r\nX-Y: \xc3\xa9\r\n\r\nabc",
              false, 404, "abc");
        gives("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", false, 200, "x");
        gives("HTTP/1.1 204 No Content\r\n\r\n", false, 204, "");
}

static void chunks_are_joined_in_any_fragmentation(void **state) {
        (void)state;
        gives(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
              false, 200, "hello world");
        gives(OK_HEAD "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", false, 200, "");
        gives(OK_HEAD "Transfer-Encoding: "
                      "chunked\r\n\r\n00a\r\n0123456789\r\nA\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n",
              false, 200, "0123456789\r\n\r\n\r\n\r\n\r\n");
}

static void without_a_length_the_end_of_the_connection_is_the_end(void **state) {
        (void)state;
        gives(OK_HEAD "\r\n", true, 200, "");
        gives(OK_HEAD "Connection: close\r\n\r\nall of it", true, 200, "all of it");
}

static void what_is_odd_is_refused_and_named(void **state) {
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "SSH-2.0-OpenSSH\r\n", "no status line" },
                { "garbage", "no status line" },
                { "http/1.1 200 OK\r\n\r\n", "no status line" },
                { "HTTP/2 200\r\n\r\n", "no status line" },
                { "HTTP/1.2 200 OK\r\n\r\n", "no status line" },
                { "HTTP/1.1  200 OK\r\n\r\n", "no status line" },
                { "HTTP/1.1 20 OK\r\n\r\n", "no status line" },
                { "HTTP/1.1 2000 OK\r\n\r\n", "no status line" },
                { "HTTP/1.1 100 Continue\r\n\r\n", "no status line" },
                { "HTTP/1.1 600 No\r\n\r\n", "no status line" },
                { "HTTP/1.1 200 OK\n\n", "a control character" },
                { "HTTP/1.1 200 O\x01K\r\n\r\n", "a control character" },
                { "HTTP/1.1 200 OK\r\rX: y\r\n", "a control character" },
                { OK_HEAD "X: \x1b[31m\r\n\r\n", "a control character" },
                { OK_HEAD "nothing\r\n\r\n", "without a proper name" },
                { OK_HEAD ": x\r\n\r\n", "without a proper name" },
                { OK_HEAD "X : y\r\n\r\n", "without a proper name" },
                { OK_HEAD "X: a\r\n folded\r\n\r\n", "without a proper name" },
                { OK_HEAD "Content-Length: x\r\n\r\n", "Content-Length" },
                { OK_HEAD "Content-Length: \r\n\r\n", "Content-Length" },
                { OK_HEAD "Content-Length: -1\r\n\r\n", "Content-Length" },
                { OK_HEAD "Content-Length: 1, 1\r\n\r\n", "Content-Length" },
                { OK_HEAD "Content-Length: 18446744073709551617\r\n\r\n", "Content-Length" },
                { OK_HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "Content-Length" },
                { OK_HEAD "Content-Length: 1\r\n\r\nxy", "more bytes" },
                { OK_HEAD "Content-Length: 999999\r\n\r\n", "larger than 256 KiB" },
                { OK_HEAD "Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding" },
                { OK_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", "Transfer-Encoding" },
                { OK_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                  "Transfer-Encoding" },
                { OK_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "both" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "a proper size" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n", "a proper size" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1;ext=1\r\n", "a proper size" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\rx", "a proper size" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0000001\r\nx", "a proper size" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\nffffff\r\nx", "larger than 256 KiB" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
                  "not as long as it says" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n",
                  "behind the last chunk" },
                { OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore", "more bytes" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct http_answer answer;
                struct failure failure;
                char *copy;

                assert_int_equal(
                    parse(cases[i].text, strlen(cases[i].text), false, &copy, &answer, &failure),
                    -EXIT_UNREACHABLE);
                if (!strstr(failure.detail, cases[i].says))
                        fail_msg("%s: %s, expected %s", cases[i].text, failure.detail,
                                 cases[i].says);
                free(copy);
        }
}

static void an_answer_that_is_cut_off_says_so(void **state) {
        static const char *const cases[] = {
                "HTT",
                "HTTP/1.1 200 OK\r\nContent-Le",
                OK_HEAD "Content-Length: 5\r\n\r\nhell",
                OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct http_answer answer;
                struct failure failure;
                char *copy;

                assert_int_equal(parse(cases[i], strlen(cases[i]), true, &copy, &answer, &failure),
                                 -EXIT_UNREACHABLE);
                assert_non_null(strstr(failure.detail, "in the middle of the answer"));
                free(copy);
        }
}

static void head_and_answer_are_bounded(void **state) {
        char *large = malloc(HTTP_ANSWER_MAX + 1), *copy;
        struct http_answer answer;
        struct failure failure;

        (void)state;
        assert_non_null(large);
        memset(large, 'x', HTTP_ANSWER_MAX + 1);
        memcpy(large, OK_HEAD, sizeof(OK_HEAD) - 1);
        assert_int_equal(parse(large, HTTP_HEAD_MAX, false, &copy, &answer, &failure), HTTP_MORE);
        free(copy);
        assert_int_equal(parse(large, HTTP_HEAD_MAX + 1, false, &copy, &answer, &failure),
                         -EXIT_UNREACHABLE);
        free(copy);
        memcpy(large + sizeof(OK_HEAD) - 1, "\r\n", 2);
        assert_int_equal(parse(large, HTTP_ANSWER_MAX, false, &copy, &answer, &failure), HTTP_MORE);
        free(copy);
        assert_int_equal(parse(large, HTTP_ANSWER_MAX + 1, false, &copy, &answer, &failure),
                         -EXIT_UNREACHABLE);
        free(copy);
        free(large);
}

static void the_content_type_loses_its_parameters(void **state) {
        static const struct {
                const char *text, *type;
        } cases[] = {
                { OK_HEAD
                  "Content-Type: Application/JSON; charset=UTF-8\r\nContent-Length: 0\r\n\r\n",
                  "application/json" },
                { OK_HEAD "content-type:text/html\r\nContent-Length: 0\r\n\r\n", "text/html" },
                { OK_HEAD "Content-Length: 0\r\n\r\n", "" },
                { OK_HEAD
                  "Content-Type: "
                  "a/0123456789012345678901234567890123456789012345678901234567890123456789\r\n"
                  "Content-Length: 0\r\n\r\n",
                  "" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct http_answer answer;
                struct failure failure;
                char *copy;

                assert_int_equal(
                    parse(cases[i].text, strlen(cases[i].text), false, &copy, &answer, &failure),
                    HTTP_DONE);
                assert_string_equal(answer.content_type, cases[i].type);
                free(copy);
        }
}

static int read_problem(int status, const char *type, const char *body, struct failure *failure) {
        struct http_answer answer = { .status = status, .body = body, .body_length = strlen(body) };

        (void)snprintf(answer.content_type, sizeof(answer.content_type), "%s", type);
        *failure = (struct failure){ 0 };
        return problem_read(&answer, failure);
}

#define PROBLEM "application/problem+json"

static void the_code_decides_the_exit_code(void **state) {
        static const struct {
                int status;
                const char *type, *body;
                int exit_code;
        } cases[] = {
                { 404, PROBLEM, "{\"code\":\"unknown-token\"}", EXIT_UNKNOWN_TOKEN },
                { 403, PROBLEM, "{\"code\":\"peer-refused\"}", EXIT_REFUSED },
                { 401, PROBLEM, "{\"code\":\"proof-required\"}", EXIT_REFUSED },
                { 503, PROBLEM, "{\"code\":\"no-usable-value\"}", EXIT_NO_VALUE },
                { 503, PROBLEM, "{\"code\":\"audit-unavailable\"}", EXIT_NO_VALUE },
                { 429, PROBLEM, "{\"code\":\"too-many-requests\"}", EXIT_NO_VALUE },
                { 400, PROBLEM, "{\"code\":\"malformed-request\"}", EXIT_USAGE },
                { 403, PROBLEM, "{\"code\":\"of-a-later-version\"}", EXIT_REFUSED },
                { 503, PROBLEM, "{\"code\":\"of-a-later-version\"}", EXIT_NO_VALUE },
                { 503, PROBLEM, "{\"title\":\"no code\"}", EXIT_NO_VALUE },
                { 503, PROBLEM, "[]", EXIT_NO_VALUE },
                { 503, PROBLEM, "{", EXIT_NO_VALUE },
                { 502, "text/html", "<html>", EXIT_NO_VALUE },
                { 403, "text/html", "<html>", EXIT_REFUSED },
                { 404, "text/html", "<html>", EXIT_UNREACHABLE },
                { 302, "", "", EXIT_UNREACHABLE },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct failure failure;

                assert_int_equal(
                    read_problem(cases[i].status, cases[i].type, cases[i].body, &failure),
                    -cases[i].exit_code);
                assert_int_equal(failure.exit_code, cases[i].exit_code);
        }
}

static void a_problem_keeps_what_a_person_needs(void **state) {
        struct failure failure;

        (void)state;
        (void)read_problem(
            503, PROBLEM,
            "{\"title\":\"t\",\"detail\":\"d\\n::error::\",\"code\":\"no-usable-value\",\"remedy\":"
            "\"r\","
            "\"attempts\":[{\"source\":\"infisical-token-auth\",\"url\":\"https://a.example\","
            "\"code\":\"secret-not-found\",\"detail\":\"no X\",\"remedy\":\"make X\"},{},7,"
            "{\"source\":\"direct-env-fallback\",\"url\":null,\"code\":\"fallback-disabled\"}]}",
            &failure);
        assert_string_equal(failure.code, "no-usable-value");
        assert_string_equal(failure.detail, "d?::error::");
        assert_string_equal(failure.remedy, "r");
        assert_int_equal(failure.line_count, 3);
        assert_string_equal(
            failure.lines[0],
            "tried infisical-token-auth at https://a.example: secret-not-found: no X");
        assert_string_equal(failure.lines[1], "  remedy: make X");
        assert_string_equal(failure.lines[2], "tried direct-env-fallback: fallback-disabled");
}

static void the_tables_remedy_stands_in_for_a_missing_one(void **state) {
        struct failure failure;

        (void)state;
        (void)read_problem(503, PROBLEM, "{\"title\":\"t\",\"code\":\"secret-empty\"}", &failure);
        assert_string_equal(failure.detail, "t");
        assert_string_equal(failure.remedy, diagnosis_info(DIAG_SECRET_EMPTY)->remedy);
}

static void more_lines_than_fit_are_dropped(void **state) {
        char body[4096] = "{\"code\":\"no-usable-value\",\"attempts\":[{\"source\":\"s\"}";
        size_t used = strlen(body);
        struct failure failure;

        (void)state;
        for (int i = 0; i < 3 * FAILURE_LINES_MAX; i++)
                used +=
                    (size_t)snprintf(body + used, sizeof(body) - used, ",{\"source\":\"s%d\"}", i);
        (void)snprintf(body + used, sizeof(body) - used, "]}");
        assert_int_equal(read_problem(503, PROBLEM, body, &failure), -EXIT_NO_VALUE);
        assert_int_equal(failure.line_count, FAILURE_LINES_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_answer_is_whole_exactly_when_its_length_has_arrived),
                cmocka_unit_test(chunks_are_joined_in_any_fragmentation),
                cmocka_unit_test(without_a_length_the_end_of_the_connection_is_the_end),
                cmocka_unit_test(what_is_odd_is_refused_and_named),
                cmocka_unit_test(an_answer_that_is_cut_off_says_so),
                cmocka_unit_test(head_and_answer_are_bounded),
                cmocka_unit_test(the_content_type_loses_its_parameters),
                cmocka_unit_test(the_code_decides_the_exit_code),
                cmocka_unit_test(a_problem_keeps_what_a_person_needs),
                cmocka_unit_test(the_tables_remedy_stands_in_for_a_missing_one),
                cmocka_unit_test(more_lines_than_fit_are_dropped),
        };

        return cmocka_run_group_tests_name("job-http", tests, NULL, NULL);
}
