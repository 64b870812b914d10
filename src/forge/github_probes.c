#include "forge/github_probes.h"

#include <string.h>

/* It is about refs that are to be made; a tag always is. */
static enum github_rule creation_rule(const struct forge_inquiry *inquiry) {
        if (inquiry_tag(inquiry) || inquiry_status(inquiry, BRANCH) == 404)
                return RULE_STOPS;
        return inquiry_status(inquiry, BRANCH) == 200 ? RULE_PASSES : RULE_DEPENDS;
}

enum github_rule github_rule(const struct forge_inquiry *inquiry, const char *type) {
        static const struct {
                const char *type;
                enum github_rule rule;
        } rows[] = {
                { "deletion", RULE_PASSES },
                { "pull_request", RULE_STOPS },
                { "update", RULE_STOPS },
                { "merge_queue", RULE_STOPS },
        };

        if (strcmp(type, "creation") == 0)
                return creation_rule(inquiry);
        if (inquiry_tag(inquiry) && strcmp(type, "update") == 0)
                return RULE_PASSES;
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                if (strcmp(type, rows[i].type) == 0)
                        return rows[i].rule;
        /* What is in the commits, and whether the push is forced, decides over all others. */
        return RULE_DEPENDS;
}

/* The ruleset that an entry of the list is about, if that can stop a push; else 0. */
static json_int_t ruleset_of(const struct forge_inquiry *inquiry, const json_t *entry) {
        const char *type = json_member_string(entry, "type"),
                   *target = json_member_string(entry, "target");
        const char *enforcement = json_member_string(entry, "enforcement");
        json_int_t id;

        if (inquiry_tag(inquiry)) {
                if (!target || strcmp(target, "tag") != 0 || !enforcement ||
                    strcmp(enforcement, "active") != 0)
                        return 0;
                return json_member_int(entry, "id", &id) ? id : -1;
        }
        if (!type || github_rule(inquiry, type) == RULE_PASSES)
                return 0;
        return json_member_int(entry, "ruleset_id", &id) ? id : -1;
}

json_int_t github_ruleset(const struct forge_inquiry *inquiry, size_t n) {
        const json_t *list = inquiry->replies[inquiry_tag(inquiry) ? TAG_RULESETS : RULES].root,
                     *entry;
        json_int_t found[GITHUB_RULESETS_MAX + 1];
        size_t n_found = 0, i;

        json_array_foreach(list, i, entry) {
                json_int_t id = ruleset_of(inquiry, entry);
                size_t known = 0;

                while (known < n_found && found[known] != id)
                        known++;
                if (id == 0 || known < n_found)
                        continue;
                if (n_found == n)
                        return id;
                if (n_found < ELEMENTS(found))
                        found[n_found++] = id;
        }
        return 0;
}

static bool wants_installation(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return github_is_installation(inquiry);
}

static bool wants_empty_release(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return !inquiry->question.write_probe;
}

/* The nth.  Whether the branch is there decides over one of the rules. */
static bool wants_ruleset(const struct forge_inquiry *inquiry, size_t n) {
        return (inquiry_tag(inquiry) || inquiry_is_over(inquiry, BRANCH)) &&
               github_ruleset(inquiry, n) > 0;
}

/* Only where nothing speaks against it: what is refused anyway need not be tried. */
static bool wants_create(const struct forge_inquiry *inquiry, size_t push) {
        const json_t *repository = inquiry_object(inquiry, REPOSITORY, 200);

        return inquiry->question.write_probe && repository &&
               !json_member_true(repository, "archived") &&
               inquiry_advertised(inquiry, push, "git-receive-pack");
}

static bool wants_challenge(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return inquiry->registry[0] != '\0';
}

#define REPO "{api}/repos/{repository}"
/* A release needs the same permission as a push. */
#define FOR_PUSH (1u << NEED_CONTENTS_WRITE | 1u << NEED_RELEASE_WRITE)

