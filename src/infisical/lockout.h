/*
 * How often a pair of client id and client secret was rejected, over restarts too.
 *
 * Infisical locks an identity after three wrong secrets (docs/upstream/infisical.md, "Universal
 * Auth"); a broker that logs in for every job would keep it locked for ever.  So a rejected pair is
 * tried twice, at least 60 s apart, then once per 10 minutes, until the pair changes.  An attempt
 * is written down before it is made: a crash or a kill does not forget it.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fingerprint.h"

/* Embedded; zeroed: nothing is known. */
struct lockout {
        char print[FINGERPRINT_MAX]; /* keyed fingerprint of the pair that was tried last */
        unsigned rejections;         /* attempts since the last that worked */
        usec_t last_at;              /* wall clock of the last attempt: survives a reboot */
};

/** lockout_wait() - how long this pair has to wait for its next attempt; 0: it may try now */
usec_t lockout_wait(const struct lockout *lockout, const char *print, usec_t now);

/** lockout_attempt() - counts an attempt as rejected until lockout_worked() says otherwise */
void lockout_attempt(struct lockout *lockout, const char *print, usec_t now);

/** lockout_undo() - the attempt did not reach a verdict on the pair: it does not count, its time
 * does */
void lockout_undo(struct lockout *lockout);

/** lockout_worked() - the pair was accepted */
void lockout_worked(struct lockout *lockout);

/** lockout_load() - what an earlier process wrote; nothing is known if there is no file, or one
 * that is damaged */
void lockout_load(struct lockout *lockout, const char *directory, const char *identity);

/** lockout_store() - replaces the file; 0, or -DIAG_INTERNAL_ERROR naming it */
int lockout_store(const struct lockout *lockout, const char *directory, const char *identity,
                  struct error *err);

/** lockout_parse() - one file's content; false and untouched if it is not what lockout_store()
 * writes */
bool lockout_parse(struct lockout *lockout, const char *text);
