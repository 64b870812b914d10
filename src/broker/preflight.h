/*
 * The use case `preflight`: what a token may do at its forge, asked for by a job.
 */
#pragma once

#include "broker/broker.h"
#include "forge/preflight.h"

/* Outside text, but its shape has been checked: preflight_place_is_good(). */
struct preflight_query {
        unsigned needs;                   /* 1u << enum forge_need */
        char repository[FORGE_PLACE_MAX]; /* "" where nothing was said, as the others */
        char ref[FORGE_PLACE_MAX];
        char image[FORGE_PLACE_MAX];
        bool write_probe;
        struct secret *token; /* is asked about instead of the broker's; NULL */
};

/* Borrowed until ask_done(). */
struct preflight_answer {
        const struct token_config *token;
        const char *fingerprint; /* NULL, and no source, where the job handed the value in */
        enum source source;
        bool stale;
        const struct forge_question *question;
        const struct forge_report *report;
};

/** preflight_place_is_good() - "owner/name", with groups "group/owner/name": what may stand in an
 * address */
bool preflight_place_is_good(const char *text);

/** preflight_ref_is_good() - what git allows as a ref and may stand in an address; it fits with its
 * prefix */
bool preflight_ref_is_good(const char *text);

/** preflight_ref_prefix() - what makes it a whole ref: "refs/heads/" for a bare name, else "" */
const char *preflight_ref_prefix(const char *text);

/**
 * broker_preflight() - asks the token's forge
 * @query: looked at by the first call for an ask; later ones go on with it
 *
 * Return: ASK_DONE and @ret, ASK_WAIT, or the negated diagnosis: -DIAG_UNKNOWN_TOKEN,
 * -DIAG_PEER_REFUSED, -DIAG_PROOF_INSUFFICIENT (not with this token: a repository or an image that
 * it is not for, a write probe), -DIAG_NO_USABLE_VALUE, -DIAG_TOO_MANY_REQUESTS,
 * -DIAG_FORGE_CANNOT_TELL, -DIAG_UPSTREAM_TIMEOUT.
 */
int broker_preflight(struct broker *broker, struct ask *ask, const struct preflight_query *query,
                     struct preflight_answer *ret, struct error *err);
