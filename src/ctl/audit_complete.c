#include "ctl/audit_complete.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static void add_hole(struct audit_report *report, int kind, uint64_t missing, const char *format,
                     ...) _printf_(4, 5);

static void add_hole(struct audit_report *report, int kind, uint64_t missing, const char *format,
                     ...) {
        struct audit_hole *hole;
        va_list arguments;

        report->missing += missing;
        if (report->hole_count == AUDIT_HOLES_MAX) {
                report->holes_unlisted++;
                return;
        }
        hole = &report->holes[report->hole_count++];
        hole->kind = kind;
        hole->missing = missing;
        va_start(arguments, format);
        (void)vsnprintf(hole->text, sizeof(hole->text), format, arguments);
        va_end(arguments);
}

/* "host web-1: " where there are several, else "". */
static const char *on_host(const struct audit_report *report, size_t host, char text[static 80]) {
        text[0] = '\0';
        if (report->fleet && host < report->host_count)
                (void)snprintf(text, 80, "host %s: ", report->hosts[host].name);
        return text;
}

static void add_missing(struct audit_report *report, const struct audit_instance *instance,
                        uint64_t first, uint64_t last, const char *where) {
        char host[80];

        (void)on_host(report, instance->host, host);
        if (first == last)
                add_hole(report, HOLE_RECORDS, 1,
                         "%srecord %" PRIu64 " of instance %.8s is missing, %s", host, first,
                         instance->id, where);
        else
                add_hole(report, HOLE_RECORDS, last - first + 1,
                         "%srecords %" PRIu64 " to %" PRIu64 " of instance %.8s are missing, %s",
                         host, first, last, instance->id, where);
}

static void check_instance(struct audit_report *report, struct audit_journal *journal,
                           const struct audit_instance *instance) {
        const struct audit_span *spans = instance->spans;
        char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX], where[2 * CLOCK_TEXT_MAX + 32], host[80];
        uint64_t before, behind;

        if (instance->count == 0)
                return;
        if (spans[0].first > 1) {
                before = audit_journal_before(journal, instance->id, report->since);
                (void)snprintf(where, sizeof(where), "before %s",
                               clock_format(spans[0].first_at, to));
                if (before + 1 < spans[0].first)
                        add_missing(report, instance, before + 1, spans[0].first - 1, where);
        }
        for (size_t i = 1; i < instance->count; i++) {
                (void)snprintf(where, sizeof(where), "between %s and %s",
                               clock_format(spans[i - 1].last_at, from),
                               clock_format(spans[i].first_at, to));
                add_missing(report, instance, spans[i - 1].last + 1, spans[i].first - 1, where);
        }
        behind = audit_journal_behind(journal, instance->id, report->until);
        (void)snprintf(where, sizeof(where), "behind %s",
                       clock_format(spans[instance->count - 1].last_at, from));
        if (behind > spans[instance->count - 1].last + 1)
                add_missing(report, instance, spans[instance->count - 1].last + 1, behind - 1,
                            where);
        if (instance->too_many)
                add_hole(report, HOLE_BOUND, 0, "%sinstance %.8s has more than %d gaps",
                         on_host(report, instance->host, host), instance->id, AUDIT_SPANS_MAX);
}

static void check_window(struct audit_report *report, struct audit_journal *journal, size_t host) {
        const char *machine = report->host_count > 0 ? report->hosts[host].machine : "";
        usec_t oldest = audit_journal_oldest(journal, machine);
        char begins[CLOCK_TEXT_MAX], span[CLOCK_TEXT_MAX], name[80];

        if (report->host_count > 0)
                report->hosts[host].oldest_at = oldest;
        if (oldest > report->oldest_at)
                report->oldest_at = oldest;
        if (oldest > report->since && report->since < report->until)
                add_hole(report, HOLE_WINDOW, 0,
                         "%sthe journal begins at %s, %s after the window does: what was before is "
                         "not kept (--since '@%" PRIu64 "' begins there)",
                         on_host(report, host, name), clock_format(oldest, begins),
                         audit_span_text(oldest - report->since, span), oldest / USEC_PER_SEC + 1);
}

static int by_token_name(const void *a, const void *b) {
        return strcmp(((const struct audit_token *)a)->name, ((const struct audit_token *)b)->name);
}

