/*
 * The rules of a token: who gets it.  Facts in, a decision and the rule behind it out.
 *
 *      uid 0 (broker/ask) -> units, from the kernel -> proof = required: job_*, from what a forge vouches for
 *
 * Rules narrow, none widens: whoever fails one is refused, whatever the others say, and what cannot
 * be known fails the rule that asks for it.  What a job says of itself decides nothing.
 *
 * Pure: no clock, no I/O, nothing is recorded.
 */
#pragma once

#include "base/error.h"
#include "broker/peer.h"
#include "config/config.h"
#include "forge/job_facts.h"

#define POLICY_RULE_MAX 320

struct policy_verdict {
        /* the patterns that allowed: "units docker-*.scope, job_events push"; or the one rule
         * that refused: "job_events push, release"; "": there is none */
        char rule[POLICY_RULE_MAX];
};

/**
 * policy_decide() - whether this process, with what was proven of its job, gets the token
 * @peer:  is uid 0, which the caller has seen to
 * @facts: NULL: no proof was shown
 * @ret:   written whether it is allowed or refused
 *
 * Return: 0, -DIAG_PEER_REFUSED (what is known does not fit a rule), -DIAG_PROOF_REQUIRED (none was
 * shown), or -DIAG_PROOF_INSUFFICIENT (the proof does not tell what a rule asks for).
 */
int policy_decide(const struct token_config *token, const struct peer *peer,
                  const struct job_facts *facts, struct policy_verdict *ret, struct error *err);

/**
 * policy_may_ask() - the part that is known without a proof: whether the process may see the token,
 * and ask for it
 *
 * Return: 0 or -DIAG_PEER_REFUSED; @ret and @err as above.
 */
int policy_may_ask(const struct token_config *token, const struct peer *peer,
                   struct policy_verdict *ret, struct error *err);

/**
 * policy_allows_target() - no confused deputy: what a token is not for, nobody may try with it
 * through the broker
 * @repository:  "owner/name", or an image; "": none
 * @write_probe: something is to be written there for a moment
 *
 * A token is for what `for` and `job_repositories` name; one that has neither is for all of its
 * forge.
 * Return: 0 or -DIAG_PROOF_INSUFFICIENT; @ret and @err as above.
 */
int policy_allows_target(const struct token_config *token, const char *repository, bool write_probe,
                         struct policy_verdict *ret, struct error *err);
