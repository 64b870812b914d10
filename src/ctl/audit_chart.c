#include "ctl/audit_chart.h"

#include <inttypes.h>
#include <string.h>

#define HEIGHT 100
#define SLOT   10 /* a bar and its gap, in units of the drawing */
#define BAR    8
#define LEAST  6 /* of a bar that is not empty: one in thousands is still seen */

static uint64_t lane_max(const struct audit_report *report, int source) {
        uint64_t max = 0;

        for (size_t i = 0; i < report->bucket_count; i++)
                if (report->buckets[i].issued[source] > max)
                        max = report->buckets[i].issued[source];
        return max;
}

static void print_bars(const struct audit_report *report, int source, uint64_t max, FILE *out) {
        char at[CLOCK_TEXT_MAX];

        for (size_t i = 0; i < report->bucket_count; i++) {
                uint64_t issued = report->buckets[i].issued[source],
                         height = max ? issued * HEIGHT / max : 0;

                if (issued == 0)
                        continue;
                if (height < LEAST)
                        height = LEAST;
                (void)fprintf(out,
                              "<rect x=\"%zu\" y=\"%" PRIu64 "\" width=\"%d\" height=\"%" PRIu64
                              "\"><title>%s: %" PRIu64 "</title></rect>\n",
                              i * SLOT + 1, HEIGHT - height, BAR, height,
                              clock_format(report->buckets_start + i * report->bucket_width, at),
                              issued);
        }
}

/* What the journal does not have any more is not the same as nothing. */
static void print_unknown(const struct audit_report *report, FILE *out) {
        usec_t missing = usec_sub(report->oldest_at, report->buckets_start);
        uint64_t width = missing * SLOT / report->bucket_width;

        if (report->oldest_at <= report->since)
                return;
        if (width > report->bucket_count * SLOT)
                width = report->bucket_count * SLOT;
        (void)fprintf(out,
                      "<rect class=\"unknown\" x=\"0\" y=\"0\" width=\"%" PRIu64
                      "\" height=\"%d\"><title>not kept</title></rect>\n",
                      width, HEIGHT);
}

static void print_lane(const struct audit_report *report, int source, FILE *out) {
        const struct audit_use *use = &report->sources[source];
        uint64_t max = lane_max(report, source);
        char span[CLOCK_TEXT_MAX], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];

        (void)clock_format_span(report->bucket_width, span);
        (void)fprintf(out,
                      "<div class=\"lane source-%d\">\n<p><span "
                      "class=\"key\"></span><b>%s</b><span class=\"count\">%" PRIu64
                      " issued, %" PRIu64 " at most in %s</span></p>\n",
                      source, source_name((enum source)source), use->issued, max, span);
        (void)fprintf(
            out,
            "<svg role=\"img\" aria-labelledby=\"title-%d desc-%d\" viewBox=\"0 0 %zu %d\" "
            "preserveAspectRatio=\"none\">\n<title id=\"title-%d\">Issuances from %s over "
            "time</title>\n"
            "<desc id=\"desc-%d\">",
            source, source, report->bucket_count * SLOT, HEIGHT, source,
            source_name((enum source)source), source);
        if (use->issued > 0)
                (void)fprintf(out,
                              "%" PRIu64
                              " issuances, the first at %s, the last at %s; at most %" PRIu64
                              " in %s.",
                              use->issued, clock_format(use->first_at, first),
                              clock_format(use->last_at, last), max, span);
        else
                (void)fprintf(out, "No issuance.");
        (void)fputs("</desc>\n", out);
        print_unknown(report, out);
        print_bars(report, source, max, out);
        (void)fputs("</svg>\n</div>\n", out);
}

/* "2026-11-19 10:00", without the seconds and letters that nobody needs beside an axis. */
static void print_tick(usec_t at, FILE *out) {
        char text[CLOCK_TEXT_MAX];

        (void)clock_format(at, text);
        if (strlen(text) >= 16)
                (void)fprintf(out, "<span>%.10s <br>%.5s</span>", text, text + 11);
}

void audit_chart(const struct audit_report *report, FILE *out) {
        usec_t end = report->buckets_start + report->bucket_count * report->bucket_width;
        char span[CLOCK_TEXT_MAX];

        (void)fprintf(out, "<section>\n<h2>Timeline</h2>\n<figure>\n");
        for (int source = 0; source < SOURCE_COUNT; source++)
                print_lane(report, source, out);
        (void)fputs("<div class=\"axis\" aria-hidden=\"true\">", out);
        print_tick(report->buckets_start, out);
        print_tick(report->buckets_start + (end - report->buckets_start) / 2, out);
        print_tick(end, out);
        (void)fprintf(out,
                      "</div>\n<figcaption>Issuances by source, %s a bar, times in UTC. Each "
                      "source has its own scale."
                      "%s</figcaption>\n</figure>\n</section>\n",
                      clock_format_span(report->bucket_width, span),
                      report->oldest_at <= report->since ? ""
                      : report->host_count > 1
                          ? " Grey: not every host\u2019s journal goes back so far."
                          : " Grey: before the journal begins.");
}
