/*
 * The parts of an audit: sequences, the bounded set, points in time, escapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctl/audit_condition.h"
#include "ctl/audit_escape.h"
#include "ctl/audit_sequence.h"
#include "ctl/audit_time.h"

#define NOW (UINT64_C(1795223749) * USEC_PER_SEC) /* 2026-11-21 01:15:49 UTC */

static size_t spans_of(const uint64_t *numbers, size_t count, struct audit_span ret[static 8]) {
        struct audit_sequences sequences;
        size_t spans;

        assert_int_equal(audit_sequences_init(&sequences), 0);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(
                    audit_sequences_add(&sequences, "instance", numbers[i], NOW + i, 0),
                    SEQUENCE_NEW);
        spans = sequences.instances[0].count;
        assert_true(spans <= 8);
        memcpy(ret, sequences.instances[0].spans, spans * sizeof(*ret));
        audit_sequences_done(&sequences);
        return spans;
}

static void numbers_in_any_order_make_the_same_spans(void **state) {
        static const uint64_t orders[][6] = {
                { 1, 2, 3, 5, 6, 9 },
                { 9, 6, 5, 3, 2, 1 },
                { 2, 6, 9, 1, 3, 5 },
                { 5, 1, 9, 3, 6, 2 },
        };
        struct audit_span spans[8];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(orders); i++) {
                assert_int_equal(spans_of(orders[i], 6, spans), 3);
                assert_true(spans[0].first == 1 && spans[0].last == 3);
                assert_true(spans[1].first == 5 && spans[1].last == 6);
                assert_true(spans[2].first == 9 && spans[2].last == 9);
        }
}

static void a_number_seen_twice_is_told(void **state) {
        struct audit_sequences sequences;

        (void)state;
        assert_int_equal(audit_sequences_init(&sequences), 0);
        for (uint64_t number = 1; number <= 5; number++)
                assert_int_equal(audit_sequences_add(&sequences, "a", number, NOW, 0),
                                 SEQUENCE_NEW);
        for (uint64_t number = 1; number <= 5; number++)
                assert_int_equal(audit_sequences_add(&sequences, "a", number, NOW, 0),
                                 SEQUENCE_REPEATED);
        assert_int_equal(audit_sequences_add(&sequences, "b", 1, NOW, 0), SEQUENCE_NEW);
        assert_int_equal(sequences.ids.count, 2);
        audit_sequences_done(&sequences);
}

static void too_many_gaps_or_instances_are_told(void **state) {
        struct audit_sequences sequences;
        char id[16];

        (void)state;
        assert_int_equal(audit_sequences_init(&sequences), 0);
        for (uint64_t i = 0; i < AUDIT_SPANS_MAX; i++)
                (void)audit_sequences_add(&sequences, "a", 2 * i + 1, NOW, 0);
        assert_false(sequences.instances[0].too_many);
        (void)audit_sequences_add(&sequences, "a", 2 * AUDIT_SPANS_MAX + 1, NOW, 0);
        assert_true(sequences.instances[0].too_many);
        for (unsigned i = 0; i < AUDIT_INSTANCES_MAX; i++) {
                (void)snprintf(id, sizeof(id), "%u", i);
                (void)audit_sequences_add(&sequences, id, 1, NOW, 0);
        }
        assert_int_equal(sequences.ids.count, AUDIT_INSTANCES_MAX);
        assert_int_equal(sequences.lost, 1);
        audit_sequences_done(&sequences);
}

static void a_set_numbers_its_members_and_ends_at_its_bound(void **state) {
        struct audit_set set;
        size_t number = 99;

        (void)state;
        assert_int_equal(audit_set_init(&set, 2), 0);
        assert_int_equal(audit_set_add(&set, "a\0b", 3, &number), SET_ADDED);
        assert_int_equal(number, 0);
        assert_int_equal(audit_set_add(&set, "a\0c", 3, &number), SET_ADDED);
        assert_int_equal(number, 1);
        assert_int_equal(audit_set_add(&set, "a\0b", 3, &number), SET_KNOWN);
        assert_int_equal(number, 0);
        number = 99;
        assert_int_equal(audit_set_add(&set, "a", 1, &number), SET_FULL);
        assert_int_equal(number, 99);
        audit_set_done(&set);
}

