/*
 * What the gate makes of a job's event: each row of the decision table, as each forge's runner
 * presents it.
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

#include "base/cleanup.h"
#include "job/event.h"

#define REPOSITORY                                                                                 \
        "{\"id\":7,\"name\":\"site\",\"full_name\":\"example/"                                     \
        "site\",\"private\":true,\"fork\":false}"
#define FORK                                                                                       \
        "{\"id\":9,\"name\":\"site\",\"full_name\":\"mallory/"                                     \
        "site\",\"private\":false,\"fork\":true}"
#define PULL(head, more)                                                                           \
        "\"pull_request\":{\"id\":3,\"number\":12,\"state\":\"open\",\"draft\":false," more        \
        "\"head\":{\"label\":\"patch\",\"ref\":\"patch\",\"sha\":\"0123456789\",\"repo\":" head    \
        "},"                                                                                       \
        "\"base\":{\"label\":\"main\",\"ref\":\"main\",\"sha\":\"9876543210\","                    \
        "\"repo\":" REPOSITORY "}}"
#define AROUND(inner)                                                                              \
        "{\"action\":\"opened\"," inner ",\"repository\":" REPOSITORY                              \
        ",\"sender\":{\"login\":\"ann\"}}"
#define PUSH                                                                                       \
        "{\"ref\":\"refs/heads/"                                                                   \
        "main\",\"before\":\"0123\",\"after\":\"4567\",\"commits\":[],\"head_commit\":null,"       \
        "\"repository\":" REPOSITORY ",\"pusher\":{\"login\":\"ann\"}}"

/* clang-format off */
static const struct {
        const char *event, *payload;
        enum event_trust trust;
        const char *says;
} rows[] = {
        { "push", PUSH, EVENT_TRUSTED, "only who may write sets off 'push'" },
        { "push", "{\"ref\":\"refs/tags/v1\"}", EVENT_TRUSTED, "push" },
        { "push", NULL, EVENT_TRUSTED, "push" },
        { "schedule", NULL, EVENT_TRUSTED, "schedule" },
        { "workflow_dispatch", NULL, EVENT_TRUSTED, "workflow_dispatch" },
        { "create", NULL, EVENT_TRUSTED, "create" },
        { "release", NULL, EVENT_TRUSTED, "release" },
        { "delete", NULL, EVENT_TRUSTED, "delete" },

        { "pull_request", AROUND(PULL(REPOSITORY, "")), EVENT_TRUSTED, "from a branch of example/site itself" },
        { "pull_request", AROUND(PULL(REPOSITORY, "\"flow\":0,")), EVENT_TRUSTED, "itself" },
        { "pull_request", AROUND(PULL("{\"full_name\":\"Example/Site\",\"fork\":true}", "")), EVENT_TRUSTED, "itself" },
        { "pull_request", AROUND(PULL(REPOSITORY, "\"user\":{\"login\":\"dependabot[bot]\"},")), EVENT_TRUSTED, "itself" },
        { "pull_request", AROUND(PULL(FORK, "")), EVENT_UNTRUSTED, "from the fork mallory/site of example/site" },
        { "pull_request", AROUND(PULL(FORK, "\"flow\":0,")), EVENT_UNTRUSTED, "fork" },
        { "pull_request", AROUND(PULL(FORK, "\"flow\":true,")), EVENT_UNTRUSTED, "fork" },
        { "pull_request", AROUND(PULL(REPOSITORY, "\"flow\":1,")), EVENT_UNTRUSTED, "AGit" },
        { "pull_request", AROUND(PULL("null", "")), EVENT_UNTRUSTED, "from a repository that is gone" },
        { "pull_request", AROUND(PULL(REPOSITORY, "\"flow\":\"1\",")), EVENT_UNRESOLVED, "not known (flow)" },
        { "pull_request", AROUND(PULL(REPOSITORY, "\"flow\":10,")), EVENT_UNRESOLVED, "not known (flow)" },
        { "pull_request", AROUND(PULL("{}", "")), EVENT_UNRESOLVED, "does not say where" },
        { "pull_request", AROUND(PULL("{\"full_name\":7}", "")), EVENT_UNRESOLVED, "does not say where" },
        { "pull_request", AROUND(PULL("{\"full_name\":\"\"}", "")), EVENT_UNRESOLVED, "does not say where" },
        { "pull_request", "{\"pull_request\":{\"head\":{\"repo\":null}}}", EVENT_UNRESOLVED, "which repositories" },
        { "pull_request", "{\"pull_request\":{\"base\":{\"repo\":" REPOSITORY "}}}", EVENT_UNRESOLVED, "which repositories" },
        { "pull_request", "{\"pull_request\":{\"head\":{},\"base\":{\"repo\":" REPOSITORY "}}}", EVENT_UNRESOLVED, "where" },
        { "pull_request", "{\"pull_request\":null}", EVENT_UNRESOLVED, "which repositories" },
        { "pull_request", PUSH, EVENT_UNRESOLVED, "has no pull request" },
        { "pull_request", "[]", EVENT_UNRESOLVED, "no object" },
        { "pull_request", "", EVENT_UNRESOLVED, "cannot be read: its file has an end" },
        { "pull_request", "{\"pull_request\":", EVENT_UNRESOLVED, "cannot be read" },
        { "pull_request", "{\"pull_request\":{},\"pull_request\":{}}", EVENT_UNRESOLVED, "two members with the same name" },
        { "pull_request", NULL, EVENT_UNRESOLVED, "cannot be read: the test says so" },

        { "pull_request_target", AROUND(PULL(FORK, "")), EVENT_OUTSIDER, "an outsider may have set it off" },
        { "workflow_run", NULL, EVENT_OUTSIDER, "outsider" },
        { "issue_comment", NULL, EVENT_OUTSIDER, "outsider" },
        { "issues", NULL, EVENT_OUTSIDER, "outsider" },

        { "workflow_call", AROUND(PULL(REPOSITORY, "")), EVENT_TRUSTED, "itself" },
        { "workflow_call", AROUND(PULL(FORK, "")), EVENT_UNTRUSTED, "fork" },
        { "workflow_call", AROUND(PULL(REPOSITORY, "\"flow\":1,")), EVENT_UNTRUSTED, "AGit" },
        { "workflow_call", AROUND(PULL("null", "")), EVENT_UNTRUSTED, "gone" },
        { "workflow_call", AROUND("\"pull_request\":7"), EVENT_UNRESOLVED, "which repositories" },
        { "workflow_call", PUSH, EVENT_TRUSTED, "'push'" },
        { "workflow_call", "{\"ref\":\"v1\",\"ref_type\":\"tag\",\"sha\":\"01\"}", EVENT_TRUSTED, "'create'" },
        { "workflow_call", "{\"ref\":\"refs/heads/main\",\"inputs\":null,\"workflow\":\"a.yml\"}", EVENT_TRUSTED, "dispatch" },
        { "workflow_call", "{\"schedule\":\"0 4 * * *\"}", EVENT_TRUSTED, "'schedule'" },
        { "workflow_call", AROUND("\"release\":{\"tag_name\":\"v1\"}"), EVENT_TRUSTED, "'release'" },
        { "workflow_call", AROUND("\"issue\":{\"number\":1}"), EVENT_OUTSIDER, "'issues'" },
        { "workflow_call", AROUND("\"issue\":{},\"comment\":{}," PULL(FORK, "")), EVENT_OUTSIDER, "'issue_comment'" },
        { "workflow_call", AROUND("\"workflow_run\":{\"id\":1}"), EVENT_OUTSIDER, "'workflow_run'" },
        { "workflow_call", "{\"ref\":7,\"before\":\"\",\"after\":\"\"}", EVENT_UNRESOLVED, "cannot be told" },
        { "workflow_call", "{}", EVENT_UNRESOLVED, "cannot be told" },
        { "workflow_call", NULL, EVENT_UNRESOLVED, "cannot be read" },

        { "merge_group", PUSH, EVENT_UNRESOLVED, "'merge_group' is no event that is known here" },
        { "Push", PUSH, EVENT_UNRESOLVED, "no event" },
        { "push ", PUSH, EVENT_UNRESOLVED, "no event" },
        { "pull_request_review", AROUND(PULL(FORK, "")), EVENT_UNRESOLVED, "no event" },
        { "", PUSH, EVENT_UNRESOLVED, "names no event" },
        { NULL, NULL, EVENT_UNRESOLVED, "names no event" },
};
/* clang-format on */

