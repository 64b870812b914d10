/*
 * What was tried for a token, and errors that are kept: they are handed over whole, and nothing of
 * them is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/attempts.h"

static struct error make_error(enum diagnosis code, const char *detail) {
        struct error err = { 0 };

        (void)error_set(&err, code, "%s", detail);
        error_remedy_set(&err, "of %s", detail);
        return err;
}

static void none_takes_nothing_and_reads_as_none(void **state) {
        const struct error none = { .code = DIAG_NONE },
                           refused = make_error(DIAG_PERMISSION_DENIED, "first");
        struct error *kept = error_keep(NULL, &none);

        (void)state;
        assert_null(kept);
        assert_int_equal(error_kept(kept)->code, DIAG_NONE);
        kept = error_keep(kept, &refused);
        assert_string_equal(error_kept(kept)->detail, "first");
        assert_string_equal(error_remedy(error_kept(kept)), "of first");
        kept = error_keep(kept, kept);
        assert_int_equal(error_kept(kept)->code, DIAG_PERMISSION_DENIED);
        assert_null(error_keep(kept, NULL));
        assert_null(error_release(NULL));
}

static void attempts_are_taken_whole(void **state) {
        const struct error worked = { .code = DIAG_NONE },
                           failed = make_error(DIAG_CREDENTIAL_REJECTED, "rejected");
        struct attempts kept = { 0 }, from = { 0 };

        (void)state;
        assert_int_equal(attempts_reserve(&kept, NULL), 0);
        assert_int_equal(kept.count, 0);
        attempts_add(&kept, SOURCE_INFISICAL_TOKEN_AUTH, "https://infisical.example.org", &worked);

        attempts_add(&from, SOURCE_INFISICAL_TOKEN_AUTH, "https://infisical.example.org", &failed);
        attempts_add(&from, SOURCE_DIRECT_ENV_FALLBACK, NULL, &worked);
        attempts_take(&kept, &from);
        assert_int_equal(from.count, 0);
        assert_int_equal(kept.count, 2);
        assert_int_equal(error_kept(kept.items[0].error)->code, DIAG_CREDENTIAL_REJECTED);
        assert_string_equal(kept.items[0].url, "https://infisical.example.org");
        assert_int_equal(kept.items[1].source, SOURCE_DIRECT_ENV_FALLBACK);
        assert_string_equal(kept.items[1].url, "");
        assert_null(kept.items[1].error);

        attempts_take(&kept, &from);
        assert_int_equal(kept.count, 0);
        attempts_done(&from);
        attempts_done(&kept);
        attempts_done(&kept);
}

static void no_more_than_a_few_are_kept(void **state) {
        const struct error failed = make_error(DIAG_UPSTREAM_UNREACHABLE, "nobody there");
        struct attempts attempts = { 0 };

        (void)state;
        for (int i = 0; i < 2 * ATTEMPTS_MAX; i++)
                attempts_add(&attempts, SOURCE_INFISICAL_TOKEN_AUTH,
                             "https://infisical.example.org", &failed);
        assert_int_equal(attempts.count, ATTEMPTS_MAX);
        attempts_done(&attempts);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(none_takes_nothing_and_reads_as_none),
                cmocka_unit_test(attempts_are_taken_whole),
                cmocka_unit_test(no_more_than_a_few_are_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
