/* How a value ages: every state, with the time passed in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "broker/cache.h"

#define S USEC_PER_SEC

static struct value *make(const char *text, usec_t now) {
        struct secret *token = secret_copy(text, strlen(text));
        struct value *value = value_new(token, SOURCE_INFISICAL_TOKEN_AUTH, 1, "0123abcd", now);

        (void)secret_unref(token);
        assert_non_null(value);
        return value;
}

static void a_value_is_fresh_then_stale_then_gone(void **state) {
        static const struct {
                usec_t refresh, max_stale, age;
                int expected;
        } rows[] = {
                { 300 * S, 3600 * S, 0, CACHE_FRESH },
                { 300 * S, 3600 * S, 300 * S - 1, CACHE_FRESH },
                { 300 * S, 3600 * S, 300 * S, CACHE_STALE },
                { 300 * S, 3600 * S, 3600 * S - 1, CACHE_STALE },
                { 300 * S, 3600 * S, 3600 * S, CACHE_EMPTY },
                /* No staleness wanted: served while fresh, not a moment longer. */
                { 300 * S, 0, 300 * S - 1, CACHE_FRESH },
                { 300 * S, 0, 300 * S, CACHE_EMPTY },
                { 300 * S, 100 * S, 299 * S, CACHE_FRESH },
                { 300 * S, 100 * S, 300 * S, CACHE_EMPTY },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const struct token_config config = { .refresh = rows[i].refresh,
                                                     .max_stale = rows[i].max_stale };
                struct cache_slot slot = { 0 };
                struct value *got;

                cache_publish(&slot, make("v", 1000 * S), 1000 * S);
                assert_int_equal(cache_get(&slot, &config, 1000 * S + rows[i].age, &got),
                                 rows[i].expected);
                assert_true((got == NULL) == (rows[i].expected == CACHE_EMPTY));
                cache_done(&slot);
        }
}

static void an_empty_slot_is_empty(void **state) {
        const struct token_config config = { .refresh = 300 * S, .max_stale = 3600 * S };
        struct cache_slot slot = { 0 };
        struct value *got;

        (void)state;
        assert_int_equal(cache_get(&slot, &config, 5, &got), CACHE_EMPTY);
        assert_null(got);
}

static void a_failure_keeps_the_value_and_a_refusal_ends_it(void **state) {
        const struct token_config config = { .refresh = 300 * S, .max_stale = 3600 * S };
        struct cache_slot slot = { 0 };
        struct value *got;

        (void)state;
        cache_publish(&slot, make("v", 0), 10 * S);
        cache_fail(&slot, /* authoritative= */ false);
        cache_fail(&slot, false);
        assert_int_equal(slot.failures, 2);
        assert_int_equal(cache_get(&slot, &config, 11 * S, &got), CACHE_FRESH);
        cache_confirm(&slot, 400 * S);
        assert_int_equal(slot.failures, 0);
        assert_int_equal(cache_get(&slot, &config, 699 * S, &got), CACHE_FRESH);
        cache_fail(&slot, /* authoritative= */ true);
        assert_int_equal(cache_get(&slot, &config, 401 * S, &got), CACHE_EMPTY);
        assert_null(slot.value);
}

static void a_replaced_value_is_released(void **state) {
        struct cache_slot slot = { 0 };
        size_t before = secret_in_use();

        (void)state;
        cache_publish(&slot, make("one", 0), 1);
        cache_publish(&slot, make("two", 0), 2);
        assert_string_equal(secret_bytes(slot.value->token), "two");
        cache_done(&slot);
        assert_int_equal(secret_in_use(), before);
}

static void a_refresh_comes_ahead_of_its_time_and_spread(void **state) {
        const struct token_config config = { .refresh = 300 * S };

        (void)state;
        assert_int_equal(cache_next_refresh(&config, 0), 240 * S);
        assert_in_range(cache_next_refresh(&config, UINT32_MAX / 2), 262 * S, 263 * S);
        assert_in_range(cache_next_refresh(&config, UINT32_MAX), 284 * S, 285 * S);
}

static void backoff_grows_to_a_minute_with_full_jitter(void **state) {
        static const usec_t ceilings[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };

        (void)state;
        for (unsigned i = 0; i < ELEMENTS(ceilings); i++) {
                assert_int_equal(cache_backoff(i + 1, false, 0), 100 * USEC_PER_MSEC);
                assert_in_range(cache_backoff(i + 1, false, UINT32_MAX), ceilings[i] * S - S / 1000,
                                ceilings[i] * S);
        }
        assert_in_range(cache_backoff(UINT32_MAX, false, UINT32_MAX), 59 * S, 60 * S);
}

static void a_refusal_is_asked_about_again_after_half_a_minute_at_least(void **state) {
        (void)state;
        for (unsigned failures = 1; failures < 10; failures++) {
                assert_int_equal(cache_backoff(failures, true, 0), 30 * S);
                assert_in_range(cache_backoff(failures, true, UINT32_MAX), 59 * S, 60 * S);
        }
}

static int setup(void **state) {
        (void)state;
        return secret_init(true, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_value_is_fresh_then_stale_then_gone),
                cmocka_unit_test(an_empty_slot_is_empty),
                cmocka_unit_test(a_failure_keeps_the_value_and_a_refusal_ends_it),
                cmocka_unit_test(a_replaced_value_is_released),
                cmocka_unit_test(a_refresh_comes_ahead_of_its_time_and_spread),
                cmocka_unit_test(backoff_grows_to_a_minute_with_full_jitter),
                cmocka_unit_test(a_refusal_is_asked_about_again_after_half_a_minute_at_least),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