static void each_event_has_its_row(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                size_t length = rows[i].payload ? strlen(rows[i].payload) : 0;
                struct event event;

                event_judge(rows[i].event, rows[i].payload, length, "the test says so", &event);
                if (event.trust != rows[i].trust || !strstr(event.reason, rows[i].says))
                        fail_msg("row %zu, %s: trust %d, '%s'", i,
                                 rows[i].event ? rows[i].event : "NULL", event.trust, event.reason);
        }
}

static void words_from_outside_are_clean_and_cut(void **state) {
        struct event event;

        (void)state;
        event_judge("x\n::error::y\033[31m", NULL, 0, "", &event);
        assert_string_equal(event.name, "x?::error::y?[31m");
        event_judge("pull_request",
                    "{\"pull_request\":{\"head\":{\"repo\":{\"full_name\":\"a\\n::set-env\"}},"
                    "\"base\":{\"repo\":" REPOSITORY "}}}",
                    strlen("{\"pull_request\":{\"head\":{\"repo\":{\"full_name\":\"a\\n::set-env\"}"
                           "},\"base\":{\"repo\":" REPOSITORY "}}}"),
                    NULL, &event);
        assert_int_equal(event.trust, EVENT_UNTRUSTED);
        assert_null(strchr(event.reason, '\n'));
}

