/*
 * The rules of a token: who gets it.  Facts in, a decision and the rule behind it out.
 *
 *      uid 0 (broker/ask) -> units, from the kernel -> proof = required: job_*, from what a forge vouches for
 *
 * Rules narrow, none widens: whoever fails one is refused, whatever the others say, and what cannot be known fails the rule
 * that asks for it.  What a job says of itself decides nothing.
 *
 * Pure: no clock, no I/O, nothing is recorded.
 */
#pragma once

#include "base/error.h"
#include "broker/peer.h"
#include "config/config.h"

struct job_facts;       /* forge/vouch.h */

#define POLICY_RULE_MAX 320

struct policy_verdict {
        char rule[POLICY_RULE_MAX];     /* the patterns that allowed: "units docker-*.scope, job_events push"; or the one rule that
                                         * refused: "job_events push, release"; "": there is none */
};

/**
 * policy_decide() - whether this process, with what was proven of its job, gets the token
 * @peer:  is uid 0, which the caller has seen to
 * @facts: NULL: no proof was shown
 * @ret:   written whether it is allowed or refused
 *
 * Return: 0, -DIAG_PEER_REFUSED (what is known does not fit a rule), -DIAG_PROOF_REQUIRED (none was shown), or
 * -DIAG_PROOF_INSUFFICIENT (the proof does not tell what a rule asks for).
 */
int policy_decide(const struct token_config *token, const struct peer *peer, const struct job_facts *facts,
                  struct policy_verdict *ret, struct error *err);

/** policy_units_allow() - the part that is known without a proof: what may be listed to this process */
bool policy_units_allow(const struct token_config *token, const struct peer *peer);
