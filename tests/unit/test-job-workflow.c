/*
 * The runner's files: what a record looks like, and that a value can neither end it nor become
 * another.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "job/workflow.h"

static char path[64];

static int set_up(void **state) {
        int fd;

        (void)state;
        (void)unsetenv("FORGEJO_OUTPUT");
        (void)unsetenv("GITEA_OUTPUT");
        (void)unsetenv("FORGEJO_STEP_SUMMARY");
        (void)unsetenv("GITEA_STEP_SUMMARY");
        (void)snprintf(path, sizeof(path), "/tmp/test-job-workflow.XXXXXX");
        fd = mkstemp(path);
        return fd < 0 || close(fd) < 0 || setenv("GITHUB_OUTPUT", path, 1) < 0 ||
               setenv("GITHUB_STEP_SUMMARY", path, 1) < 0;
}

static int tear_down(void **state) {
        (void)state;
        return unlink(path);
}

static void content(char *buffer, size_t size) {
        _cleanup_(fclosep) FILE *f = fopen(path, "re");

        assert_non_null(f);
        buffer[fread(buffer, 1, size - 1, f)] = '\0';
}

static void output(const char *key, const char *value) {
        struct failure failure;

        assert_int_equal(workflow_output(key, value, strlen(value), &failure), 0);
}

static void a_line_is_a_line(void **state) {
        char buffer[256];

        (void)state;
        output("a", "1");
        output("b", "x=y<<z");
        output("c", "");
        content(buffer, sizeof(buffer));
        assert_string_equal(buffer, "a=1\nb=x=y<<z\nc=\n");
}

/* Reads "key<<DELIMITER\nvalue\nDELIMITER\n" as a runner does. */
static void expect_block(const char *value, char delimiter[64]) {
        char buffer[512], expected[512];

        content(buffer, sizeof(buffer));
        assert_int_equal(sscanf(buffer, "k<<%63[^\n]", delimiter), 1);
        (void)snprintf(expected, sizeof(expected), "k<<%s\n%s\n%s\n", delimiter, value, delimiter);
        assert_string_equal(buffer, expected);
        assert_null(strstr(value, delimiter));
        assert_int_equal(truncate(path, 0), 0);
}

static void several_lines_are_between_words_that_nobody_guesses(void **state) {
        static const char *const values[] = { "one\ntwo", "a\r", "\n",
                                              "one\nk=evil\nforge_broker_\n" };
        char first[64], second[64];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(values); i++) {
                output("k", values[i]);
                expect_block(values[i], first);
                output("k", values[i]);
                expect_block(values[i], second);
                assert_string_not_equal(first, second);
                assert_true(strlen(first) >= 40);
        }
}

static void a_summary_is_appended(void **state) {
        struct failure failure;
        char buffer[256];

        (void)state;
        output("a", "1");
        assert_int_equal(workflow_summary("# Heading\n\ntext", &failure), 0);
        content(buffer, sizeof(buffer));
        assert_string_equal(buffer, "a=1\n# Heading\n\ntext\n");
        assert_int_equal(unsetenv("GITHUB_STEP_SUMMARY"), 0);
        assert_int_equal(workflow_summary("nowhere", &failure), 0);
}

static void keys_are_checked(void **state) {
        static const char *const good[] = { "a", "_", "token", "A-1_b" };
        static const char *const bad[] = { "", "1", "-a", "a b", "a=b", "a<<b", "a\n", "\xc3\xa4" };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(good); i++)
                assert_true(workflow_is_key(good[i]));
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_false(workflow_is_key(bad[i]));
}

/* What is written to standard error while @level is annotated in @env. */
static void annotated(enum forge_env env, enum annotation level, const char *title,
                      const char *text, const char *expected) {
        char buffer[2048];
        int saved = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC);

        assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
        workflow_annotate(env, level, title, "%s", text);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        (void)close(saved);
        (void)close(fd);
        content(buffer, sizeof(buffer));
        assert_string_equal(buffer, expected);
}

static void annotations_are_escaped_by_the_runners_rules(void **state) {
        (void)state;
        annotated(FORGE_ENV_GITHUB, ANNOTATION_ERROR, "a: b, 5%", "x: y, 5%\n::set-env name=a::b",
                  "::error title=a%3A b%2C 5%25::x: y, 5%25?::set-env name=a::b\n");
        annotated(FORGE_ENV_FORGEJO, ANNOTATION_WARNING, "t\n::", "w",
                  "::warning title=t?%3A%3A::w\n");
        annotated(FORGE_ENV_GITEA, ANNOTATION_NOTICE, "t", "", "::notice title=t::\n");
        annotated(FORGE_ENV_GITLAB, ANNOTATION_ERROR, "t", "::error::x 5%",
                  "forge-broker: error: ::error::x 5%\n");
        annotated(FORGE_ENV_NONE, ANNOTATION_WARNING, "t", "w", "forge-broker: warning: w\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_line_is_a_line, set_up, tear_down),
                cmocka_unit_test_setup_teardown(several_lines_are_between_words_that_nobody_guesses,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_summary_is_appended, set_up, tear_down),
                cmocka_unit_test_setup_teardown(keys_are_checked, set_up, tear_down),
                cmocka_unit_test_setup_teardown(annotations_are_escaped_by_the_runners_rules,
                                                set_up, tear_down),
        };

        return cmocka_run_group_tests_name("job-workflow", tests, NULL, NULL);
}
