/* What each route answers, and how it is said. */
#include "test-server-harness.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

static struct answer answer;

static int set_up(void **state) {
        *state = harness_start(NULL, /* with_control= */ true);
        return 0;
}

static int set_up_without_control(void **state) {
        *state = harness_start(NULL, /* with_control= */ false);
        return 0;
}

static int tear_down(void **state) {
        harness_stop(*state);
        return 0;
}

static void ask_control(struct harness *harness, const char *request) {
        char jobs[sizeof(harness->path)];

        memcpy(jobs, harness->path, sizeof(jobs));
        memcpy(harness->path, harness->control_path, sizeof(harness->path));
        harness_ask(harness, request, &answer);
        memcpy(harness->path, jobs, sizeof(jobs));
}

/* The member of the answer's body, which must be JSON, in a static buffer; "(none)" if it is
 * absent or null. */
static const char *member(const char *key) {
        static char text[1024];
        json_t *body = json_parse(answer.body, strlen(answer.body));
        const char *value;

        assert_non_null(body);
        value = json_member_string(body, key);
        (void)snprintf(text, sizeof(text), "%s", value ? value : "(none)");
        json_decref(body);
        return text;
}

static void assert_problem(int status, const char *code) {
        assert_int_equal(answer.status, status);
        assert_string_equal(answer_header(&answer, "Content-Type"), "application/problem+json");
        assert_string_equal(answer_header(&answer, "Cache-Control"), "no-store");
        assert_string_equal(member("code"), code);
        assert_true(strlen(member("title")) > 0);
        assert_true(strlen(member("detail")) > 0);
        assert_true(strlen(member("remedy")) > 0);
}

static void an_issuance_is_json_with_every_member(void **state) {
        harness_ask(*state, "GET /v1/tokens/deploy", &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer_header(&answer, "Content-Type"), "application/json");
        assert_string_equal(answer_header(&answer, "Cache-Control"), "no-store");
        assert_string_equal(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(answer_header(&answer, "Forge-Broker-Source"), "infisical-token-auth");
        assert_string_equal(answer_header(&answer, "Forge-Broker-Freshness"), "fresh");
        assert_string_equal(
            answer.body,
            "{\"name\":\"deploy\",\"token\":\"s3cr3t-value\",\"username\":\"deploy-bot\","
            "\"forge\":\"home\",\"forge_type\":\"forgejo\","
            "\"forge_url\":\"https://git.example.org\",\"source\":\"infisical-token-auth\","
            "\"freshness\":\"fresh\",\"fetched_at\":\"2026-03-01T12:00:00Z\",\"refresh_at\":null,"
            "\"version\":7,\"fingerprint\":\"3f9a1c02\"}");
}

static void an_odd_value_is_escaped(void **state) {
        struct harness *harness = *state;

        harness->broker.value = "a\"b\\c\n\x01\x7fz\xc3\xa9";
        harness->broker.stale = true;
        harness_ask(harness, "GET /v1/tokens/deploy", &answer);
        assert_non_null(
            strstr(answer.body, "\"token\":\"a\\\"b\\\\c\\u000a\\u0001\\u007fz\xc3\xa9\","));
        assert_string_equal(member("token"), harness->broker.value);
        assert_string_equal(member("freshness"), "stale");
        assert_string_equal(answer_header(&answer, "Forge-Broker-Freshness"), "stale");
        harness->broker.cold = COLD_VALUE;
        harness_ask(harness, "GET /v1/tokens/cold", &answer);
        assert_string_equal(member("username"), "cold\"bot");
}

static void a_large_value_is_given_whole(void **state) {
        struct harness *harness = *state;
        static char value[64 * 1024];

        memset(value, '"', sizeof(value) - 1);
        harness->broker.value = value;
        harness_ask(harness, "GET /v1/tokens/deploy", &answer);
        assert_int_equal(answer.status, 200);
        assert_true(strlen(answer.body) > 2 * (sizeof(value) - 1));
}

static void accept_decides_between_json_and_the_bare_value(void **state) {
        static const struct {
                const char *accept;
                bool plain;
        } cases[] = {
                { "text/plain", true },
                { "TEXT/Plain; charset=utf-8", true },
                { "text/html, text/plain;q=0.5", true },
                { "text/plain;q=0.000", false },
                { "text/plain; charset=utf-8 ; q=0", false },
                { "application/json, text/plain", false },
                { "application/json;q=0, text/plain", true },
                { "text/plain, application/json", true },
                { "text/plainer", false },
                { "text/*", false },
                { "*/*", false },
                { ",,;,", false },
                { "", false },
        };
        char request[256];

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                (void)snprintf(request, sizeof(request),
                               "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\nAccept: %s\r\n\r\n",
                               cases[i].accept);
                harness_ask(*state, request, &answer);
                assert_int_equal(answer.status, 200);
                if (!cases[i].plain) {
                        assert_string_equal(answer_header(&answer, "Content-Type"),
                                            "application/json");
                        continue;
                }
                assert_string_equal(answer_header(&answer, "Content-Type"),
                                    "text/plain; charset=utf-8");
                assert_string_equal(answer.body, "s3cr3t-value");
        }
}

