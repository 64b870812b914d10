/*
 * Counts records into a report.  Knows nothing of journals: what lies outside the window is told by
 * the caller.
 */
#pragma once

#include "base/error.h"
#include "ctl/audit_entry.h"
#include "ctl/audit_report.h"
#include "ctl/audit_sequence.h"
#include "ctl/audit_set.h"

/* Two for each run: one for its token and one for the source's sum.  What lies above is said: "at
 * least". */
#define AUDIT_RUN_KEYS_MAX 131072

struct audit_tally {
        struct audit_report *report;
        struct audit_sequences sequences;
        struct audit_set tokens, hosts, refusals, failures, runs;
        bool *run_proven; /* for each member of runs */
        uint64_t repeated, broken;
        char fault[128]; /* of the first broken record */
        bool out_of_memory;
};

/** audit_tally_init() - @report is zeroed but for since, until, only; it borrows from the tally and
 * outlives it not */
int audit_tally_init(struct audit_tally *tally, struct audit_report *report, struct error *err);
void audit_tally_done(struct audit_tally *tally);

/** audit_tally_add() - one entry and its verdict */
void audit_tally_add(struct audit_tally *tally, enum audit_verdict verdict,
                     const struct audit_entry *entry, const struct audit_fields *fields);

/** audit_tally_wants() - true if the report is about this token */
bool audit_tally_wants(const struct audit_report *report, const char *token);