static int by_host_name(const void *a, const void *b) {
        const struct audit_host *one = a, *other = b;
        int r = strcmp(one->name, other->name);

        return r ? r : strcmp(one->machine, other->machine);
}

/* The last that is done with them: the tally knows them by their numbers. */
static void sort_rows(struct audit_report *report) {
        if (report->token_count > 1)
                qsort(report->tokens, report->token_count, sizeof(*report->tokens), by_token_name);
        if (report->host_count > 1)
                qsort(report->hosts, report->host_count, sizeof(*report->hosts), by_host_name);
}

void audit_complete_find(struct audit_tally *tally, struct audit_journal *journal) {
        struct audit_report *report = tally->report;
        const struct audit_sequences *sequences = &tally->sequences;

        report->instances = sequences->ids.count;
        for (size_t i = 0; i < (report->host_count ? report->host_count : 1); i++)
                check_window(report, journal, i);
        for (size_t i = 0; i < sequences->ids.count; i++) {
                const struct audit_instance *instance = &sequences->instances[i];

                if (instance->host < report->host_count)
                        report->hosts[instance->host].instances++;
                check_instance(report, journal, instance);
        }
        if (sequences->lost > 0)
                add_hole(report, HOLE_BOUND, 0,
                         "more than %d starts of the daemon: %" PRIu64
                         " records are counted, but not checked for gaps",
                         AUDIT_INSTANCES_MAX, sequences->lost);
        if (tally->repeated > 0)
                add_hole(report, HOLE_REPEATED, 0,
                         "%" PRIu64 " record%s with a number that was there already: not counted, "
                         "but forbidden sources are looked for in them",
                         tally->repeated, tally->repeated == 1 ? "" : "s");
        if (tally->broken > 0)
                add_hole(report, HOLE_BROKEN, 0,
                         "%" PRIu64 " record%s of the daemon cannot be read (the first: %s)",
                         tally->broken, tally->broken == 1 ? "" : "s", tally->fault);
        sort_rows(report);
}

static void judge_records(const struct audit_report *report, struct audit_outcome *ret) {
        *ret = (struct audit_outcome){ .met = report->records > 0, .found = report->records };
        (void)snprintf(ret->condition, sizeof(ret->condition), "the daemon recorded something");
        (void)snprintf(ret->text, sizeof(ret->text), "%" PRIu64 " record%s%s", report->records,
                       report->records == 1 ? "" : "s",
                       report->records ? ""
                                       : " of " AUDIT_UNIT
                                         " in the window: nothing proves that it ran here");
}

/* What is missing can be allowed; what is there and cannot be read may be anything. */
static void judge_holes(const struct audit_report *report, struct audit_outcome *ret) {
        uint64_t holes = report->hole_count + report->holes_unlisted, broken = 0;

        for (size_t i = 0; i < report->hole_count; i++)
                broken += report->holes[i].kind == HOLE_BROKEN;
        *ret = (struct audit_outcome){ .met = holes == 0 || (report->allow_holes && broken == 0),
                                       .found = holes };
        (void)snprintf(ret->condition, sizeof(ret->condition), "complete, without a hole");
        if (holes == 0)
                (void)snprintf(ret->text, sizeof(ret->text), "no hole");
        else
                (void)snprintf(ret->text, sizeof(ret->text),
                               "%" PRIu64 " hole%s, the first: %.180s%s", holes,
                               holes == 1 ? "" : "s", report->holes[0].text,
                               ret->met                            ? " (allowed)"
                               : broken > 0 && report->allow_holes ? " (not to be allowed)"
                                                                   : "");
}

void audit_complete_judge(struct audit_report *report, const struct audit_condition *conditions,
                          size_t count) {
        if (count == 0)
                return;
        for (size_t i = 0; i < count; i++)
                audit_condition_judge(&conditions[i], report,
                                      &report->outcomes[report->outcome_count++]);
        judge_records(report, &report->outcomes[report->outcome_count++]);
        judge_holes(report, &report->outcomes[report->outcome_count++]);
        report->met = true;
        for (size_t i = 0; i < report->outcome_count; i++)
                report->met = report->met && report->outcomes[i].met;
}
