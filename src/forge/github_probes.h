/*
 * What GitHub is asked about a token: the requests, and what the judgement and they both look at.
 */
#pragma once

#include "forge/draft.h"
#include "forge/upload.h"

enum github_probe {
        USER,
        INSTALLATION,
        REPOSITORY,
        FETCH,
        PUSH,
        BRANCH,
        RULES,
        TAG_RULESETS,
        EMPTY_RELEASE,
        RULESET_A,
        RULESET_B,
        RULESET_C,
        RULESET_D,
        /* Of a write probe, in the order of draft.h. */
        CREATE,
        FIND,
        DELETE,
        DELETE_AGAIN,
        /* Of the registry, in the order of upload.h. */
        CHALLENGE,
        BEARER,
        OPEN,
        CLOSE,
        CLOSE_AGAIN,
        GITHUB_PROBES
};

/* A ref under more rulesets is not judged. */
#define GITHUB_RULESETS_MAX (RULESET_D - RULESET_A + 1)

extern const struct forge_probe github_probes[GITHUB_PROBES];
extern const struct forge_refusal github_refusals[];

/** github_is_installation() - the token is an App's or a job's own, which has no user */
bool github_is_installation(const struct forge_inquiry *inquiry);

/** github_scopes() - those of a classic token, parted by commas; NULL for any other, whose
 * permissions nothing shows */
const char *github_scopes(const struct forge_inquiry *inquiry);

/** github_has_scope() - one of them */
bool github_has_scope(const char *scopes, const char *name);

/** github_value(), github_identify() - as forge_evidence wants them */
const char *github_value(const struct forge_inquiry *inquiry, const char *name,
                         char made[static FORGE_MADE_MAX]);
void github_identify(const struct forge_inquiry *inquiry, struct forge_report *report);

/** github_ruleset() - the nth ruleset that may stop a push to the question's ref, from 0; 0: there
 * are no more */
json_int_t github_ruleset(const struct forge_inquiry *inquiry, size_t n);

enum github_rule { RULE_PASSES, RULE_DEPENDS, RULE_STOPS };

/** github_rule() - what a rule of that type does to a push */
enum github_rule github_rule(const struct forge_inquiry *inquiry, const char *type);

/** github_judge_ref() - whether the rules of the question's ref let its token pass */
void github_judge_ref(const struct forge_inquiry *inquiry, struct forge_finding *ret);

/** github_refused() - forge_finding_refused(), with what GitHub says in headers */
void github_refused(const struct forge_inquiry *inquiry, size_t probe, struct forge_finding *ret);
