/*
 * One request to a server that is well, slow, wrong, rude or gone; and one that is given up at any
 * moment.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wiping.h"
#include "net/http.h"
#include "test-http-server.h"

#define SECONDS USEC_PER_SEC

static int port;
static sd_event *event;

static void pause_ms(unsigned ms) {
        (void)usleep(ms * 1000);
}

static void answer(int fd, const char *head) {
        char line[600];

        if (strstr(head, "/ok")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; "
                                     "charset=utf-8\r\nETag: \"e1\"\r\n"
                                     "Content-Length: 7\r\n\r\n{\"a\":1}");
        } else if (strstr(head, "/echo")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
                test_server_send(fd, head);
        } else if (strstr(head, "/late")) {
                pause_ms(5000);
        } else if (strstr(head, "/drip")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                for (int i = 0; i < 1000; i++) {
                        test_server_send(fd, "x");
                        pause_ms(10);
                }
        } else if (strstr(head, "/truncated")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        } else if (strstr(head, "/large")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
                for (int i = 0; i < 1000; i++)
                        test_server_send(fd, "0123456789012345678901234567890123456789");
        } else if (strstr(head, "/exact")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
                for (int i = 0; i < 1000; i++)
                        test_server_send(fd, "0");
        } else if (strstr(head, "/many-headers")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\n");
                for (int i = 0; i < 200; i++)
                        test_server_send(fd, "X-Filler: x\r\n");
                test_server_send(fd, "\r\n");
        } else if (strstr(head, "/long-headers")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\n");
                for (int i = 0; i < 80; i++) {
                        (void)snprintf(line, sizeof(line), "X-Filler: %0500d\r\n", i);
                        test_server_send(fd, line);
                }
                test_server_send(fd, "\r\n");
        } else if (strstr(head, "/garbage")) {
                test_server_send(fd, "\x7f"
                                     "ELF not at all HTTP\n\n\n");
        } else if (strstr(head, "/dropped")) {
                return;
        } else if (strstr(head, "/redirect")) {
                test_server_send(
                    fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
        } else if (strstr(head, "/bad-chunk")) {
                test_server_send(
                    fd,
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n");
        } else if (strstr(head, "/interim")) {
                test_server_send(
                    fd,
                    "HTTP/1.1 103 Early Hints\r\nETag: \"wrong\"\r\nX-OAuth-Scopes: wrong\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: "
                    "text/plain\r\n\r\n"
                    "2\r\nok\r\n0\r\nContent-Type: application/json\r\nETag: \"trailer\"\r\n"
                    "X-OAuth-Scopes: trailer\r\n\r\n");
        } else if (strstr(head, "/retry-seconds")) {
                test_server_send(
                    fd, "HTTP/1.1 429 Slow\r\nRetry-After: 59\r\nContent-Length: 0\r\n\r\n");
        } else if (strstr(head, "/retry-forever")) {
                test_server_send(fd, "HTTP/1.1 429 Slow\r\nRetry-After: "
                                     "99999999999999999999999\r\nContent-Length: 0\r\n\r\n");
        } else if (strstr(head, "/retry-date")) {
                test_server_send(
                    fd, "HTTP/1.1 503 Slow\r\nRetry-After: Fri, 31 Dec 2199 23:59:59 GMT\r\n"
                        "Content-Length: 0\r\n\r\n");
        } else if (strstr(head, "/retry-past")) {
                test_server_send(
                    fd, "HTTP/1.1 503 Slow\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
                        "Content-Length: 0\r\n\r\n");
        } else if (strstr(head, "/retry-word")) {
                test_server_send(
                    fd, "HTTP/1.1 503 Slow\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n");
        } else if (strstr(head, "/odd-headers")) {
                test_server_send(fd, "HTTP/1.1 200 OK\r\nContent-Type: "
                                     "te\x01xt/html\r\nContent-Length: 0\r\nETag: \"");
                for (int i = 0; i < HTTP_ETAG_MAX; i++)
                        test_server_send(fd, "x");
                test_server_send(fd, "\"\r\n\r\n");
        } else if (strstr(head, "/scopes")) {
                test_server_send(
                    fd,
                    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-oauth-SCOPES:  repo, workflow \t\r\n"
                    "X-OAuth-Scopes: second\r\nLocation:\r\nX-Other: unwanted\r\nX-Odd: a\x01z\r\n"
                    "WWW-Authenticate: ");
                for (int i = 0; i < HTTP_KEPT_MAX; i++)
                        test_server_send(fd, "x");
                test_server_send(
                    fd, "\r\nX-GitHub-SSO: required; url=https://github.example/sso\r\n\r\n");
        }
}

struct outcome {
        int calls, status;
        enum diagnosis code;
        char detail[ERROR_DETAIL_MAX], remedy[ERROR_REMEDY_MAX],
            content_type[HTTP_CONTENT_TYPE_MAX], etag[HTTP_ETAG_MAX];
        usec_t retry_after;
        char scopes[64], sso[64], others[64];
        char body[65536];
};

static const char *header(const struct http_response *response, const char *name) {
        const char *value = http_header(response, name);

        return value ? value : "none";
}

static void record(void *userdata, const struct http_response *response, const struct error *err) {
        struct outcome *outcome = userdata;

        outcome->calls++;
        outcome->code = err->code;
        memcpy(outcome->detail, err->detail, sizeof(outcome->detail));
        (void)snprintf(outcome->remedy, sizeof(outcome->remedy), "%s",
                       response ? "" : error_remedy(err));
        if (!response)
                return;
        outcome->status = response->status;
        memcpy(outcome->content_type, response->content_type, sizeof(outcome->content_type));
        memcpy(outcome->etag, response->etag, sizeof(outcome->etag));
        outcome->retry_after = response->retry_after;
        (void)snprintf(outcome->scopes, sizeof(outcome->scopes), "%s",
                       header(response, "X-OAuth-Scopes"));
        (void)snprintf(outcome->sso, sizeof(outcome->sso), "%s", header(response, "x-github-sso"));
        (void)snprintf(outcome->others, sizeof(outcome->others), "%s|%s|%s|%s",
                       header(response, "location"), header(response, "x-other"),
                       header(response, "x-odd"), header(response, "www-authenticate"));
        (void)snprintf(outcome->body, sizeof(outcome->body), "%s", secret_bytes(response->body));
}

/* Of a test that is not about time: whatever else the machine does. */
#define PATIENCE (60 * SECONDS)

