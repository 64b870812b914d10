/*
 * Durations and days as the configuration writes them, and times as people read them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"

static void durations_are_a_number_and_one_unit(void **state) {
        static const struct {
                const char *text;
                usec_t span;
        } cases[] = {
                { "500ms", 500 * USEC_PER_MSEC }, { "10s", 10 * USEC_PER_SEC },
                { "5m", 5 * USEC_PER_MIN },       { "1h", USEC_PER_HOUR },
                { "2d", 2 * USEC_PER_DAY },       { "0s", 0 },
                { "0005s", 5 * USEC_PER_SEC },    { "3650d", 3650 * USEC_PER_DAY },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                usec_t span = 1;

                assert_true(clock_parse_span(cases[i].text, &span));
                assert_int_equal(span, cases[i].span);
        }
}

static void anything_else_is_no_duration_and_changes_nothing(void **state) {
        static const char *const cases[] = {
                "",
                "s",
                "5",
                " 5s",
                "5s ",
                "5 s",
                "-5s",
                "+5s",
                "1.5h",
                "1h30m",
                "5S",
                "5min",
                "0x5s",
                "5us",
                "infinity",
                "3651d",
                "99999999999999999999s",
                "18446744073709551617s",
                "315360000001ms",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                usec_t span = 42;

                assert_false(clock_parse_span(cases[i], &span));
                assert_int_equal(span, 42);
        }
}

static void a_day_ends_at_midnight_utc(void **state) {
        static const struct {
                const char *text, *end;
        } cases[] = {
                { "2026-12-31", "2027-01-01T00:00:00Z" }, { "2000-01-01", "2000-01-02T00:00:00Z" },
                { "2024-02-29", "2024-03-01T00:00:00Z" }, { "2000-02-29", "2000-03-01T00:00:00Z" },
                { "2199-12-31", "2200-01-01T00:00:00Z" }, { "2026-06-30", "2026-07-01T00:00:00Z" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[CLOCK_TEXT_MAX];
                usec_t end;

                assert_true(clock_parse_day(cases[i].text, &end));
                assert_string_equal(clock_format(end, text), cases[i].end);
        }
}

static void what_is_not_in_the_calendar_is_no_day(void **state) {
        static const char *const cases[] = {
                "",           "2026-02-29", "2100-02-29",  "2026-02-31", "2026-13-01", "2026-00-10",
                "2026-04-31", "2026-01-00", "2026-01-32",  "2026-1-1",   "26-01-01",   "1999-12-31",
                "2200-01-01", "2026/01/01", "2026-01-01 ", "tomorrow",   "2026-01-0x", "-026-01-01",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                usec_t end = 42;

                assert_false(clock_parse_day(cases[i], &end));
                assert_int_equal(end, 42);
        }
}

static void spans_are_written_with_at_most_two_units(void **state) {
        static const struct {
                usec_t span;
                const char *text;
        } cases[] = {
                { 0, "0s" },
                { 999, "0ms" },
                { 850 * USEC_PER_MSEC, "850ms" },
                { 12 * USEC_PER_SEC, "12s" },
                { 59 * USEC_PER_SEC + 999 * USEC_PER_MSEC, "59s" },
                { 5 * USEC_PER_MIN, "5m" },
                { 4 * USEC_PER_MIN + 10 * USEC_PER_SEC, "4m 10s" },
                { 3 * USEC_PER_HOUR + 5 * USEC_PER_MIN + 7 * USEC_PER_SEC, "3h 5m" },
                { 2 * USEC_PER_DAY + 4 * USEC_PER_HOUR, "2d 4h" },
                { USEC_PER_DAY + USEC_PER_MIN, "1d" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[CLOCK_TEXT_MAX];

                assert_string_equal(clock_format_span(cases[i].span, text), cases[i].text);
        }
}

static void sums_and_differences_stay_in_range(void **state) {
        (void)state;
        assert_int_equal(usec_add(1, 2), 3);
        assert_true(usec_add(USEC_INFINITY, 1) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY - 1, 1) == USEC_INFINITY);
        assert_int_equal(usec_sub(3, 2), 1);
        assert_int_equal(usec_sub(2, 3), 0);
}

static void the_clocks_run(void **state) {
        /* first: boot time counts what it counts, and suspend */
        usec_t monotonic = clock_monotonic();

        (void)state;
        assert_true(monotonic > 0 && clock_boottime() >= monotonic);
        assert_true(clock_realtime() > UINT64_C(1577836800) * USEC_PER_SEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(durations_are_a_number_and_one_unit),
                cmocka_unit_test(anything_else_is_no_duration_and_changes_nothing),
                cmocka_unit_test(a_day_ends_at_midnight_utc),
                cmocka_unit_test(what_is_not_in_the_calendar_is_no_day),
                cmocka_unit_test(spans_are_written_with_at_most_two_units),
                cmocka_unit_test(sums_and_differences_stay_in_range),
                cmocka_unit_test(the_clocks_run),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
