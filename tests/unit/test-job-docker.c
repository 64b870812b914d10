/*
 * Docker's configuration: what is added, and that nothing else changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "job/docker_config.h"
#include "job/docker_server.h"

#define HOST "r.example:5000"
#define OURS "\"r.example:5000\": \"forge-broker\""

static int add(struct locked_buffer *text, const char *before, bool replace) {
        struct failure failure;

        locked_buffer_clear(text);
        assert_true(locked_buffer_append(text, before, strlen(before)));
        return docker_config_add(text, HOST, replace, &failure);
}

static void becomes(const char *before, bool replace, const char *after) {
        _cleanup_(locked_buffer_done) struct locked_buffer text = { 0 };

        assert_int_equal(add(&text, before, replace), DOCKER_CONFIG_ADDED);
        if (text.used != strlen(after) || memcmp(text.bytes, after, text.used) != 0)
                fail_msg("%s: became %.*s", before, (int)text.used, text.bytes);
        /* What it made, it takes. */
        assert_int_equal(docker_config_add(&text, HOST, false, &(struct failure){ 0 }),
                         DOCKER_CONFIG_UNCHANGED);
        assert_int_equal(docker_config_add(&text, "other.example", false, &(struct failure){ 0 }),
                         DOCKER_CONFIG_ADDED);
        assert_int_equal(docker_config_add(&text, HOST, false, &(struct failure){ 0 }),
                         DOCKER_CONFIG_UNCHANGED);
}

static void stays(const char *before, bool replace, int outcome) {
        _cleanup_(locked_buffer_done) struct locked_buffer text = { 0 };

        assert_int_equal(add(&text, before, replace), outcome);
        assert_int_equal(text.used, strlen(before));
        assert_memory_equal(text.bytes, before, text.used);
}

static void a_registry_is_put_in_and_the_rest_stays(void **state) {
        (void)state;
        becomes("", false, "{\n\t\"credHelpers\": {\n\t\t" OURS "\n\t}\n}\n");
        becomes(" \n", false, "{\n\t\"credHelpers\": {\n\t\t" OURS "\n\t}\n}\n");
        becomes("{}", false, "{\n\t\"credHelpers\": {\n\t\t" OURS "\n\t}\n}");
        becomes("{ \n }\n\n", false, "{\n\t\"credHelpers\": {\n\t\t" OURS "\n\t}\n}\n\n");
        becomes("{\n\t\"auths\": {}\n}", false,
                "{\n\t\"credHelpers\": {\n\t\t" OURS "\n\t},\n\t\"auths\": {}\n}");
        becomes("{\"a\":1}", false, "{\n\t\"credHelpers\": {\n\t\t" OURS "\n\t},\"a\":1}");
        becomes("{\"credHelpers\":{}}", false, "{\"credHelpers\":{\n\t\t" OURS "\n\t}}");
        becomes("{\"credHelpers\": {\"a\":\"b\"} ,\"z\":0}", false,
                "{\"credHelpers\": {\n\t\t" OURS ",\"a\":\"b\"} ,\"z\":0}");
        becomes("{\"credHelpers\":{\"" HOST "\" : \"pass\",\"a\":\"b\"}}", true,
                "{\"credHelpers\":{\"" HOST "\" : \"forge-broker\",\"a\":\"b\"}}");
        becomes("{\"credHelpers\":{\"" HOST "\":7}}", true,
                "{\"credHelpers\":{\"" HOST "\":\"forge-broker\"}}");
        becomes("{\"x\":{\"credHelpers\":{}}}", false,
                "{\n\t\"credHelpers\": {\n\t\t" OURS "\n\t},\"x\":{\"credHelpers\":{}}}");
}

static void what_is_not_understood_is_left_alone(void **state) {
        static const char *const cases[] = {
                "{",
                "[]",
                "null",
                "{\"a\":1,}",
                "{} {}",
                "{\"credHelpers\":null}",
                "{\"credHelpers\":[]}",
                "{\"credHelpers\":{},\"credHelpers\":{}}",
                "{\"credHelpers\":{\"" HOST "\":\"pass\"}}",
                "{\"credHelpers\":{\"" HOST "\":\"forge-broker2\"}}",
                "{\"credHelpers\":{\"" HOST "\":null}}",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                stays(cases[i], false, -EXIT_UNMET);
        stays("{\"credHelpers\":{\"r.example:500\\u0030\":\"forge-broker\"}}", true,
              DOCKER_CONFIG_UNCHANGED);
}

static void a_server_is_one_word(void **state) {
        static const struct {
                const char *input, *server; /* NULL: refused */
        } cases[] = {
                { "r.example\n", "r.example" },
                { "  https://r.example:5000/v2/ \r\n", "https://r.example:5000/v2/" },
                { "", "" },
                { " \n", "" },
                { "a b", NULL },
                { "a\nb", NULL },
                { "a\x1b[31m", NULL },
                { "\xc3\xa4", NULL },
        };
        char long_one[DOCKER_SERVER_MAX + 1];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char input[64], server[DOCKER_SERVER_MAX];
                const char *why;

                (void)snprintf(input, sizeof(input), "%s", cases[i].input);
                assert_int_equal(docker_server_read(input, strlen(input), server, &why),
                                 cases[i].server != NULL);
                if (cases[i].server)
                        assert_string_equal(server, cases[i].server);
        }
        for (size_t length = DOCKER_SERVER_MAX - 1; length <= DOCKER_SERVER_MAX; length++) {
                char server[DOCKER_SERVER_MAX];
                const char *why;

                memset(long_one, 'a', sizeof(long_one));
                assert_int_equal(docker_server_read(long_one, length, server, &why),
                                 length < DOCKER_SERVER_MAX);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_registry_is_put_in_and_the_rest_stays),
                cmocka_unit_test(what_is_not_understood_is_left_alone),
                cmocka_unit_test(a_server_is_one_word),
        };

        return cmocka_run_group_tests_name("job-docker", tests, NULL, NULL);
}
