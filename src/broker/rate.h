/*
 * How often the processes of one cgroup may ask: a token bucket for each, in a table that nobody
 * can make grow.
 *
 * A bucket belongs to the part of the cgroup's path that names the unit or container: what a unit
 * makes below itself is counted with it.  A full bucket is as good as none, so rows are used again
 * as soon as theirs is full.  While there is no row, all further cgroups share one bucket.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/budget.h"
#include "broker/peer.h"

/* Cgroups that ask more often than they may, all at once, and are still told apart. */
#define RATE_ROWS 128

struct rate_row {
        char origin[CGROUP_PATH_MAX];
        struct budget budget;
};

struct rate {
        size_t used;
        struct budget shared;
        struct rate_row rows[RATE_ROWS];
};

/** rate_new() - an empty table, or NULL.  It is on pages of its own: of a table this large what is
 * never used costs no memory. */
struct rate *rate_new(void);

/** rate_free() - NULL is fine.  Return: NULL. */
struct rate *rate_free(struct rate *rate);

/**
 * rate_take() - counts one request
 * @per_second: how many come back in a second; 0: no limit
 * @burst:      how many at once
 * @now:        monotonic
 *
 * Return: true, or false if it is one too many.  Then the next is allowed within a second.
 */
bool rate_take(struct rate *rate, const struct peer *peer, unsigned per_second, unsigned burst,
               usec_t now);

/** rate_origin() - whose bucket it is: the unit's or container's part of the cgroup's path, or "uid
 * 0" where that is unknown */
const char *rate_origin(const struct peer *peer, char buffer[static CGROUP_PATH_MAX]);
