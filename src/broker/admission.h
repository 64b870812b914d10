/*
 * Who is let in: the rules of a token applied to one request, and the record of a refusal.
 *
 * Every use case that uses or describes a token begins here, each time it is called: a request that
 * was parked wakes under the configuration that is in force then.
 */
#pragma once

#include "broker/broker.h"
#include "broker/policy.h"
#include "broker/refresh.h"

/* Borrowed until the loop turns again. */
struct admission {
        struct refresh *refresh;
        const struct job_facts *facts; /* NULL: no proof was asked for */
        struct policy_verdict verdict;
};

/**
 * broker_admit() - finds the token of an ask and lets the process have it, or not; who vouches for
 * its job is asked first
 *
 * Return: ASK_DONE, ASK_WAIT, or the negated diagnosis, which is counted and recorded:
 * -DIAG_UNKNOWN_TOKEN, -DIAG_PEER_REFUSED, -DIAG_PROOF_REJECTED, -DIAG_PROOF_INSUFFICIENT,
 * -DIAG_TOO_MANY_REQUESTS, -DIAG_INTERNAL_ERROR; or -DIAG_PROOF_REQUIRED, which is only counted: it
 * asks for something and refuses nothing.
 */
int broker_admit(struct broker *broker, struct ask *ask, struct admission *ret, struct error *err);

/** broker_find() - the same for operators, who are not subject to a token's rules: they make
 * them */
int broker_find(struct broker *broker, const struct ask *ask, struct refresh **ret,
                struct error *err);

/** broker_refuse() - counts and records a refusal, or that there is no value, of an ask that was
 * let in */
void broker_refuse(struct broker *broker, enum audit_kind kind, const struct ask *ask,
                   const struct admission *admission, const struct error *err);

/** broker_refuse_too_often() - likewise of one that no rule refused, but that came too often */
void broker_refuse_too_often(struct broker *broker, const struct ask *ask,
                             struct admission *admission, const struct error *err);