static struct http_request make_request(char url[static 128], const char *path) {
        (void)snprintf(url, 128, "http://127.0.0.1:%d%s", port, path);
        return (struct http_request){
                .method = "GET",
                .url = url,
                .connect_timeout = SECONDS,
                .timeout = 2 * SECONDS,
                .max_body_bytes = 1000,
        };
}

static void run(const struct http_request *request, struct outcome *outcome) {
        _cleanup_(http_client_freep) struct http_client *client = NULL;
        struct http_call *call;
        struct error err;

        *outcome = (struct outcome){ 0 };
        assert_int_equal(http_client_new(event, &client, &err), 0);
        assert_int_equal(http_start(client, request, record, outcome, &call, &err), 0);
        assert_int_equal(outcome->calls, 0);
        while (outcome->calls == 0)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
}

static void every_kind_of_answer_has_its_outcome(void **state) {
        static const struct {
                const char *path;
                int status;
                enum diagnosis code;
                const char *word;
        } rows[] = {
                { "/ok", 200, DIAG_NONE, "" },
                { "/exact", 200, DIAG_NONE, "" },
                { "/redirect", 302, DIAG_NONE, "" },
                { "/truncated", 0, DIAG_UPSTREAM_MALFORMED, "broke off" },
                { "/bad-chunk", 0, DIAG_UPSTREAM_MALFORMED, "broke off" },
                { "/large", 0, DIAG_UPSTREAM_MALFORMED, "larger than 1000 bytes" },
                { "/many-headers", 0, DIAG_UPSTREAM_MALFORMED, "head" },
                { "/long-headers", 0, DIAG_UPSTREAM_MALFORMED, "head" },
                { "/garbage", 0, DIAG_UPSTREAM_MALFORMED, "not HTTP" },
                { "/dropped", 0, DIAG_UPSTREAM_UNREACHABLE, "without an answer" },
                { "/late", 0, DIAG_UPSTREAM_TIMEOUT, "timeout = 300ms" },
                { "/drip", 0, DIAG_UPSTREAM_TIMEOUT, "timeout = 300ms" },
        };
        static struct outcome outcome;
        char url[128], host[32];

        (void)state;
        (void)snprintf(host, sizeof(host), "127.0.0.1:%d", port);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct http_request request = make_request(url, rows[i].path);

                if (rows[i].code == DIAG_UPSTREAM_TIMEOUT)
                        request.timeout = 300 * USEC_PER_MSEC;
                run(&request, &outcome);
                if (outcome.code != rows[i].code || outcome.status != rows[i].status ||
                    !strstr(outcome.detail, rows[i].word))
                        fail_msg("%s: status %d, %s", rows[i].path, outcome.status, outcome.detail);
                assert_int_equal(outcome.calls, 1);
                if (rows[i].code != DIAG_NONE)
                        assert_non_null(strstr(outcome.detail, host));
                assert_null(strstr(outcome.detail, rows[i].path));
        }
}

