/*
 * What proves to the broker which job this is.  Found in the environment, in this order:
 *
 *      FORGE_BROKER_PROOF                      as it is: an ID token that the workflow asked for (GitLab's id_tokens)
 *      ACTIONS_ID_TOKEN_REQUEST_URL, _TOKEN    with them the broker itself asks the forge for the job's ID token
 *      FORGEJO_TOKEN, GITHUB_TOKEN, ...        the automatic token of the job
 *
 * It is shown only for a request that the broker answered with proof-required: a job whose tokens
 * need none shows none.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "job/failure.h"
#include "job/locked_buffer.h"

struct proof {
        const char *variable;     /* its value is the proof */
        const char *value;        /* borrowed from the environment */
        const char *id_token_url; /* likewise; NULL: the value itself is the proof */
};

enum { PROOF_FOUND, PROOF_NONE };

/**
 * proof_find() - the job's proof
 *
 * Return: PROOF_FOUND, PROOF_NONE, or -EXIT_REFUSED for one that cannot be sent.
 */
int proof_find(struct proof *ret, struct failure *failure);

/** proof_append() - appends its request header lines.  Return: false for lack of memory. */
bool proof_append(const struct proof *proof, struct locked_buffer *request);

/** proof_explain() - adds to a refusal for its proof what this job has to show, or what the
 * workflow has to add */
void proof_explain(enum diagnosis diagnosis, struct failure *failure);
