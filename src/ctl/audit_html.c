/*
 * The report as one page that needs nothing else: no script, no other file; for light and dark,
 * desk and phone.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "ctl/audit_chart.h"
#include "ctl/audit_escape.h"
#include "ctl/audit_report.h"

static const char style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--ground:#fff;--band:#f4f6f8;"
    "--s0:#0b6bcb;--s1:#b26a00;--s2:#c0182b;--good:#14692f;--bad:#b3141f}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#a3adb8;--line:#39424c;--ground:#"
    "14181d;"
    "--band:#1d232a;--s0:#62a8f5;--s1:#e0a030;--s2:#ff6b76;--good:#5fcf80;--bad:#ff7b84}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem "
    "4rem;background:var(--ground);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2.2rem 0 "
    ".6rem}\n"
    "p{margin:.4rem 0}.soft,figcaption,.count{color:var(--soft);font-size:.9rem}\n"
    "code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}\n"
    ".verdict{display:inline-block;padding:.3rem .9rem;border:2px "
    "solid;border-radius:.4rem;font-weight:700}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{text-align:left;padding:.4rem .7rem;border-bottom:1px solid "
    "var(--line);vertical-align:top}\n"
    "th{color:var(--soft);font-weight:600;font-size:.85rem;white-space:nowrap}td.n,th.n{text-align:"
    "right;font-variant-numeric:tabular-nums}\n"
    "td.t,td.good,td.bad{white-space:nowrap;font-variant-numeric:tabular-nums}tr.sum "
    "td{background:var(--band)}\n"
    "figure{margin:0}.lane{margin:.9rem 0 0}.lane "
    "p{display:flex;flex-wrap:wrap;align-items:center;gap:.1rem .5rem;margin:0}\n"
    ".key{width:.9rem;height:.9rem;border-radius:.2rem;background:var(--c)}.count{margin-left:auto}"
    "\n"
    ".lane svg{display:block;width:100%;height:4.5rem;background:var(--band);border-bottom:2px "
    "solid var(--line)}\n"
    ".lane rect{fill:var(--c)}.lane rect.unknown{fill:var(--line)}\n"
    ".source-0{--c:var(--s0)}.source-1{--c:var(--s1)}.source-2{--c:var(--s2)}\n"
    ".axis{display:flex;justify-content:space-between;color:var(--soft);font-size:.85rem;padding-"
    "top:.2rem}\n"
    ".axis span:nth-child(2){text-align:center}.axis span:nth-child(3){text-align:right}.axis "
    "br{display:none}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem "
    "1.2rem;margin:0}dt{color:var(--soft)}dd{margin:0}\n"
    "ul{margin:0;padding-left:1.2rem}\n"
    "@media(max-width:44rem){.axis "
    "br{display:inline}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}"
    "thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    "tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}"
    "td,td.n{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.12rem "
    ".3rem;text-align:right}"
    "td::before{content:attr(data-label);color:var(--soft);text-align:left;flex:none;font-variant-"
    "numeric:normal}"
    "td.t{white-space:normal}table.gate td{display:block;text-align:left}table.gate "
    "td::before{display:none}"
    "table.gate td:first-child{font-weight:600}.count{margin-left:1.4rem;width:100%}}\n"
    "@media print{body{max-width:none}}\n";

/* The one style there is may be used and nothing else: its hash stands in the page's policy. */
static void print_policy(FILE *out) {
        unsigned char hash[EVP_MAX_MD_SIZE], text[4 * EVP_MAX_MD_SIZE / 3 + 8];
        unsigned length = 0;

        if (EVP_Digest(style, strlen(style), hash, &length, EVP_sha256(), NULL) != 1)
                return;
        (void)EVP_EncodeBlock(text, hash, (int)length);
        (void)fprintf(out,
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'sha256-%s'; "
                      "base-uri 'none'; form-action 'none'\">\n",
                      (const char *)text);
}

static void print_head(const struct audit_report *report, FILE *out) {
        char since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX], made[CLOCK_TEXT_MAX],
            span[CLOCK_TEXT_MAX];

        (void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
        print_policy(out);
        (void)fprintf(
            out,
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
            "content=\"no-referrer\">\n"
            "<title>Audit of forge tokens, %s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n"
            "<h1>Audit of forge tokens</h1>\n",
            clock_format(report->until, until), style);
        (void)fprintf(
            out,
            "<p>%s to %s (%s)</p>\n<p class=\"soft\">From %s; made at %s by forge-brokerctl %s.",
            clock_format(report->since, since), clock_format(report->until, until),
            audit_span_text(report->until - report->since, span), report->journal,
            clock_format(report->made_at, made), PACKAGE_VERSION);
        for (const char *const *name = report->only; name && *name; name++) {
                (void)fputs(name == report->only ? " Only of: " : ", ", out);
                escape_html(out, *name);
        }
        (void)fputs("</p>\n", out);
}

