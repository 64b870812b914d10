/*
 * The report for a terminal.
 */
#include <inttypes.h>
#include <string.h>

#include "ctl/audit_report.h"

static void print_head(const struct audit_report *report, FILE *out) {
        char since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX], span[CLOCK_TEXT_MAX];

        (void)fprintf(out, "audit of %s\n%s to %s (%s)", report->journal,
                      clock_format(report->since, since), clock_format(report->until, until),
                      audit_span_text(report->until - report->since, span));
        for (const char *const *name = report->only; name && *name; name++)
                (void)fprintf(out, "%s%s", name == report->only ? ", only of: " : ", ", *name);
        (void)fprintf(out, "\n\n");
}

static int runs_width(const struct audit_report *report) {
        return report->runs_lost > 0 ? 28 : 18;
}

static void print_use(const struct audit_report *report, int width, const char *name,
                      enum source source, const struct audit_use *use, FILE *out) {
        char runs[AUDIT_RUNS_TEXT_MAX], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];

        (void)fprintf(out,
                      "%-*s  %-24s  %7" PRIu64 "  %7" PRIu64 "  %7" PRIu64 "  %-*s  %-20s  %s\n",
                      width, name, source_name(source), use->issued, use->issued - use->stale,
                      use->stale, runs_width(report), audit_runs_text(report, use, runs),
                      use->issued ? clock_format(use->first_at, first) : "-",
                      use->issued ? clock_format(use->last_at, last) : "-");
}

static void print_tokens(const struct audit_report *report, FILE *out) {
        size_t width = strlen("all tokens");

        for (size_t i = 0; i < report->token_count; i++)
                if (strlen(report->tokens[i].name) > width)
                        width = strlen(report->tokens[i].name);
        (void)fprintf(out, "%-*s  %-24s  %7s  %7s  %7s  %-*s  %-20s  %s\n", (int)width, "TOKEN",
                      "SOURCE", "ISSUED", "FRESH", "STALE", runs_width(report), "RUNS", "FIRST",
                      "LAST");
        for (size_t i = 0; i < report->token_count; i++)
                for (int source = 0; source < SOURCE_COUNT; source++)
                        if (report->tokens[i].uses[source].issued > 0)
                                print_use(report, (int)width, report->tokens[i].name,
                                          (enum source)source, &report->tokens[i].uses[source],
                                          out);
        for (int source = 0; source < SOURCE_COUNT; source++)
                print_use(report, (int)width, "all tokens", (enum source)source,
                          &report->sources[source], out);
        (void)fputc('\n', out);
}

static void print_hosts(const struct audit_report *report, FILE *out) {
        char oldest[CLOCK_TEXT_MAX];

        if (!report->fleet || report->host_count == 0)
                return;
        (void)fprintf(out, "%-24s  %10s  %10s  %10s  %8s  %6s  %s\n", "HOST", "TOKEN-AUTH",
                      "UNIVERSAL", "DIRECT-ENV", "RECORDS", "STARTS", "JOURNAL SINCE");
        for (size_t i = 0; i < report->host_count; i++) {
                const struct audit_host *host = &report->hosts[i];

                (void)fprintf(
                    out,
                    "%-24s  %10" PRIu64 "  %10" PRIu64 "  %10" PRIu64 "  %8" PRIu64 "  %6zu  %s\n",
                    host->name[0] ? host->name : host->machine,
                    host->uses[SOURCE_INFISICAL_TOKEN_AUTH].issued,
                    host->uses[SOURCE_INFISICAL_UNIVERSAL_AUTH].issued,
                    host->uses[SOURCE_DIRECT_ENV_FALLBACK].issued, host->records, host->instances,
                    host->oldest_at ? clock_format(host->oldest_at, oldest) : "-");
        }
        (void)fputc('\n', out);
}

