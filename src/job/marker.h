/*
 * Where a value came from, as every line of evidence in a job's log says it: the source marker,
 * freshness, fingerprint.
 */
#pragma once

#include "job/failure.h"
#include "job/json_reader.h"

struct marker {
        char forge_type[16], source[48], freshness[16], fingerprint[24]; /* clean */
};

/** marker_read() - the members of an answer of the broker's.  Return: 0, or -EXIT_UNREACHABLE
 * naming the one that is missing. */
int marker_read(struct json answer, struct marker *ret, struct failure *failure);

#define MARKER_LINE_MAX 512

/** marker_line() - "NAME forgejo_token_source=... freshness=... fp=..." */
void marker_line(const struct marker *marker, const char *name, char line[static MARKER_LINE_MAX]);

/** marker_note() - the same on standard error: which source the job's own log can name */
void marker_note(const struct marker *marker, const char *name);
