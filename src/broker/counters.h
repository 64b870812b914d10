/*
 * What was counted since the start: issuances, refusals, requests to Infisical.
 *
 * Names in it are the configuration's.  A reload takes nothing away: what is not configured any
 * more keeps its numbers, in case it comes back, as long as there is room for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

/* Rows of names that were configured once; a template that makes up a name at each reload fills no
 * memory. */
#define COUNTERS_GONE_MAX 256

struct token_counts {
        char *name;
        bool configured;
        bool sources[SOURCE_COUNT];       /* that it may come from now */
        uint64_t issued[SOURCE_COUNT][2]; /* fresh, stale */
        uint64_t refused[DIAG_COUNT];
};

struct server_counts {
        char *identity, *url;
        bool configured;
        uint64_t requests[DIAG_COUNT]; /* DIAG_NONE: it answered well */
};

/* Embedded; zeroed is empty. */
struct counters {
        struct token_counts *tokens;
        size_t n_tokens;
        struct server_counts *servers;
        size_t n_servers;
        uint64_t refused[DIAG_COUNT]; /* of no token that is known */
};

/** counters_prepare() - makes rows for all that @config names; -DIAG_INTERNAL_ERROR for lack of
 * memory */
int counters_prepare(struct counters *counters, const struct config *config, struct error *err);
void counters_done(struct counters *counters);

/* One more.  A name without a row counts as none; @counters may be NULL. */
void counters_issued(struct counters *counters, const char *token, enum source source, bool stale);
/** counters_refused() - @token: outside text, or NULL */
void counters_refused(struct counters *counters, const char *token, enum diagnosis code);
void counters_requested(struct counters *counters, const char *identity, const char *url,
                        enum diagnosis code);