static void an_answer_comes_with_its_type_and_etag(void **state) {
        static struct outcome outcome;
        char url[128];
        struct http_request request = make_request(url, "/ok");

        (void)state;
        run(&request, &outcome);
        assert_string_equal(outcome.content_type, "application/json");
        assert_string_equal(outcome.etag, "\"e1\"");
        assert_string_equal(outcome.body, "{\"a\":1}");

        /* Neither an interim head nor a trailer is the head. */
        request = make_request(url, "/interim");
        run(&request, &outcome);
        assert_int_equal(outcome.status, 200);
        assert_string_equal(outcome.content_type, "text/plain");
        assert_string_equal(outcome.etag, "");
        assert_string_equal(outcome.body, "ok");

        request = make_request(url, "/odd-headers");
        run(&request, &outcome);
        assert_int_equal(outcome.status, 200);
        assert_string_equal(outcome.content_type, "");
        assert_string_equal(outcome.etag, "");
}

static void named_headers_come_with_the_answer(void **state) {
        static const char *const keep[] = { "x-oauth-scopes",   "location",     "x-odd",
                                            "www-authenticate", "x-github-sso", NULL };
        static struct outcome outcome;
        char url[128];
        struct http_request request = make_request(url, "/scopes");

        (void)state;
        request.keep = keep;
        run(&request, &outcome);
        assert_string_equal(outcome.scopes, "repo, workflow");
        assert_string_equal(outcome.sso, "required; url=https://github.example/sso");
        assert_string_equal(outcome.others, "|none|none|none");

        /* Nobody asked, and neither an interim head nor a trailer is the head. */
        request.keep = NULL;
        run(&request, &outcome);
        assert_string_equal(outcome.scopes, "none");
        request = make_request(url, "/interim");
        request.keep = keep;
        run(&request, &outcome);
        assert_string_equal(outcome.scopes, "none");
}

