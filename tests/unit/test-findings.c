#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "broker/findings.h"

static const struct error broken = { .code = DIAG_SECRET_NOT_FOUND,
                                     .detail = "there is no\nsecret" };

static const char *state_of(const json_t *finding) {
        return json_member_string(finding, "state");
}

static void what_nobody_checked_is_not_proven(void **state) {
        struct findings findings;
        struct findings_count count;
        json_t *finding;

        (void)state;
        assert_true(findings_init(&findings));
        finding = finding_add(&findings, NULL, "dns", "name (DNS)");
        findings_close(findings.steps, &count);
        assert_string_equal(state_of(finding), "not-checked");
        assert_int_equal(count.unchecked, 1);
        assert_int_equal(count.ok + count.broken, 0);
        findings_done(&findings);
}

static void a_broken_step_has_code_detail_and_remedy(void **state) {
        struct findings findings;
        struct error own = { .detail = "no code" };
        json_t *finding;

        (void)state;
        assert_true(findings_init(&findings));
        finding = finding_add(&findings, NULL, "secret", "secret x");
        finding_broken(finding, &broken);
        assert_string_equal(json_member_string(finding, "code"), "secret-not-found");
        assert_string_equal(json_member_string(finding, "detail"), "there is no?secret");
        assert_string_equal(json_member_string(finding, "remedy"),
                            diagnosis_info(DIAG_SECRET_NOT_FOUND)->remedy);
        finding = finding_add(&findings, NULL, "variable", "x");
        error_remedy_set(&own, "Take it out.");
        finding_broken(finding, &own);
        assert_null(json_member_string(finding, "code"));
        assert_string_equal(json_member_string(finding, "remedy"), "Take it out.");
        findings_done(&findings);
}

/* What the steps below make of the one above, from best to worst. */
static void a_group_has_the_worst_state_of_its_steps(void **state) {
        static const struct {
                bool ok, note, unchecked, broken;
                const char *group;
        } cases[] = {
                { true, false, false, false, "ok" },
                { false, true, false, false, "note" },
                { true, true, false, false, "ok" },
                { true, false, true, false, "not-checked" },
                { false, true, true, false, "not-checked" },
                { true, true, true, true, "broken" },
                { false, false, true, true, "broken" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct findings findings;
                struct findings_count count;
                json_t *group;

                assert_true(findings_init(&findings));
                group = finding_add(&findings, NULL, "token", "token x");
                if (cases[i].ok)
                        finding_ok(finding_add(&findings, group, "a", "a"), NULL);
                if (cases[i].note)
                        finding_note(finding_add(&findings, group, "b", "b"), "to know");
                if (cases[i].unchecked)
                        finding_unchecked(finding_add(&findings, group, "c", "c"), "why");
                if (cases[i].broken)
                        finding_broken(finding_add(&findings, group, "d", "d"), &broken);
                /* Twice is as good as once: a report is closed where it is made, and where it
                 * becomes part of another. */
                for (int time = 0; time < 2; time++) {
                        findings_close(findings.steps, &count);
                        assert_string_equal(state_of(group), cases[i].group);
                        assert_int_equal(count.ok, cases[i].ok);
                        assert_int_equal(count.unchecked, cases[i].unchecked);
                        assert_int_equal(count.broken, cases[i].broken);
                }
                findings_done(&findings);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_nobody_checked_is_not_proven),
                cmocka_unit_test(a_broken_step_has_code_detail_and_remedy),
                cmocka_unit_test(a_group_has_the_worst_state_of_its_steps),
        };

        return cmocka_run_group_tests_name("findings", tests, NULL, NULL);
}
