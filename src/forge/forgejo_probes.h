/*
 * What Forgejo and Gitea are asked about a token: the requests, and what the judgement and they
 * both look at.
 */
#pragma once

#include "forge/draft.h"

enum forgejo_probe {
        USER,
        TOKENS,
        TOKEN,
        REPOSITORY,
        FETCH,
        PUSH,
        BRANCHES,
        BRANCH,
        TAGS,
        TAG_RULES,
        RELEASES,
        ISSUES,
        PINNED,
        PULLS,
        UPLOAD,
        /* Of a write probe, in the order of draft.h. */
        CREATE,
        FIND,
        DELETE,
        DELETE_AGAIN,
        UNTAG,
        UNTAG_AGAIN,
        FORGEJO_PROBES
};

extern const struct forge_probe forgejo_probes[FORGEJO_PROBES];
extern const struct forge_refusal forgejo_refusals[];

/** forgejo_is_job() - the token is a job's own */
bool forgejo_is_job(const struct forge_inquiry *inquiry);

/** forgejo_is_refused_for_body() - an empty object was refused for its body alone: all that stands
 * before it was passed */
bool forgejo_is_refused_for_body(const struct forge_inquiry *inquiry, size_t probe);
