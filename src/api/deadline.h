/*
 * Deadlines of one kind, the nearest first, behind one timer of the loop.
 *
 * A connection changes its deadline several times per request, so setting one must cost no system
 * call: the timer is left alone unless it would come too late, and finds out by itself that there
 * is nothing to do.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"

struct deadlines;

struct deadline {
        struct deadline *next, *previous;
        struct deadlines *list; /* NULL: none is set */
        usec_t at;              /* monotonic */
};

struct deadlines {
        struct deadline *first, *last;
        size_t count;
        sd_event_source *timer;
        usec_t armed; /* when the timer fires, USEC_INFINITY: not at all */
        /* called with the deadline already cleared */
        void (*expired)(struct deadline *deadline);
};

int deadlines_init(struct deadlines *list, sd_event *event,
                   void (*expired)(struct deadline *deadline), struct error *err);

/** deadlines_done() - the list must be empty */
void deadlines_done(struct deadlines *list);

/** deadline_set() - puts it into @list; leaves the list it was in before */
void deadline_set(struct deadline *deadline, struct deadlines *list, usec_t at);

/** deadline_clear() - no-op if none is set */
void deadline_clear(struct deadline *deadline);