/* The variables that the tests below set; each begins without any. */
static const char *const variables[] = {
        "FORGEJO_EVENT_NAME",
        "GITEA_EVENT_NAME",
        "GITHUB_EVENT_NAME",
        "FORGEJO_EVENT_PATH",
        "GITEA_EVENT_PATH",
        "GITHUB_EVENT_PATH",
        "CI_PIPELINE_SOURCE",
        "CI_MERGE_REQUEST_PROJECT_PATH",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH",
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY",
        "CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY",
        "FORGEJO_ACTIONS",
        "GITEA_ACTIONS",
        "GITHUB_ACTIONS",
        "GITLAB_CI",
};

static int clear(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(variables); i++)
                (void)unsetenv(variables[i]);
        return 0;
}

static void set(const char *variable, const char *value) {
        assert_int_equal(value ? setenv(variable, value, 1) : unsetenv(variable), 0);
}

static void gitlab_says_it_in_its_variables(void **state) {
        static const struct {
                const char *source, *from, *to;
                enum event_trust trust;
                const char *says;
        } cases[] = {
                { "push", NULL, NULL, EVENT_TRUSTED, "'push'" },
                { "schedule", NULL, NULL, EVENT_TRUSTED, "'schedule'" },
                { "web", NULL, NULL, EVENT_TRUSTED, "'web'" },
                { "trigger", NULL, NULL, EVENT_TRUSTED, "'trigger'" },
                { "merge_request_event", "group/site", "group/site", EVENT_TRUSTED,
                  "group/site itself" },
                { "merge_request_event", "mallory/site", "group/site", EVENT_UNTRUSTED,
                  "from the fork mallory/site" },
                { "merge_request_event", NULL, "group/site", EVENT_UNTRUSTED,
                  "project that is gone" },
                { "merge_request_event", "", "group/site", EVENT_UNTRUSTED,
                  "project that is gone" },
                { "merge_request_event", "group/site", NULL, EVENT_UNRESOLVED,
                  "which merge request" },
                { "parent_pipeline", "mallory/site", "group/site", EVENT_UNTRUSTED, "fork" },
                { "parent_pipeline", "group/site", "group/site", EVENT_TRUSTED, "itself" },
                { "parent_pipeline", NULL, NULL, EVENT_UNRESOLVED, "parent pipeline" },
                { "external", NULL, NULL, EVENT_UNRESOLVED, "no pipeline source" },
                { "", NULL, NULL, EVENT_UNRESOLVED, "names no pipeline source" },
                { NULL, NULL, NULL, EVENT_UNRESOLVED, "names no pipeline source" },
        };

        (void)clear(state);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct event event;

                set("CI_PIPELINE_SOURCE", cases[i].source);
                set("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", cases[i].from);
                set("CI_MERGE_REQUEST_PROJECT_PATH", cases[i].to);
                event_read(FORGE_ENV_GITLAB, &event);
                if (event.trust != cases[i].trust || !strstr(event.reason, cases[i].says))
                        fail_msg("case %zu: trust %d, '%s'", i, event.trust, event.reason);
        }
        set("CI_PIPELINE_SOURCE", "external_pull_request_event");
        set("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY", "mallory/site");
        set("CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY", "example/site");
        struct event event;
        event_read(FORGE_ENV_GITLAB, &event);
        assert_int_equal(event.trust, EVENT_UNTRUSTED);
}

