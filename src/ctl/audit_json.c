/*
 * The report for programs.  Members are added, never renamed.
 */
#include <jansson.h>
#include <string.h>

#include "ctl/audit_report.h"

/* Every json_*_set_new() and json_pack() here takes what may be NULL and fails: the last check
 * sees it. */
static json_t *time_or_null(usec_t at) {
        char text[CLOCK_TEXT_MAX];

        return at ? json_string(clock_format(at, text)) : json_null();
}

static json_t *number(uint64_t value) {
        return json_integer((json_int_t)value);
}

static json_t *use_json(const struct audit_use *use, bool runs) {
        json_t *object = json_pack("{s:o,s:o,s:o,s:o,s:o}", "issued", number(use->issued), "fresh",
                                   number(use->issued - use->stale), "stale", number(use->stale),
                                   "first_at", time_or_null(use->issued ? use->first_at : 0),
                                   "last_at", time_or_null(use->issued ? use->last_at : 0));

        if (object && runs)
                (void)json_object_set_new(object, "runs",
                                          json_pack("{s:o,s:o,s:o,s:o}", "distinct",
                                                    number(use->runs_proven + use->runs_claimed),
                                                    "proven", number(use->runs_proven), "claimed",
                                                    number(use->runs_claimed), "issuances_without",
                                                    number(use->without_run)));
        return object;
}

static json_t *sources_json(const struct audit_use uses[static SOURCE_COUNT], bool runs) {
        json_t *object = json_object();

        for (int source = 0; source < SOURCE_COUNT; source++)
                (void)json_object_set_new(object, source_name((enum source)source),
                                          use_json(&uses[source], runs));
        return object;
}

static json_t *tokens_json(const struct audit_report *report) {
        json_t *array = json_array();

        for (size_t i = 0; i < report->token_count; i++)
                (void)json_array_append_new(
                    array, json_pack("{s:s,s:o,s:o}", "name", report->tokens[i].name, "rotations",
                                     number(report->tokens[i].rotations), "sources",
                                     sources_json(report->tokens[i].uses, true)));
        return array;
}

static json_t *hosts_json(const struct audit_report *report) {
        json_t *array = json_array();

        for (size_t i = 0; i < report->host_count; i++) {
                const struct audit_host *host = &report->hosts[i];

                (void)json_array_append_new(
                    array, json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "name", host->name, "machine_id",
                                     host->machine, "records", number(host->records), "starts",
                                     number(host->instances), "journal_begins_at",
                                     time_or_null(host->oldest_at), "sources",
                                     sources_json(host->uses, false)));
        }
        return array;
}

static json_t *codes_json(const struct audit_code *codes, size_t count) {
        json_t *array = json_array();

        for (size_t i = 0; i < count; i++)
                (void)json_array_append_new(array,
                                            json_pack("{s:s,s:o,s:o}", "code", codes[i].name,
                                                      "count", number(codes[i].count), "last_at",
                                                      time_or_null(codes[i].last_at)));
        return array;
}

static json_t *writers_json(const struct audit_report *report) {
        json_t *array = json_array();

        for (size_t i = 0; i < report->writer_count; i++) {
                const struct audit_writer *writer = &report->writers[i];

                (void)json_array_append_new(array,
                                            json_pack("{s:s,s:s,s:s,s:o,s:o,s:o}", "uid",
                                                      writer->uid, "exe", writer->exe, "unit",
                                                      writer->unit, "count", number(writer->count),
                                                      "first_at", time_or_null(writer->first_at),
                                                      "last_at", time_or_null(writer->last_at)));
        }
        return array;
}

static json_t *holes_json(const struct audit_report *report) {
        static const char *const kinds[] = { "window", "records", "unreadable", "repeated",
                                             "bound" };
        json_t *array = json_array();

        for (size_t i = 0; i < report->hole_count; i++)
                (void)json_array_append_new(
                    array,
                    json_pack("{s:s,s:o,s:s}", "kind", kinds[report->holes[i].kind], "missing",
                              number(report->holes[i].missing), "text", report->holes[i].text));
        return array;
}