const struct forge_probe github_probes[GITHUB_PROBES] = {
        [USER] = { "GET", "{api}/user", STEP_API, AUTH_API, .wanted = NULL },
        [INSTALLATION] = { "GET", "{api}/installation/repositories?per_page=1", STEP_API, AUTH_API,
                           .wanted = wants_installation },
        [REPOSITORY] = { "GET", REPO, STEP_API, AUTH_API, .needs = FORGE_NEEDS_REPOSITORY },
        [FETCH] = { "GET", FORGE_FETCH_URL, STEP_GIT, AUTH_BASIC,
                    .needs = 1u << NEED_CONTENTS_READ },
        [PUSH] = { "GET", FORGE_PUSH_URL, STEP_GIT, AUTH_BASIC, .needs = FOR_PUSH },
        [BRANCH] = { "GET", REPO "/branches/{branch%}", STEP_API, AUTH_API,
                     .wanted = inquiry_wants_branch },
        [RULES] = { "GET", REPO "/rules/branches/{branch%}?per_page=100", STEP_API, AUTH_API,
                    .wanted = inquiry_wants_branch },
        [TAG_RULESETS] = { "GET", REPO "/rulesets?targets=tag&per_page=100", STEP_API, AUTH_API,
                           .wanted = inquiry_wants_tag },
        [EMPTY_RELEASE] = { "POST", REPO "/releases", STEP_API, AUTH_API, "{}",
                            .needs = 1u << NEED_RELEASE_WRITE, .wanted = wants_empty_release },
        [RULESET_A] = { "GET", REPO "/rulesets/{ruleset_a}", STEP_API, AUTH_API,
                        .wanted = wants_ruleset, .of = 0 },
        [RULESET_B] = { "GET", REPO "/rulesets/{ruleset_b}", STEP_API, AUTH_API,
                        .wanted = wants_ruleset, .of = 1 },
        [RULESET_C] = { "GET", REPO "/rulesets/{ruleset_c}", STEP_API, AUTH_API,
                        .wanted = wants_ruleset, .of = 2 },
        [RULESET_D] = { "GET", REPO "/rulesets/{ruleset_d}", STEP_API, AUTH_API,
                        .wanted = wants_ruleset, .of = 3 },
        [CREATE] = { "POST", REPO "/releases", STEP_API, AUTH_API, DRAFT_BODY,
                     .needs = 1u << NEED_RELEASE_WRITE, .wanted = wants_create, .of = PUSH },
        [FIND] = { "GET", REPO "/releases?per_page=10", STEP_API, AUTH_API, .cleans_up = true,
                   .wanted = draft_may_be_there, .of = CREATE },
        [DELETE] = { "DELETE", REPO "/releases/{draft}", STEP_API, AUTH_API, .cleans_up = true,
                     .wanted = draft_wants_delete, .of = CREATE },
        [DELETE_AGAIN] = { "DELETE", REPO "/releases/{draft}", STEP_API, AUTH_API,
                           .cleans_up = true, .wanted = inquiry_delete_failed, .of = DELETE },
        [CHALLENGE] = { "GET", "{registry}/v2/", STEP_REGISTRY, AUTH_NONE,
                        .needs = 1u << NEED_PACKAGES_WRITE, .wanted = wants_challenge },
        [BEARER] = { "GET", UPLOAD_BEARER_URL, STEP_REGISTRY, AUTH_BASIC,
                     .wanted = upload_wants_bearer, .of = CHALLENGE },
        [OPEN] = { "POST", "{registry}/v2/{image}/blobs/uploads/", STEP_REGISTRY, AUTH_BEARER,
                   .wanted = upload_wants_open, .of = CHALLENGE },
        [CLOSE] = { "DELETE", "{upload}", STEP_REGISTRY, AUTH_BEARER, .cleans_up = true,
                    .wanted = upload_wants_close, .of = CHALLENGE },
        [CLOSE_AGAIN] = { "DELETE", "{upload}", STEP_REGISTRY, AUTH_BEARER, .cleans_up = true,
                          .wanted = inquiry_delete_failed, .of = CLOSE },
};

_Static_assert(GITHUB_PROBES <= FORGE_PROBES_MAX, "more probes than an inquiry has room for");
