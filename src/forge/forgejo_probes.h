/*
 * What Forgejo and Gitea are asked about a token: the requests, and what the judgement and they both look at.
 */
#pragma once

#include "forge/inquiry.h"

enum forgejo_probe {
        USER, TOKENS, TOKEN, REPOSITORY, FETCH, PUSH, BRANCHES, BRANCH, TAGS, TAG_RULES, RELEASES, ISSUES, PINNED, PULLS, UPLOAD,
        /* Of a write probe, in their order. */
        CREATE, FIND, DELETE, DELETE_AGAIN, UNTAG, UNTAG_AGAIN,
        FORGEJO_PROBES
};

extern const struct forge_probe forgejo_probes[FORGEJO_PROBES];
extern const struct forge_refusal forgejo_refusals[];

/** forgejo_is_job() - the token is a job's own */
bool forgejo_is_job(const struct forge_inquiry *inquiry);

/** forgejo_is_object() - a probe was answered with that status and a JSON object */
bool forgejo_is_object(const struct forge_inquiry *inquiry, size_t probe, int status);

/** forgejo_is_refused_for_body() - an empty object was refused for its body alone: all that stands before it was passed */
bool forgejo_is_refused_for_body(const struct forge_inquiry *inquiry, size_t probe);

/** forgejo_draft_id() - the number of the draft release that a write probe made; false if it is not known to have made one */
bool forgejo_draft_id(const struct forge_inquiry *inquiry, json_int_t *ret);

/** forgejo_is_gone() - a probe that deletes has done so, or there was nothing */
bool forgejo_is_gone(const struct forge_inquiry *inquiry, size_t probe);

/** forgejo_may_have_made() - the answer to a write probe was lost */
bool forgejo_may_have_made(const struct forge_inquiry *inquiry);