static void print_cell(const char *class, const char *label, const char *text, FILE *out) {
        (void)fprintf(out, "<td%s%s%s data-label=\"", *class ? " class=\"" : "", class,
                      *class ? "\"" : "");
        escape_html(out, label);
        (void)fputs("\">", out);
        escape_html(out, text);
        (void)fputs("</td>", out);
}

static void print_number(const char *label, uint64_t number, FILE *out) {
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRIu64, number);
        print_cell("n", label, text, out);
}

static void print_time(const char *label, usec_t at, FILE *out) {
        char text[CLOCK_TEXT_MAX];

        print_cell("t", label, at ? clock_format(at, text) : "-", out);
}

static void print_gate(const struct audit_report *report, FILE *out) {
        if (report->outcome_count == 0)
                return;
        (void)fprintf(out,
                      "<section>\n<h2>Gate</h2>\n<p class=\"verdict %s\">%s</p>\n<table "
                      "class=\"gate\">\n<thead><tr><th></th>"
                      "<th>Condition</th><th>Found</th></tr></thead>\n<tbody>\n",
                      report->met ? "good" : "bad", report->met ? "Met" : "Not met");
        for (size_t i = 0; i < report->outcome_count; i++) {
                const struct audit_outcome *outcome = &report->outcomes[i];

                (void)fputs("<tr>", out);
                print_cell(outcome->met ? "good" : "bad", "",
                           outcome->met ? "\u2713 met" : "\u2717 unmet", out);
                print_cell("", "Condition", outcome->condition, out);
                print_cell("", "Found", outcome->text, out);
                (void)fputs("</tr>\n", out);
        }
        (void)fputs("</tbody>\n</table>\n</section>\n", out);
}

static void print_use(const struct audit_report *report, const char *name, enum source source,
                      const struct audit_use *use, FILE *out) {
        char runs[AUDIT_RUNS_TEXT_MAX];

        (void)fprintf(out, "<tr%s>", name ? "" : " class=\"sum\"");
        print_cell("", "Token", name ? name : "all tokens", out);
        print_cell("t", "Source", source_name(source), out);
        print_number("Issued", use->issued, out);
        print_number("Fresh", use->issued - use->stale, out);
        print_number("Stale", use->stale, out);
        print_cell("t", "Runs", audit_runs_text(report, use, runs), out);
        print_time("First", use->issued ? use->first_at : 0, out);
        print_time("Last", use->issued ? use->last_at : 0, out);
        (void)fputs("</tr>\n", out);
}

static void print_tokens(const struct audit_report *report, FILE *out) {
        (void)fputs("<section>\n<h2>Issuances</h2>\n<table>\n<thead><tr><th>Token</th><th>Source</"
                    "th><th class=\"n\">Issued</th>"
                    "<th class=\"n\">Fresh</th><th "
                    "class=\"n\">Stale</th><th>Runs</th><th>First</th><th>Last</th></tr></thead>\n"
                    "<tbody>\n",
                    out);
        for (size_t i = 0; i < report->token_count; i++)
                for (int source = 0; source < SOURCE_COUNT; source++)
                        if (report->tokens[i].uses[source].issued > 0)
                                print_use(report, report->tokens[i].name, (enum source)source,
                                          &report->tokens[i].uses[source], out);
        for (int source = 0; source < SOURCE_COUNT; source++)
                print_use(report, NULL, (enum source)source, &report->sources[source], out);
        (void)fputs("</tbody>\n</table>\n<p class=\"soft\">Runs are distinct by repository, run "
                    "and attempt; proven are those "
                    "that the forge vouched for, the others are what jobs say of "
                    "themselves.</p>\n</section>\n",
                    out);
}

