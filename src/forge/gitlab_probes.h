/*
 * What GitLab is asked about a token: the requests, and what the judgement and they both look at.
 */
#pragma once

#include "forge/inquiry.h"

enum gitlab_probe {
        USER,
        JOB,
        SELF,
        PROJECT,
        FETCH,
        PUSH,
        BRANCH,
        PROTECTED,
        PROTECTED_TAGS,
        REGISTRY,
        GITLAB_PROBES
};

extern const struct forge_probe gitlab_probes[GITLAB_PROBES];
extern const struct forge_refusal gitlab_refusals[];

/* An access level (GitLab's doc/api/members.md). */
#define LEVEL_DEVELOPER 30

/** gitlab_is_job() - the token is a job's own */
bool gitlab_is_job(const struct forge_inquiry *inquiry);

/** gitlab_level() - the access level in the project, 0 for none; -1 where it cannot be seen */
json_int_t gitlab_level(const struct forge_inquiry *inquiry);

/** gitlab_judge_ref() - whether the protection of the question's ref lets its token push */
void gitlab_judge_ref(const struct forge_inquiry *inquiry, struct forge_finding *ret);
