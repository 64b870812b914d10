/*
 * Who vouches for a job, asked as seldom as possible: what was answered counts for a while, a
 * question in flight is shared, and a forge is not shown more bad tokens than it bears.
 *
 *      ask -> known? -> [facts, or the refusal]
 *              '-> in flight? -> wait    '-> may the forge be asked? -> start -> wait    '-> too-many-requests
 *
 * Facts of an ID token count until it expires, VOUCH_ID_TOKEN_KEPT at most, those of an automatic
 * token for VOUCH_KEPT.  A token that the forge does not know is not shown to it again.  Per forge
 * and minute VERIFY_DEAD_MAX refusals, the reports of broker/verify included, and of these at most
 * VOUCH_ORIGIN_MAX for one unit or container: a hostile job does not use up everybody's.  Nor does
 * one whose token is over its limit: for VERIFY_PAUSE that unit's or container's proofs wait, and
 * all others only if VERIFY_DEAD_MAX of them met the same, which is then no limit of one token's.
 */
#pragma once

#include "base/fingerprint.h"
#include "broker/peer.h"
#include "broker/verify.h"
#include "broker/waiter.h"
#include "forge/vouch.h"

#define VOUCH_ENTRIES_MAX 256
#define VOUCH_ORIGIN_MAX  2

struct vouch_entry;

/* Who showed a forge what it did not bear.  A ring. */
struct vouch_marks {
        struct {
                struct peer peer;
                usec_t at; /* boottime; 0: none */
        } marks[VERIFY_DEAD_MAX];
        size_t next;
};

/* One forge, what it signs with, and who showed it bad tokens of late, or such as it is asked
 * about too often. */
struct vouch_forge {
        struct key_desk keys;
        struct verify_forge *patience;
        struct vouch_marks refused, limited;
};

/* Embedded; one for each generation of the configuration. */
struct vouch_desk {
        const struct fingerprint_key *key;
        struct vouch_forge *forges; /* in the configuration's order */
        size_t n_forges;
        struct vouch_entry *entries; /* the one that was asked for last comes first */
        size_t n_entries;
};

/**
 * vouch_desk_init() - @patience: one per forge of the configuration, in its order; borrowed, like
 * @client and @key
 *
 * Return: 0 or -DIAG_INTERNAL_ERROR.
 */
int vouch_desk_init(struct vouch_desk *desk, struct http_client *client,
                    const struct fingerprint_key *key, struct verify_forge *patience,
                    size_t n_forges, struct error *err);

/** vouch_desk_done() - drops what is in flight; waiters are woken */
void vouch_desk_done(struct vouch_desk *desk);

enum { VOUCH_DESK_ANSWERED = 0, VOUCH_DESK_WAIT = 1 };

/**
 * vouch_desk_ask() - which job is asking
 * @forge:    of the configuration
 * @peer:     who shows the proof
 * @may_wait: false: time is over, answer now
 * @waiter:   joins those that wait, for VOUCH_DESK_WAIT
 * @ret:      for VOUCH_DESK_ANSWERED; borrowed until the loop turns again
 * @ret_retry_after: for a refusal that time may cure; else 0
 *
 * Return: VOUCH_DESK_ANSWERED, VOUCH_DESK_WAIT, -DIAG_PROOF_REJECTED, -DIAG_PROOF_INSUFFICIENT,
 * -DIAG_TOO_MANY_REQUESTS, -DIAG_INTERNAL_ERROR.
 */
int vouch_desk_ask(struct vouch_desk *desk, const struct forge_config *forge,
                   const struct vouch_question *question, const struct peer *peer, bool may_wait,
                   struct waiter *waiter, const struct job_facts **ret, usec_t *ret_retry_after,
                   struct error *err);
