/*
 * May this user read the journal?
 */
#pragma once

#include "base/error.h"
#include "ctl/audit_journal.h"

/** audit_access_check() - 0, or -DIAG_INTERNAL_ERROR with the file that cannot be read and the
 * remedy */
int audit_access_check(const struct audit_place *place, struct error *err);