static void kept_headers_fill_their_room_and_no_more(void **state) {
        static struct http_response response;
        char value[HTTP_KEPT_MAX];

        (void)state;
        memset(value, 'v', sizeof(value));
        /* room for "b" and "v" */
        http_header_keep(&response, "a", value, sizeof(response.kept) - 3 - 5);
        assert_int_equal(strlen(http_header(&response, "A")), sizeof(response.kept) - 8);
        http_header_keep(&response, "b", value, 2);
        assert_null(http_header(&response, "b"));
        http_header_keep(&response, "b", value, 1);
        assert_string_equal(http_header(&response, "b"), "v");
        http_header_keep(&response, "c", value, 0);
        assert_null(http_header(&response, "c"));
        assert_string_equal(http_header(&response, "b"), "v");
}

static void retry_after_is_seconds_or_a_date_within_an_hour(void **state) {
        static const struct {
                const char *path;
                usec_t span;
        } rows[] = {
                { "/retry-seconds", 59 * SECONDS },
                { "/retry-forever", USEC_PER_HOUR },
                { "/retry-date", USEC_PER_HOUR },
                { "/retry-past", 0 },
                { "/retry-word", 0 },
        };
        static struct outcome outcome;
        char url[128];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct http_request request = make_request(url, rows[i].path);

                run(&request, &outcome);
                assert_int_equal(outcome.code, DIAG_NONE);
                assert_int_equal(outcome.retry_after, rows[i].span);
        }
}

static void what_is_sent_is_what_was_asked_for(void **state) {
        static struct outcome outcome;
        struct secret *authorization = secret_copy("Bearer topsecret", 16);
        struct secret *headers = secret_copy("CF-Access-Client-Id: abc\r\nX-Other:  d e \n\n", 42);
        struct secret *body = secret_copy("{\"b\":2}", 7);
        char url[128];
        struct http_request request = make_request(url, "/echo/../%2e%2e/x?y=%2B");

        (void)state;
        request.authorization = authorization;
        request.headers = headers;
        request.if_none_match = "\"tag\"";
        request.max_body_bytes = 4096;
        run(&request, &outcome);
        assert_ptr_equal(strstr(outcome.body, "GET /echo/../%2e%2e/x?y=%2B HTTP/1.1\r\n"),
                         outcome.body);
        assert_non_null(strstr(outcome.body, "\r\nAuthorization: Bearer topsecret\r\n"));
        assert_non_null(strstr(outcome.body, "\r\nIf-None-Match: \"tag\"\r\n"));
        assert_non_null(strstr(outcome.body, "\r\nAccept: application/json\r\n"));
        assert_non_null(strstr(outcome.body, "\r\nUser-Agent: forge-broker/"));
        assert_non_null(strstr(outcome.body, "\r\nCF-Access-Client-Id: abc\r\n"));
        assert_non_null(strstr(outcome.body, "\r\nX-Other: d e\r\n"));
        assert_null(strstr(outcome.body, "Accept-Encoding"));
        assert_null(strstr(outcome.body, "Cookie"));

        request.method = "POST";
        request.body = body;
        request.authorization = NULL;
        run(&request, &outcome);
        assert_ptr_equal(strstr(outcome.body, "POST /echo"), outcome.body);
        assert_non_null(strstr(outcome.body, "\r\nContent-Type: application/json\r\n"));
        assert_non_null(strstr(outcome.body, "\r\nContent-Length: 7\r\n"));
        assert_null(strstr(outcome.body, "Authorization"));
        assert_null(strstr(outcome.body, "Expect"));

        (void)secret_unref(authorization);
        (void)secret_unref(headers);
        (void)secret_unref(body);
}

