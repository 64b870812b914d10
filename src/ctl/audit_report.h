/*
 * What an audit found, ready to be printed; and its four forms.
 *
 * Everything here is plain numbers and clean text (base/text.h); each form escapes it in its own
 * way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "config/config.h"

/* Far more than anybody has; what lies above is counted in the sums and said. */
#define AUDIT_TOKENS_MAX     256
#define AUDIT_HOSTS_MAX      256
#define AUDIT_CODES_MAX      64
#define AUDIT_WRITERS_MAX    32
#define AUDIT_HOLES_MAX      64
#define AUDIT_BUCKETS_MAX    61
#define AUDIT_CONDITIONS_MAX 32

/* One source, of one token, of one host or of all. */
struct audit_use {
        /* repeated: records whose number was there already; not in issued */
        uint64_t issued, stale, repeated;
        uint64_t without_run; /* issuances that name no run */
        /* distinct ones; a run is proven if the forge vouched for it once */
        uint64_t runs_proven, runs_claimed;
        usec_t first_at, last_at;
};

struct audit_token {
        const char *name;
        struct audit_use uses[SOURCE_COUNT];
        uint64_t rotations;
};

struct audit_host {
        const char *machine; /* its machine id */
        char name[65];
        /* no runs: those are told apart for all hosts together */
        struct audit_use uses[SOURCE_COUNT];
        uint64_t records;
        size_t instances;
        usec_t oldest_at; /* of what its journal still has */
};

struct audit_code {
        const char *name;
        uint64_t count;
        usec_t last_at;
};

struct audit_writer {
        char uid[24], exe[128], unit[128];
        uint64_t count;
        usec_t first_at, last_at;
};

struct audit_bucket {
        uint64_t issued[SOURCE_COUNT];
};

enum { HOLE_WINDOW, HOLE_RECORDS, HOLE_BROKEN, HOLE_REPEATED, HOLE_BOUND };

struct audit_hole {
        int kind;
        uint64_t missing; /* records; 0: cannot be told */
        char text[256];
};

struct audit_outcome {
        bool met;
        char condition[160]; /* "require deploy/infisical-token-auth>=16" */
        char text[256];      /* "12, 4 short" */
        uint64_t found;
};

struct audit_report {
        usec_t since, until, made_at;
        const char *journal;     /* "this machine's journal" */
        bool fleet;              /* of other machines: a column per host */
        const char *const *only; /* tokens that it is confined to; NULL-terminated */

        struct audit_use sources[SOURCE_COUNT];
        struct audit_token *tokens;
        size_t token_count;
        struct audit_host *hosts;
        size_t host_count;
        struct audit_code refusals[AUDIT_CODES_MAX], failures[AUDIT_CODES_MAX];
        size_t refusal_count, failure_count;
        uint64_t records, instances, rotations, reloads, reloads_rejected, recoveries,
            source_changes;
        /* records whose row lay above the bound */
        uint64_t tokens_lost, hosts_lost, runs_lost, codes_lost;

        usec_t bucket_width, buckets_start;
        size_t bucket_count;
        struct audit_bucket buckets[AUDIT_BUCKETS_MAX];

        /* when direct-env-fallback was last used, before the window too; 0: never */
        usec_t fallback_at;
        usec_t oldest_at; /* since when every host's journal has all; 0: unknown */

        struct audit_writer writers[AUDIT_WRITERS_MAX];
        size_t writer_count;
        uint64_t foreign, foreign_unlisted;

        struct audit_hole holes[AUDIT_HOLES_MAX];
        size_t hole_count;
        uint64_t holes_unlisted, missing;

        struct audit_outcome outcomes[AUDIT_CONDITIONS_MAX + 2];
        size_t outcome_count; /* 0: no gate was asked for */
        bool met, allow_holes;
};

void audit_report_text(const struct audit_report *report, FILE *out);
void audit_report_markdown(const struct audit_report *report, FILE *out);
void audit_report_html(const struct audit_report *report, FILE *out);

/** audit_report_json() - 0, or -1 for lack of memory */
int audit_report_json(const struct audit_report *report, FILE *out);

/** audit_runs_text() - "16 (0 proven, 16 claimed)", or "-" */
#define AUDIT_RUNS_TEXT_MAX 72
char *audit_runs_text(const struct audit_report *report, const struct audit_use *use,
                      char text[static AUDIT_RUNS_TEXT_MAX]);

/** audit_fallback_text() - when direct-env-fallback was last used, as a sentence */
#define AUDIT_FALLBACK_TEXT_MAX 256
char *audit_fallback_text(const struct audit_report *report,
                          char text[static AUDIT_FALLBACK_TEXT_MAX]);

/** audit_bound_text() - what the report could not tell apart, as a sentence, or "" */
#define AUDIT_BOUND_TEXT_MAX 320
char *audit_bound_text(const struct audit_report *report, char text[static AUDIT_BOUND_TEXT_MAX]);

/** audit_span_text() - a duration, rounded so that two days less a few microseconds are two days */
char *audit_span_text(usec_t span, char text[static CLOCK_TEXT_MAX]);

/** audit_verdict_text() - "met", "NOT MET", or "none was asked for" */
const char *audit_verdict_text(const struct audit_report *report);
