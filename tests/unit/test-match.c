/*
 * Which token is for a URL or a registry: the table of places, and the rules of `for`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/glob.h"
#include "broker/match.h"
#include "test-config-harness.h"

#define TOKEN_OF(name, forge, more)                                                                \
        "[token " name "]\nforge = " forge "\nsecret_path = /p\nsecret_name = " name "\n" more

static const char forges[] = IDENTITY
    "[forge home]\ntype = forgejo\nurl = https://git.example.org\nregistry = git.example.org\n"
    "[forge port]\ntype = gitea\nurl = https://git.example.org:8443\nregistry = "
    "registry.example.org:5000\n"
    "[forge sub]\ntype = gitea\nurl = https://apps.example.org/git\n"
    "[forge other]\ntype = gitea\nurl = https://apps.example.org/git/other\n"
    "[forge hub]\ntype = github\nurl = https://github.com\nregistry = containers.example\n"
    "[forge lab]\ntype = gitlab\nurl = http://127.0.0.1:3000\nregistry = 127.0.0.1:5050\n"
    "[forge explicit]\ntype = gitea\nurl = https://explicit.example.org:443\nregistry = "
    "explicit.example.org:443\n"
    "[forge six]\ntype = gitea\nurl = https://[2001:db8::1]\n"
    "[forge empty]\ntype = gitea\nurl = https://empty.example.org\n" TOKEN_OF("deploy", "home", "")
        TOKEN_OF("platform", "home", "for = platform/*, shared/tools\n")
            TOKEN_OF("site", "home", "for = platform/site\n") TOKEN_OF("odd", "port", "for = a/*\n")
                TOKEN_OF("sub", "sub", "") TOKEN_OF("other", "other", "")
                    TOKEN_OF("hub-a", "hub", "for = acme/*\n")
                        TOKEN_OF("hub-b", "hub", "for = acme-*\n")
                            TOKEN_OF("lab", "lab", "for = group/*\n")
                                TOKEN_OF("explicit", "explicit", "") TOKEN_OF("six", "six", "");

static struct loaded loaded;

/* The name of the token, or the code of what was said instead. */
static const char *ask(const struct match_query *query, struct error *err) {
        const struct token_config *token = NULL;
        int r = match_token(loaded.config, query, &token, err);

        if (r == 0)
                return token->name;
        assert_int_equal(r, -(int)err->code);
        assert_null(token);
        assert_true(strlen(err->detail) > 0);
        return diagnosis_info(err->code)->name;
}