static void no_header_can_smuggle_another(void **state) {
        static const char *const bad[] = { "no colon\n", ": no name\n", "X: a\rY: b\n" };
        _cleanup_(http_client_freep) struct http_client *client = NULL;
        static struct outcome outcome;
        struct http_call *call = NULL;
        struct error err;
        char url[128];

        (void)state;
        assert_int_equal(http_client_new(event, &client, &err), 0);
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                struct http_request request = make_request(url, "/echo");

                request.headers = secret_copy(bad[i], strlen(bad[i]));
                assert_int_equal(http_start(client, &request, record, &outcome, &call, &err),
                                 -(int)DIAG_INTERNAL_ERROR);
                (void)secret_unref(request.headers);
        }
        for (size_t i = 0; i < 2; i++) {
                struct http_request request = make_request(url, "/echo");

                request.authorization =
                    secret_copy(i ? "Bearer a\r\nX: b" : "Bearer a\0b", i ? 14 : 10);
                assert_int_equal(http_start(client, &request, record, &outcome, &call, &err),
                                 -(int)DIAG_INTERNAL_ERROR);
                (void)secret_unref(request.authorization);
        }
        assert_null(call);
}

static void nobody_there_is_unreachable_and_names_whom(void **state) {
        static struct outcome outcome;
        char url[128];
        struct http_request request = make_request(url, "/");

        (void)state;
        request.url = "http://127.0.0.1:1/secret?query";
        run(&request, &outcome);
        assert_int_equal(outcome.code, DIAG_UPSTREAM_UNREACHABLE);
        assert_non_null(strstr(outcome.detail, "127.0.0.1:1"));
        assert_null(strstr(outcome.detail, "query"));
}

