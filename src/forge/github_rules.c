/*
 * What protects a ref at GitHub: the rulesets that it falls under, each of which some may pass, and
 * the classic protection of branches, of which only administrators see whom it lets through.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "forge/github_probes.h"

#define SENTENCE_MAX 256

static void cannot_tell(const struct forge_inquiry *inquiry, struct forge_finding *ret,
                        const char *evidence) {
        forge_finding_set(
            inquiry, ret, DIAG_FORGE_CANNOT_TELL, evidence,
            "Look at {url}/{repository}/settings/rules with an administrator of {repository}.");
}

enum fit { FITS_NOT, MAY_FIT, FITS };

/* A pattern as GitHub reads them; one with `**`, which stands for any directories, is not read
 * here. */
static enum fit pattern_fits(const char *pattern, const char *ref) {
        if (!pattern || strstr(pattern, "**"))
                return MAY_FIT;
        return strcmp(pattern, "~ALL") == 0 || fnmatch(pattern, ref, FNM_PATHNAME) == 0 ? FITS
                                                                                        : FITS_NOT;
}

static enum fit list_fits(const json_t *patterns, const char *ref) {
        enum fit fit = FITS_NOT;
        const json_t *pattern;
        size_t i;

        json_array_foreach(patterns, i, pattern) {
                enum fit one = pattern_fits(json_string_value(pattern), ref);

                if (one > fit)
                        fit = one;
        }
        return fit;
}

/* Whether a ruleset for tags is about this one. */
static enum fit tag_fits(const struct forge_inquiry *inquiry, const json_t *ruleset) {
        const json_t *name = json_object_get(json_object_get(ruleset, "conditions"), "ref_name");
        enum fit included = list_fits(json_object_get(name, "include"), inquiry->question.ref);
        enum fit excluded = list_fits(json_object_get(name, "exclude"), inquiry->question.ref);

        if (!json_is_array(json_object_get(name, "include")))
                return MAY_FIT;
        if (excluded == FITS || included == FITS_NOT)
                return FITS_NOT;
        return excluded == MAY_FIT ? MAY_FIT : included;
}

/* The rule of a ruleset that does the most to a push, and its name where that is a known one. */
static enum github_rule worst_rule(const struct forge_inquiry *inquiry, const json_t *rules,
                                   json_int_t id, const char **ret_type) {
        enum github_rule worst = RULE_PASSES;
        const json_t *entry;
        size_t i;

        json_array_foreach(rules, i, entry) {
                const char *type = json_member_string(entry, "type");
                json_int_t of;

                if (!type || (id > 0 && (!json_member_int(entry, "ruleset_id", &of) || of != id)))
                        continue;
                if (github_rule(inquiry, type) <= worst)
                        continue;
                worst = github_rule(inquiry, type);
                *ret_type = type;
        }
        return worst;
}

/* The bypass of one ruleset, where a push that is not let past it fails, or may. */
static void judge_bypass(const struct forge_inquiry *inquiry, const json_t *ruleset, json_int_t id,
                         enum github_rule rule, const char *type, struct forge_finding *ret) {
        const char *bypass = json_member_string(ruleset, "current_user_can_bypass");
        char evidence[SENTENCE_MAX];

        if (bypass && strcmp(bypass, "always") == 0) {
                (void)snprintf(evidence, sizeof(evidence),
                               "{who} passes the ruleset %" JSON_INTEGER_FORMAT " of {repository}",
                               id);
                forge_finding_yes(inquiry, ret, evidence);
        } else if (!bypass ||
                   (strcmp(bypass, "never") != 0 && strcmp(bypass, "pull_requests_only") != 0)) {
                (void)snprintf(evidence, sizeof(evidence),
                               "{ref} is under the ruleset %" JSON_INTEGER_FORMAT
                               ", and GitHub does not say whether {who} passes it",
                               id);
                cannot_tell(inquiry, ret, evidence);
        } else if (rule == RULE_STOPS) {
                (void)snprintf(evidence, sizeof(evidence),
                               "the rule %s of the ruleset %" JSON_INTEGER_FORMAT
                               " stops a push to {ref}, and {who} may not bypass it",
                               type, id);
                forge_finding_set(
                    inquiry, ret, DIAG_FORGE_BRANCH_PROTECTED, evidence,
                    "Add the App, team or user of the token to the bypass list "
                    "({url}/{repository}/settings/rules), or open a "
                    "pull request. A job's own GITHUB_TOKEN can never be on that list.");
        } else {
                (void)snprintf(evidence, sizeof(evidence),
                               "{ref} is under the ruleset %" JSON_INTEGER_FORMAT
                               ", which {who} may not bypass and which looks at what "
                               "is pushed",
                               id);
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL, evidence,
                                  "See what the ruleset wants ({url}/{repository}/settings/rules): "
                                  "signatures, checks, a push that is not "
                                  "forced; or let {who} bypass it.");
        }
}