static void every_url_has_its_token(void **state) {
        static const struct {
                const char *protocol, *host, *path, *answer;
        } rows[] = {
                /* Hosts: in any case, with a port that goes without saying, and never another
                 * one. */
                { "https", "git.example.org", NULL, "deploy" },
                { "https", "GIT.Example.ORG", NULL, "deploy" },
                { "HTTPS", "git.example.org", NULL, "deploy" },
                { "https", "git.example.org:443", NULL, "deploy" },
                { "https", "git.example.org", "", "deploy" },
                { "https", "git.example.org:80", NULL, "unknown-token" },
                { "https", "git.example.org:8443", NULL, "odd" },
                { "https", "git.example.org:8444", NULL, "unknown-token" },
                { "https", "git.example.org.evil.example", NULL, "unknown-token" },
                { "https", "xgit.example.org", NULL, "unknown-token" },
                { "https", "example.org", NULL, "unknown-token" },
                { "https", "explicit.example.org", NULL, "explicit" },
                { "https", "explicit.example.org:443", NULL, "explicit" },
                { "https", "[2001:db8::1]", "o/r", "six" },
                { "https", "[2001:DB8::1]:443", "o/r", "six" },
                { "https", "empty.example.org", "o/r", "unknown-token" },
                { "https", "empty.example.org", NULL, "unknown-token" },

                /* Never over another scheme than the forge's. */
                { "http", "git.example.org", NULL, "unknown-token" },
                { "http", "git.example.org:443", NULL, "unknown-token" },
                { "http", "127.0.0.1:3000", "group/r.git", "lab" },
                { "https", "127.0.0.1:3000", "group/r.git", "unknown-token" },
                { "ssh", "git.example.org", "o/r", "unknown-token" },
                { "smtp", "mail.example.org:587", NULL, "unknown-token" },

                /* Below a path of the host's. */
                { "https", "apps.example.org", "git/o/r.git", "sub" },
                { "https", "apps.example.org", "git", "sub" },
                { "https", "apps.example.org", "git/other/o/r.git", "other" },
                { "https", "apps.example.org", "git/others/r.git", "sub" },
                { "https", "apps.example.org", "gitx/o/r.git", "unknown-token" },
                { "https", "apps.example.org", "o/r.git", "unknown-token" },
                { "https", "apps.example.org", NULL, "no-usable-value" },

                /* The pattern that fits best, then a token without one. */
                { "https", "git.example.org", "o/r.git", "deploy" },
                { "https", "git.example.org", "platform/api.git", "platform" },
                { "https", "git.example.org", "/platform/api.git/", "platform" },
                { "https", "git.example.org", "Platform/API", "platform" },
                { "https", "git.example.org", "platform/group/deep.git", "platform" },
                { "https", "git.example.org", "platform/site.git", "site" },
                { "https", "git.example.org", "platform/site", "site" },
                { "https", "git.example.org", "platform/site.git/info/lfs", "site" },
                { "https", "git.example.org", "platform/site.github.io.git", "platform" },
                { "https", "git.example.org", "platform/sites.git", "platform" },
                { "https", "git.example.org", "shared/tools.git", "platform" },
                { "https", "git.example.org", "shared/tools2.git", "deploy" },
                { "https", "git.example.org", "platform", "deploy" },
                { "https", "git.example.org:8443", "a/r.git", "odd" },
                { "https", "git.example.org:8443", "b/r.git", "unknown-token" },
                { "https", "github.com", "acme/site.git", "hub-a" },
                { "https", "github.com", "acme-labs/site.git", "hub-b" },
                { "https", "github.com", "else/site.git", "unknown-token" },
                { "https", "github.com", NULL, "no-usable-value" },

                /* No place at all. */
                { "https", "", NULL, "malformed-request" },
                { "https", "git.example.org/x", NULL, "malformed-request" },
                { "https", "user@git.example.org", NULL, "malformed-request" },
                { "https", "user:hunter2@git.example.org", NULL, "malformed-request" },
                { "https", "git example", NULL, "malformed-request" },
                { "https", "git.example.org:0", NULL, "malformed-request" },
                { "https", "git.example.org:http", NULL, "malformed-request" },
                { "https", "git.example.org?x", NULL, "malformed-request" },
                { "https", "git.example.org", "a/../platform/site", "malformed-request" },
                { "https", "git.example.org", "./platform/site", "malformed-request" },
                { "https", "git.example.org", "platform//site", "malformed-request" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const struct match_query query = { .protocol = rows[i].protocol,
                                                   .host = rows[i].host,
                                                   .path = rows[i].path };
                struct error err = { 0 };
                const char *answer = ask(&query, &err);

                if (strcmp(answer, rows[i].answer) != 0)
                        fail_msg("%s://%s/%s: %s, expected %s (%s)", rows[i].protocol, rows[i].host,
                                 rows[i].path ? rows[i].path : "", answer, rows[i].answer,
                                 err.detail);
                assert_null(strstr(err.detail, "hunter2"));
        }
}

static void every_registry_has_its_token(void **state) {
        static const struct {
                const char *registry, *answer;
        } rows[] = {
                { "registry.example.org:5000", "odd" },
                { "https://registry.example.org:5000", "odd" },
                { "https://registry.example.org:5000/v1/", "odd" },
                { "https://Registry.Example.org:5000/v2", "odd" },
                { "registry.example.org:5000/a/image", "odd" },
                { "registry.example.org:5000/a/image:v1.2", "odd" },
                { "registry.example.org:5000/v2/a/image@sha256:00", "odd" },
                { "registry.example.org:5000/b/image", "unknown-token" },
                { "registry.example.org", "unknown-token" },
                { "http://registry.example.org:5000", "unknown-token" },
                { "git.example.org", "deploy" },
                { "git.example.org:443", "deploy" },
                { "git.example.org/platform/site", "site" },
                { "git.example.org/platform/api:latest", "platform" },
                { "explicit.example.org", "explicit" },
                { "explicit.example.org:443", "explicit" },
                { "containers.example", "no-usable-value" },
                { "containers.example/acme/image", "hub-a" },
                { "https://index.example/v1/", "unknown-token" },
                { "http://127.0.0.1:5050", "lab" },
                { "127.0.0.1:5050/v2/", "lab" },
                { "apps.example.org", "unknown-token" },
                { "", "malformed-request" },
                { "https://", "malformed-request" },
                { "https:///v2/", "malformed-request" },
                { "user:hunter2@git.example.org", "malformed-request" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const struct match_query query = { .registry = rows[i].registry };
                struct error err = { 0 };
                const char *answer = ask(&query, &err);

                if (strcmp(answer, rows[i].answer) != 0)
                        fail_msg("%s: %s, expected %s (%s)", rows[i].registry, answer,
                                 rows[i].answer, err.detail);
                assert_null(strstr(err.detail, "hunter2"));
        }
}

static void what_is_said_helps(void **state) {
        struct error err;

        (void)state;
        (void)ask(&(struct match_query){ .protocol = "https", .host = "elsewhere.example.org" },
                  &err);
        assert_non_null(strstr(err.detail, "https://elsewhere.example.org"));
        assert_non_null(strstr(err.detail, "https://git.example.org, registry git.example.org;"));
        assert_non_null(strstr(err.remedy, "[forge NAME]"));

        (void)ask(&(struct match_query){ .protocol = "http", .host = "git.example.org" }, &err);
        assert_non_null(
            strstr(err.detail, "for https://git.example.org and not for http://git.example.org"));
        assert_non_null(strstr(err.remedy, "Use https://git.example.org"));

        (void)ask(&(struct match_query){ .protocol = "https",
                                         .host = "github.com",
                                         .path = "else/r\033[31m" },
                  &err);
        assert_non_null(strstr(err.detail, "'else/r?[31m'"));
        assert_non_null(strstr(err.remedy, "for ="));

        (void)ask(&(struct match_query){ .protocol = "https", .host = "github.com" }, &err);
        assert_non_null(strstr(err.detail, "'hub-a' and 'hub-b'"));
        assert_non_null(strstr(err.remedy, "Set for = in [token hub-a] or [token hub-b]"));
}

static void a_path_is_bounded(void **state) {
        struct match_query query = { .protocol = "https", .host = "git.example.org" };
        char path[1026], host[300];
        struct error err;

        (void)state;
        memset(path, 'a', sizeof(path));
        path[1024] = '\0';
        query.path = path;
        assert_string_equal(ask(&query, &err), "deploy");
        path[1024] = 'a';
        path[1025] = '\0';
        assert_string_equal(ask(&query, &err), "malformed-request");
        memset(host, 'a', sizeof(host));
        host[299] = '\0';
        query = (struct match_query){ .registry = host };
        assert_string_equal(ask(&query, &err), "malformed-request");
}

static void patterns_are_wildcards_and_no_more(void **state) {
        static const struct {
                const char *pattern, *text;
                bool matches;
        } rows[] = {
                { "a", "a", true },
                { "a", "A", true },
                { "a", "b", false },
                { "a", "", false },
                { "", "", true },
                { "*", "", true },
                { "*", "a/b", true },
                { "?", "a", true },
                { "?", "", false },
                { "a*c", "abbc", true },
                { "a*c", "abbcd", false },
                { "*/site", "p/site", true },
                { "*/site", "p/q/site", true },
                { "*/site", "site", false },
                { "a*b*c", "aXbYbZc", true },
                { "a*b*c", "aXcYb", false },
                { "p/*", "p/", true },
                { "p/*", "p", false },
                { "**", "x", true },
                { "a?c", "abc", true },
                { "a?c", "ac", false },
                { "[ab]", "a", false },
                { "p/x.y", "p/xzy", false },
        };
        char many[256], text[1024];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                if (glob_matches(rows[i].pattern, rows[i].text, strlen(rows[i].text)) !=
                    rows[i].matches)
                        fail_msg("%s %s", rows[i].pattern, rows[i].text);
        assert_true(glob_matches("Platform/S?te", "platform/sIte", strlen("platform/site")));
        assert_false(
            glob_matches_exactly("refs/heads/main", "refs/heads/Main", strlen("refs/heads/Main")));
        assert_true(
            glob_matches_exactly("refs/heads/M*", "refs/heads/Main", strlen("refs/heads/Main")));
        /* What makes a matcher that tries everything run for years. */
        for (size_t i = 0; i < 127; i++)
                memcpy(many + 2 * i, "*a", 2);
        memcpy(many + 254, "b", 2);
        memset(text, 'a', sizeof(text));
        assert_false(glob_matches(many, text, sizeof(text)));

        assert_true(glob_weight("platform/site") > glob_weight("platform/site*"));
        assert_true(glob_weight("platform/s*") > glob_weight("platform/*"));
        assert_true(glob_weight("platform/*") > glob_weight("*"));
}

static int set_up(void **state) {
        (void)state;
        loaded = load(forges);
        return loaded.config ? 0 : -1;
}

static int tear_down(void **state) {
        (void)state;
        loaded_done(&loaded);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_url_has_its_token),
                cmocka_unit_test(every_registry_has_its_token),
                cmocka_unit_test(what_is_said_helps),
                cmocka_unit_test(a_path_is_bounded),
                cmocka_unit_test(patterns_are_wildcards_and_no_more),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
