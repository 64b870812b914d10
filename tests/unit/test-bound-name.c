/* The address from which systemd asks for a credential: what is one, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "credentials/bound_name.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

static void what_systemd_binds_is_read(void **state) {
        static const struct {
                const char *bytes;
                size_t length;
                const char *unit, *id;
        } rows[] = {
                { BYTES("\0adf9d86b6eda275e/unit/foobar.service/credx"), "foobar.service",
                  "credx" },
                { BYTES("\0f/unit/a.service/b"), "a.service", "b" },
                { BYTES("\0"
                        "28f422ab6c34381e/unit/runner@ci\\x2d1.service/deploy"),
                  "runner@ci\\x2d1.service", "deploy" },
                { BYTES("\0"
                        "0/unit/a:b_c.socket/x.y-z_1"),
                  "a:b_c.socket", "x.y-z_1" },
                /* A credential's name is outside text, which the broker does not know. */
                { BYTES("\0"
                        "0/unit/a.service/\x01\xff "),
                  "a.service", "\x01\xff " },
                { BYTES("\0"
                        "0/unit/unit/unit"),
                  "unit", "unit" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct bound_name name;

                assert_int_equal(bound_name_parse(rows[i].bytes, rows[i].length, &name, NULL), 0);
                assert_string_equal(name.unit, rows[i].unit);
                assert_string_equal(name.id, rows[i].id);
        }
}

static void what_systemd_never_binds_is_refused(void **state) {
        static const struct {
                const char *bytes;
                size_t length;
        } rows[] = {
                { BYTES("") },
                { BYTES("\0") },
                { BYTES("/run/some.sock") },
                { BYTES("adf9d86b6eda275e/unit/foobar.service/credx") },
                { BYTES("\0/unit/foobar.service/credx") },
                { BYTES("\0adf9d86b6eda275e") },
                { BYTES("\0adf9d86b6eda275e/") },
                { BYTES("\0adf9d86b6eda275e/unit") },
                { BYTES("\0adf9d86b6eda275e/unit/") },
                { BYTES("\0adf9d86b6eda275e/unit/credx") },
                { BYTES("\0adf9d86b6eda275e/unit//credx") },
                { BYTES("\0adf9d86b6eda275e/unit/foobar.service/") },
                { BYTES("\0adf9d86b6eda275e/unit/a/foobar.service/credx") },
                { BYTES("\0adf9d86b6eda275e/unit/foobar.service//credx") },
                { BYTES("\0adf9d86b6eda275e/Unit/foobar.service/credx") },
                { BYTES("\0adf9d86b6eda275ef/unit/foobar.service/credx") },
                { BYTES("\0ADF9D86B6EDA275E/unit/foobar.service/credx") },
                { BYTES("\0xdf9/unit/foobar.service/credx") },
                { BYTES("\0adf9/unit/foobar.service/credx\0") },
                { BYTES("\0adf9/unit/foobar.service\0/credx") },
                { BYTES("\0\0adf9/unit/foobar.service/credx") },
                { BYTES("\0adf9/unit/foo bar.service/credx") },
                { BYTES("\0adf9/unit/foobar.service\n/credx") },
                { BYTES("\0adf9/unit/\xff.service/credx") },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct bound_name name = { .unit = "untouched" };
                struct error err = { 0 };

                if (bound_name_parse(rows[i].bytes, rows[i].length, &name, &err) !=
                    -DIAG_MALFORMED_REQUEST)
                        fail_msg("row %zu was taken for a name of systemd's", i);
                assert_int_equal(err.code, DIAG_MALFORMED_REQUEST);
                assert_true(err.detail[0] && err.remedy[0]);
                assert_string_equal(name.unit, "untouched");
        }
}

static void every_beginning_of_a_name_is_refused_up_to_its_credential(void **state) {
        static const char whole[] = "\0adf9d86b6eda275e/unit/foobar.service/credx";
        struct bound_name name;

        (void)state;
        for (size_t length = 0; length < sizeof(whole) - sizeof("credx") + 1; length++)
                assert_int_equal(bound_name_parse(whole, length, &name, NULL),
                                 -DIAG_MALFORMED_REQUEST);
        for (size_t length = sizeof(whole) - sizeof("credx") + 1; length < sizeof(whole); length++)
                assert_int_equal(bound_name_parse(whole, length, &name, NULL), 0);
}

static void the_longest_name_that_the_kernel_has_fits(void **state) {
        char bytes[BOUND_NAME_MAX + 1];
        struct bound_name name;

        (void)state;
        memset(bytes, 'a', sizeof(bytes));
        memcpy(bytes, "\0f/unit/a/", 10);
        assert_int_equal(bound_name_parse(bytes, BOUND_NAME_MAX, &name, NULL), 0);
        assert_int_equal(strlen(name.id), BOUND_NAME_MAX - 10);
        assert_int_equal(bound_name_parse(bytes, BOUND_NAME_MAX + 1, &name, NULL),
                         -DIAG_MALFORMED_REQUEST);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_systemd_binds_is_read),
                cmocka_unit_test(what_systemd_never_binds_is_refused),
                cmocka_unit_test(every_beginning_of_a_name_is_refused_up_to_its_credential),
                cmocka_unit_test(the_longest_name_that_the_kernel_has_fits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
