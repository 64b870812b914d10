/*
 * What a forge's answer to "who is this" says about a token: the texts of each kind of forge, and
 * everything that does not come from a forge.  Then the real request over the loopback.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/wiping.h"
#include "forge/alive.h"
#include "test-http-server.h"

#define JSON "application/json"
#define HTML "text/html"
#define PAGE                                                                                       \
        "<html><title>Sign in</title><p>token does not have at least one of required "             \
        "scope(s)</html>"

#define FG(text) "{\"message\":\"" text "\",\"url\":\"https://git.example.org/api/swagger\"}"
#define HUB(text)                                                                                  \
        "{\"message\":\"" text                                                                     \
        "\",\"documentation_url\":\"https://docs.github.com/rest\",\"status\":\"401\"}"
#define OAUTH(e, d) "{\"error\":\"" e "\",\"error_description\":\"" d "\"}"

#define FG_USER  "{\"id\":7,\"login\":\"deploy-bot\",\"full_name\":\"\",\"is_admin\":false}"
#define LAB_USER "{\"id\":7,\"username\":\"deploy-bot\",\"state\":\"active\"}"

enum { ALIVE = FORGE_TOKEN_ALIVE, DEAD = FORGE_TOKEN_DEAD, UNKNOWN = FORGE_TOKEN_UNKNOWN };
enum { FORGEJO = FORGE_FORGEJO, GITEA = FORGE_GITEA, GITHUB = FORGE_GITHUB, GITLAB = FORGE_GITLAB };

static const struct {
        int type;
        int status;
        const char *content_type, *body;
        int life;
        enum diagnosis code;
} cases[] = {
        /* Forgejo and Gitea. */
        { FORGEJO, 200, JSON, FG_USER, ALIVE, DIAG_NONE },
        { GITEA, 200, JSON, FG_USER, ALIVE, DIAG_NONE },
        { FORGEJO, 200, JSON, "{\"id\":-2,\"login\":\"forgejo-actions\"}", ALIVE, DIAG_NONE },
        { FORGEJO, 403, JSON,
          FG("token does not have at least one of required scope(s): [read:user]"), ALIVE,
          DIAG_NONE },
        { GITEA, 403, JSON,
          FG("token does not have at least one of required scope(s): [read:user read:misc]"), ALIVE,
          DIAG_NONE },
        { FORGEJO, 403, JSON, FG("token scope is limited to public users"), ALIVE, DIAG_NONE },
        { FORGEJO, 401, JSON, FG("user does not exist [uid: 0, name: ]"), DEAD,
          DIAG_FORGE_TOKEN_REJECTED },
        { GITEA, 401, JSON, FG("invalid username, password or token"), DEAD,
          DIAG_FORGE_TOKEN_REJECTED },
        { FORGEJO, 401, JSON, FG("token is required"), UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 403, JSON, FG("Only signed in user is allowed to call APIs."), UNKNOWN,
          DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 403, JSON, FG("This account is not activated."), UNKNOWN,
          DIAG_FORGE_CANNOT_TELL },
        { FORGEJO, 403, JSON,
          FG("This account is prohibited from signing in, please contact your site administrator."),
          UNKNOWN, DIAG_FORGE_CANNOT_TELL },
        { FORGEJO, 403, JSON, FG("You must change your password. Change it at: https://x/"),
          UNKNOWN, DIAG_FORGE_CANNOT_TELL },
        { FORGEJO, 401, JSON, FG("another text of 401"), UNKNOWN, DIAG_FORGE_CANNOT_TELL },
        { FORGEJO, 403, JSON, FG("user does not exist [uid: 0, name: ]"), UNKNOWN,
          DIAG_FORGE_CANNOT_TELL },
        { FORGEJO, 404, JSON, FG("The target couldn't be found."), UNKNOWN,
          DIAG_UPSTREAM_MALFORMED },
        { FORGEJO, 429, JSON, FG("slow down"), UNKNOWN, DIAG_UPSTREAM_RATE_LIMITED },
        { FORGEJO, 500, JSON, FG(""), UNKNOWN, DIAG_UPSTREAM_ERROR },

        /* GitHub. */
        { GITHUB, 200, JSON, "{\"login\":\"deploy-bot\",\"id\":7,\"type\":\"User\"}", ALIVE,
          DIAG_NONE },
        { GITHUB, 401, JSON, HUB("Bad credentials"), DEAD, DIAG_FORGE_TOKEN_REJECTED },
        { GITHUB, 401, JSON, HUB("Requires authentication"), UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { GITHUB, 403, JSON, HUB("Resource not accessible by integration"), ALIVE, DIAG_NONE },
        { GITHUB, 403, JSON, HUB("Resource not accessible by personal access token"), ALIVE,
          DIAG_NONE },
        { GITHUB, 403, JSON, HUB("API rate limit exceeded for user ID 7."), UNKNOWN,
          DIAG_UPSTREAM_RATE_LIMITED },
        { GITHUB, 429, JSON, HUB("Slow down"), UNKNOWN, DIAG_UPSTREAM_RATE_LIMITED },
        { GITHUB, 403, JSON, HUB("Maximum number of login attempts exceeded."), UNKNOWN,
          DIAG_FORGE_CANNOT_TELL },
        { GITHUB, 404, JSON, HUB("Not Found"), UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { GITHUB, 502, HTML, PAGE, UNKNOWN, DIAG_UPSTREAM_ERROR },
        { GITHUB, 401, JSON, "{\"message\":\"Bad credentials\"}", UNKNOWN, DIAG_UPSTREAM_BLOCKED },

        /* GitLab. */
        { GITLAB, 200, JSON, LAB_USER, ALIVE, DIAG_NONE },
        { GITLAB, 401, JSON,
          OAUTH("invalid_token",
                "Token is expired. You can either do re-authorization or token refresh."),
          DEAD, DIAG_FORGE_TOKEN_REJECTED },
        { GITLAB, 401, JSON,
          OAUTH("invalid_token", "Token was revoked. You have to re-authorize from the user."),
          DEAD, DIAG_FORGE_TOKEN_REJECTED },
        { GITLAB, 401, JSON, "{\"message\":\"401 Unauthorized\"}", DEAD,
          DIAG_FORGE_TOKEN_REJECTED },
        { GITLAB, 403, JSON,
          "{\"error\":\"insufficient_scope\",\"error_description\":\"x\",\"scope\":\"api read_api "
          "read_user\"}",
          ALIVE, DIAG_NONE },
        { GITLAB, 403, JSON, "{\"message\":\"403 Forbidden - Your account has been blocked.\"}",
          UNKNOWN, DIAG_FORGE_CANNOT_TELL },
        { GITLAB, 403, JSON, OAUTH("invalid_token", "x"), UNKNOWN, DIAG_FORGE_CANNOT_TELL },
        { GITLAB, 404, JSON, "{\"message\":\"404 Not Found\"}", UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { GITLAB, 401, JSON, "{\"message\":{\"a\":\"401 Unauthorized\"}}", UNKNOWN,
          DIAG_UPSTREAM_BLOCKED },

        /* What no forge said is never a verdict on a token. */
        { FORGEJO, 401, HTML, PAGE, UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 403, HTML, PAGE, UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 401, HTML, FG("user does not exist [uid: 0, name: ]"), UNKNOWN,
          DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 401, JSON, "{\"message\":\"user does not exist [uid: 0, name: ]\"}", UNKNOWN,
          DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 401, JSON, "{\"message\":\"Unauthorized\"}", UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 401, JSON, HUB("Bad credentials"), UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 401, JSON, "[]", UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 401, JSON,
          "{\"message\":\"user does not exist [uid: 0, name: ]\",\"url\":\"https://git.exam",
          UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 401, "", "", UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 302, HTML, "", UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 307, JSON, FG("user does not exist [uid: 0, name: ]"), UNKNOWN,
          DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 301, JSON, FG_USER, UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 200, HTML, PAGE, UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 200, HTML, FG_USER, UNKNOWN, DIAG_UPSTREAM_BLOCKED },
        { FORGEJO, 200, JSON, "{}", UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { FORGEJO, 200, JSON, "{\"id\":\"7\",\"login\":\"x\"}", UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { FORGEJO, 200, JSON, "{\"id\":7,\"login\":\"\"}", UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { GITLAB, 200, JSON, FG_USER, UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { FORGEJO, 201, JSON, FG_USER, UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { FORGEJO, 204, "", "", UNKNOWN, DIAG_UPSTREAM_MALFORMED },
        { FORGEJO, 429, HTML, PAGE, UNKNOWN, DIAG_UPSTREAM_RATE_LIMITED },
        { FORGEJO, 503, HTML, PAGE, UNKNOWN, DIAG_UPSTREAM_ERROR },
        { GITHUB, 407, HTML, PAGE, UNKNOWN, DIAG_UPSTREAM_BLOCKED },
};

static char url[64] = "https://git.example.org";
static char name[] = "home";

static void every_answer_has_its_verdict(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const struct forge_config forge = { .name = name,
                                                    .type = (enum forge_type)cases[i].type,
                                                    .url = url };
                struct http_response response = { .status = cases[i].status,
                                                  .body = secret_copy(cases[i].body,
                                                                      strlen(cases[i].body)) };
                struct error err;
                int life;

                (void)snprintf(response.content_type, sizeof(response.content_type), "%s",
                               cases[i].content_type);
                life = forge_classify_life(&forge, &response, &err);
                if (life != cases[i].life || err.code != cases[i].code)
                        fail_msg("row %zu, %s %d %s: verdict %d %s, expected %d %s", i,
                                 forge_type_name(forge.type), cases[i].status, cases[i].body, life,
                                 diagnosis_info(err.code)->name, cases[i].life,
                                 diagnosis_info(cases[i].code)->name);
                if (err.code != DIAG_NONE) {
                        assert_non_null(
                            strstr(err.detail, "forge 'home': https://git.example.org/api/v"));
                        assert_true(strlen(error_remedy(&err)) > 20);
                        assert_null(strstr(err.detail, "uid: 0"));
                        assert_null(strstr(error_remedy(&err), "front of Infisical"));
                }
                (void)secret_unref(response.body);
        }
}

static void a_pause_asked_for_is_a_rate_limit(void **state) {
        const struct forge_config forge = { .name = name, .type = FORGE_GITHUB, .url = url };
        const char *body = HUB("You have exceeded something.");
        struct http_response response = { .status = 403,
                                          .content_type = JSON,
                                          .retry_after = USEC_PER_SEC,
                                          .body = secret_copy(body, strlen(body)) };
        struct error err;

        (void)state;
        assert_int_equal(forge_classify_life(&forge, &response, &err), FORGE_TOKEN_UNKNOWN);
        assert_int_equal(err.code, DIAG_UPSTREAM_RATE_LIMITED);
        (void)secret_unref(response.body);
}

/* Where each kind of forge is asked, seen in the detail of an answer that says nothing. */
static void the_api_is_where_the_forge_has_it(void **state) {
        static const struct {
                int type;
                const char *url, *api;
        } rows[] = {
                { FORGEJO, "https://git.example.org", "https://git.example.org/api/v1/user" },
                { GITEA, "https://example.org/git", "https://example.org/git/api/v1/user" },
                { GITLAB, "https://example.org/lab", "https://example.org/lab/api/v4/user" },
                { GITHUB, "https://github.com", "https://api.github.com/user" },
                { GITHUB, "https://www.github.com", "https://api.github.com/user" },
                { GITHUB, "https://acme.ghe.com", "https://api.acme.ghe.com/user" },
                { GITHUB, "https://ghes.example.org", "https://ghes.example.org/api/v3/user" },
                { GITHUB, "https://notgithub.com", "https://notgithub.com/api/v3/user" },
                { GITHUB, "https://example.org/x.ghe.com",
                  "https://example.org/x.ghe.com/api/v3/user" },
                { GITHUB, "http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v3/user" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char where[64], expected[96];
                const struct forge_config forge = { .name = name,
                                                    .type = (enum forge_type)rows[i].type,
                                                    .url = where };
                struct http_response response = { .status = 500, .body = secret_copy("", 0) };
                struct error err;

                (void)snprintf(where, sizeof(where), "%s", rows[i].url);
                (void)snprintf(expected, sizeof(expected), " %s answered 500", rows[i].api);
                assert_int_equal(forge_classify_life(&forge, &response, &err), FORGE_TOKEN_UNKNOWN);
                if (!strstr(err.detail, expected))
                        fail_msg("%s: %s", expected, err.detail);
                (void)secret_unref(response.body);
        }
}

/* The request itself.  The server's mode is the type of forge that it plays. */
enum { SILENT = 100 };

static const char token_text[] = "canary-0123456789";
static int port;
static sd_event *event;
static struct http_client *client;

static void answer_json(int fd, int status, const char *body) {
        char head[256];

        (void)snprintf(head, sizeof(head),
                       "HTTP/1.1 %d X\r\nContent-Type: application/json; "
                       "charset=utf-8\r\nContent-Length: %zu\r\n"
                       "Connection: close\r\n\r\n",
                       status, strlen(body));
        test_server_send(fd, head);
        test_server_send(fd, body);
}

static void answer(int fd, const char *head) {
        int type = test_server_shared->mode;
        const char *line = type == GITHUB   ? "GET /sub/api/v3/user HTTP/1.1\r\n"
                           : type == GITLAB ? "GET /sub/api/v4/user HTTP/1.1\r\n"
                                            : "GET /sub/api/v1/user HTTP/1.1\r\n";
        const char *authorization = type == GITHUB || type == GITLAB
                                        ? "\r\nAuthorization: Bearer canary-0123456789\r\n"
                                        : "\r\nAuthorization: token canary-0123456789\r\n";
        const char *accept = type == GITHUB ? "\r\nAccept: application/vnd.github+json\r\n"
                                            : "\r\nAccept: application/json\r\n";

        __atomic_add_fetch(&test_server_shared->requests[0], 1, __ATOMIC_SEQ_CST);
        if (type == SILENT)
                return;
        if (strncmp(head, line, strlen(line)) != 0 || !strstr(head, authorization) ||
            !strstr(head, accept) || !strstr(head, "\r\nUser-Agent: forge-broker/") ||
            !strstr(head, "\r\nX-GitHub-Api-Version: 2022-11-28\r\n") != (type != GITHUB)) {
                answer_json(fd, 400, "{\"message\":\"not the exact request\"}");
                return;
        }
        answer_json(fd, 200, type == GITLAB ? LAB_USER : FG_USER);
}

struct outcome {
        unsigned calls;
        enum forge_life life;
        struct error err;
};

static void on_done(void *userdata, enum forge_life life, const struct error *err) {
        struct outcome *outcome = userdata;

        outcome->calls++;
        outcome->life = life;
        outcome->err = *err;
}

static struct outcome ask(int type, int mode) {
        char where[64];
        const struct forge_config forge = { .name = name,
                                            .type = (enum forge_type)type,
                                            .url = where };
        struct secret *token = secret_copy(token_text, sizeof(token_text) - 1);
        struct outcome outcome = { 0 };
        struct forge_alive *alive = NULL;
        struct error err;

        (void)snprintf(where, sizeof(where), "http://127.0.0.1:%d/sub", port);
        test_server_shared->mode = mode;
        test_server_shared->requests[0] = 0;
        assert_int_equal(forge_alive_start(client, &forge, token, on_done, &outcome, &alive, &err),
                         0);
        (void)secret_unref(token);
        assert_int_equal(outcome.calls, 0);
        while (outcome.calls == 0)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        return outcome;
}

static void each_forge_is_asked_as_it_wants_to_be(void **state) {
        static const int types[] = { FORGEJO, GITEA, GITHUB, GITLAB };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(types); i++) {
                struct outcome outcome = ask(types[i], types[i]);

                if (outcome.life != FORGE_TOKEN_ALIVE)
                        fail_msg("%s: %s", forge_type_name((enum forge_type)types[i]),
                                 outcome.err.detail);
                assert_int_equal(outcome.err.code, DIAG_NONE);
                assert_int_equal(outcome.calls, 1);
                assert_int_equal(test_server_shared->requests[0], 1);
        }
}

static void no_answer_is_no_verdict(void **state) {
        struct outcome outcome = ask(FORGEJO, SILENT);

        (void)state;
        assert_int_equal(outcome.life, FORGE_TOKEN_UNKNOWN);
        assert_int_equal(outcome.err.code, DIAG_UPSTREAM_UNREACHABLE);
        assert_non_null(strstr(outcome.err.detail, "forge 'home': 127.0.0.1:"));
        assert_non_null(strstr(error_remedy(&outcome.err), "[forge home]"));
}

static void a_forge_of_another_kind_cannot_be_asked(void **state) {
        const struct forge_config forge = { .name = name, .type = FORGE_OTHER, .url = url };
        struct forge_alive *alive = NULL;
        struct error err;

        (void)state;
        assert_int_equal(forge_alive_start(NULL, &forge, NULL, on_done, NULL, &alive, &err),
                         -(int)DIAG_FORGE_CANNOT_TELL);
        assert_int_equal(err.code, DIAG_FORGE_CANNOT_TELL);
        assert_non_null(strstr(error_remedy(&err), "[forge home]"));
        assert_null(alive);
}

static void a_cancelled_question_says_nothing(void **state) {
        char where[64];
        const struct forge_config forge = { .name = name, .type = FORGE_GITEA, .url = where };

        (void)state;
        (void)snprintf(where, sizeof(where), "http://127.0.0.1:%d/sub", port);
        test_server_shared->mode = FORGE_GITEA;
        for (int turns = 0; turns < 12; turns++) {
                struct secret *token = secret_copy(token_text, sizeof(token_text) - 1);
                struct outcome outcome = { 0 };
                struct forge_alive *alive = NULL;
                struct error err;
                unsigned after;

                assert_int_equal(
                    forge_alive_start(client, &forge, token, on_done, &outcome, &alive, &err), 0);
                (void)secret_unref(token);
                for (int i = 0; i < turns && outcome.calls == 0; i++)
                        assert_true(sd_event_run(event, USEC_PER_MSEC) >= 0);
                after = outcome.calls;
                if (outcome.calls == 0)
                        assert_null(forge_alive_cancel(alive));
                assert_true(sd_event_run(event, USEC_PER_MSEC) >= 0);
                assert_int_equal(outcome.calls, after);
        }
        assert_null(forge_alive_cancel(NULL));
}

static int set_up(void **state) {
        struct error err;

        (void)state;
        port = test_server_start(answer);
        assert_int_equal(http_setup(&err), 0);
        assert_int_equal(secret_init(false, &err), 0);
        assert_true(sd_event_new(&event) >= 0);
        return http_client_new(event, &client, &err);
}

static int tear_down(void **state) {
        (void)state;
        (void)http_client_free(client);
        event = sd_event_unref(event);
        test_server_stop();
        http_cleanup();
        assert_int_equal(wiping_in_use(), 0);
        assert_int_equal(secret_in_use(), 0);
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_answer_has_its_verdict),
                cmocka_unit_test(a_pause_asked_for_is_a_rate_limit),
                cmocka_unit_test(the_api_is_where_the_forge_has_it),
                cmocka_unit_test(each_forge_is_asked_as_it_wants_to_be),
                cmocka_unit_test(no_answer_is_no_verdict),
                cmocka_unit_test(a_forge_of_another_kind_cannot_be_asked),
                cmocka_unit_test(a_cancelled_question_says_nothing),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
