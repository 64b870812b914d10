/*
 * Universal Auth and what belongs to it: answers to a login, an access token's own claims, the
 * lockout that survives restarts, the header lines of an access proxy, and the warnings before
 * something ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "broker/expiry.h"
#include "infisical/header_lines.h"
#include "infisical/lockout.h"
#include "infisical/session.h"

#define URL "https://infisical.example.org"
#define NOW (UINT64_C(1800000000) * USEC_PER_SEC)
#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.c2ln"

struct login_case {
        const char *name;
        int status;
        const char *type, *body;
        enum diagnosis code;
        bool refused;
        usec_t lifetime;
};

static void check_login(const struct login_case *row) {
        struct http_response response = { .status = row->status,
                                          .body = secret_copy(row->body, strlen(row->body)) };
        struct infisical_session session;
        struct error err;
        int r;

        (void)snprintf(response.content_type, sizeof(response.content_type), "%s", row->type);
        r = infisical_classify_login(&response, URL, NOW, &session, &err);
        if (err.code != row->code || session.verdict.authoritative != row->refused)
                fail_msg("%s: %s, refused %d: %s", row->name,
                         err.code ? diagnosis_info(err.code)->name : "none",
                         session.verdict.authoritative, err.detail);
        assert_int_equal(r, -(int)row->code);
        assert_true((session.access_token != NULL) == (row->code == DIAG_NONE));
        assert_int_equal(session.lifetime,
                         row->code == DIAG_NONE ? row->lifetime : session.lifetime);
        if (row->code != DIAG_NONE)
                assert_true(strlen(error_remedy(&err)) > 20);
        (void)secret_unref(session.access_token);
        (void)secret_unref(response.body);
        assert_int_equal(secret_in_use(), 0);
}

static void each_recorded_login_means_what_it_should(void **state) {
        static const struct {
                const char *name;
                enum diagnosis code;
                bool refused;
                unsigned lifetime;
        } expected[] = {
                { "ua-login-bad-json", DIAG_UPSTREAM_ERROR, false, 0 },
                { "ua-login-bad-secret-repeat-12", DIAG_CREDENTIAL_REJECTED, true, 0 },
                { "ua-login-bad-secret-same-prefix", DIAG_CREDENTIAL_REJECTED, true, 0 },
                { "ua-login-client-id-not-uuid", DIAG_CREDENTIAL_REJECTED, true, 0 },
                { "ua-login-client-id-unknown", DIAG_CREDENTIAL_REJECTED, true, 0 },
                { "ua-login-empty-object", DIAG_UPSTREAM_ERROR, false, 0 },
                { "ua-login-empty-secret", DIAG_CREDENTIAL_REJECTED, true, 0 },
                { "ua-login-form-encoded", DIAG_NONE, false, 3600 },
                { "ua-login-missing-secret", DIAG_UPSTREAM_ERROR, false, 0 },
                { "ua-login-no-content-type", DIAG_UPSTREAM_ERROR, false, 0 },
                { "ua-login-ok", DIAG_NONE, false, 3600 },
                { "ua-login-ok-after-bad-secrets", DIAG_NONE, false, 3600 },
                { "ua-login-ok-periodic", DIAG_NONE, false, 60 },
                { "ua-login-ok-short-ttl", DIAG_NONE, false, 30 },
                { "ua-login-secret-expired", DIAG_CREDENTIAL_EXPIRED, false, 0 },
                { "ua-login-secret-revoked", DIAG_CREDENTIAL_REJECTED, true, 0 },
                { "ua-login-secret-trailing-newline", DIAG_NONE, false, 3600 },
                { "ua-login-secret-uselimit-after", DIAG_CREDENTIAL_REJECTED, true, 0 },
                { "ua-login-secret-uselimit-ok", DIAG_NONE, false, 3600 },
                { "ua-login-with-garbage-authorization", DIAG_UPSTREAM_BLOCKED, false, 0 },
                { "ua-login-wrong-content-type", DIAG_UPSTREAM_ERROR, false, 0 },
        };
        const char *top = getenv("top_srcdir");
        char path[512], line[4096], body[2048];
        size_t seen = 0;
        FILE *file;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/tests/unit/data/infisical-logins.jsonl",
                       top ? top : ".");
        file = fopen(path, "re");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                json_t *exchange = json_loads(line, 0, NULL);
                const char *name = json_member_string(exchange, "name"),
                           *text = json_member_string(exchange, "body");
                const char *mark = text ? strstr(text, "<token>") : NULL;
                struct login_case row = { .name = name,
                                          .type = json_member_string(exchange, "content_type"),
                                          .body = body };
                json_int_t status = 0;
                size_t i = 0;

                assert_non_null(name);
                assert_true(json_member_int(exchange, "status", &status));
                /* The recording left the token out: another stands in its place. */
                (void)snprintf(body, sizeof(body), "%.*s%s%s",
                               mark ? (int)(mark - text) : (int)strlen(text), text, mark ? JWT : "",
                               mark ? mark + strlen("<token>") : "");
                while (i < ELEMENTS(expected) && strcmp(expected[i].name, name) != 0)
                        i++;
                if (i == ELEMENTS(expected))
                        fail_msg("%s has no expectation", name);
                row.status = (int)status;
                row.code = expected[i].code;
                row.refused = expected[i].refused;
                row.lifetime = expected[i].lifetime * USEC_PER_SEC;
                check_login(&row);
                json_decref(exchange);
                seen++;
        }
        (void)fclose(file);
        assert_int_equal(seen, ELEMENTS(expected));
}

