/*
 * The report as evidence in an issue.  All that comes from the journal stands in code spans
 * (audit_escape.h).
 */
#include <inttypes.h>

#include "ctl/audit_escape.h"
#include "ctl/audit_report.h"

static void print_head(const struct audit_report *report, FILE *out) {
        char since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX], made[CLOCK_TEXT_MAX],
            span[CLOCK_TEXT_MAX];

        (void)fprintf(out,
                      "## Audit of forge tokens\n\n%s to %s (%s), from %s; made at %s by "
                      "forge-brokerctl %s.\n",
                      clock_format(report->since, since), clock_format(report->until, until),
                      audit_span_text(report->until - report->since, span), report->journal,
                      clock_format(report->made_at, made), PACKAGE_VERSION);
        if (report->only && *report->only)
                (void)fprintf(out, "Only of these tokens:");
        for (const char *const *name = report->only; name && *name; name++) {
                (void)fputc(' ', out);
                escape_markdown(out, *name);
        }
        (void)fputs(report->only && *report->only ? "\n\n" : "\n", out);
}

static void print_gate(const struct audit_report *report, FILE *out) {
        if (report->outcome_count == 0)
                return;
        (void)fprintf(out, "**Gate: %s**\n\n| | condition | found |\n|---|---|---|\n",
                      audit_verdict_text(report));
        for (size_t i = 0; i < report->outcome_count; i++) {
                (void)fprintf(out, "| %s | ", report->outcomes[i].met ? "met" : "**UNMET**");
                escape_markdown(out, report->outcomes[i].condition);
                (void)fputs(" | ", out);
                escape_markdown(out, report->outcomes[i].text);
                (void)fputs(" |\n", out);
        }
        (void)fputc('\n', out);
}

static void print_use(const struct audit_report *report, const char *name, enum source source,
                      const struct audit_use *use, FILE *out) {
        char runs[AUDIT_RUNS_TEXT_MAX], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];

        (void)fputs("| ", out);
        if (name)
                escape_markdown(out, name);
        else
                (void)fputs("all", out);
        (void)fprintf(out, " | %s | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %s | %s | %s |\n",
                      source_name(source), use->issued, use->issued - use->stale, use->stale,
                      audit_runs_text(report, use, runs),
                      use->issued ? clock_format(use->first_at, first) : "-",
                      use->issued ? clock_format(use->last_at, last) : "-");
}

static void print_tokens(const struct audit_report *report, FILE *out) {
        (void)fputs("| token | source | issued | fresh | stale | runs | first | last |\n"
                    "|---|---|--:|--:|--:|---|---|---|\n",
                    out);
        for (size_t i = 0; i < report->token_count; i++)
                for (int source = 0; source < SOURCE_COUNT; source++)
                        if (report->tokens[i].uses[source].issued > 0)
                                print_use(report, report->tokens[i].name, (enum source)source,
                                          &report->tokens[i].uses[source], out);
        for (int source = 0; source < SOURCE_COUNT; source++)
                print_use(report, NULL, (enum source)source, &report->sources[source], out);
        (void)fputc('\n', out);
}

static void print_hosts(const struct audit_report *report, FILE *out) {
        char oldest[CLOCK_TEXT_MAX];

        if (!report->fleet || report->host_count == 0)
                return;
        (void)fputs("| source |", out);
        for (size_t i = 0; i < report->host_count; i++) {
                (void)fputc(' ', out);
                escape_markdown(out, report->hosts[i].name[0] ? report->hosts[i].name
                                                              : report->hosts[i].machine);
                (void)fputs(" |", out);
        }
        (void)fputs("\n|---|", out);
        for (size_t i = 0; i < report->host_count; i++)
                (void)fputs("--:|", out);
        for (int source = 0; source < SOURCE_COUNT; source++) {
                (void)fprintf(out, "\n| %s |", source_name((enum source)source));
                for (size_t i = 0; i < report->host_count; i++)
                        (void)fprintf(out, " %" PRIu64 " |", report->hosts[i].uses[source].issued);
        }
        (void)fputs("\n| starts of the daemon |", out);
        for (size_t i = 0; i < report->host_count; i++)
                (void)fprintf(out, " %zu |", report->hosts[i].instances);
        (void)fputs("\n| journal since |", out);
        for (size_t i = 0; i < report->host_count; i++)
                (void)fprintf(out, " %s |",
                              report->hosts[i].oldest_at
                                  ? clock_format(report->hosts[i].oldest_at, oldest)
                                  : "-");
        (void)fputs("\n\n", out);
}

static void print_codes(const char *what, const struct audit_code *codes, size_t count, FILE *out) {
        (void)fprintf(out, "- %s: ", what);
        for (size_t i = 0; i < count; i++) {
                (void)fputs(i ? ", " : "", out);
                escape_markdown(out, codes[i].name);
                (void)fprintf(out, " %" PRIu64, codes[i].count);
        }
        (void)fputs(count ? "\n" : "none\n", out);
}

static void print_events(const struct audit_report *report, FILE *out) {
        char text[AUDIT_BOUND_TEXT_MAX];

        (void)fprintf(out, "- fallback: %s\n", audit_fallback_text(report, text));
        print_codes("refusals", report->refusals, report->refusal_count, out);
        print_codes("failures", report->failures, report->failure_count, out);
        (void)fprintf(out,
                      "- rotations: %" PRIu64 "\n- starts of the daemon: %" PRIu64
                      ", records: %" PRIu64 "\n",
                      report->rotations, report->instances, report->records);
        if (*audit_bound_text(report, text))
                (void)fprintf(out, "- bounds: %s\n", text);
        (void)fprintf(out, "- records in the daemon's form by others, not counted: %" PRIu64 "\n",
                      report->foreign);
        for (size_t i = 0; i < report->writer_count; i++) {
                (void)fprintf(out, "  - %" PRIu64 " by uid ", report->writers[i].count);
                escape_markdown(out, report->writers[i].uid);
                (void)fputs(", ", out);
                escape_markdown(out, report->writers[i].exe);
                (void)fputs(", unit ", out);
                escape_markdown(out, report->writers[i].unit);
                (void)fputc('\n', out);
        }
        (void)fprintf(out, "- holes: %" PRIu64 "\n", report->hole_count + report->holes_unlisted);
        for (size_t i = 0; i < report->hole_count; i++) {
                (void)fputs("  - ", out);
                escape_markdown(out, report->holes[i].text);
                (void)fputc('\n', out);
        }
}

void audit_report_markdown(const struct audit_report *report, FILE *out) {
        print_head(report, out);
        print_gate(report, out);
        print_tokens(report, out);
        print_hosts(report, out);
        print_events(report, out);
}
