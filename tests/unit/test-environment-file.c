#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "ctl/environment_file.h"

/* "NAME=VALUE|NAME=VALUE|" of what was found. */
struct found {
        char text[1024];
        size_t used;
};

static void on_found(void *userdata, const char *name, struct secret *value) {
        struct found *found = userdata;

        assert_true(text_append(found->text, sizeof(found->text), &found->used, "%s=%s|", name,
                                secret_bytes(value)));
}

static const char *in_file(struct found *found, const char *content) {
        struct secret *secret = secret_copy(content, strlen(content));

        assert_non_null(secret);
        *found = (struct found){ 0 };
        environment_file_read(secret, on_found, found);
        (void)secret_unref(secret);
        assert_int_equal(secret_in_use(), 0);
        return found->text;
}

static const char *in_words(struct found *found, const char *text) {
        *found = (struct found){ 0 };
        environment_words_read(text, strlen(text), on_found, found);
        assert_int_equal(secret_in_use(), 0);
        return found->text;
}

/* systemd.exec(5), EnvironmentFile=. */
static void a_file_is_read_as_systemd_reads_it(void **state) {
        static const struct {
                const char *content, *found;
        } cases[] = {
                { "A=1\nB=two words\n", "A=1|B=two words|" },
                { "# A=1\n; B=2\n\n  C=3\n", "C=3|" },
                { "A=1  \nB = 2\n", "A=1|B=2|" },
                { "A=\"one two\"\nB='three \\ four'\n", "A=one two|B=three \\ four|" },
                { "A=\"say \\\"hi\\\"\"\n", "A=say \"hi\"|" },
                { "A=\"  kept  \"  \n", "A=  kept  |" },
                { "A=one\\\ntwo\nB=3", "A=onetwo|B=3|" },
                { "A=b#c\n", "A=b#c|" },
                { "A=\nB=1\n", "A=|B=1|" },
                { "no assignment\n1A=x\nexport X=1\n=1\nB=2\n", "B=2|" },
                { "A=x\r\nB=y\r\n", "A=x|B=y|" },
                { "A=\"two\nlines\"\nB=1\n", "A=two\nlines|B=1|" },
                { "A=\"never closed\n", "A=never closed\n|" },
                { "A=\\", "A=\\|" },
                { "", "" },
        };
        struct found found;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                assert_string_equal(in_file(&found, cases[i].content), cases[i].found);
}

/* What systemctl(1) show prints: a word that needs it is quoted as a whole. */
static void words_are_read_as_systemctl_prints_them(void **state) {
        static const struct {
                const char *text, *found;
        } cases[] = {
                { "A=1 B=2", "A=1|B=2|" },
                { "\"A=one two\" B=3", "A=one two|B=3|" },
                { "\"A=say \\\"hi\\\"\" B=3", "A=say \"hi\"|B=3|" },
                { "  A=1\n", "A=1|" },
                { "word A=1", "A=1|" },
                { "\"", "" },
                { "", "" },
        };
        struct found found;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                assert_string_equal(in_words(&found, cases[i].text), cases[i].found);
}

static void a_name_that_is_too_long_is_none(void **state) {
        char content[ENVIRONMENT_NAME_MAX + 16];
        struct found found;

        (void)state;
        memset(content, 'A', ENVIRONMENT_NAME_MAX);
        (void)snprintf(content + ENVIRONMENT_NAME_MAX, 16, "=1\nB=2\n");
        assert_string_equal(in_file(&found, content), "B=2|");
}

static int set_up(void **state) {
        (void)state;
        return secret_init(/* use_memfd= */ false, NULL);
}

static int tear_down(void **state) {
        (void)state;
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_is_read_as_systemd_reads_it),
                cmocka_unit_test(words_are_read_as_systemctl_prints_them),
                cmocka_unit_test(a_name_that_is_too_long_is_none),
        };

        return cmocka_run_group_tests_name("environment-file", tests, set_up, tear_down);
}