static void claims_are_read_and_the_first_of_two_wins(void **state) {
        struct harness *harness = *state;
        const struct claims *claims = &harness->broker.last_claims;

        harness_ask(
            harness,
            "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\nForge-Broker-Repository: example/site\r\n"
            "forge-broker-run-id: 1948\r\nForge-Broker-Repository: evil/site\r\n"
            "Authorization: Bearer abcdef\r\nForge-Broker-Actor: a\tb\r\n"
            "Forge-Broker-Via-Uid: 1000\r\n\r\n",
            &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(claims->values[CLAIM_REPOSITORY], "example/site");
        assert_string_equal(claims->values[CLAIM_RUN_ID], "1948");
        assert_string_equal(claims->values[CLAIM_ACTOR], "a?b");
        assert_string_equal(claims->values[CLAIM_EVENT], "");
        assert_string_equal(claims->values[CLAIM_VIA_UID], "1000");
        assert_int_equal(harness->broker.last_peer.pid, getpid());
}

static void no_usable_value_says_why_and_when_to_ask_again(void **state) {
        json_t *body;
        const json_t *attempt;

        harness_ask(*state, "GET /v1/tokens/failed", &answer);
        assert_problem(503, "no-usable-value");
        assert_string_equal(answer_header(&answer, "Retry-After"), "4");
        assert_string_equal(member("type"), "urn:forge-broker:no-usable-value");
        body = json_parse(answer.body, strlen(answer.body));
        attempt = json_array_get(json_object_get(body, "attempts"), 0);
        assert_string_equal(json_member_string(attempt, "source"), "infisical-token-auth");
        assert_string_equal(json_member_string(attempt, "url"), "https://infisical.example.org");
        assert_string_equal(json_member_string(attempt, "code"), "secret-not-found");
        assert_non_null(json_member_string(attempt, "detail"));
        assert_non_null(json_member_string(attempt, "remedy"));
        json_decref(body);
}

static void an_unknown_token_lists_the_known_names(void **state) {
        struct harness *harness = *state;

        harness_ask(harness, "GET /v1/tokens/nobody", &answer);
        assert_problem(404, "unknown-token");
        assert_string_equal(member("detail"),
                            "there is no token 'nobody'; known: deploy, cold, failed, instant");
        assert_int_equal(harness->broker.refusals, 0); /* the broker has recorded it itself */
        harness_ask(harness, "GET /v1/tokens/%1b%5b31m", &answer);
        assert_problem(404, "unknown-token");
        assert_string_equal(member("detail"),
                            "this cannot be a token's name; known: deploy, cold, failed, instant");
        assert_int_equal(harness->broker.refusals, 1);
        harness_ask(harness, "GET /readyz/nobody", &answer);
        assert_problem(404, "unknown-token");
}

static void a_name_may_be_percent_encoded(void **state) {
        harness_ask(*state, "GET /v1/tokens/%64eplo%79", &answer);
        assert_int_equal(answer.status, 200);
}

static void what_is_not_well_formed_is_refused(void **state) {
        static const char *const requests[] = {
                "GET /v1/tokens/deploy%00x",
                "GET /v1/tokens/deploy%",
                "GET /v1/tokens/deploy%4",
                "GET /v1/tokens/deploy%zz",
                "GET /v1/tokens/",
                "GET /v1/tokens/deploy/",
                "GET /v1/tokens/a%2fb",
                "GET //v1/tokens",
                "GET /v1/tokens/../tokens/deploy",
                "GET /v1/tokens?x=1",
                "GET /v1/tokens/deploy?token",
                "GET /favicon.ico",
                "GET /",
                "GET http://localhost/v1/tokens",
                "GET /V1/tokens",
        };

        for (size_t i = 0; i < ELEMENTS(requests); i++) {
                harness_ask(*state, requests[i], &answer);
                assert_problem(400, "malformed-request");
        }
        assert_int_equal(((struct harness *)*state)->broker.issued, 0);
}

static void an_unknown_path_names_those_of_this_socket(void **state) {
        harness_ask(*state, "GET /nothing", &answer);
        assert_string_equal(member("detail"),
                            "there is no '/nothing' here; known: /v1/tokens /v1/tokens/NAME "
                            "/v1/tokens/NAME/rejected /v1/tokens/NAME/preflight /v1/match /healthz "
                            "/readyz /readyz/NAME");
        ask_control(*state, "GET /nothing");
        assert_string_equal(
            member("detail"),
            "there is no '/nothing' here; known: /v1/tokens /v1/tokens/NAME "
            "/v1/tokens/NAME/rejected /v1/tokens/NAME/preflight /v1/match /v1/tokens/NAME/refresh "
            "/v1/tokens/NAME/explain /v1/status /v1/reload /v1/doctor /metrics /healthz /readyz "
            "/readyz/NAME");
}

static void a_wrong_method_names_the_right_ones(void **state) {
        struct harness *harness = *state;
        static const struct {
                const char *request, *allow;
        } cases[] = {
                { "POST /v1/tokens", "GET, HEAD" }, { "DELETE /v1/tokens/deploy", "GET" },
                { "BREW /healthz", "GET, HEAD" },   { "OPTIONS /readyz/deploy", "GET, HEAD" },
                { "get /v1/tokens", "GET, HEAD" },
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                harness_ask(harness, cases[i].request, &answer);
                assert_problem(405, "method-not-allowed");
                assert_string_equal(answer_header(&answer, "Allow"), cases[i].allow);
        }
        ask_control(harness, "GET /v1/reload");
        assert_problem(405, "method-not-allowed");
        assert_string_equal(answer_header(&answer, "Allow"), "POST");
}

static void head_is_answered_without_a_body_but_never_issues(void **state) {
        struct harness *harness = *state;
        int fd = harness_connect(harness);
        static const char request[] =
            "HEAD /v1/tokens HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        static const char issuance[] =
            "HEAD /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

        assert_true(harness_send(harness, fd, request, strlen(request)));
        harness_receive(harness, fd, PATIENCE, &answer);
        assert_true(answer.closed);
        assert_non_null(strstr(answer.text, "200 OK"));
        assert_string_equal(answer.body, strstr(answer.text, "\r\n\r\n") + 4);
        assert_string_equal(answer.body, "");
        (void)close(fd);
        fd = harness_connect(harness);
        assert_true(harness_send(harness, fd, issuance, strlen(issuance)));
        harness_receive(harness, fd, PATIENCE, &answer);
        assert_non_null(strstr(answer.text, " 405 "));
        assert_string_equal(answer_header(&answer, "Allow"), "GET");
        assert_int_equal(harness->broker.asked, 0);
        (void)close(fd);
}

static void control_routes_do_not_exist_on_the_jobs_socket(void **state) {
        struct harness *harness = *state;
        static const char *const requests[] = { "GET /v1/status", "POST /v1/reload",
                                                "POST /v1/tokens/deploy/refresh",
                                                "GET /v1/reload" };

        for (size_t i = 0; i < ELEMENTS(requests); i++) {
                harness_ask(harness, requests[i], &answer);
                assert_problem(400, "malformed-request");
        }
        assert_int_equal(harness->broker.reloads, 0);
        ask_control(harness, "GET /v1/status");
        assert_int_equal(answer.status, 200);
        ask_control(harness, "GET /v1/tokens/deploy");
        assert_int_equal(answer.status, 200);
}

static void without_a_control_socket_the_one_serves_all(void **state) {
        harness_ask(*state, "GET /v1/status", &answer);
        assert_int_equal(answer.status, 200);
        harness_ask(*state, "POST /v1/reload", &answer);
        assert_int_equal(answer.status, 200);
}

static void the_list_has_every_token_and_no_value(void **state) {
        struct harness *harness = *state;
        json_t *body;
        const json_t *tokens, *first;

        harness->broker.ready = false;
        harness_ask(harness, "GET /v1/tokens", &answer);
        assert_int_equal(answer.status, 200);
        assert_null(strstr(answer.body, "s3cr3t"));
        body = json_parse(answer.body, strlen(answer.body));
        tokens = json_object_get(body, "tokens");
        assert_int_equal(json_array_size(tokens), 4);
        first = json_array_get(tokens, 0);
        assert_string_equal(json_member_string(first, "name"), "deploy");
        assert_string_equal(json_member_string(first, "state"), "fresh");
        assert_string_equal(json_member_string(first, "source"), "infisical-token-auth");
        assert_string_equal(json_member_string(first, "confirmed_at"), "2026-03-01T12:00:00Z");
        assert_true(json_is_null(json_object_get(first, "stale_until")));
        assert_true(json_is_null(json_object_get(first, "code")));
        assert_string_equal(json_member_string(json_array_get(tokens, 1), "state"), "pending");
        assert_string_equal(json_member_string(json_array_get(tokens, 2), "code"),
                            "secret-not-found");
        assert_true(json_is_null(json_object_get(json_array_get(tokens, 2), "source")));
        json_decref(body);
}

static void status_has_the_broker_its_servers_and_its_tokens(void **state) {
        struct harness *harness = *state;
        json_t *body;

        ask_control(harness, "GET /v1/status");
        body = json_parse(answer.body, strlen(answer.body));
        assert_string_equal(json_member_string(json_object_get(body, "broker"), "state"), "ok");
        assert_string_equal(json_member_string(json_object_get(body, "broker"), "audit"),
                            "journal");
        assert_int_equal(json_array_size(json_object_get(body, "servers")), 1);
        assert_int_equal(json_array_size(json_object_get(body, "tokens")), 4);
        assert_true(json_is_array(
            json_object_get(json_array_get(json_object_get(body, "tokens"), 0), "attempts")));
        json_decref(body);
        harness->broker.ready = false;
        ask_control(harness, "GET /v1/status");
        assert_non_null(strstr(answer.body, "\"state\":\"starting\""));
}

static void a_refresh_says_how_the_token_stands_or_when_the_next_is_allowed(void **state) {
        struct harness *harness = *state;

        ask_control(harness, "POST /v1/tokens/deploy/refresh");
        assert_int_equal(answer.status, 200);
        assert_string_equal(member("name"), "deploy");
        assert_string_equal(member("state"), "fresh");
        harness->broker.refresh_retry_after = 9 * USEC_PER_SEC + 1;
        ask_control(harness, "POST /v1/tokens/deploy/refresh");
        assert_problem(429, "too-many-requests");
        assert_string_equal(answer_header(&answer, "Retry-After"), "10");
        ask_control(harness, "POST /v1/tokens/nobody/refresh");
        assert_problem(404, "unknown-token");
}

static void metrics_have_counters_whose_labels_are_escaped(void **state) {
        struct harness *harness = *state;
        struct token_counts token = { .name = (char[]){ "a\"b\\c\nd" },
                                      .configured = true,
                                      .sources = { true } };
        struct server_counts server = { .identity = (char[]){ "default" },
                                        .url = (char[]){ "https://x.example.org" },
                                        .configured = true };

        token.issued[SOURCE_INFISICAL_TOKEN_AUTH][1] = UINT64_MAX;
        token.refused[DIAG_NO_USABLE_VALUE] = 7;
        server.requests[DIAG_PERMISSION_DENIED] = 2;
        harness->broker.counters = (struct counters){
                .tokens = &token, .n_tokens = 1, .servers = &server, .n_servers = 1
        };
        ask_control(harness, "GET /metrics");
        harness->broker.counters = (struct counters){ 0 };
        assert_int_equal(answer.status, 200);
        assert_non_null(strstr(answer.body, "\n# TYPE forge_broker_issuances_total counter\n"
                                            "forge_broker_issuances_total{token="
                                            "\"a\\\"b\\\\c\\nd\",source=\"infisical-token-auth\","
                                            "freshness=\"fresh\"} 0\n"));
        assert_non_null(strstr(answer.body, "freshness=\"stale\"} 18446744073709551615\n"));
        assert_non_null(strstr(answer.body, ",code=\"no-usable-value\"} 7\n"));
        assert_non_null(strstr(
            answer.body, "\nforge_broker_refusals_total{token=\"\",code=\"peer-refused\"} 0\n"));
        assert_non_null(strstr(answer.body,
                               "\nforge_broker_upstream_requests_total{identity=\"default\","
                               "url=\"https://x.example.org\",code=\"ok\"} 0\n"));
        assert_non_null(strstr(answer.body, ",code=\"permission-denied\"} 2\n"));
        assert_null(strstr(answer.body, "secret-hidden"));
}

static void a_rejected_reload_names_every_problem(void **state) {
        struct harness *harness = *state;
        json_t *body;
        const json_t *problems;

        ask_control(harness, "POST /v1/reload");
        assert_int_equal(answer.status, 200);
        assert_string_equal(member("status"), "reloaded");
        harness->broker.reload_fails = true;
        ask_control(harness, "POST /v1/reload");
        assert_problem(422, "config-rejected");
        assert_string_equal(member("detail"), "3 mistakes; the older configuration stays in force");
        body = json_parse(answer.body, strlen(answer.body));
        problems = json_object_get(body, "problems");
        assert_int_equal(json_array_size(problems), 2);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(problems, 0), "line")),
                         3);
        assert_true(json_is_null(json_object_get(json_array_get(problems, 1), "line")));
        json_decref(body);
}

