/*
 * Asking an Infisical over the loopback: the exact request, which routes are tried and which are
 * remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wiping.h"
#include "infisical/infisical.h"
#include "test-http-server.h"

/* What the server is like; requests[4] and [3] count those to the v4 and the v3 routes. */
enum { NEW, OLD, NOT_INFISICAL, OLD_BEHIND_A_PROXY, MASKS, UNCHANGED, DEAD };
enum { V4 = 0, V3 = 1 };

static int port;
static sd_event *event;
static struct http_client *client;

static void answer_json(int fd, int status, const char *body) {
        char head[256];

        (void)snprintf(head, sizeof(head),
                       "HTTP/1.1 %d X\r\nContent-Type: application/json; charset=utf-8\r\nETag: "
                       "\"tag-%zu\"\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                       status, strlen(body), strlen(body));
        test_server_send(fd, head);
        test_server_send(fd, body);
}

static void answer(int fd, const char *head) {
        static const char unknown[] =
            "{\"message\":\"Route GET:%s not found\",\"error\":\"Not Found\",\"statusCode\":404}";
        static const char query[] =
            "projectId=p%20id&environment=prod&secretPath=%2Fforge%2Fa%20b&type=shared"
            "&viewSecretValue=true&expandSecretReferences=false&includeImports=false"
            "&include_imports=false HTTP/1.1\r\n";
        bool v4 = strstr(head, "GET /api/v4/secrets/") == head,
             v3 = strstr(head, "GET /api/v3/secrets/raw/") == head;
        const char *expected = strchr(head, '?');

        __atomic_add_fetch(&test_server_shared->requests[v4 ? V4 : V3], 1, __ATOMIC_SEQ_CST);
        if (!(v4 || v3) || !expected ||
            !strstr(head, "\r\nAuthorization: Bearer access-token\r\n") ||
            (v4 && (strncmp(expected + 1, query, sizeof(query) - 1) != 0)) ||
            (v3 && (strncmp(expected + 1, "workspaceId=p%20id&environment=prod&", 36) != 0))) {
                answer_json(fd, 422,
                            "{\"statusCode\":422,\"error\":\"ValidationFailure\",\"message\":\"not "
                            "the exact request\"}");
                return;
        }
        switch (test_server_shared->mode) {
        case OLD:
        case OLD_BEHIND_A_PROXY:
                if (v4 || strlen(head) > 700)
                        answer_json(fd, 404, unknown);
                else if (test_server_shared->mode == OLD_BEHIND_A_PROXY)
                        test_server_send(fd, "HTTP/1.1 403 No\r\nContent-Type: "
                                             "text/html\r\nContent-Length: 2\r\n\r\nno");
                else
                        answer_json(fd, 200,
                                    "{\"secret\":{\"secretKey\":\"p+codex@durlej.me\","
                                    "\"secretValue\":\"value-3\","
                                    "\"version\":3}}");
                break;
        case NOT_INFISICAL:
                answer_json(fd, 404, unknown);
                break;
        case MASKS:
                answer_json(
                    fd, 200,
                    "{\"secret\":{\"secretKey\":\"p+codex@durlej.me\",\"secretValueHidden\":true,"
                    "\"secretValue\":\"<hidden-by-infisical>\"}}");
                break;
        case UNCHANGED:
                test_server_send(fd, strstr(head, "\r\nIf-None-Match: \"held\"\r\n")
                                         ? "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n"
                                         : "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
                break;
        case DEAD:
                break;
        case NEW:
        default:
                if (strstr(head, "/api/v4/secrets/p%2Bcodex%40durlej.me?"))
                        answer_json(fd, 200,
                                    "{\"secret\":{\"secretKey\":\"p+codex@durlej.me\","
                                    "\"secretValue\":\"value-4\\n\","
                                    "\"environment\":\"prod\",\"secretPath\":\"/forge/a "
                                    "b\",\"version\":7}}");
        }
}

struct outcome {
        int calls;
        struct infisical_verdict verdict;
        enum diagnosis code;
        int64_t version;
        char value[64], etag[HTTP_ETAG_MAX];
};

static void record(void *userdata, const struct infisical_result *result, const struct error *err) {
        struct outcome *outcome = userdata;

        outcome->calls++;
        outcome->verdict = result->verdict;
        outcome->code = err->code;
        outcome->version = result->version;
        memcpy(outcome->etag, result->etag, sizeof(outcome->etag));
        (void)snprintf(outcome->value, sizeof(outcome->value), "%s",
                       result->value ? secret_bytes(result->value) : "");
}

static struct infisical_server *make_server(void) {
        static char url[64];
        static struct infisical_server server;

        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/",
                       port); /* its slash is not doubled */
        server = (struct infisical_server){ .url = url,
                                            .connect_timeout = USEC_PER_SEC,
                                            .timeout = USEC_PER_SEC };
        return &server;
}

static struct outcome ask(struct infisical_server *server, int mode, const char *name,
                          const char *etag) {
        const struct infisical_address address = {
                .project_id = "p id",
                .environment = "prod",
                .secret_path = "/forge/a b//",
                .secret_name = name,
        };
        struct secret *token = secret_copy("access-token", 12);
        struct outcome outcome = { 0 };
        struct infisical_call *call;
        struct error err;

        test_server_shared->mode = mode;
        memset(test_server_shared->requests, 0, sizeof(test_server_shared->requests));
        assert_int_equal(
            infisical_read(client, server, &address, token, etag, record, &outcome, &call, &err),
            0);
        (void)secret_unref(token);
        assert_int_equal(outcome.calls, 0);
        while (outcome.calls == 0)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        assert_int_equal(outcome.code, outcome.verdict.code);
        return outcome;
}

#define NAME "p+codex@durlej.me"

static void assert_requests(int v4, int v3) {
        assert_int_equal(test_server_shared->requests[V4], v4);
        assert_int_equal(test_server_shared->requests[V3], v3);
}

static void a_new_server_is_asked_once_and_exactly(void **state) {
        struct infisical_server *server = make_server();
        struct outcome outcome = ask(server, NEW, NAME, NULL);

        (void)state;
        assert_int_equal(outcome.code, DIAG_NONE);
        assert_string_equal(outcome.value, "value-4");
        assert_int_equal(outcome.version, 7);
        assert_true(strncmp(outcome.etag, "\"tag-", 5) == 0);
        assert_false(server->use_v3);
        assert_requests(1, 0);
}

static void an_old_server_is_remembered_for_a_day(void **state) {
        struct infisical_server *server = make_server();
        struct outcome outcome = ask(server, OLD, NAME, NULL);

        (void)state;
        assert_string_equal(outcome.value, "value-3");
        assert_true(server->use_v3);
        assert_requests(1, 1);

        outcome = ask(server, OLD, NAME, NULL);
        assert_string_equal(outcome.value, "value-3");
        assert_requests(0, 1);

        /* A day later v4 is tried again, in vain; and at last the server was upgraded.  (The
         * difference of two times is right also where this machine has not been up for a day.) */
        server->v3_since = clock_boottime() - USEC_PER_DAY;
        (void)ask(server, OLD, NAME, NULL);
        assert_requests(1, 1);
        assert_true(server->use_v3);
        server->v3_since = clock_boottime() - USEC_PER_DAY;
        outcome = ask(server, NEW, NAME, NULL);
        assert_string_equal(outcome.value, "value-4");
        assert_requests(1, 0);
        assert_false(server->use_v3);
}

static void what_knows_neither_route_is_not_pinned(void **state) {
        struct infisical_server *server = make_server();
        struct outcome outcome = ask(server, NOT_INFISICAL, NAME, NULL);

        (void)state;
        assert_int_equal(outcome.code, DIAG_UPSTREAM_MALFORMED);
        assert_false(server->use_v3);
        assert_requests(1, 1);

        /* Nor does a proxy's page prove anything about the server behind it. */
        outcome = ask(server, OLD_BEHIND_A_PROXY, NAME, NULL);
        assert_int_equal(outcome.code, DIAG_UPSTREAM_BLOCKED);
        assert_false(server->use_v3);
}

static void a_long_name_pins_nothing(void **state) {
        struct infisical_server *server = make_server();
        struct outcome outcome;
        char name[400];

        (void)state;
        memset(name, 'N', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        outcome = ask(server, OLD, name, NULL);
        assert_int_equal(outcome.code, DIAG_SECRET_NOT_FOUND);
        assert_false(outcome.verdict.authoritative);
        assert_false(server->use_v3);
        assert_requests(1, 1);
}

static void an_etag_is_sent_and_outlives_a_304_without_one(void **state) {
        struct outcome outcome = ask(make_server(), UNCHANGED, NAME, "\"held\"");

        (void)state;
        assert_int_equal(outcome.code, DIAG_NONE);
        assert_true(outcome.verdict.unchanged);
        assert_string_equal(outcome.etag, "\"held\"");
        assert_string_equal(outcome.value, "");
}

static void a_failure_has_no_value(void **state) {
        struct outcome outcome = ask(make_server(), MASKS, NAME, NULL);

        (void)state;
        assert_int_equal(outcome.code, DIAG_SECRET_HIDDEN);
        assert_true(outcome.verdict.authoritative);
        assert_string_equal(outcome.value, "");

        outcome = ask(make_server(), DEAD, NAME, NULL);
        assert_int_equal(outcome.code, DIAG_UPSTREAM_UNREACHABLE);
        assert_false(outcome.verdict.authoritative);
}

static void a_cancelled_read_is_silent(void **state) {
        static const struct infisical_address address = {
                .project_id = "p id",
                .environment = "prod",
                .secret_path = "/",
                .secret_name = NAME,
        };
        struct infisical_server *server = make_server();

        (void)state;
        test_server_shared->mode = OLD;
        for (int turns = 0; turns < 24; turns++) {
                struct secret *token = secret_copy("access-token", 12);
                struct outcome outcome = { 0 };
                struct infisical_call *call;
                struct error err;
                int after;

                assert_int_equal(infisical_read(client, server, &address, token, NULL, record,
                                                &outcome, &call, &err),
                                 0);
                (void)secret_unref(token);
                for (int i = 0; i < turns && outcome.calls == 0; i++)
                        assert_true(sd_event_run(event, USEC_PER_MSEC) >= 0);
                after = outcome.calls;
                if (outcome.calls == 0)
                        assert_null(infisical_cancel(call));
                assert_true(sd_event_run(event, USEC_PER_MSEC) >= 0);
                assert_int_equal(outcome.calls, after);
                server->use_v3 = false;
        }
        assert_null(infisical_cancel(NULL));
}

static int set_up(void **state) {
        struct error err;

        (void)state;
        port = test_server_start(answer);
        if (port < 0 || http_setup(&err) < 0 || secret_init(true, &err) < 0 ||
            sd_event_new(&event) < 0)
                return -1;
        return http_client_new(event, &client, &err);
}

static int tear_down(void **state) {
        (void)state;
        test_server_stop();
        client = http_client_free(client);
        event = sd_event_unref(event);
        http_cleanup();
        assert_int_equal(secret_in_use(), 0);
        assert_int_equal(wiping_in_use(), 0);
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_new_server_is_asked_once_and_exactly),
                cmocka_unit_test(an_old_server_is_remembered_for_a_day),
                cmocka_unit_test(what_knows_neither_route_is_not_pinned),
                cmocka_unit_test(a_long_name_pins_nothing),
                cmocka_unit_test(an_etag_is_sent_and_outlives_a_304_without_one),
                cmocka_unit_test(a_failure_has_no_value),
                cmocka_unit_test(a_cancelled_read_is_silent),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