/* The nth ruleset.  Its rules are in the list of the branch, and in itself for a tag. */
static void judge_ruleset(const struct forge_inquiry *inquiry, size_t n, json_int_t id,
                          struct forge_finding *ret) {
        const json_t *ruleset =
            n < GITHUB_RULESETS_MAX ? inquiry_object(inquiry, RULESET_A + n, 200) : NULL;
        bool is_tag = inquiry_tag(inquiry) != NULL;
        enum fit fit = is_tag && ruleset ? tag_fits(inquiry, ruleset) : FITS;
        const json_t *rules =
            is_tag ? json_object_get(ruleset, "rules") : inquiry->replies[RULES].root;
        const char *type = "";
        enum github_rule rule;

        if (!ruleset || !json_is_array(rules)) {
                cannot_tell(inquiry, ret, "{ref} is under a ruleset that could not be read");
                if (n < GITHUB_RULESETS_MAX && inquiry->replies[RULESET_A + n].state == REPLY_NONE)
                        forge_finding_error(ret, &inquiry->replies[RULESET_A + n].error);
                return;
        }
        rule = worst_rule(inquiry, rules, is_tag ? 0 : id, &type);
        if (fit == FITS_NOT || rule == RULE_PASSES)
                forge_finding_yes(inquiry, ret, "no rule stops a push to {ref}");
        else if (fit == FITS)
                judge_bypass(inquiry, ruleset, id, rule, type, ret);
        else
                cannot_tell(inquiry, ret,
                            "{ref} may be under a ruleset, of which the pattern is not read here");
}

static void judge_rulesets(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        json_int_t id;

        forge_finding_yes(inquiry, ret, "no rule of {repository} stops a push to {ref}");
        for (size_t n = 0; (id = github_ruleset(inquiry, n)) != 0; n++) {
                struct forge_finding one;

                judge_ruleset(inquiry, n, id, &one);
                if (one.verdict < ret->verdict || n == 0)
                        *ret = one;
                if (n >= GITHUB_RULESETS_MAX)
                        return;
        }
}

/* Classic protection is about branches alone. */
static void judge_classic(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        const json_t *branch = inquiry_object(inquiry, BRANCH, 200);
        const json_t *enabled = json_object_get(json_object_get(branch, "protection"), "enabled");

        if (inquiry_status(inquiry, BRANCH) == 404)
                forge_finding_set(
                    inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                    "there is no branch {branch} yet, and whether a classic protection waits for "
                    "its name only "
                    "administrators "
                    "see",
                    "Make the branch, or look at {url}/{repository}/settings/branches.");
        else if (json_is_true(enabled))
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "the branch {branch} has a classic protection, and whether {who} "
                                  "passes it only administrators see",
                                  "Look at {url}/{repository}/settings/branches, or protect the "
                                  "branch with a ruleset, which says who "
                                  "passes.");
        else if (json_is_false(enabled))
                forge_finding_yes(inquiry, ret, "the branch {branch} has no classic protection");
        else {
                github_refused(inquiry, BRANCH, ret);
                forge_finding_unseen(ret);
        }
}

void github_judge_ref(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        size_t list = inquiry_tag(inquiry) ? TAG_RULESETS : RULES;
        bool is_whole;
        struct forge_finding classic;

        if (!inquiry_tag(inquiry) && !inquiry_branch(inquiry)) {
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "{ref} is neither a branch nor a tag",
                                  "Name a branch (refs/heads/NAME) or a tag (refs/tags/NAME).");
                return;
        }
        if (!inquiry_list(inquiry, list, &is_whole)) {
                github_refused(inquiry, list, ret);
                forge_finding_unseen(ret);
                return;
        }
        judge_rulesets(inquiry, ret);
        if (!is_whole && ret->verdict == FORGE_YES)
                cannot_tell(inquiry, ret,
                            "{repository} has more rules than are read here, and {ref} may be "
                            "under one of them");
        if (!inquiry_branch(inquiry))
                return;
        judge_classic(inquiry, &classic);
        forge_finding_worst(ret, &classic);
}