static void readiness_names_each_token_that_is_not_usable(void **state) {
        struct harness *harness = *state;
        json_t *body;

        harness_ask(harness, "GET /healthz", &answer);
        assert_string_equal(answer.body, "{\"status\":\"ok\"}");
        harness_ask(harness, "GET /readyz", &answer);
        assert_string_equal(answer.body, "{\"ready\":true}");
        harness->broker.ready = false;
        harness_ask(harness, "GET /readyz", &answer);
        assert_problem(503, "no-usable-value");
        body = json_parse(answer.body, strlen(answer.body));
        assert_int_equal(json_array_size(json_object_get(body, "tokens")), 3);
        assert_string_equal(
            json_member_string(json_array_get(json_object_get(body, "tokens"), 0), "code"),
            "no-usable-value");
        assert_string_equal(
            json_member_string(json_array_get(json_object_get(body, "tokens"), 1), "code"),
            "secret-not-found");
        json_decref(body);
        harness_ask(harness, "GET /readyz/deploy", &answer);
        assert_int_equal(answer.status, 200);
        harness_ask(harness, "GET /readyz/failed", &answer);
        assert_problem(503, "no-usable-value");
}

static void a_match_names_the_token_and_gives_no_value(void **state) {
        static const char wanted[] =
            "{\"name\":\"deploy\",\"username\":\"deploy-bot\",\"forge\":\"home\",\"forge_type\":"
            "\"forgejo\","
            "\"forge_url\":\"https://git.example.org\",\"proof\":\"none\"}";
        struct harness *harness = *state;

        harness_ask(harness, "GET /v1/match?protocol=https&host=git.example.org&path=o%2Fr.git",
                    &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, wanted);
        harness_ask(harness,
                    "GET /v1/match?host=git%2Eexample.org:443&protocol=https&path=", &answer);
        assert_string_equal(answer.body, wanted);
        harness_ask(harness, "GET /v1/match?protocol=https&host=other.example.org", &answer);
        assert_problem(404, "unknown-token");
        assert_non_null(strstr(member("detail"), "https://git.example.org"));
        harness_ask(harness, "GET /v1/match?registry=https%3A%2F%2Fgit.example.org%2Fv2%2F",
                    &answer);
        assert_problem(404, "unknown-token");
        assert_int_equal(harness->broker.issued, 0);
        assert_int_equal(harness->broker.refusals, 0);
        harness_ask(harness, "POST /v1/match?registry=x", &answer);
        assert_problem(405, "method-not-allowed");
}

