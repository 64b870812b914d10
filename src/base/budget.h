/*
 * A token bucket: so many at once, and then one per interval, whatever the demand.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"

/* Embedded; zeroed is full. */
struct budget {
        usec_t busy_until; /* when the bucket would be full again */
};

/**
 * budget_take() - takes one if there is one
 * @now:      of one clock, always the same
 * @interval: in which one comes back
 * @burst:    how many the full bucket holds
 */
static inline bool budget_take(struct budget *budget, usec_t now, usec_t interval, unsigned burst) {
        usec_t from = budget->busy_until > now ? budget->busy_until : now;

        if (from - now > interval * (burst - 1))
                return false;
        budget->busy_until = from + interval;
        return true;
}
