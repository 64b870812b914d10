/*
 * Configuration: sections, merging, what belongs together, and what is said of mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test-config-harness.h"

static void the_least_configuration_gets_the_documented_defaults(void **state) {
        _cleanup_(loaded_done) struct loaded loaded = load(LEAST);
        const struct config *config = assert_loads(&loaded);
        const struct identity_config *identity = config->identities[0];
        const struct token_config *token = config_find_token(config, "deploy");

        (void)state;
        assert_string_equal(config->file, MAIN);
        assert_string_equal(config->socket, "/run/forge-broker/broker.sock");
        assert_string_equal(config->control_socket, "/run/forge-broker-control.sock");
        assert_string_equal(config->credential_socket, "/run/forge-broker-credentials.sock");
        assert_int_equal(config->log, LOG_TARGET_AUTO);
        assert_int_equal(config->max_connections, 64);
        assert_int_equal(config->request_timeout, 10 * USEC_PER_SEC);
        assert_int_equal(config->requests_per_second, 200);

        assert_int_equal(config->n_identities, 1);
        assert_string_equal(identity->name, "default");
        assert_string_equal(identity->urls[0], "https://infisical.example.org");
        assert_null(identity->urls[1]);
        assert_string_equal(identity->token_file, "infisical-token");
        assert_string_equal(identity->project_id, "00000000-0000-0000-0000-000000000000");
        assert_string_equal(identity->environment, "prod");
        assert_null(identity->ca_file);
        assert_null(identity->client_id_file);
        assert_null(identity->client_secret_file);
        assert_null(identity->proxy);
        assert_null(identity->header_file);
        assert_int_equal(identity->connect_timeout, 3 * USEC_PER_SEC);
        assert_int_equal(identity->timeout, 10 * USEC_PER_SEC);
        assert_false(identity->allow_plaintext);

        assert_int_equal(config->n_forges, 1);
        assert_int_equal(config->forges[0]->type, FORGE_FORGEJO);
        assert_string_equal(config->forges[0]->url, "https://git.example.org");
        assert_null(config->forges[0]->registry);
        assert_null(config->forges[0]->ca_file);

        assert_int_equal(config->n_tokens, 1);
        assert_ptr_equal(token, config->tokens[0]);
        assert_ptr_equal(token->forge, config->forges[0]);
        assert_ptr_equal(token->identity, identity);
        assert_string_equal(token->secret_path, "/platform/forgejo_accounts");
        assert_string_equal(token->secret_name, "deploy-bot@example.org");
        assert_string_equal(token->username, "forge-broker");
        assert_int_equal(token->refresh, 5 * USEC_PER_MIN);
        assert_int_equal(token->max_stale, USEC_PER_HOUR);
        assert_true(token->sources[SOURCE_INFISICAL_TOKEN_AUTH]);
        assert_false(token->sources[SOURCE_INFISICAL_UNIVERSAL_AUTH]);
        assert_false(token->sources[SOURCE_DIRECT_ENV_FALLBACK]);
        assert_null(token->direct_env);
        assert_false(token->write_probe);
        assert_null(config_find_token(config, "Deploy"));
}

static void everything_that_is_written_arrives(void **state) {
        _cleanup_(loaded_done) struct loaded loaded = load(
            "[broker]\nsocket = /a/b.sock\ncontrol_socket = /c.sock\ncredential_socket = "
            "/d.sock\nlog = journal\n"
            "max_connections = 1024\n"
            "request_timeout = 1s\nrequests_per_second = 7\n"
            "[identity spare]\nurl = http://10.0.0.1:8080/infisical/\nallow_plaintext = yes\n"
            "client_id_file = /etc/id\nclient_secret_file = secret\nheader_file = headers\n"
            "project_id = p\nenvironment = e\nproxy = http://proxy.example.org:3128/\n"
            "ca_file = /ca.pem\nconnect_timeout = 100ms\ntimeout = 2m\n"
            "[forge hub]\ntype = github\nurl = HTTPS://GitHub.com\nregistry = "
            "containers.example\nca_file = /b.pem\n"
            "[token release]\nforge = hub\nidentity = spare\nsecret_path = /\nsecret_name = N\n"
            "username = bot\nrefresh = 1d\nmax_stale = 30d\nwrite_probe = yes\n"
            "direct_env = OLD_PAT\ndirect_env_until = 2026-12-31\n"
            "sources = infisical-universal-auth, direct-env-fallback\n");
        const struct config *config = assert_loads(&loaded);
        const struct identity_config *identity = config->identities[0];
        const struct token_config *token = config->tokens[0];
        char day[CLOCK_TEXT_MAX];

        (void)state;
        assert_string_equal(config->socket, "/a/b.sock");
        assert_string_equal(config->control_socket, "/c.sock");
        assert_string_equal(config->credential_socket, "/d.sock");
        assert_int_equal(config->log, LOG_TARGET_JOURNAL);
        assert_int_equal(config->max_connections, 1024);
        assert_int_equal(config->request_timeout, USEC_PER_SEC);
        assert_int_equal(config->requests_per_second, 7);
        assert_string_equal(identity->urls[0], "http://10.0.0.1:8080/infisical");
        assert_true(identity->allow_plaintext);
        assert_null(identity->token_file);
        assert_string_equal(identity->client_id_file, "/etc/id");
        assert_string_equal(identity->client_secret_file, "secret");
        assert_string_equal(identity->header_file, "headers");
        assert_string_equal(identity->proxy, "http://proxy.example.org:3128");
        assert_string_equal(identity->ca_file, "/ca.pem");
        assert_int_equal(identity->connect_timeout, 100 * USEC_PER_MSEC);
        assert_int_equal(identity->timeout, 2 * USEC_PER_MIN);
        assert_string_equal(config->forges[0]->url, "https://github.com");
        assert_string_equal(config->forges[0]->registry, "containers.example");
        assert_string_equal(config->forges[0]->ca_file, "/b.pem");
        assert_string_equal(token->identity->name, "spare");
        assert_string_equal(token->secret_path, "/");
        assert_string_equal(token->username, "bot");
        assert_int_equal(token->refresh, USEC_PER_DAY);
        assert_int_equal(token->max_stale, 30 * USEC_PER_DAY);
        assert_true(token->write_probe);
        assert_string_equal(token->direct_env, "OLD_PAT");
        assert_string_equal(clock_format(token->direct_env_until, day), "2027-01-01T00:00:00Z");
        assert_false(token->sources[SOURCE_INFISICAL_TOKEN_AUTH]);
        assert_true(token->sources[SOURCE_INFISICAL_UNIVERSAL_AUTH]);
        assert_true(token->sources[SOURCE_DIRECT_ENV_FALLBACK]);
}

static void the_user_name_defaults_by_the_forges_type(void **state) {
        static const struct {
                const char *type, *username;
        } cases[] = { { "forgejo", "forge-broker" },
                      { "gitea", "forge-broker" },
                      { "github", "x-access-token" },
                      { "gitlab", "oauth2" },
                      { "other", "forge-broker" } };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char forge[64];

                (void)snprintf(forge, sizeof(forge), "[forge home]\ntype = %s\nurl = https://h\n",
                               cases[i].type);
                _cleanup_(loaded_done) struct loaded loaded = load(IDENTITY TOKEN, forge);
                assert_string_equal(assert_loads(&loaded)->tokens[0]->username, cases[i].username);
        }
}

static void twelve_mistakes_are_twelve_findings(void **state) {
        static const struct {
                const char *file;
                unsigned line;
                const char *part;
        } expected[] = {
                { MAIN, 2, "'max_connections' is 'many'; expected a number from 4 to 1024" },
                { MAIN, 3,
                  "unknown key 'request_timout' in [broker]; did you mean 'request_timeout'?" },
                { MAIN, 4, "unknown kind of section 'identty'; did you mean 'identity'?" },
                { MAIN, 6, "has no 'environment'" },
                { MAIN, 7, "'url' has a user name or password in it" },
                { MAIN, 9, "neither a section, a setting nor a comment" },
                { MAIN, 12,
                  "'type' is 'forgeyo'; expected forgejo, gitea, github, gitlab or other" },
                { MAIN, 15, "'forge' names no section; did you mean [forge home]?" },
                { MAIN, 16, "'secret_path' does not begin with '/'" },
                { MAIN, 17,
                  "'refresh' is '5 minutes'; expected a duration such as 500ms, 10s, 5m, 1h or 2d, "
                  "from 10s to 1d" },
                { MAIN, 18,
                  "'units' is a unit without its type, which fits none; expected units such as" },
                { "1.conf", 2, "closing quote" },
        };
        _cleanup_(loaded_done) struct loaded loaded =
            load("[broker]\n"
                 "max_connections = many\n"
                 "request_timout = 10s\n"
                 "[identty default]\n"
                 "url = not looked at\n"
                 "[identity default]\n"
                 "url = https://user:hunter2@infisical.example.org\n"
                 "token_file = infisical-token\n"
                 "oops\n"
                 "project_id = p\n"
                 "[forge home]\n"
                 "type = forgeyo\n"
                 "url = https://git.example.org\n"
                 "[token deploy]\n"
                 "forge = hom\n"
                 "secret_path = platform\n"
                 "refresh = 5 minutes\n"
                 "units = forgejo-runner\n"
                 "secret_name = n\n",
                 "[token deploy]\n"
                 "username = \"deploy\n");

        (void)state;
        assert_null(loaded.config);
        for (size_t i = 0; i < ELEMENTS(expected); i++)
                assert_problem(&loaded, expected[i].file, expected[i].line, expected[i].part);
        assert_int_equal(loaded.problems.count, ELEMENTS(expected));
}

static void a_section_that_appears_again_merges(void **state) {
        _cleanup_(loaded_done) struct loaded loaded = load(
            LEAST
            "[token deploy]\nrefresh = 1m\n[broker]\nlog = stderr\n[broker]\nmax_connections = 5\n",
            "[token deploy]\nrefresh = 2m\nusername = bot\n[broker]\nlog = auto\n",
            "[token deploy]\nrefresh = 3m\n");
        const struct config *config = assert_loads(&loaded);

        (void)state;
        assert_int_equal(config->n_tokens, 1);
        assert_int_equal(config->tokens[0]->refresh, 3 * USEC_PER_MIN);
        assert_string_equal(config->tokens[0]->username, "bot");
        assert_int_equal(config->log, LOG_TARGET_AUTO);
        assert_int_equal(config->max_connections, 5);
}

static void lists_append_and_an_empty_value_resets_them(void **state) {
        _cleanup_(loaded_done) struct loaded appended =
            load(LEAST, "[identity default]\nurl = https://b\nurl = https://c/\nurl = https://b\n");
        _cleanup_(loaded_done) struct loaded reset =
            load(LEAST, "[identity default]\nurl =\nurl = https://d\n");
        _cleanup_(loaded_done) struct loaded empty = load(LEAST, "[identity default]\nurl =\n");
        char **urls = assert_loads(&appended)->identities[0]->urls;

        (void)state;
        assert_string_equal(urls[0], "https://infisical.example.org");
        assert_string_equal(urls[1], "https://b");
        assert_string_equal(urls[2], "https://c");
        assert_null(urls[3]);
        urls = assert_loads(&reset)->identities[0]->urls;
        assert_string_equal(urls[0], "https://d");
        assert_null(urls[1]);
        assert_only_problem(&empty, 1, "[identity default] has no 'url'");
}

static void sources_append_and_reset_too(void **state) {
        _cleanup_(loaded_done) struct loaded loaded =
            load(LEAST "sources = infisical-universal-auth\n",
                 "[identity default]\nclient_id_file = i\nclient_secret_file = s\n[token deploy]\n"
                 "sources =\nsources = infisical-token-auth\n");
        const struct token_config *token = assert_loads(&loaded)->tokens[0];

        (void)state;
        assert_true(token->sources[SOURCE_INFISICAL_TOKEN_AUTH]);
        assert_false(token->sources[SOURCE_INFISICAL_UNIVERSAL_AUTH]);
}

static void a_key_twice_in_one_section_names_both_lines(void **state) {
        (void)state;
        assert_refused(IN_TOKEN "refresh = 1m\n", "refresh = 2m",
                       "'refresh' is written twice in this section, first in line 13");
}

static void the_further_sockets_can_be_left_out(void **state) {
        _cleanup_(loaded_done) struct loaded none =
            load(IN_BROKER "control_socket =\ncredential_socket =\n");
        _cleanup_(loaded_done) struct loaded again =
            load(IN_BROKER "control_socket =\n", "[broker]\ncontrol_socket = /c\n");

        (void)state;
        assert_null(assert_loads(&none)->control_socket);
        assert_null(assert_loads(&none)->credential_socket);
        assert_string_equal(assert_loads(&again)->control_socket, "/c");
}

static void what_belongs_together_must_be_together(void **state) {
        _cleanup_(loaded_done) struct loaded env = load(LEAST "direct_env = OLD_PAT\n");
        _cleanup_(loaded_done) struct loaded until = load(LEAST "direct_env_until = 2026-12-31\n");
        _cleanup_(loaded_done) struct loaded id = load(IN_IDENTITY "client_id_file = i\n");
        _cleanup_(loaded_done) struct loaded secret = load(IN_IDENTITY "client_secret_file = s\n");
        _cleanup_(loaded_done) struct loaded sources =
            load(LEAST "sources = infisical-token-auth, infisical-universal-auth, "
                       "direct-env-fallback, vault\n");

        (void)state;
        assert_only_problem(&env, 13, "'direct_env' without 'direct_env_until'");
        assert_only_problem(&until, 13, "'direct_env_until' without 'direct_env'");
        assert_only_problem(&id, 13, "'client_id_file' without 'client_secret_file'");
        assert_only_problem(&secret, 13, "'client_secret_file' without 'client_id_file'");
        assert_int_equal(sources.problems.count, 3);
        assert_problem(&sources, MAIN, 13,
                       "infisical-universal-auth, which needs 'client_id_file' in [identity]");
        assert_problem(&sources, MAIN, 13,
                       "direct-env-fallback, which needs 'direct_env' in [token]");
        assert_problem(&sources, MAIN, 13, "'sources' has a value that is none");
}

static void values_are_compared_with_each_other(void **state) {
        (void)state;
        assert_refused(IN_BROKER "socket = /run/b.sock\n", "control_socket = /run/b.sock",
                       "same path as 'socket'");
        assert_refused(IN_BROKER "socket = /run/b.sock\n", "credential_socket = /run/b.sock",
                       "same path as another socket's");
        assert_refused(IN_BROKER "control_socket = /run/b.sock\n",
                       "credential_socket = /run/b.sock", "same path as another socket's");
        assert_refused(IN_TOKEN, "refresh = 2h", "'max_stale' (1h) is shorter than 'refresh' (2h)");
        assert_refused(IN_TOKEN "refresh = 20m\n", "max_stale = 10m",
                       "'max_stale' (10m) is shorter than 'refresh' (20m)");
        assert_refused(IN_IDENTITY "timeout = 2s\n", "connect_timeout = 5s",
                       "'connect_timeout' is longer than 'timeout'");
}

static void references_must_name_a_section(void **state) {
        _cleanup_(loaded_done) struct loaded no_default =
            load(FORGE "[identity other]\nurl = https://h\ntoken_file = t\nproject_id = "
                       "p\nenvironment = e\n" TOKEN);

        (void)state;
        assert_only_problem(&no_default, 9,
                            "[token deploy] has no 'identity', and there is no [identity default]");
        assert_refused(IN_TOKEN, "identity = defualt", "did you mean [identity default]?");
        assert_refused(IN_TOKEN, "identity = elsewhere", "expected the NAME of a [identity NAME]");
}

static void missing_keys_are_reported_at_their_section(void **state) {
        _cleanup_(loaded_done) struct loaded loaded =
            load("[token a]\n\n[forge f]\n[identity i]\n");
        static const struct {
                unsigned line;
                const char *part;
        } expected[] = {
                { 1, "[token a] has no 'forge', the forge that the token is for" },
                { 1, "[token a] has no 'secret_path'" },
                { 1, "[token a] has no 'secret_name'" },
                { 1, "no [identity default]" },
                { 3, "[forge f] has no 'type'" },
                { 3, "[forge f] has no 'url'" },
                { 4, "[identity i] has no 'url'" },
                { 4, "[identity i] has no 'project_id'" },
                { 4, "[identity i] has no 'environment'" },
                { 4, "[identity i] has no credential; expected 'token_file'" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(expected); i++)
                assert_problem(&loaded, MAIN, expected[i].line, expected[i].part);
        assert_int_equal(loaded.problems.count, ELEMENTS(expected));
}

static void sections_need_a_proper_name(void **state) {
        _cleanup_(loaded_done) struct loaded unnamed =
            load(LEAST "[token]\nrefresh = x\n[token \xc3\xa4]\n[broker main]\n");
        _cleanup_(loaded_done) struct loaded spelled =
            load(LEAST "[forge HOME]\ntype = gitea\nurl = https://h\n");
        _cleanup_(loaded_done) struct loaded none = load(IDENTITY FORGE);

        (void)state;
        assert_problem(&unnamed, MAIN, 13, "[token] without a name; expected [token NAME]");
        assert_problem(&unnamed, MAIN, 14, "'refresh' is 'x'");
        assert_problem(&unnamed, MAIN, 15, "[token] with a name that is none");
        assert_problem(&unnamed, MAIN, 16, "[broker] with a name");
        assert_only_problem(&spelled, 13,
                            "[forge HOME] differs from [forge home] in main.conf:6 in case only");
        assert_only_problem(&none, 0, "no [token NAME] section");
}

static void unknown_keys_are_explained(void **state) {
        (void)state;
        assert_refused(IN_TOKEN, "secretname = n", "did you mean 'secret_name'?");
        assert_refused(IN_TOKEN, "project_id = p",
                       "unknown key 'project_id' in [token]; it belongs into [identity]");
        assert_refused(IN_TOKEN, "colour = blue",
                       "unknown key 'colour' in [token]; expected a key of that section");
        assert_refused(LEAST, "[colour blue]",
                       "unknown kind of section 'colour'; expected [broker], [identity NAME]");
}

static void patterns_are_a_list_that_another_file_can_extend_or_empty(void **state) {
        _cleanup_(loaded_done) struct loaded loaded =
            load(LEAST "for = platform/*, shared/tools\nfor = ~ops/x+y\n");
        _cleanup_(loaded_done) struct loaded emptied =
            load(LEAST "for = platform/*\n", "[token deploy]\nfor =\n");
        _cleanup_(loaded_done) struct loaded none = load(LEAST);
        const struct config *config = assert_loads(&loaded);

        (void)state;
        assert_string_equal(config->tokens[0]->targets[0], "platform/*");
        assert_string_equal(config->tokens[0]->targets[1], "shared/tools");
        assert_string_equal(config->tokens[0]->targets[2], "~ops/x+y");
        assert_null(config->tokens[0]->targets[3]);
        assert_null(assert_loads(&emptied)->tokens[0]->targets[0]);
        assert_null(assert_loads(&none)->tokens[0]->targets[0]);
}

#define SECOND(more) "[token second]\nforge = home\nsecret_path = /p\nsecret_name = n\n" more

static void one_pattern_is_for_one_token_of_a_forge(void **state) {
        _cleanup_(loaded_done) struct loaded tie =
            load(LEAST "for = a/*, platform/*\n" SECOND("for = b/*, Platform/*\n"));
        _cleanup_(loaded_done) struct loaded nearly =
            load(LEAST "for = platform/*\n" SECOND("for = platform/site\n"));
        _cleanup_(loaded_done) struct loaded elsewhere = load(
            LEAST
            "for = platform/*\n"
            "[token second]\nforge = away\nsecret_path = /p\nsecret_name = n\nfor = platform/*\n"
            "[forge away]\ntype = gitea\nurl = https://away.example.org\n");

        (void)state;
        assert_only_problem(&tie, 18,
                            "'for' has the pattern 'Platform/*', which [token deploy] of the same "
                            "forge has as well");
        (void)assert_loads(&nearly);
        (void)assert_loads(&elsewhere);
}

#define PROVEN "proof = required\njob_repositories = platform/*\n"
#define AWAY   "[forge away]\ntype = github\nurl = https://github.com\n"
#define OTHER  "[forge odd]\ntype = other\nurl = https://odd.example.org\n"

static void rules_arrive_as_they_are_written(void **state) {
        _cleanup_(loaded_done) struct loaded loaded =
            load(AWAY LEAST "units = forgejo-runner.service, docker-*.scope\n" PROVEN
                            "vouched_by = away\njob_events = push\njob_events = release, "
                            "pull_request\njob_refs = refs/heads/main, refs/tags/v*\n");
        const struct token_config *token = assert_loads(&loaded)->tokens[0];

        (void)state;
        assert_string_equal(token->units[0], "forgejo-runner.service");
        assert_string_equal(token->units[1], "docker-*.scope");
        assert_null(token->units[2]);
        assert_true(token->proof_required);
        assert_string_equal(token->vouched_by->name, "away");
        assert_string_equal(token->job_repositories[0], "platform/*");
        assert_null(token->job_repositories[1]);
        assert_string_equal(token->job_events[0], "push");
        assert_string_equal(token->job_events[2], "pull_request");
        assert_null(token->job_events[3]);
        assert_string_equal(token->job_refs[1], "refs/tags/v*");
}

static void events_have_a_default_that_can_be_emptied(void **state) {
        static const char *const expected[] = { "push", "create", "schedule", "workflow_dispatch",
                                                "release" };
        _cleanup_(loaded_done) struct loaded defaulted = load(LEAST PROVEN);
        _cleanup_(loaded_done) struct loaded emptied = load(LEAST PROVEN "job_events =\n");
        const struct token_config *token = assert_loads(&defaulted)->tokens[0];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(expected); i++)
                assert_string_equal(token->job_events[i], expected[i]);
        assert_null(token->job_events[ELEMENTS(expected)]);
        assert_null(token->job_refs[0]);
        assert_null(token->units[0]);
        assert_ptr_equal(token->vouched_by, token->forge);
        assert_null(assert_loads(&emptied)->tokens[0]->job_events[0]);
}

static void rules_that_nothing_would_enforce_are_refused(void **state) {
        static const struct {
                const char *text, *line, *part;
        } cases[] = {
                { IN_TOKEN, "proof = required", "'proof = required' without 'job_repositories'" },
                { IN_TOKEN, "job_repositories = platform/*",
                  "'job_repositories' without 'proof = required'" },
                { IN_TOKEN, "job_events = push", "'job_events' without 'proof = required'" },
                { IN_TOKEN, "job_refs = refs/heads/main", "'job_refs' without 'proof = required'" },
                { IN_TOKEN, "vouched_by = home", "'vouched_by' without 'proof = required'" },
                { IN_TOKEN PROVEN, "vouched_by = hom",
                  "'vouched_by' names no section; did you mean [forge home]?" },
                { OTHER IN_TOKEN PROVEN, "vouched_by = odd",
                  "[forge odd] is of type other and vouches for no job" },
                { IDENTITY TOKEN "[forge home]\ntype = other\nurl = https://h\n[token "
                                 "deploy]\njob_repositories = a/b\n",
                  "proof = required", "[forge home] is of type other and vouches for no job" },
                { IN_FORGE, "oidc_issuer = https://id.example.org",
                  "'oidc_issuer' without 'oidc_audience'" },
                { IN_FORGE, "id_token_hosts = id.example.org",
                  "'id_token_hosts' without 'oidc_audience'" },
                { URL_IN_FORGE "url = https://h\n", "oidc_audience = forge-broker",
                  "for a forge of type gitea, which issues no ID tokens" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                assert_refused(cases[i].text, cases[i].line, cases[i].part);
        assert_accepted(IN_TOKEN, "job_events =");
        assert_accepted(IN_TOKEN, "proof = none");
}

static void the_issuer_defaults_by_the_forges_type(void **state) {
        static const struct {
                const char *type, *url, *issuer, *host;
        } cases[] = {
                { "forgejo", "https://git.example.org", "https://git.example.org/api/actions",
                  NULL },
                { "gitlab", "https://git.example.org/lab", "https://git.example.org/lab", NULL },
                { "github", "https://github.com", "https://token.actions.githubusercontent.com",
                  "*.actions.githubusercontent.com" },
                { "github", "https://hub.example.org", "https://hub.example.org/_services/token",
                  NULL },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const struct forge_config *forge;
                char text[160];

                (void)snprintf(text, sizeof(text),
                               "[forge home]\ntype = %s\nurl = %s\noidc_audience = broker\n",
                               cases[i].type, cases[i].url);
                _cleanup_(loaded_done) struct loaded loaded = load(IDENTITY TOKEN, text);
                _cleanup_(loaded_done) struct loaded written = load(
                    IDENTITY TOKEN, text,
                    "[forge home]\noidc_issuer = https://id.example.org/\n"
                    "id_token_hosts =\nid_token_hosts = A.Example.org:8443, *.b.example.org\n");
                forge = assert_loads(&loaded)->forges[0];
                assert_string_equal(forge->oidc_audience, "broker");
                assert_string_equal(forge->oidc_issuer, cases[i].issuer);
                if (cases[i].host)
                        assert_string_equal(forge->id_token_hosts[0], cases[i].host);
                assert_null(forge->id_token_hosts[cases[i].host ? 1 : 0]);
                forge = assert_loads(&written)->forges[0];
                assert_string_equal(forge->oidc_issuer, "https://id.example.org");
                assert_string_equal(forge->id_token_hosts[0], "a.example.org:8443");
                assert_string_equal(forge->id_token_hosts[1], "*.b.example.org");
        }
}

static void findings_are_bounded_and_the_rest_is_counted(void **state) {
        _cleanup_(freep) char *text = calloc(1, 8 * 1000 + 1);
        size_t used = 0;

        (void)state;
        assert_non_null(text);
        for (size_t i = 0; i < 1000; i++, used += 8)
                memcpy(text + used, "mistake\n", 8);
        _cleanup_(loaded_done) struct loaded loaded = load(text);
        assert_int_equal(loaded.problems.count, CONFIG_PROBLEMS_MAX);
        assert_int_equal(loaded.problems.count + loaded.problems.dropped, 1001);
}

static void a_reference_keeps_the_configuration(void **state) {
        struct loaded loaded = load(LEAST);
        struct config *second = config_ref(loaded.config);

        (void)state;
        assert_null(config_unref(loaded.config));
        assert_string_equal(second->tokens[0]->name, "deploy");
        assert_null(config_unref(second));
        assert_null(config_unref(NULL));
        config_problems_done(&loaded.problems);
}

static void markers_and_sources_have_their_documented_names(void **state) {
        enum source source;

        (void)state;
        assert_string_equal(forge_type_marker(FORGE_GITEA), "gitea_token_source");
        assert_string_equal(forge_type_marker(FORGE_OTHER), "forge_token_source");
        assert_string_equal(source_name(SOURCE_DIRECT_ENV_FALLBACK), "direct-env-fallback");
        assert_true(source_find("infisical-universal-auth", &source));
        assert_int_equal(source, SOURCE_INFISICAL_UNIVERSAL_AUTH);
        assert_false(source_find("infisical", &source));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_least_configuration_gets_the_documented_defaults),
                cmocka_unit_test(everything_that_is_written_arrives),
                cmocka_unit_test(the_user_name_defaults_by_the_forges_type),
                cmocka_unit_test(twelve_mistakes_are_twelve_findings),
                cmocka_unit_test(a_section_that_appears_again_merges),
                cmocka_unit_test(lists_append_and_an_empty_value_resets_them),
                cmocka_unit_test(sources_append_and_reset_too),
                cmocka_unit_test(a_key_twice_in_one_section_names_both_lines),
                cmocka_unit_test(the_further_sockets_can_be_left_out),
                cmocka_unit_test(what_belongs_together_must_be_together),
                cmocka_unit_test(values_are_compared_with_each_other),
                cmocka_unit_test(references_must_name_a_section),
                cmocka_unit_test(missing_keys_are_reported_at_their_section),
                cmocka_unit_test(sections_need_a_proper_name),
                cmocka_unit_test(unknown_keys_are_explained),
                cmocka_unit_test(patterns_are_a_list_that_another_file_can_extend_or_empty),
                cmocka_unit_test(one_pattern_is_for_one_token_of_a_forge),
                cmocka_unit_test(rules_arrive_as_they_are_written),
                cmocka_unit_test(events_have_a_default_that_can_be_emptied),
                cmocka_unit_test(rules_that_nothing_would_enforce_are_refused),
                cmocka_unit_test(the_issuer_defaults_by_the_forges_type),
                cmocka_unit_test(findings_are_bounded_and_the_rest_is_counted),
                cmocka_unit_test(a_reference_keeps_the_configuration),
                cmocka_unit_test(markers_and_sources_have_their_documented_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