static void times_are_what_journalctl_takes(void **state) {
        static const struct {
                const char *text;
                usec_t at;
        } cases[] = {
                { "now", NOW },
                { "48h", NOW - 48 * USEC_PER_HOUR },
                { "-48h", NOW - 48 * USEC_PER_HOUR },
                { "1h30min", NOW - 90 * USEC_PER_MIN },
                { "2 days ago", NOW - 2 * USEC_PER_DAY },
                { "1 week", NOW - 7 * USEC_PER_DAY },
                { "+10min", NOW + 10 * USEC_PER_MIN },
                { "today", UINT64_C(1795219200) * USEC_PER_SEC },
                { "yesterday", UINT64_C(1795132800) * USEC_PER_SEC },
                { "tomorrow", UINT64_C(1795305600) * USEC_PER_SEC },
                { "2026-11-21", UINT64_C(1795219200) * USEC_PER_SEC },
                { "2026-11-20 10:00", UINT64_C(1795168800) * USEC_PER_SEC },
                { "Fri 2026-11-20 10:00:00.25", UINT64_C(1795168800) * USEC_PER_SEC + 250000 },
                { "2026-11-20T10:00:00Z", UINT64_C(1795168800) * USEC_PER_SEC },
                { "2026-11-20 10:00 UTC", UINT64_C(1795168800) * USEC_PER_SEC },
                { "01:15:49", NOW },
                { "@1795223749", NOW },
                { "@1795223749.5", NOW + 500000 },
        };
        static const char *const wrong[] = {
                "",
                "-",
                "@",
                "h",
                "48",
                "48 fortnights",
                "last week",
                "2026-13-01",
                "2026-02-31",
                "2026-11-20 25:00",
                "2026-11-20 10",
                "10:00:61",
                "2026-11-20x",
                "2026-11-20 10:00 ../../etc/passwd",
                "2026-11-20 10:00 Nowhere/Here",
                "@1795223749x",
                "99999999999999999999h",
                "1e9h",
        };
        usec_t at;

        (void)state;
        (void)setenv("TZ", "UTC", 1);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                at = 0;
                if (!audit_time_parse(cases[i].text, NOW, &at) || at != cases[i].at)
                        fail_msg("'%s' gives %llu", cases[i].text, (unsigned long long)at);
        }
        for (size_t i = 0; i < ELEMENTS(wrong); i++)
                if (audit_time_parse(wrong[i], NOW, &at))
                        fail_msg("'%s' is taken", wrong[i]);
}

static void outside_text_cannot_leave_its_place(void **state) {
        char html[256] = "", markdown[256] = "";
        FILE *out = fmemopen(html, sizeof(html), "w");

        (void)state;
        assert_non_null(out);
        escape_html(out, "<b a=\"1\" c='2'>&");
        (void)fclose(out);
        assert_string_equal(html, "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
        out = fmemopen(markdown, sizeof(markdown), "w");
        assert_non_null(out);
        escape_markdown(out, "`|\\|@all <i>");
        escape_markdown(out, "");
        (void)fclose(out);
        assert_string_equal(markdown, "`'\xc2\xa6/\xc2\xa6@all <i>``-`");
}

/* A token whose row lay above the bound may have had what is forbidden. */
static void a_forbidden_source_is_not_ruled_out_beyond_the_bound(void **state) {
        static struct audit_token tokens[1];
        struct audit_report report = { .tokens = tokens, .token_count = 1 };
        struct audit_condition condition;
        struct audit_outcome outcome;
        struct error err;

        (void)state;
        tokens[0].name = "listed";
        assert_int_equal(
            audit_condition_parse("deploy/direct-env-fallback", true, &condition, &err), 0);
        audit_condition_judge(&condition, &report, &outcome);
        assert_true(outcome.met);
        report.tokens_lost = 3;
        audit_condition_judge(&condition, &report, &outcome);
        assert_false(outcome.met);
        tokens[0].name = "deploy";
        audit_condition_judge(&condition, &report, &outcome);
        assert_true(outcome.met);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_in_any_order_make_the_same_spans),
                cmocka_unit_test(a_number_seen_twice_is_told),
                cmocka_unit_test(too_many_gaps_or_instances_are_told),
                cmocka_unit_test(a_set_numbers_its_members_and_ends_at_its_bound),
                cmocka_unit_test(times_are_what_journalctl_takes),
                cmocka_unit_test(a_forbidden_source_is_not_ruled_out_beyond_the_bound),
                cmocka_unit_test(outside_text_cannot_leave_its_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
