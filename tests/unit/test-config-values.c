/*
 * Configuration: what each type of value takes, and that no secret is repeated in a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test-config-harness.h"

static void all_other_empty_values_are_mistakes(void **state) {
        (void)state;
        assert_refused(IN_BROKER, "socket =", "'socket' is empty; expected an absolute path");
        assert_refused(IN_TOKEN, "username = \"\"", "'username' is empty");
        assert_refused(IN_TOKEN, "refresh = ; later", "'refresh' is empty");
        assert_refused(IN_IDENTITY, "ca_file =", "'ca_file' is empty");
        assert_refused(NAME_IN_TOKEN, "secret_name =", "'secret_name' is empty");
}

static void values_are_checked_by_type(void **state) {
        static const struct {
                const char *text, *line, *part;
        } cases[] = {
                { IN_BROKER, "log = syslog",
                  "'log' is 'syslog'; expected auto, journal or stderr" },
                { IN_BROKER, "max_connections = 3", "is '3'; expected a number from 4 to 1024" },
                { IN_BROKER, "max_connections = 1025", "is '1025'" },
                { IN_BROKER, "max_connections = +64", "is '+64'" },
                { IN_BROKER, "max_connections = 99999999999999999999", "is '9999" },
                { IN_BROKER, "request_timeout = 999ms", "from 1s to 2m" },
                { IN_BROKER, "request_timeout = 3m", "from 1s to 2m" },
                { IN_BROKER, "socket = broker.sock", "'socket' is not an absolute path" },
                { IN_BROKER, "socket = /run//b.sock", "empty, '.' or '..'" },
                { IN_BROKER, "socket = /run/../b.sock", "empty, '.' or '..'" },
                { IN_BROKER, "socket = /run/", "'/' at its end" },
                { IN_IDENTITY, "connect_timeout = 99ms", "from 100ms to 1m" },
                { IN_IDENTITY, "timeout = 121s", "from 1s to 2m" },
                { IN_IDENTITY, "allow_plaintext = maybe", "is 'maybe'; expected yes or no" },
                { IN_IDENTITY, "ca_file = ca.pem", "'ca_file' is not an absolute path" },
                { IN_IDENTITY, "ca_file = /etc/ssl/", "'ca_file' is a directory" },
                { IN_IDENTITY, "proxy = socks5://h",
                  "'proxy' does not begin with https:// or http://" },
                { IN_IDENTITY, "proxy = http://h/path", "'proxy' has a path in it" },
                { IN_FORGE, "registry = https://git.example.org", "'registry' has a port in it" },
                { IN_FORGE, "registry = git.example.org/image", "'registry' has a host in it" },
                { IN_TOKEN, "refresh = 9s", "from 10s to 1d" },
                { IN_TOKEN, "refresh = 2d", "from 10s to 1d" },
                { IN_TOKEN, "max_stale = 31d", "from 0s to 30d" },
                { IN_TOKEN, "max_stale = forever and ever, and a day",
                  "'max_stale' has a value that is none" },
                { IN_TOKEN, "username = deploy bot", "'username' has blanks" },
                { IN_TOKEN, "username = a:b", "'username' has blanks, a ':'" },
                { IN_TOKEN, "username = j\xc3\xbcrgen", "'username' has blanks" },
                { IN_TOKEN, "identity = \"a b\"", "'identity' is not a name" },
                { NAME_IN_TOKEN, "secret_name = a/b", "'secret_name' has a '/' or ':'" },
                { NAME_IN_TOKEN, "secret_name = a:b", "'secret_name' has a '/' or ':'" },
                { NAME_IN_TOKEN, "secret_name = ..", "cannot be asked for" },
                { NAME_IN_TOKEN, "secret_name = \" a\"", "blank at an end" },
                { IN_TOKEN, "for = https://git.example.org/platform/site", "'for' is a URL" },
                { IN_TOKEN, "for = platform/*, platform/site.git", "'for' ends in .git" },
                { IN_TOKEN, "for = /platform/*", "'for' begins or ends with a '/'" },
                { IN_TOKEN, "for = platform//site", "'for' begins or ends with a '/'" },
                { IN_TOKEN, "for = platform/[a-z]*",
                  "'for' has characters in it that no repository has" },
                { IN_TOKEN, "units = forgejo-runner", "'units' is a unit without its type" },
                { IN_TOKEN, "units = docker/x.scope",
                  "'units' has characters in it that no unit has" },
                { IN_TOKEN, "proof = yes", "'proof' is 'yes'; expected none or required" },
                { IN_TOKEN, "job_events = pull_request*", "'job_events' has a pattern in it" },
                { IN_TOKEN, "job_events = Push", "'job_events' is not the name of an event" },
                { IN_TOKEN, "job_refs = main", "'job_refs' does not begin with refs/" },
                { IN_TOKEN, "job_refs = refs/heads/a b",
                  "'job_refs' has characters in it that no ref has" },
                { IN_TOKEN, "job_refs = refs/heads/../tags/v1", "or '..' in it" },
                { IN_FORGE, "oidc_audience = forge broker", "'oidc_audience' has blanks" },
                { IN_FORGE, "id_token_hosts = *",
                  "'id_token_hosts' has a host in it that is neither a name nor an address" },
                { IN_FORGE, "id_token_hosts = *.org",
                  "'id_token_hosts' has a '*' for the name of a whole domain" },
                { IN_FORGE, "id_token_hosts = id.example.org/x",
                  "'id_token_hosts' has a host in it" },
                { PATH_IN_TOKEN, "secret_path = a", "does not begin with '/'" },
                { PATH_IN_TOKEN, "secret_path = /a//b", "empty element" },
                { PATH_IN_TOKEN, "secret_path = /a/../b", "other characters" },
                { PATH_IN_TOKEN, "secret_path = /a b", "other characters" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                assert_refused(cases[i].text, cases[i].line, cases[i].part);
}

static void values_at_the_edges_are_accepted(void **state) {
        (void)state;
        assert_accepted(IN_BROKER, "max_connections = 4");
        assert_accepted(IN_BROKER, "request_timeout = 120s");
        assert_accepted(IN_BROKER, "requests_per_second = 0");
        assert_accepted(IN_TOKEN, "write_probe = no");
        assert_accepted(IN_TOKEN, "write_probe = off");
        assert_accepted(IN_TOKEN, "write_probe = yes");
        assert_accepted(IN_TOKEN, "units = forgejo-runner@?.service, *, machine-ci\\x2d1.scope");
        assert_accepted(IN_FORGE, "oidc_audience = https://forge-broker.example.org/");
        assert_accepted(IN_TOKEN, "max_stale = 0s");
        assert_accepted(IN_TOKEN, "max_stale = 5m");
        assert_accepted(IN_TOKEN, "refresh = 10s");
        assert_accepted(IN_FORGE, "registry = registry.example.org:5000");
        assert_accepted(IN_FORGE, "registry = [2001:db8::1]:5000");
        assert_accepted(IN_IDENTITY, "proxy = http://127.0.0.1:3128");
        assert_accepted(PATH_IN_TOKEN, "secret_path = /");
        assert_accepted(PATH_IN_TOKEN, "secret_path = /A-b_9/c");
        assert_accepted(NAME_IN_TOKEN, "secret_name = p+codex@example.org");
        assert_accepted(NAME_IN_TOKEN, "secret_name = \"with blanks; and # more\"");
}

static void lengths_end_where_kernel_and_server_end_them(void **state) {
        char line[256];

        (void)state;
        (void)snprintf(line, sizeof(line), "socket = /%0106d", 0);
        assert_accepted(IN_BROKER, line);
        (void)snprintf(line, sizeof(line), "socket = /%0107d", 0);
        assert_refused(IN_BROKER, line, "'socket' is a path longer than 107 bytes");
        (void)snprintf(line, sizeof(line), "secret_name = %0100d", 0);
        assert_accepted(NAME_IN_TOKEN, line);
        (void)snprintf(line, sizeof(line), "secret_name = %0101d", 0);
        assert_refused(NAME_IN_TOKEN, line, "'secret_name' is longer than 100 bytes");
        (void)snprintf(line, sizeof(line), "project_id = %064d", 0);
        assert_accepted(PROJECT_IN_IDENTITY, line);
        (void)snprintf(line, sizeof(line), "project_id = %065d", 0);
        assert_refused(PROJECT_IN_IDENTITY, line, "'project_id' is not the id of a project");
}

static void a_secret_path_is_normalised(void **state) {
        _cleanup_(loaded_done) struct loaded loaded =
            load(PATH_IN_TOKEN "secret_path = /platform/accounts//\n");

        (void)state;
        assert_string_equal(assert_loads(&loaded)->tokens[0]->secret_path, "/platform/accounts");
}

static void urls_are_servers_and_nothing_else(void **state) {
        static const struct {
                const char *url, *part;
        } cases[] = {
                { "infisical.example.org", "does not begin with https:// or http://" },
                { "ftp://h", "does not begin with" },
                { "https://", "has no host" },
                { "https:///path", "has no host" },
                { "https://:443", "has no host" },
                { "https://user@h", "user name or password" },
                { "https://user:hunter2@h/", "user name or password" },
                { "https://h?x=y", "query or a fragment" },
                { "https://h/#x", "query or a fragment" },
                { "https://h:0", "port" },
                { "https://h:65536", "port" },
                { "https://h:", "port" },
                { "https://h:https", "port" },
                { "https://-h", "neither a name nor an address" },
                { "https://h-", "neither a name nor an address" },
                { "https://h..org", "neither a name nor an address" },
                { "https://h.", "neither a name nor an address" },
                { "https://h%2f", "neither a name nor an address" },
                { "https://127.1", "neither a name nor an address" },
                { "https://0x7f.0.0.1", "neither a name nor an address" },
                { "https://2130706433", "neither a name nor an address" },
                { "https://[::g]", "neither a name nor an address" },
                { "https://[fe80::1%eth0]", "neither a name nor an address" },
                { "https://[::1", "neither a name nor an address" },
                { "https://[::1]x", "port" },
                { "https://h/a b", "percent-encoded" },
                { "https://h/a\\\\b", "percent-encoded" },
                { "https://h/%zz", "hex digits" },
                { "https://h/%4", "hex digits" },
                { "https://h/a/../b", "segments" },
                { "https://h/./b", "segments" },
                { "https://h/a//b", "segments" },
                { "https://h/api", "ends in /api" },
                { "https://h/x/api/", "ends in /api" },
                { "http://infisical.example.org", "allow_plaintext = yes" },
                { "http://127.0.0.1.example.org", "allow_plaintext = yes" },
                { "http://localhost.example.org", "allow_plaintext = yes" },
                { "http://128.0.0.1", "allow_plaintext = yes" },
                { "http://[::2]", "allow_plaintext = yes" },
                { "http://[::ffff:127.0.0.1]", "allow_plaintext = yes" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char line[256];

                (void)snprintf(line, sizeof(line), "url = \"%s\"", cases[i].url);
                assert_refused(URL_IN_IDENTITY, line, cases[i].part);
        }
}

static void urls_are_kept_in_their_normal_form(void **state) {
        static const struct {
                const char *url, *normal;
        } cases[] = {
                { "https://h", "https://h" },
                { "HTTPS://Infisical.Example.ORG:8443/Sub/Path/",
                  "https://infisical.example.org:8443/Sub/Path" },
                { "https://h//", "https://h" },
                { "https://infisical_backend:8080", "https://infisical_backend:8080" },
                { "https://192.0.2.1", "https://192.0.2.1" },
                { "https://[2001:DB8::1]/a%2Fb", "https://[2001:db8::1]/a%2Fb" },
                { "http://127.0.0.1:8080", "http://127.0.0.1:8080" },
                { "http://127.255.1.2", "http://127.255.1.2" },
                { "http://LOCALHOST/", "http://localhost" },
                { "http://[::1]:8080/x", "http://[::1]:8080/x" },
                { "http://[0:0:0:0:0:0:0:1]", "http://[0:0:0:0:0:0:0:1]" },
                { "https://h/apis", "https://h/apis" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                unsigned number;
                char line[256];

                (void)snprintf(line, sizeof(line), "url = %s", cases[i].url);
                _cleanup_(loaded_done) struct loaded loaded =
                    load_with_line(URL_IN_IDENTITY, line, &number);
                assert_string_equal(assert_loads(&loaded)->identities[0]->urls[0], cases[i].normal);
        }
}

static void plaintext_stays_on_this_host_unless_the_identity_says_so(void **state) {
        _cleanup_(loaded_done) struct loaded told =
            load(URL_IN_IDENTITY "url = http://infisical.example.org\n",
                 "[identity default]\nallow_plaintext = yes\n");

        (void)state;
        (void)assert_loads(&told);
        assert_refused(URL_IN_FORGE, "url = http://git.example.org",
                       "'url' is http:// to another host");
        assert_accepted(URL_IN_FORGE, "url = http://localhost:3000");
}

static void variables_of_the_service_are_no_fallback(void **state) {
        static const char *const refused[] = { "CREDENTIALS_DIRECTORY",
                                               "NOTIFY_SOCKET",
                                               "PATH",
                                               "LD_PRELOAD",
                                               "lower",
                                               "9A",
                                               "A-B",
                                               "A B" };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(refused); i++) {
                char text[1024];

                (void)snprintf(text, sizeof(text),
                               LEAST "direct_env_until = 2026-12-31\ndirect_env = %s\n",
                               refused[i]);
                _cleanup_(loaded_done) struct loaded loaded = load(text);
                assert_only_problem(&loaded, 14, "'direct_env' is ");
        }
}

static void a_secret_in_the_wrong_place_is_not_repeated(void **state) {
        static const char canary[] = "glpat-Zx9canary8yW7vU6tS5r";
        static const char *const lines[] = {
                "token_file = %s",
                "token = %s",
                "%s",
                "%s = x",
                "[%s]",
                "[token %s;]",
                "url = https://u:%s@h",
                "url = %s",
                "proxy = http://%s@h",
                "project_id = %s/;\"",
                "environment = %s!",
                "ca_file = %s",
                "header_file = %s",
                "timeout = %s",
                "allow_plaintext = %s",
                "connect_timeout = \"%s",
                "client_secret_file = %s",
                "[%s default]",
                "url = \"https://h/%s\" x",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(lines); i++) {
                char text[2048], line[128];

                /* The formats are the table's above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                (void)snprintf(line, sizeof(line), lines[i], canary);
#pragma GCC diagnostic pop
                (void)snprintf(text, sizeof(text), "%s%s\n", IN_IDENTITY, line);
                _cleanup_(loaded_done) struct loaded loaded = load(text);
                assert_null(loaded.config);
                for (size_t k = 0; k < loaded.problems.count; k++)
                        assert_null(strstr(loaded.problems.items[k].text, "canary"));
        }
}

static void pasted_tokens_are_no_file_names(void **state) {
        (void)state;
        assert_refused(FORGE TOKEN
                       "[identity default]\nurl = https://h\nproject_id = p\nenvironment = e\n",
                       "token_file = eyJhbGciOiJIUzI1NiJ9.e30.x", "looks like a secret itself");
        assert_refused(
            FORGE TOKEN "[identity default]\nurl = https://h\nproject_id = p\nenvironment = e\n",
            "token_file = 0123456789abcdef0123456789abcdef01234567", "looks like a secret itself");
        assert_refused(
            FORGE TOKEN "[identity default]\nurl = https://h\nproject_id = p\nenvironment = e\n",
            "token_file = dir/token", "neither an absolute path nor a credential's name");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_other_empty_values_are_mistakes),
                cmocka_unit_test(values_are_checked_by_type),
                cmocka_unit_test(values_at_the_edges_are_accepted),
                cmocka_unit_test(lengths_end_where_kernel_and_server_end_them),
                cmocka_unit_test(a_secret_path_is_normalised),
                cmocka_unit_test(urls_are_servers_and_nothing_else),
                cmocka_unit_test(urls_are_kept_in_their_normal_form),
                cmocka_unit_test(plaintext_stays_on_this_host_unless_the_identity_says_so),
                cmocka_unit_test(variables_of_the_service_are_no_fallback),
                cmocka_unit_test(a_secret_in_the_wrong_place_is_not_repeated),
                cmocka_unit_test(pasted_tokens_are_no_file_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