static void a_runner_is_known_by_its_variables(void **state) {
        (void)clear(state);
        assert_int_equal(forge_env_detect(), FORGE_ENV_NONE);
        set("GITLAB_CI", "true");
        assert_int_equal(forge_env_detect(), FORGE_ENV_GITLAB);
        set("GITHUB_ACTIONS", "false");
        assert_int_equal(forge_env_detect(), FORGE_ENV_GITLAB);
        set("GITHUB_ACTIONS", "true");
        assert_int_equal(forge_env_detect(), FORGE_ENV_GITHUB);
        set("GITEA_ACTIONS", "true");
        assert_int_equal(forge_env_detect(), FORGE_ENV_GITEA);
        set("FORGEJO_ACTIONS", "true");
        assert_int_equal(forge_env_detect(), FORGE_ENV_FORGEJO);
}

static void write_file(const char *path, const char *bytes, size_t length) {
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, length, f), length);
        assert_int_equal(fclose(f), 0);
}

static void reads_as(const char *path, enum event_trust trust, const char *says) {
        struct event event;

        set("GITHUB_EVENT_PATH", path);
        event_read(FORGE_ENV_GITHUB, &event);
        if (event.trust != trust || !strstr(event.reason, says))
                fail_msg("%s: trust %d, '%s'", path ? path : "NULL", event.trust, event.reason);
}

static void the_event_file_is_read_within_bounds(void **state) {
        static const char payload[] = AROUND(PULL(FORK, ""));
        char directory[] = "/tmp/test-job-event.XXXXXX", path[64];

        (void)clear(state);
        assert_non_null(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/event.json", directory);
        set("GITHUB_EVENT_NAME", "pull_request");
        reads_as(NULL, EVENT_UNRESOLVED, "names no file");
        reads_as(path, EVENT_UNRESOLVED, "cannot be opened");
        reads_as(directory, EVENT_UNRESOLVED, "no regular file");
        write_file(path, "", 0);
        reads_as(path, EVENT_UNRESOLVED, "at byte 0");
        write_file(path, payload, sizeof(payload) - 1);
        reads_as(path, EVENT_UNTRUSTED, "fork");
        /* White space behind it, up to the bound and past it. */
        assert_int_equal(truncate(path, 0), 0);
        write_file(path, payload, sizeof(payload) - 1);
        assert_int_equal(truncate(path, EVENT_BYTES_MAX + 1), 0);
        reads_as(path, EVENT_UNRESOLVED, "larger than 25 MiB");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        reads_as(path, EVENT_UNRESOLVED, "no regular file");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(directory), 0);
}

/* GitHub describes a repository in about a hundred members, and events come close to the bound. */
static void a_large_real_event_is_read(void **state) {
        size_t size = 24 * 1024 * 1024, used;
        char *text = malloc(size + 4096);
        struct event event;

        (void)state;
        assert_non_null(text);
        used = (size_t)snprintf(text, size, "{\"repository\":{");
        for (int i = 0; i < 120; i++)
                used += (size_t)snprintf(text + used, size - used,
                                         "\"member_%d_url\":\"https://api.example/%d\",", i, i);
        used += (size_t)snprintf(text + used, size - used, "\"id\":1},\"commits\":[0");
        while (used < size)
                used += (size_t)snprintf(
                    text + used, size + 4096 - used,
                    ",{\"id\":\"%08zu\",\"message\":\"\\u00e4 and more\",\"added\":[\"a\",\"b\"]}",
                    used);
        used += (size_t)snprintf(text + used, size + 4096 - used, "],%s}", PULL(FORK, ""));
        event_judge("pull_request", text, used, NULL, &event);
        assert_int_equal(event.trust, EVENT_UNTRUSTED);
        free(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_event_has_its_row),
                cmocka_unit_test(words_from_outside_are_clean_and_cut),
                cmocka_unit_test(gitlab_says_it_in_its_variables),
                cmocka_unit_test(a_runner_is_known_by_its_variables),
                cmocka_unit_test(the_event_file_is_read_within_bounds),
                cmocka_unit_test(a_large_real_event_is_read),
        };

        return cmocka_run_group_tests_name("job-event", tests, NULL, NULL);
}