static void a_query_is_what_the_route_takes_and_no_more(void **state) {
        static const struct {
                const char *request, *detail;
        } cases[] = {
                { "GET /v1/match", "expected protocol, host" },
                { "GET /v1/match?protocol=https", "expected protocol, host" },
                { "GET /v1/match?host=git.example.org", "expected protocol, host" },
                { "GET /v1/match?path=x", "expected protocol, host" },
                { "GET /v1/match?registry=x&host=y&protocol=https", "expected protocol, host" },
                { "GET /v1/match?registry=x&path=y", "expected protocol, host" },
                { "GET /v1/match?registry", "'registry' has no value" },
                { "GET /v1/match?registry=x&registry=x", "'registry' is there twice" },
                { "GET /v1/match?protocol=https&host=a&host=b", "'host' is there twice" },
                { "GET /v1/match?protocol=https&host=git.example.org&user=x",
                  "no query parameter 'user' here" },
                { "GET /v1/match?Registry=x", "no query parameter 'Registry' here" },
                { "GET /v1/match?re%0Agistry=x", "no query parameter 're?gistry' here" },
                { "GET /v1/match?registry=%zz", "'%'" },
                { "GET /v1/match?registry=a%00b", "'%'" },
                { "GET /v1/match?registry=", "no host" },
                { "GET /v1/match?protocol=https&host=u:p@git.example.org",
                  "user name or password" },
                { "GET /v1/match?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=10",
                  "no query parameter 'a' here" },
                { "GET /v1/tokens?x", "no query parameter 'x' here" },
                { "GET /v1/tokens/deploy?registry=x", "no query parameter 'registry' here" },
        };
        struct harness *harness = *state;

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                harness_ask(harness, cases[i].request, &answer);
                if (answer.status != 400 || !strstr(member("detail"), cases[i].detail))
                        fail_msg("%s: %s", cases[i].request, answer.text);
                assert_int_equal(harness->broker.refusals, i + 1);
        }
        assert_int_equal(harness->broker.issued, 0);
}

