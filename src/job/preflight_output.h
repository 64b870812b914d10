/*
 * A preflight's report for people: lines, annotations in a forge's job, a table in the step's
 * summary.  Each line begins with words of this program's own.
 */
#pragma once

#include "job/preflight_report.h"

#define PREFLIGHT_LINE_MAX 1024

/**
 * preflight_note_source() - which source the broker's token came from, on standard error; nothing
 * of a token of the job's own
 *
 * Return: 0, or -EXIT_UNREACHABLE for an answer that does not say.
 */
int preflight_note_source(const struct preflight_question *question,
                          const struct preflight_report *report, struct failure *failure);

/** preflight_identity() - "deploy-bot, personal-access-token, scopes write:repository", or why it
 * cannot be said */
void preflight_identity(const struct preflight_report *report,
                        char line[static PREFLIGHT_LINE_MAX]);

/** preflight_line() - "no           release:write   forge-scope-missing: the token lacks ..." */
void preflight_line(const struct preflight_finding *finding, char line[static PREFLIGHT_LINE_MAX]);

/** preflight_print() - a line for the identity and for each need, with remedies, on standard
 * output.  Return: 0 or -EXIT_UNMET. */
int preflight_print(const struct preflight_report *report, struct failure *failure);

/** preflight_annotate() - an error for each no, a warning for what cannot be told; nothing outside
 * of a forge's job */
void preflight_annotate(const struct preflight_question *question,
                        const struct preflight_report *report);

/** preflight_annotate_failure() - likewise where there is no report: a warning if it cannot be
 * told, else an error */
void preflight_annotate_failure(const struct preflight_question *question,
                                const struct failure *failure);

/** preflight_summarize() - appends the table to the step's summary; that it cannot is said, and is
 * no failure */
void preflight_summarize(const struct preflight_question *question,
                         const struct preflight_report *report);
