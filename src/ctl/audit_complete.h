/*
 * Is it all there?  What the records themselves prove about what is missing, and the verdict on the
 * gate.
 *
 *      since                                          until
 *        |   1 2 3 5 6        7 8 9 | 1 2 3             |         4 is missing
 *        |     ^ the journal begins here                |         and so is whatever lay before
 *      7 8 | 9 10                                                 nothing is missing: 8 is the last one before the window
 *
 * What follows an instance's last record cannot be proved by numbers.
 */
#pragma once

#include "ctl/audit_condition.h"
#include "ctl/audit_journal.h"
#include "ctl/audit_tally.h"

/** audit_complete_find() - fills the report's holes and sorts it; the tally must not be added to
 * after that */
void audit_complete_find(struct audit_tally *tally, struct audit_journal *journal);

/** audit_complete_judge() - the outcomes of all conditions, of completeness, and the verdict */
void audit_complete_judge(struct audit_report *report, const struct audit_condition *conditions,
                          size_t count);
