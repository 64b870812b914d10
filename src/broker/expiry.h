/*
 * When to warn that something ends: 14, 7, 3 and 1 days ahead, once each.  Pure: the time is passed
 * in.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"

/* Embedded; zeroed: nothing was told. */
struct expiry {
        usec_t until;  /* what the warnings were about */
        unsigned told; /* the smallest number of days that was told; 0: none */
};

/**
 * expiry_due() - is there a warning to give now?
 * @until: wall clock; 0: it does not end
 * @ret:   whole days that are left, rounded up
 *
 * Another @until than before begins anew.
 */
bool expiry_due(struct expiry *expiry, usec_t until, usec_t now, unsigned *ret);

/** expiry_is_near() - true within the first warning's time */
bool expiry_is_near(usec_t until, usec_t now);