static json_t *gate_json(const struct audit_report *report) {
        json_t *array = json_array();

        if (report->outcome_count == 0) {
                json_decref(array);
                return json_null();
        }
        for (size_t i = 0; i < report->outcome_count; i++)
                (void)json_array_append_new(array, json_pack("{s:s,s:b,s:o,s:s}", "condition",
                                                             report->outcomes[i].condition, "met",
                                                             report->outcomes[i].met, "found",
                                                             number(report->outcomes[i].found),
                                                             "text", report->outcomes[i].text));
        return json_pack("{s:b,s:b,s:o}", "met", report->met, "allow_holes", report->allow_holes,
                         "conditions", array);
}

static json_t *timeline_json(const struct audit_report *report) {
        json_t *array = json_array();

        for (size_t i = 0; i < report->bucket_count; i++) {
                json_t *row = json_pack(
                    "{s:o}", "at", time_or_null(report->buckets_start + i * report->bucket_width));

                for (int source = 0; source < SOURCE_COUNT; source++)
                        (void)json_object_set_new(row, source_name((enum source)source),
                                                  number(report->buckets[i].issued[source]));
                (void)json_array_append_new(array, row);
        }
        return json_pack("{s:o,s:o}", "seconds", number(report->bucket_width / USEC_PER_SEC),
                         "buckets", array);
}

static json_t *daemon_json(const struct audit_report *report) {
        return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "records", number(report->records), "starts",
                         number(report->instances), "configuration_loaded", number(report->reloads),
                         "configuration_rejected", number(report->reloads_rejected),
                         "source_changes", number(report->source_changes), "upstream_recoveries",
                         number(report->recoveries));
}

static json_t *only_json(const struct audit_report *report) {
        json_t *array = json_array();

        for (const char *const *name = report->only; name && *name; name++)
                (void)json_array_append_new(array, json_string(*name));
        return array;
}

static json_t *fallback_json(const struct audit_report *report) {
        return json_pack(
            "{s:o,s:o,s:o}", "last_at", time_or_null(report->fallback_at), "seconds_since",
            report->fallback_at ? number((report->until - report->fallback_at) / USEC_PER_SEC)
                                : json_null(),
            "journal_begins_at", time_or_null(report->oldest_at));
}

int audit_report_json(const struct audit_report *report, FILE *out) {
        char bounds[AUDIT_BOUND_TEXT_MAX];
        json_t *root =
            json_pack("{s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o}", "since", time_or_null(report->since),
                      "until", time_or_null(report->until), "made_at",
                      time_or_null(report->made_at), "journal", report->journal, "only_tokens",
                      only_json(report), "sources", sources_json(report->sources, true), "tokens",
                      tokens_json(report), "hosts", hosts_json(report));
        int r = -1;

        if (root && json_object_set_new(root, "direct_env_fallback", fallback_json(report)) == 0 &&
            json_object_set_new(root, "refusals",
                                codes_json(report->refusals, report->refusal_count)) == 0 &&
            json_object_set_new(root, "failures",
                                codes_json(report->failures, report->failure_count)) == 0 &&
            json_object_set_new(root, "rotations", number(report->rotations)) == 0 &&
            json_object_set_new(root, "daemon", daemon_json(report)) == 0 &&
            json_object_set_new(root, "foreign",
                                json_pack("{s:o,s:o,s:o}", "count", number(report->foreign),
                                          "unlisted", number(report->foreign_unlisted), "writers",
                                          writers_json(report))) == 0 &&
            json_object_set_new(root, "holes", holes_json(report)) == 0 &&
            json_object_set_new(root, "holes_unlisted", number(report->holes_unlisted)) == 0 &&
            json_object_set_new(root, "missing_records", number(report->missing)) == 0 &&
            json_object_set_new(root, "bounds", json_string(audit_bound_text(report, bounds))) ==
                0 &&
            json_object_set_new(root, "timeline", timeline_json(report)) == 0 &&
            json_object_set_new(root, "gate", gate_json(report)) == 0 &&
            json_dumpf(root, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0) {
                (void)fputc('\n', out);
                r = 0;
        }
        json_decref(root);
        return r;
}
