/*
 * What a forge says of a job, read from the forge's own words: the run of an automatic token, the
 * claims of an ID token. Pure: JSON in, facts out.  Nothing of it is the job's to choose, and what
 * a proof leaves open is said to be open.
 *
 * Which member is where, and who has said so: docs/upstream/forges.md, "Who vouches for a job".
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"

/* Who vouches for a job.  The names are what records say: verified=... */
enum vouched { VOUCHED_NO, VOUCHED_OIDC, VOUCHED_RUN_API, VOUCHED_REPOSITORY, VOUCHED_COUNT };

/** vouched_name() - "no", "oidc", "run-api", "repository" */
const char *vouched_name(enum vouched vouched);

/* Whether a job runs what an outsider wrote: of a fork's pull request, or of an AGit one. */
enum fork { FORK_NO, FORK_YES, FORK_UNKNOWN };

#define JOB_TEXT_MAX 256

/* "" is a text that the proof does not tell. */
struct job_facts {
        enum vouched by;
        const struct forge_config *forge; /* borrowed: which forge vouches */
        char repository[JOB_TEXT_MAX];    /* "owner/name"; never "" */
        char event[64];         /* as the workflow's `on:` names it: "push", "pull_request", ... */
        char ref[JOB_TEXT_MAX]; /* in full: "refs/heads/main" */
        char run_id[32], run_attempt[16];
        char actor[128], workflow[JOB_TEXT_MAX];
        bool event_known, ref_known;
        enum fork fork;
        usec_t expires_at; /* boottime: from then on the proof has to be shown again */
};

/**
 * job_facts_read_run() - Forgejo 16's GET actions/run
 *
 * Sets all but forge and expires_at.  Return: 0, or -DIAG_UPSTREAM_MALFORMED.
 */
int job_facts_read_run(const json_t *run, struct job_facts *ret, struct error *err);

/**
 * job_facts_read_claims() - the claims of an ID token whose signature and times hold
 * @type: GitLab's claims have other names
 *
 * Sets all but forge and expires_at.  Return: 0, or -DIAG_PROOF_REJECTED.
 */
int job_facts_read_claims(enum forge_type type, const json_t *claims, struct job_facts *ret,
                          struct error *err);

/**
 * job_facts_read_job() - GitLab's GET job
 * @url: the forge's, below which the job's own address must lie
 *
 * Sets all but forge and expires_at.  Return: 0, or -DIAG_UPSTREAM_MALFORMED.
 */
int job_facts_read_job(const char *url, const json_t *job, struct job_facts *ret,
                       struct error *err);

/**
 * job_facts_read_installation() - GitHub's GET installation/repositories, which names the one
 * repository of a job's token
 *
 * Sets all but forge and expires_at.  Return: 0; -DIAG_PROOF_REJECTED for a token that is for more
 * than one repository, and so no job's; -DIAG_UPSTREAM_MALFORMED.
 */
int job_facts_read_installation(const json_t *root, struct job_facts *ret, struct error *err);

/**
 * job_facts_tell_fork() - whether such a proof (by, event) of such a forge says whether the job is
 * of a fork's pull request
 *
 * False: fork is FORK_UNKNOWN, whatever the job is.
 */
bool job_facts_tell_fork(enum forge_type type, const struct job_facts *facts);

/** job_facts_set_event() - event, and whether it is known: "workflow_call" says how a workflow was
 * called, not what happened */
void job_facts_set_event(struct job_facts *facts, const char *event);

/* For the files that read facts. */

/** fact_set() - copies a text that is compared with rules; false, and "", if it is none, is not
 * clean or does not fit */
bool fact_set(char *buffer, size_t size, const char *text);

/** fact_set_number() - a number that is written as one or as text; false, and "", for anything
 * else */
bool fact_set_number(char *buffer, size_t size, const json_t *number);

/** fact_is_repository() - "owner/name", or with more levels where groups have groups */
bool fact_is_repository(const char *name);
