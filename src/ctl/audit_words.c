/*
 * What the forms of the report say in the same words.
 */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ctl/audit_report.h"

char *audit_runs_text(const struct audit_report *report, const struct audit_use *use,
                      char text[static AUDIT_RUNS_TEXT_MAX]) {
        if (use->runs_proven + use->runs_claimed == 0)
                (void)snprintf(text, AUDIT_RUNS_TEXT_MAX, "-");
        else
                (void)snprintf(text, AUDIT_RUNS_TEXT_MAX, "%s%" PRIu64 " (%" PRIu64 " proven)",
                               report->runs_lost > 0 ? "at least " : "",
                               use->runs_proven + use->runs_claimed, use->runs_proven);
        return text;
}

char *audit_span_text(usec_t span, char text[static CLOCK_TEXT_MAX]) {
        usec_t unit = span < USEC_PER_HOUR ? USEC_PER_SEC : USEC_PER_MIN;

        return clock_format_span((span + unit / 2) / unit * unit, text);
}

char *audit_fallback_text(const struct audit_report *report,
                          char text[static AUDIT_FALLBACK_TEXT_MAX]) {
        char at[CLOCK_TEXT_MAX], span[CLOCK_TEXT_MAX], oldest[CLOCK_TEXT_MAX];

        if (report->fallback_at > 0)
                (void)snprintf(text, AUDIT_FALLBACK_TEXT_MAX,
                               "direct-env-fallback was last used at %s, %s before %s",
                               clock_format(report->fallback_at, at),
                               audit_span_text(report->until - report->fallback_at, span),
                               report->until == report->made_at ? "this report"
                                                                : "the window's end");
        else if (report->oldest_at > 0)
                (void)snprintf(text, AUDIT_FALLBACK_TEXT_MAX,
                               "direct-env-fallback was not used since %s, where the journal "
                               "begins",
                               clock_format(report->oldest_at, oldest));
        else
                (void)snprintf(text, AUDIT_FALLBACK_TEXT_MAX,
                               "direct-env-fallback was not used, but the journal is empty");
        return text;
}

char *audit_bound_text(const struct audit_report *report, char text[static AUDIT_BOUND_TEXT_MAX]) {
        size_t used = 0;

        text[0] = '\0';
        if (report->runs_lost > 0)
                (void)text_append(text, AUDIT_BOUND_TEXT_MAX, &used,
                                  "%sruns: there are more than can be told apart",
                                  used ? "; " : "");
        if (report->tokens_lost > 0)
                (void)text_append(text, AUDIT_BOUND_TEXT_MAX, &used,
                                  "%s%" PRIu64 " records of more than %d tokens are only in "
                                  "the sums",
                                  used ? "; " : "", report->tokens_lost, AUDIT_TOKENS_MAX);
        if (report->hosts_lost > 0)
                (void)text_append(text, AUDIT_BOUND_TEXT_MAX, &used,
                                  "%s%" PRIu64 " records of more than %d hosts are only in "
                                  "the sums",
                                  used ? "; " : "", report->hosts_lost, AUDIT_HOSTS_MAX);
        if (report->codes_lost > 0)
                (void)text_append(text, AUDIT_BOUND_TEXT_MAX, &used,
                                  "%s%" PRIu64 " records of more than %d codes are not "
                                  "listed",
                                  used ? "; " : "", report->codes_lost, AUDIT_CODES_MAX);
        return text;
}

const char *audit_verdict_text(const struct audit_report *report) {
        return report->outcome_count == 0 ? "none was asked for" : report->met ? "met" : "NOT MET";
}