#define REPORT(name, body) "POST /v1/tokens/" name "/rejected HTTP/1.1\r\nHost: x\r\n" body

static void a_report_is_one_fingerprint_and_has_a_verdict(void **state) {
        static const char good[] = "{\"fingerprint\":\"3f9a1c02\"}";
        struct harness *harness = *state;
        char request[512];

        harness_ask(harness,
                    REPORT("deploy", "Content-Length: 26\r\n\r\n{\"fingerprint\":\"3f9a1c02\"}"),
                    &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(member("verdict"), "rejected");
        assert_string_equal(member("name"), "deploy");
        assert_string_equal(member("code"), "forge-token-rejected");
        assert_true(strlen(member("remedy")) > 0);
        harness_ask(harness,
                    REPORT("instant", "Transfer-Encoding: chunked\r\n\r\n10\r\n{ "
                                      "\"fingerprint\":\r\nb\r\n\"00000000\"}\r\n"
                                      "0\r\n\r\n"),
                    &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(member("verdict"), "not-ours");
        assert_string_equal(member("code"), "(none)");
        assert_string_equal(harness->broker.last_print, "00000000");
        (void)snprintf(request, sizeof(request), REPORT("failed", "Content-Length: %zu\r\n\r\n%s"),
                       strlen(good), good);
        harness_ask(harness, request, &answer);
        assert_problem(502, "forge-cannot-tell");
        (void)snprintf(request, sizeof(request), REPORT("nobody", "Content-Length: %zu\r\n\r\n%s"),
                       strlen(good), good);
        harness_ask(harness, request, &answer);
        assert_problem(404, "unknown-token");
        assert_int_equal(harness->broker.refusals, 0);
        harness_ask(harness, REPORT("deploy", "Content-Length: 0\r\n\r\n"), &answer);
        assert_problem(400, "malformed-request");
        harness_ask(harness,
                    REPORT("deploy", "Content-Length: 28\r\n\r\n{\"fingerprint\":\"3f9a1c02\"} x"),
                    &answer);
        assert_problem(400, "malformed-request");
        harness_ask(
            harness,
            REPORT("deploy", "Content-Length: 30\r\n\r\n{\"fingerprint\":\"3f9a1c\\u0000\"}"),
            &answer);
        assert_problem(400, "malformed-request");
        assert_int_equal(harness->broker.refusals, 3);
        assert_int_equal(harness->broker.issued, 0);
}

static void kept_and_pipelined_requests_are_answered_in_order(void **state) {
        struct harness *harness = *state;
        static const char two[] = "GET /v1/tokens/nobody HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\n\r\n";
        int fd = harness_connect(harness);

        for (int i = 0; i < 3; i++) {
                assert_true(harness_send(harness, fd, two, strlen(two)));
                while (harness->broker.issued <= (unsigned)i)
                        harness_turn(harness, USEC_PER_MSEC);
                harness_receive(harness, fd, PATIENCE, &answer);
                assert_int_equal(answer.status, 404);
                if (answer.length == answer.total) {
                        harness_receive(harness, fd, PATIENCE, &answer);
                } else {
                        /* Both came at once. */
                        memmove(answer.text, answer.text + answer.total,
                                answer.length - answer.total + 1);
                        assert_non_null(strstr(answer.text, "200 OK"));
                }
                assert_non_null(strstr(answer.text, "s3cr3t-value"));
        }
        (void)close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
                TEST(an_issuance_is_json_with_every_member),
                TEST(an_odd_value_is_escaped),
                TEST(a_large_value_is_given_whole),
                TEST(accept_decides_between_json_and_the_bare_value),
                TEST(claims_are_read_and_the_first_of_two_wins),
                TEST(no_usable_value_says_why_and_when_to_ask_again),
                TEST(an_unknown_token_lists_the_known_names),
                TEST(a_name_may_be_percent_encoded),
                TEST(what_is_not_well_formed_is_refused),
                TEST(an_unknown_path_names_those_of_this_socket),
                TEST(a_wrong_method_names_the_right_ones),
                TEST(head_is_answered_without_a_body_but_never_issues),
                TEST(control_routes_do_not_exist_on_the_jobs_socket),
                cmocka_unit_test_setup_teardown(without_a_control_socket_the_one_serves_all,
                                                set_up_without_control, tear_down),
                TEST(the_list_has_every_token_and_no_value),
                TEST(status_has_the_broker_its_servers_and_its_tokens),
                TEST(a_refresh_says_how_the_token_stands_or_when_the_next_is_allowed),
                TEST(metrics_have_counters_whose_labels_are_escaped),
                TEST(a_rejected_reload_names_every_problem),
                TEST(readiness_names_each_token_that_is_not_usable),
                TEST(a_match_names_the_token_and_gives_no_value),
                TEST(a_query_is_what_the_route_takes_and_no_more),
                TEST(a_report_is_one_fingerprint_and_has_a_verdict),
                TEST(kept_and_pipelined_requests_are_answered_in_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