static void print_codes(const char *what, const struct audit_code *codes, size_t count, FILE *out) {
        char last[CLOCK_TEXT_MAX];

        (void)fprintf(out, "%-13s", what);
        for (size_t i = 0; i < count; i++)
                (void)fprintf(out, "%s%s %" PRIu64 " (last %s)", i ? ", " : "", codes[i].name,
                              codes[i].count, clock_format(codes[i].last_at, last));
        (void)fprintf(out, "%s\n", count ? "" : "none");
}

static void print_events(const struct audit_report *report, FILE *out) {
        char text[AUDIT_BOUND_TEXT_MAX];

        (void)fprintf(out, "%-13s%s\n", "fallback:", audit_fallback_text(report, text));
        print_codes("refusals:", report->refusals, report->refusal_count, out);
        print_codes("failures:", report->failures, report->failure_count, out);
        (void)fprintf(out, "%-13s%" PRIu64 " (", "rotations:", report->rotations);
        for (size_t i = 0, shown = 0; i < report->token_count; i++)
                if (report->tokens[i].rotations > 0)
                        (void)fprintf(out, "%s%s %" PRIu64, shown++ ? ", " : "",
                                      report->tokens[i].name, report->tokens[i].rotations);
        (void)fprintf(out, "%s)\n", report->rotations ? "" : "no token changed its value");
        (void)fprintf(out,
                      "%-13s%" PRIu64 " records of %" PRIu64
                      " start%s of the daemon; configuration loaded: %" PRIu64
                      ", rejected: %" PRIu64 "\n",
                      "daemon:", report->records, report->instances,
                      report->instances == 1 ? "" : "s", report->reloads, report->reloads_rejected);
        if (*audit_bound_text(report, text))
                (void)fprintf(out, "%-13s%s\n", "bounds:", text);
}

static void print_foreign(const struct audit_report *report, FILE *out) {
        char last[CLOCK_TEXT_MAX];

        if (report->foreign == 0) {
                (void)fprintf(out, "%-13snone\n", "foreign:");
                return;
        }
        (void)fprintf(out,
                      "%-13s%" PRIu64
                      " record%s that somebody else wrote in the daemon's form; not counted:\n",
                      "foreign:", report->foreign, report->foreign == 1 ? "" : "s");
        for (size_t i = 0; i < report->writer_count; i++)
                (void)fprintf(out, "  %" PRIu64 " by uid %s, %s, unit %s, the last at %s\n",
                              report->writers[i].count, report->writers[i].uid,
                              report->writers[i].exe, report->writers[i].unit,
                              clock_format(report->writers[i].last_at, last));
        if (report->foreign_unlisted > 0)
                (void)fprintf(out, "  %" PRIu64 " by others\n", report->foreign_unlisted);
}

static void print_holes(const struct audit_report *report, FILE *out) {
        if (report->hole_count == 0) {
                (void)fprintf(out, "%-13snone\n", "holes:");
                return;
        }
        (void)fprintf(out, "%-13s%" PRIu64 "\n",
                      "holes:", report->hole_count + report->holes_unlisted);
        for (size_t i = 0; i < report->hole_count; i++)
                (void)fprintf(out, "  %s\n", report->holes[i].text);
        if (report->holes_unlisted > 0)
                (void)fprintf(out, "  and %" PRIu64 " more\n", report->holes_unlisted);
}

static void print_gate(const struct audit_report *report, FILE *out) {
        if (report->outcome_count == 0)
                return;
        (void)fprintf(out, "\ngate: %s\n", audit_verdict_text(report));
        for (size_t i = 0; i < report->outcome_count; i++)
                (void)fprintf(out, "  %-5s  %s: %s\n", report->outcomes[i].met ? "met" : "UNMET",
                              report->outcomes[i].condition, report->outcomes[i].text);
}

void audit_report_text(const struct audit_report *report, FILE *out) {
        print_head(report, out);
        print_tokens(report, out);
        print_hosts(report, out);
        print_events(report, out);
        print_foreign(report, out);
        print_holes(report, out);
        print_gate(report, out);
}
