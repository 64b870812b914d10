/*
 * The text and the journal fields of an audit record.  Pure; private to the audit module and its
 * test.
 */
#pragma once

#include <stddef.h>

#include "broker/audit.h"

/* design: a record is at most 8 KiB; its text, a part of it, also fits one atomic write into a
 * pipe. */
#define AUDIT_RECORD_MAX 8192
#define AUDIT_TEXT_MAX   4000

/** audit_render_text() - the message: what the broker knows first, what the job claims last */
void audit_render_text(const struct audit_record *record, uint64_t sequence,
                       char text[static AUDIT_TEXT_MAX]);

/**
 * audit_render_journal() - the record in the journal's native protocol
 *
 * Return: bytes written to @buffer, at most AUDIT_RECORD_MAX.
 */
size_t audit_render_journal(const struct audit_record *record, const char *instance,
                            uint64_t sequence, char buffer[static AUDIT_RECORD_MAX]);

/** audit_priority() - the journal's PRIORITY of a record */
int audit_priority(const struct audit_record *record);
