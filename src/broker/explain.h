/*
 * The rules of a token in sentences: who gets it, and whether a case would.  Nothing is issued,
 * asked or recorded.
 *
 * The decision itself is broker/policy's, the same that a request meets.
 */
#pragma once

#include "broker/policy.h"

#define EXPLAIN_TEXT_MAX 1024

/**
 * explain_exposure() - what it means that a token asks for no proof: "every container with the
 * mount gets this token, ..."
 *
 * Return: a constant, or NULL for a token that asks for one.
 */
const char *explain_exposure(const struct token_config *token);

/**
 * explain_dead_end() - why no job can meet the rules of a token, whatever it shows: its forge's
 * proofs tell less than they ask for
 * @why: the reason, and with err's remedy what to do
 *
 * Return: false if some can.
 */
bool explain_dead_end(const struct token_config *token, struct error *why);

/** explain_rules() - who gets the token, in a sentence, and if that is nobody in two; returns
 * @text */
const char *explain_rules(const struct token_config *token, char text[static EXPLAIN_TEXT_MAX]);

/* A case: a process of uid 0 and its job.  Outside text, NULL where nothing is said. */
struct explain_query {
        const char *unit;      /* as systemctl shows it */
        const char *container; /* "docker:ID", "podman:ID", or the ID of docker's */
        const char *repository, *event, *ref;
        /* "oidc", "run-api", "repository", "none"; NULL: the best of the forge, if anything is
         * said of the job */
        const char *proof;
        const char *fork; /* "yes" or "no" */
};

struct explanation {
        bool asked; /* there was a case; else only who gets the token is said */
        bool allowed;
        enum vouched by; /* the proof that was assumed */
        struct policy_verdict verdict;
        struct error error;          /* of a refusal */
        char unit[CGROUP_UNIT_MAX];  /* that was looked for; "": none is known */
        char text[EXPLAIN_TEXT_MAX]; /* the sentence */
};

/** explain_case() - whether it gets the token, and by which rule; 0 or -DIAG_MALFORMED_REQUEST */
int explain_case(const struct token_config *token, const struct explain_query *query,
                 struct explanation *ret, struct error *err);
