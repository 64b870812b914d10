/*
 * Whether the forge still knows a token's value: asked when a job reports that it was refused.
 *
 * A report costs its sender nothing and may be a lie, so what reports can make the broker do is
 * bounded, whatever their number: one question in flight per token, one per VERIFY_INTERVAL and
 * value, and per forge VERIFY_DEAD_MAX answers "I do not know it" per VERIFY_DEAD_SPAN, because a
 * forge locks out an address that goes on to show it dead tokens.  In between the last verdict
 * counts.
 */
#pragma once

#include "broker/expiry.h"
#include "broker/refresh.h"
#include "forge/alive.h"
#include "forge/preflight.h"

#define VERIFY_INTERVAL  (10 * USEC_PER_SEC)
#define VERIFY_DEAD_MAX  5
#define VERIFY_DEAD_SPAN (60 * USEC_PER_SEC)
/* a forge that limits how often it is asked does not say to us for how long */
#define VERIFY_PAUSE (60 * USEC_PER_SEC)

/* One forge, and how much of its patience is used up. */
struct verify_forge {
        const struct forge_config *config;
        /* boottime of the last verdicts that a token is dead; a ring */
        usec_t dead_at[VERIFY_DEAD_MAX];
        size_t next;
        unsigned in_flight;
        struct waiter_list room;  /* who waits until fewer are in flight */
        usec_t paused_until;      /* boottime: it limits how often it is asked */
        usec_t jobs_paused_until; /* likewise, but only with the tokens that jobs hand in */
};

/* One token.  Embedded. */
struct verify {
        struct refresh *refresh;
        struct http_client *http;
        struct verify_forge *forge;
        struct forge_alive *alive; /* in flight */
        struct waiter_list waiters;

        /* the value that the question is or was about; "": none yet */
        char print[FINGERPRINT_MAX];
        usec_t answered_at; /* boottime of the verdict; 0: none yet */
        enum forge_life life;
        struct error *error; /* why it is not ALIVE; error_keep() */

        char expiring[FINGERPRINT_MAX]; /* the value that expires_at is of; "": none */
        usec_t expires_at;              /* wall clock, as the forge says; 0: it does not */
        struct expiry expiry;           /* what was said about its coming */
        usec_t expiry_asked_at;         /* boottime; 0: never */
};

void verify_init(struct verify *verify, struct refresh *refresh, struct http_client *http,
                 struct verify_forge *forge);

/** verify_done() - drops what is in flight; waiters are woken */
void verify_done(struct verify *verify);

/** verify_adopt() - takes over the verdict of @from, which was about the same token at the same
 * forge */
void verify_adopt(struct verify *verify, const struct verify *from);

/** verify_same_forge() - true if both are one forge: what it said, and its patience, go on over a
 * reload */
bool verify_same_forge(const struct forge_config *a, const struct forge_config *b);

/** verify_forge_asked() - one more question is in flight, which may be refused;
 * verify_forge_answered() at its end, whatever it was */
void verify_forge_asked(struct verify_forge *forge);

/** verify_forge_answered() - likewise one less: who waits for room is woken */
void verify_forge_answered(struct verify_forge *forge);

/** verify_forge_refused() - it said that it does not know a token */
void verify_forge_refused(struct verify_forge *forge, usec_t now);

/** verify_forge_pause() - it said that it is asked too often */
void verify_forge_pause(struct verify_forge *forge, usec_t now);

/** verify_forge_wait() - 0: the forge may be asked now; else for how long not.  @now: boottime */
usec_t verify_forge_wait(const struct verify_forge *forge, usec_t now);

enum { VERIFY_ANSWERED = 0, VERIFY_WAIT = 1 };

/**
 * verify_value() - the forge's verdict on the value that is held now
 * @since:    boottime: when the caller's own question began; a verdict from then on is never too
 *            old for it
 * @may_wait: false: time is over, answer now
 * @waiter:   joins those that wait for VERIFY_WAIT
 * @ret_life: for VERIFY_ANSWERED
 * @ret_retry_after: for -DIAG_TOO_MANY_REQUESTS
 * @err:      for VERIFY_ANSWERED why it is not ALIVE
 *
 * Return: VERIFY_ANSWERED, VERIFY_WAIT, or -DIAG_TOO_MANY_REQUESTS: the forge has been asked too
 * often.
 */
int verify_value(struct verify *verify, const struct value *value, usec_t since, bool may_wait,
                 struct waiter *waiter, enum forge_life *ret_life, usec_t *ret_retry_after,
                 struct error *err);

/**
 * verify_learn() - what a preflight found out
 * @print: the value of the broker's that it was about; NULL: one of a job's, of which only the
 *         forge's patience is news
 */
void verify_learn(struct verify *verify, const char *print, const struct forge_report *report);

/** verify_expires_at() - when the value of that fingerprint ends, as its forge says; wall clock, 0:
 * it does not say */
usec_t verify_expires_at(const struct verify *verify, const char *print);

/** verify_found_dead() - what the forge said when it did not know that value; NULL if it did not
 * say so.  Borrowed. */
const struct error *verify_found_dead(const struct verify *verify, const char *print);
