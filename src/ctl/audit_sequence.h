/*
 * Completeness: which sequence numbers of each of the daemon's instances were seen.
 *
 * An instance counts its records up by one from 1, whatever their kind.  Seen numbers are kept as
 * spans, so order does not matter: files of a fleet come merged, and a clock may have been set
 * back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "ctl/audit_set.h"

/* 16384 starts are one every 10 seconds for two days.  What lies above the bounds makes
 * completeness unprovable. */
#define AUDIT_INSTANCES_MAX 16384
#define AUDIT_SPANS_MAX     256

struct audit_span {
        uint64_t first, last;
        usec_t first_at, last_at; /* when these two were written */
};

struct audit_instance {
        const char *id; /* borrowed from the set */
        size_t host;    /* its number in the tally */
        usec_t first_at, last_at;
        struct audit_span *spans; /* ascending, not touching */
        size_t count;
        bool too_many; /* spans had to be given up: holes cannot be told any more */
};

struct audit_sequences {
        struct audit_set ids;
        struct audit_instance *instances; /* ids.count of them */
        uint64_t lost;                    /* records of instances above the bound */
};

int audit_sequences_init(struct audit_sequences *sequences);
void audit_sequences_done(struct audit_sequences *sequences);

enum { SEQUENCE_NEW = 0, SEQUENCE_REPEATED = 1 };

/**
 * audit_sequences_add() - one record
 *
 * Return: SEQUENCE_NEW, SEQUENCE_REPEATED (this number was there already), or -1 for lack of
 * memory.
 */
int audit_sequences_add(struct audit_sequences *sequences, const char *id, uint64_t number,
                        usec_t at, size_t host);
