/*
 * The one check-up of a running broker: who asks while it runs waits for it, and two begin at least
 * 10 s apart, as refreshes on demand do.
 */
#pragma once

#include "broker/doctor.h"
#include "broker/waiter.h"

/* Embedded; zeroed: there was none yet. */
struct doctor_desk {
        struct doctor *run;          /* NULL: none runs */
        json_t *report;              /* of the last one */
        struct error error;          /* the last one failed */
        usec_t started_at, ended_at; /* boottime; 0: there is no last one */
        usec_t checked_at;           /* the same, wall clock */
        struct waiter_list waiters;
};

enum { DOCTOR_READY = 0, DOCTOR_WAIT = 1 };

/**
 * doctor_desk_ask() - the report, or a place in the queue
 * @waited:         it was woken: the end of the run that it waited for is its answer
 * @ret:            a new reference
 * @ret_checked_at: wall clock
 *
 * Return: DOCTOR_READY, DOCTOR_WAIT (@waiter is woken and asks again), or a negated diagnosis.
 */
int doctor_desk_ask(struct doctor_desk *desk, const struct doctor_context *context,
                    struct waiter *waiter, bool waited, json_t **ret, usec_t *ret_checked_at,
                    struct error *err);

/** doctor_desk_drop() - the generation ends: what runs is about nothing any more; who waits asks
 * again */
void doctor_desk_drop(struct doctor_desk *desk);