#define JSON "application/json"
#define ERROR_BODY(status, name, text)                                                             \
        "{\"reqId\":\"req-aB3dE5fG7hJ9kL\",\"statusCode\":" #status ",\"error\":\"" name           \
        "\",\"message\":\"" text "\"}"
#define OK_BODY(token, expires)                                                                    \
        "{\"accessToken\":\"" token "\",\"expiresIn\":" expires ",\"tokenType\":\"Bearer\"}"
/* {"exp":1800000600}, {"exp":1799999999} */
#define EXP_LATER "e30.eyJleHAiOjE4MDAwMDA2MDB9.c2ln"
#define EXP_PAST  "e30.eyJleHAiOjE3OTk5OTk5OTl9.c2ln"

static void no_other_answer_is_taken_for_what_it_is_not(void **state) {
        static const struct login_case rows[] = {
                { "locked", 401, JSON,
                  ERROR_BODY(
                      401, "UnauthorizedError",
                      "This identity auth method is temporarily locked, please try again later"),
                  DIAG_CREDENTIAL_LOCKED_OUT, false, 0 },
                { "address", 403, JSON,
                  ERROR_BODY(
                      403, "ForbiddenError",
                      "You are not allowed to access this resource from the current IP address"),
                  DIAG_ADDRESS_NOT_ALLOWED, false, 0 },
                { "uses", 401, JSON,
                  ERROR_BODY(401, "UnauthorizedError",
                             "Access denied due to client secret usage limit reached"),
                  DIAG_CREDENTIAL_USES_EXHAUSTED, false, 0 },
                { "contention", 429, JSON,
                  ERROR_BODY(429, "RateLimitExceeded",
                             "Failed to acquire lock: rate limit exceeded"),
                  DIAG_UPSTREAM_RATE_LIMITED, false, 0 },
                { "route", 404, JSON,
                  "{\"message\":\"Route POST:/api/v1/auth/universal-auth/login not "
                  "found\",\"error\":\"Not Found\","
                  "\"statusCode\":404}",
                  DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "page 403", 403, "text/html", "<html>", DIAG_UPSTREAM_BLOCKED, false, 0 },
                { "page 200", 200, "text/html", "<html>", DIAG_UPSTREAM_BLOCKED, false, 0 },
                { "redirect", 302, "text/html", "", DIAG_UPSTREAM_BLOCKED, false, 0 },
                { "gateway", 502, "text/html", "<html>", DIAG_UPSTREAM_UNREACHABLE, false, 0 },
                { "torn", 200, JSON, "{\"accessToken\":\"" JWT, DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "twice", 200, JSON,
                  "{\"accessToken\":\"a.b.c\",\"accessToken\":\"d.e.f\",\"expiresIn\":60}",
                  DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "list", 200, JSON, "[]", DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "no token", 200, JSON, "{\"expiresIn\":60}", DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "number", 200, JSON, "{\"accessToken\":5,\"expiresIn\":60}",
                  DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "line break", 200, JSON, OK_BODY("a.b\\r\\nX: y", "60"), DIAG_UPSTREAM_MALFORMED,
                  false, 0 },
                { "negative", 200, JSON, OK_BODY(JWT, "-1"), DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "real", 200, JSON, OK_BODY(JWT, "1e300"), DIAG_UPSTREAM_MALFORMED, false, 0 },
                { "digits", 200, JSON, OK_BODY(JWT, "\"60\""), DIAG_NONE, false,
                  60 * USEC_PER_SEC },
                { "for ever", 200, JSON, OK_BODY(JWT, "0"), DIAG_NONE, false, 0 },
                { "its own end is sooner", 200, JSON, OK_BODY(EXP_LATER, "2592000"), DIAG_NONE,
                  false, 600 * USEC_PER_SEC },
                { "its own end alone", 200, JSON, OK_BODY(EXP_LATER, "0"), DIAG_NONE, false,
                  600 * USEC_PER_SEC },
                { "over already", 200, JSON, OK_BODY(EXP_PAST, "3600"), DIAG_CREDENTIAL_EXPIRED,
                  false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_login(&rows[i]);
}

static void claims_are_read_where_a_token_has_them(void **state) {
        static const struct {
                const char *token;
                bool jwt;
                usec_t expires_at;
                int64_t uses;
                const char *name;
        } rows[] = {
                { "not-a-token", false, 0, 0, "" },
                { "a.b", false, 0, 0, "" },
                { "a.b.c.d", false, 0, 0, "" },
                { "e30.e30.x", true, 0, 0, "" },
                { "e30.!!!!.x", false, 0, 0, "" },
                { "e30.W10.x", false, 0, 0, "" }, /* [] */
                { EXP_LATER, true, (UINT64_C(1800000600)) * USEC_PER_SEC, 0, "" },
                /* {"exp":"1800000600"} */
                { "e30.eyJleHAiOiIxODAwMDAwNjAwIn0.x", true, 0, 0, "" },
                /* {"exp":1,"exp":2} */
                { "e30.eyJleHAiOjEsImV4cCI6Mn0.x", false, 0, 0, "" },
                /* {"exp":99999999999999999} */
                { "e30.eyJleHAiOjk5OTk5OTk5OTk5OTk5OTk5fQ.x", true, 0, 0, "" },
                /* {"identityName":"ci\u0007\nrunner","numUsesLimit":5} */
                { "e30.eyJpZGVudGl0eU5hbWUiOiJjaVx1MDAwN1xucnVubmVyIiwibnVtVXNlc0xpbWl0Ijo1fQ.x",
                  true, 0, 5, "ci??runner" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct secret *token = secret_copy(rows[i].token, strlen(rows[i].token));
                struct token_claims claims;

                if (token_claims_read(token, &claims) != rows[i].jwt)
                        fail_msg("%s", rows[i].token);
                assert_int_equal(claims.expires_at, rows[i].expires_at);
                assert_int_equal(claims.uses_limit, rows[i].uses);
                assert_string_equal(claims.identity_name, rows[i].name);
                (void)secret_unref(token);
                assert_int_equal(secret_in_use(), 0);
        }
}

static void a_rejected_pair_is_tried_twice_and_then_rarely(void **state) {
        struct lockout lockout = { 0 };

        (void)state;
        assert_int_equal(lockout_wait(&lockout, "aaaaaaaa", NOW), 0);
        lockout_attempt(&lockout, "aaaaaaaa", NOW);
        assert_int_equal(lockout_wait(&lockout, "aaaaaaaa", NOW), 60 * USEC_PER_SEC);
        assert_int_equal(lockout_wait(&lockout, "aaaaaaaa", NOW + 59 * USEC_PER_SEC), USEC_PER_SEC);
        assert_int_equal(lockout_wait(&lockout, "aaaaaaaa", NOW + 60 * USEC_PER_SEC), 0);
        lockout_attempt(&lockout, "aaaaaaaa", NOW + 60 * USEC_PER_SEC);
        for (int i = 0; i < 20; i++) {
                assert_int_equal(lockout_wait(&lockout, "aaaaaaaa", lockout.last_at),
                                 600 * USEC_PER_SEC);
                lockout_attempt(&lockout, "aaaaaaaa", lockout.last_at + 600 * USEC_PER_SEC);
        }
        /* Another pair is another matter; a clock that was set back costs one pause. */
        assert_int_equal(lockout_wait(&lockout, "bbbbbbbb", lockout.last_at), 0);
        assert_int_equal(lockout_wait(&lockout, "aaaaaaaa", 5), 600 * USEC_PER_SEC);
        lockout_attempt(&lockout, "bbbbbbbb", NOW);
        assert_int_equal(lockout.rejections, 1);
        lockout_undo(&lockout);
        assert_int_equal(lockout_wait(&lockout, "bbbbbbbb", NOW), 0);
        lockout_attempt(&lockout, "bbbbbbbb", NOW);
        lockout_worked(&lockout);
        assert_int_equal(lockout_wait(&lockout, "bbbbbbbb", NOW), 0);
}

static void a_restart_does_not_forget_a_rejection(void **state) {
        static const char *const damaged[] = { "",
                                               "1",
                                               "2 aaaaaaaa 1 5\n",
                                               "1 aaaaaaaa 1 5",
                                               "1 AAAAAAAA 1 5\n",
                                               "1 aaaaaaaa -1 5\n",
                                               "1 aaaaaaaa 1 5\nx",
                                               "1 aaaaaaaaa 1 5\n",
                                               "1 aaaaaaaa 9999 5\n",
                                               "1 aaaaaaaa 1 99999999999\n" };
        char directory[] = "/tmp/forge-broker-lockout.XXXXXX", path[128];
        struct lockout lockout = { 0 }, loaded;
        struct error err;

        (void)state;
        assert_non_null(mkdtemp(directory));
        lockout_load(&loaded, directory, "default");
        assert_int_equal(loaded.rejections, 0);
        lockout_attempt(&lockout, "0123abcd", NOW);
        assert_int_equal(lockout_store(&lockout, directory, "default", &err), 0);
        lockout_load(&loaded, directory, "default");
        assert_int_equal(lockout_wait(&loaded, "0123abcd", NOW), 60 * USEC_PER_SEC);
        lockout_load(&loaded, directory, "other");
        assert_int_equal(loaded.rejections, 0);
        for (size_t i = 0; i < ELEMENTS(damaged); i++)
                if (lockout_parse(&loaded, damaged[i]))
                        fail_msg("'%s' is no lockout file", damaged[i]);
        (void)snprintf(path, sizeof(path), "%s/login-default.state", directory);
        (void)unlink(path);
        (void)rmdir(directory);
        assert_int_equal(lockout_store(&lockout, directory, "default", &err),
                         -(int)DIAG_INTERNAL_ERROR);
        assert_non_null(strstr(err.detail, "login-default.state"));
}

static void header_lines_are_checked(void **state) {
        static const struct {
                const char *text, *expected; /* NULL: refused … */
                unsigned line;               /* … in this line */
        } rows[] = {
                { "CF-Access-Client-Id: abc\r\n\n# comment\n  X-Y:z",
                  "CF-Access-Client-Id: abc\nX-Y:z\n", 0 },
                { "# nothing\n", NULL, 0 },
                { "X: a\nAuthorization: Bearer x", NULL, 2 },
                { "host: a", NULL, 1 },
                { "Proxy-Authorization: a", NULL, 1 },
                { "Transfer-Encoding: chunked", NULL, 1 },
                { "no colon here", NULL, 1 },
                { ": x", NULL, 1 },
                { "X Y: z", NULL, 1 },
                { "X:", NULL, 1 },
                { "X: \r a", NULL, 1 },
                { "X: a\001b", NULL, 1 },
                { "X: caf\303\251", NULL, 1 },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct secret *lines = NULL;
                unsigned line = 99;
                int r = header_lines_check(rows[i].text, strlen(rows[i].text), &lines, &line);

                if ((r == 0) != (rows[i].expected != NULL))
                        fail_msg("%s", rows[i].text);
                if (rows[i].expected)
                        assert_string_equal(secret_bytes(lines), rows[i].expected);
                else
                        assert_int_equal(line, rows[i].line);
                (void)secret_unref(lines);
                assert_int_equal(secret_in_use(), 0);
        }
}

static void an_end_is_told_14_7_3_and_1_days_ahead_once_each(void **state) {
        const usec_t until = NOW + 30 * USEC_PER_DAY;
        struct expiry expiry = { 0 };
        unsigned told[8], days, count = 0;

        (void)state;
        for (usec_t now = NOW; now < until + USEC_PER_DAY; now += USEC_PER_HOUR)
                if (expiry_due(&expiry, until, now, &days) && count < ELEMENTS(told))
                        told[count++] = days;
        assert_int_equal(count, 4);
        assert_int_equal(told[0], 14);
        assert_int_equal(told[1], 7);
        assert_int_equal(told[2], 3);
        assert_int_equal(told[3], 1);
        /* A daemon that starts in the middle says it once, with the days that are left. */
        expiry = (struct expiry){ 0 };
        assert_true(expiry_due(&expiry, until, until - 5 * USEC_PER_DAY, &days));
        assert_int_equal(days, 5);
        assert_false(expiry_due(&expiry, until, until - 4 * USEC_PER_DAY, &days));
        assert_false(expiry_due(&expiry, 0, NOW, &days));
        assert_true(expiry_due(&expiry, NOW + USEC_PER_HOUR, NOW, &days));
        assert_int_equal(days, 1);
}

static int setup(void **state) {
        (void)state;
        return secret_init(true, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_recorded_login_means_what_it_should),
                cmocka_unit_test(no_other_answer_is_taken_for_what_it_is_not),
                cmocka_unit_test(claims_are_read_where_a_token_has_them),
                cmocka_unit_test(a_rejected_pair_is_tried_twice_and_then_rarely),
                cmocka_unit_test(a_restart_does_not_forget_a_rejection),
                cmocka_unit_test(header_lines_are_checked),
                cmocka_unit_test(an_end_is_told_14_7_3_and_1_days_ahead_once_each),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