static void print_hosts(const struct audit_report *report, FILE *out) {
        if (!report->fleet || report->host_count == 0)
                return;
        (void)fputs("<section>\n<h2>Hosts</h2>\n<table>\n<thead><tr><th>Host</th>", out);
        for (int source = 0; source < SOURCE_COUNT; source++)
                (void)fprintf(out, "<th class=\"n\">%s</th>", source_name((enum source)source));
        (void)fputs("<th class=\"n\">Records</th><th class=\"n\">Starts</th><th>Journal "
                    "since</th></tr></thead>\n<tbody>\n",
                    out);
        for (size_t i = 0; i < report->host_count; i++) {
                const struct audit_host *host = &report->hosts[i];

                (void)fputs("<tr>", out);
                print_cell("", "Host", host->name[0] ? host->name : host->machine, out);
                for (int source = 0; source < SOURCE_COUNT; source++)
                        print_number(source_name((enum source)source), host->uses[source].issued,
                                     out);
                print_number("Records", host->records, out);
                print_number("Starts", host->instances, out);
                print_time("Journal since", host->oldest_at, out);
                (void)fputs("</tr>\n", out);
        }
        (void)fputs("</tbody>\n</table>\n</section>\n", out);
}

static void print_codes(const char *what, const struct audit_code *codes, size_t count, FILE *out) {
        (void)fprintf(out, "<dt>%s</dt><dd>", what);
        for (size_t i = 0; i < count; i++) {
                (void)fputs(i ? ", <code>" : "<code>", out);
                escape_html(out, codes[i].name);
                (void)fprintf(out, "</code> %" PRIu64, codes[i].count);
        }
        (void)fputs(count ? "</dd>\n" : "none</dd>\n", out);
}

static void print_foreign(const struct audit_report *report, FILE *out) {
        (void)fprintf(out, "<dt>Records by others</dt><dd>%" PRIu64 "%s", report->foreign,
                      report->foreign ? " in the daemon\u2019s form, not counted<ul>" : "");
        for (size_t i = 0; i < report->writer_count; i++) {
                (void)fprintf(out, "<li>%" PRIu64 " by uid ", report->writers[i].count);
                escape_html(out, report->writers[i].uid);
                (void)fputs(", <code>", out);
                escape_html(out, report->writers[i].exe);
                (void)fputs("</code>, unit <code>", out);
                escape_html(out, report->writers[i].unit);
                (void)fputs("</code></li>", out);
        }
        (void)fputs(report->foreign ? "</ul></dd>\n" : "</dd>\n", out);
}

static void print_holes(const struct audit_report *report, FILE *out) {
        (void)fprintf(out, "<dt>Holes</dt><dd>%s",
                      report->hole_count ? "<ul class=\"bad\">" : "none");
        for (size_t i = 0; i < report->hole_count; i++) {
                (void)fputs("<li>", out);
                escape_html(out, report->holes[i].text);
                (void)fputs("</li>", out);
        }
        if (report->holes_unlisted > 0)
                (void)fprintf(out, "<li>and %" PRIu64 " more</li>", report->holes_unlisted);
        (void)fputs(report->hole_count ? "</ul></dd>\n" : "</dd>\n", out);
}

static void print_events(const struct audit_report *report, FILE *out) {
        char text[AUDIT_BOUND_TEXT_MAX];

        (void)fprintf(
            out, "<section>\n<h2>What else was recorded</h2>\n<dl>\n<dt>Fallback</dt><dd>%s</dd>\n",
            audit_fallback_text(report, text));
        print_codes("Refusals", report->refusals, report->refusal_count, out);
        print_codes("Failures", report->failures, report->failure_count, out);
        (void)fprintf(out,
                      "<dt>Rotations</dt><dd>%" PRIu64 "</dd>\n<dt>Daemon</dt><dd>%" PRIu64
                      " records of %" PRIu64 " start%s; configuration loaded: %" PRIu64
                      ", rejected: %" PRIu64 "</dd>\n",
                      report->rotations, report->records, report->instances,
                      report->instances == 1 ? "" : "s", report->reloads, report->reloads_rejected);
        print_foreign(report, out);
        print_holes(report, out);
        if (*audit_bound_text(report, text))
                (void)fprintf(out, "<dt>Bounds</dt><dd>%s</dd>\n", text);
        (void)fputs("</dl>\n</section>\n", out);
}

void audit_report_html(const struct audit_report *report, FILE *out) {
        print_head(report, out);
        print_gate(report, out);
        audit_chart(report, out);
        print_tokens(report, out);
        print_hosts(report, out);
        print_events(report, out);
        (void)fputs("</main>\n</body>\n</html>\n", out);
}