static void a_proxy_is_used_only_where_it_is_named(void **state) {
        static struct outcome outcome;
        char url[128], proxy[64];
        struct http_request request = make_request(url, "/ok");

        (void)state;
        (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
        (void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
        run(&request, &outcome);
        assert_int_equal(outcome.status, 200);

        /* The named one is asked for everything, whatever no_proxy says. */
        (void)setenv("no_proxy", "*", 1);
        (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
        request.url = "http://192.0.2.1/echo";
        request.proxy = proxy;
        run(&request, &outcome);
        assert_int_equal(outcome.status, 200);
        assert_non_null(strstr(outcome.body, "GET http://192.0.2.1/echo HTTP/1.1"));

        request.proxy = "http://127.0.0.1:1";
        run(&request, &outcome);
        assert_int_equal(outcome.code, DIAG_UPSTREAM_UNREACHABLE);
        assert_non_null(strstr(outcome.detail, "proxy 127.0.0.1:1"));
        (void)unsetenv("http_proxy");
        (void)unsetenv("ALL_PROXY");
        (void)unsetenv("no_proxy");
}

static void count(void *userdata, const struct http_response *response, const struct error *err) {
        (void)response;
        (void)err;
        (*(int *)userdata)++;
}

static void a_cancelled_call_is_silent_at_any_moment(void **state) {
        static const char *const paths[] = { "/drip", "/ok", "/dropped", "/late" };
        _cleanup_(http_client_freep) struct http_client *client = NULL;
        struct error err;
        char url[128];

        (void)state;
        assert_int_equal(http_client_new(event, &client, &err), 0);
        for (unsigned turns = 0; turns < 48; turns++) {
                struct http_request request = make_request(url, paths[turns % ELEMENTS(paths)]);
                struct http_call *call;
                int calls = 0, after;

                assert_int_equal(http_start(client, &request, count, &calls, &call, &err), 0);
                for (unsigned i = 0; i < turns / 4 && calls == 0; i++)
                        assert_true(sd_event_run(event, 2 * USEC_PER_MSEC) >= 0);
                after = calls;
                if (calls == 0)
                        assert_null(http_cancel(call));
                for (int i = 0; i < 3; i++)
                        assert_true(sd_event_run(event, USEC_PER_MSEC) >= 0);
                assert_int_equal(calls, after);
        }
        assert_null(http_cancel(NULL));
}

/* Of several calls that end in one turn, the first to be told cancels the others, frees the
 * client, or asks again. */
static struct rude {
        struct http_client *client;
        struct http_call *calls[6];
        int done;
        enum { CANCEL_ALL, FREE_CLIENT, START_AGAIN } what;
} rude;

static void be_rude(void *userdata, const struct http_response *response, const struct error *err) {
        struct http_request request;
        struct error error;
        char url[128];

        (void)userdata;
        (void)response;
        (void)err;
        rude.done++;
        switch (rude.what) {
        case CANCEL_ALL:
                for (size_t i = 0; i < ELEMENTS(rude.calls); i++)
                        /* this very one among them */
                        rude.calls[i] = http_cancel(rude.calls[i]);
                break;
        case FREE_CLIENT:
                rude.client = http_client_free(rude.client);
                break;
        case START_AGAIN:
        default:
                if (rude.done > 30)
                        break;
                request = make_request(url, "/ok");
                assert_int_equal(
                    http_start(rude.client, &request, be_rude, NULL, &rude.calls[0], &error), 0);
        }
}

static void done_may_cancel_free_and_start(void **state) {
        struct error err;
        char url[128];

        (void)state;
        for (int what = CANCEL_ALL; what <= START_AGAIN; what++) {
                struct http_request request = make_request(url, "/ok");

                rude = (struct rude){ .what = what };
                assert_int_equal(http_client_new(event, &rude.client, &err), 0);
                for (size_t i = 0; i < ELEMENTS(rude.calls); i++)
                        assert_int_equal(
                            http_start(rude.client, &request, be_rude, NULL, &rude.calls[i], &err),
                            0);
                pause_ms(50); /* so that the answers are all there in one turn */
                for (int i = 0; i < 400 && (what == START_AGAIN ? rude.done < 36 : i < 20); i++)
                        assert_true(sd_event_run(event, 5 * USEC_PER_MSEC) >= 0);
                assert_int_equal(rude.done, what == START_AGAIN ? 36 : 1);
                rude.client = http_client_free(rude.client);
        }
}

static void who_waits_for_a_connection_is_timed_too(void **state) {
        _cleanup_(http_client_freep) struct http_client *client = NULL;
        static struct outcome outcome;
        struct http_call *call;
        struct error err;
        char url[128];
        int busy = 0;

        (void)state;
        assert_int_equal(http_client_new(event, &client, &err), 0);
        for (int i = 0; i < 8; i++) {
                struct http_request request = make_request(url, "/late");

                assert_int_equal(http_start(client, &request, count, &busy, &call, &err), 0);
        }
        for (int i = 0; i < 20; i++)
                assert_true(sd_event_run(event, 5 * USEC_PER_MSEC) >= 0);
        outcome = (struct outcome){ 0 };
        {
                struct http_request request = make_request(url, "/ok");

                request.timeout = 200 * USEC_PER_MSEC;
                request.connect_timeout = 100 * USEC_PER_MSEC;
                assert_int_equal(http_start(client, &request, record, &outcome, &call, &err), 0);
        }
        while (outcome.calls == 0)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        assert_int_equal(busy, 0);
        assert_int_equal(outcome.code, DIAG_UPSTREAM_TIMEOUT);
        assert_non_null(strstr(outcome.detail, "became free"));
}

/* Eight that do not end, and more behind them: the place of one that is cancelled goes from one of
 * those to the next. */
static void a_cancelled_call_makes_room_for_those_that_wait(void **state) {
        _cleanup_(http_client_freep) struct http_client *client = NULL;
        struct http_call *busy[8], *call;
        static struct outcome outcomes[3];
        struct http_request request;
        struct error err;
        char url[128];
        int ended = 0;

        (void)state;
        memset(outcomes, 0, sizeof(outcomes));
        assert_int_equal(http_client_new(event, &client, &err), 0);
        for (size_t i = 0; i < ELEMENTS(busy); i++) {
                request = make_request(url, "/late");
                request.timeout = PATIENCE;
                assert_int_equal(http_start(client, &request, count, &ended, &busy[i], &err), 0);
        }
        for (size_t i = 0; i < ELEMENTS(outcomes); i++) {
                request = make_request(url, "/ok");
                request.connect_timeout = request.timeout = PATIENCE;
                assert_int_equal(http_start(client, &request, record, &outcomes[i], &call, &err),
                                 0);
        }
        (void)snprintf(url, sizeof(url), "overwritten: what waits has its own");
        for (int i = 0; i < 5; i++)
                assert_true(sd_event_run(event, 5 * USEC_PER_MSEC) >= 0);
        assert_int_equal(outcomes[0].calls, 0);
        assert_null(http_cancel(busy[7]));
        while (outcomes[2].calls == 0)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        assert_int_equal(ended, 0);
        for (size_t i = 0; i < ELEMENTS(outcomes); i++) {
                assert_int_equal(outcomes[i].calls, 1);
                assert_int_equal(outcomes[i].status, 200);
        }
}

/* A hundred at once: each is answered once, in turn, and one that cannot even begin is told so. */
static void a_burst_is_answered_to_the_last(void **state) {
        _cleanup_(http_client_freep) struct http_client *client = NULL;
        static struct outcome broken;
        struct http_call *call;
        struct http_request request;
        struct error err;
        char url[128];
        int ended = 0;

        (void)state;
        broken = (struct outcome){ 0 };
        assert_int_equal(http_client_new(event, &client, &err), 0);
        for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 100; i++) {
                        request = make_request(url, i % 10 == 9 ? "/dropped" : "/ok");
                        request.connect_timeout = request.timeout = PATIENCE;
                        assert_int_equal(http_start(client, &request, count, &ended, &call, &err),
                                         0);
                }
                request = make_request(url, "/ok");
                request.timeout = PATIENCE;
                request.if_none_match = "\"a\"\r\nX-Smuggled: 1";
                assert_int_equal(http_start(client, &request, record, &broken, &call, &err), 0);
                while (ended < 100 * (round + 1) || broken.calls <= round)
                        assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        }
        assert_int_equal(ended, 200);
        assert_int_equal(broken.calls, 2);
        assert_int_equal(broken.code, DIAG_INTERNAL_ERROR);
}

/* `openssl s_server` with a certificate of its own for 127.0.0.1, and another CA's file. */
static const char make_certificates[] = "cd \"$0\" && for n in server other; do openssl req -x509 "
                                        "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                                        "-days 2 -subj /CN=$n -addext subjectAltName=IP:127.0.0.1 "
                                        "-keyout $n.key -out $n.pem 2>/dev/null || exit 1; done";

static pid_t start_tls_server(const char *directory, int *ret_port) {
        char certificate[128], key[128], line[256];
        int out[2], in[2];
        FILE *lines;
        pid_t pid;

        (void)snprintf(certificate, sizeof(certificate), "%s/server.pem", directory);
        (void)snprintf(key, sizeof(key), "%s/server.key", directory);
        assert_int_equal(pipe(out), 0);
        assert_int_equal(pipe(in), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)dup2(in[0], 0);
                (void)dup2(out[1], 1);
                (void)dup2(out[1], 2);
                (void)execlp("openssl", "openssl", "s_server", "-www", "-accept", "127.0.0.1:0",
                             "-cert", certificate, "-key", key, (char *)NULL);
                _exit(127);
        }
        (void)close(out[1]);
        (void)close(in[0]);
        lines = fdopen(out[0], "r");
        *ret_port = 0;
        while (*ret_port == 0 && fgets(line, sizeof(line), lines))
                (void)sscanf(line, "ACCEPT 127.0.0.1:%d", ret_port);
        (void)in[1]; /* stays open: the server ends with its input */
        assert_true(*ret_port > 0);
        return pid;
}

static void a_certificate_must_be_of_the_named_ca_and_name(void **state) {
        static const struct {
                const char *host, *ca;
                enum diagnosis code;
                const char *word;
        } rows[] = {
                { "127.0.0.1", "server.pem", DIAG_NONE, "" },
                { "127.0.0.1", "other.pem", DIAG_UPSTREAM_TLS, "not trusted" },
                { "127.0.0.1", NULL, DIAG_UPSTREAM_TLS, "not trusted" },
                { "localhost", "server.pem", DIAG_UPSTREAM_TLS, "not trusted" },
                { "127.0.0.1", "absent.pem", DIAG_UPSTREAM_TLS, "CA file" },
                { "127.0.0.1", "server.key", DIAG_UPSTREAM_TLS, "CA file" },
        };
        char directory[] = "/tmp/test-http-XXXXXX", command[4096], ca[128], url[128];
        static struct outcome outcome;
        struct http_request request;
        int tls_port;
        pid_t pid;

        (void)state;
        if (system("command -v openssl >/dev/null") != 0) {
                print_message("# SKIP TLS: there is no openssl(1) to make a server of\n");
                return;
        }
        assert_non_null(mkdtemp(directory));
        (void)snprintf(command, sizeof(command), "sh -c '%s' %s", make_certificates, directory);
        assert_int_equal(system(command), 0);
        pid = start_tls_server(directory, &tls_port);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                request = make_request(url, "/");
                (void)snprintf(url, sizeof(url), "https://%s:%d/", rows[i].host, tls_port);
                if (rows[i].ca) {
                        (void)snprintf(ca, sizeof(ca), "%s/%s", directory, rows[i].ca);
                        request.ca_file = ca;
                }
                request.max_body_bytes = 65536;
                request.connect_timeout = request.timeout = PATIENCE;
                run(&request, &outcome);
                if (outcome.code != rows[i].code || !strstr(outcome.detail, rows[i].word))
                        fail_msg("%s %s: %s", rows[i].host, rows[i].ca, outcome.detail);
                if (strcmp(rows[i].word, "CA file") == 0)
                        assert_non_null(strstr(outcome.remedy, ca));
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        (void)waitpid(pid, NULL, 0);

        /* TLS spoken to a port that does not. */
        request = make_request(url, "/");
        (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/garbage", port);
        request.timeout = 500 * USEC_PER_MSEC;
        run(&request, &outcome);
        assert_true(outcome.code == DIAG_UPSTREAM_TLS || outcome.code == DIAG_UPSTREAM_TIMEOUT);
        (void)snprintf(command, sizeof(command), "rm -r %s", directory);
        assert_int_equal(system(command), 0);
}

static int set_up(void **state) {
        struct error err;

        (void)state;
        port = test_server_start(answer);
        if (port < 0 || http_setup(&err) < 0 || secret_init(true, &err) < 0)
                return -1;
        return sd_event_new(&event) < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        (void)state;
        test_server_stop();
        event = sd_event_unref(event);
        http_cleanup();
        assert_int_equal(secret_in_use(), 0);
        assert_int_equal(wiping_in_use(), 0);
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_kind_of_answer_has_its_outcome),
                cmocka_unit_test(an_answer_comes_with_its_type_and_etag),
                cmocka_unit_test(named_headers_come_with_the_answer),
                cmocka_unit_test(kept_headers_fill_their_room_and_no_more),
                cmocka_unit_test(retry_after_is_seconds_or_a_date_within_an_hour),
                cmocka_unit_test(what_is_sent_is_what_was_asked_for),
                cmocka_unit_test(no_header_can_smuggle_another),
                cmocka_unit_test(nobody_there_is_unreachable_and_names_whom),
                cmocka_unit_test(a_proxy_is_used_only_where_it_is_named),
                cmocka_unit_test(a_cancelled_call_is_silent_at_any_moment),
                cmocka_unit_test(done_may_cancel_free_and_start),
                cmocka_unit_test(who_waits_for_a_connection_is_timed_too),
                cmocka_unit_test(a_cancelled_call_makes_room_for_those_that_wait),
                cmocka_unit_test(a_burst_is_answered_to_the_last),
                cmocka_unit_test(a_certificate_must_be_of_the_named_ca_and_name),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
