/*
 * What GitLab's answers prove.  docs/upstream/forges.md has each fact's source.
 *
 * Git's advertisement of a push is for those who may push to some branch, and the registry's token
 * lists what was granted. For releases, issues and merge requests there is the person's role and
 * the token's scope, which can refuse and not prove; GitLab has no drafts, so that nothing is
 * written here.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "forge/gitlab_probes.h"
#include "forge/registry_token.h"

#define SENTENCE_MAX 256

bool gitlab_is_job(const struct forge_inquiry *inquiry) {
        return inquiry_object(inquiry, JOB, 200) != NULL;
}

static enum forge_life job_life(const struct forge_inquiry *inquiry, struct error *err) {
        const json_t *job = inquiry_object(inquiry, JOB, 200);
        struct forge_finding refused;

        if (json_is_object(json_object_get(job, "pipeline"))) {
                *err = (struct error){ 0 };
                return FORGE_TOKEN_ALIVE;
        }
        /* What was said of a user's token stands. */
        if (inquiry_status(inquiry, JOB) == 401 && inquiry_is_over(inquiry, USER))
                return inquiry->life;
        forge_finding_refused(inquiry, JOB, &refused);
        *err = refused.error;
        return refused.error.code == DIAG_FORGE_TOKEN_REJECTED ? FORGE_TOKEN_DEAD
                                                               : FORGE_TOKEN_UNKNOWN;
}

static const json_t *scopes_of(const struct forge_inquiry *inquiry) {
        const json_t *scopes = json_object_get(inquiry_object(inquiry, SELF, 200), "scopes");

        return json_is_array(scopes) ? scopes : NULL;
}

/* False only where the scopes are seen, and none of these is among them. */
static bool may_have_scope(const struct forge_inquiry *inquiry, const char *one,
                           const char *other) {
        const json_t *scopes = scopes_of(inquiry), *entry;
        size_t i;

        json_array_foreach(scopes, i, entry) {
                const char *text = json_string_value(entry);

                if (text && (strcmp(text, one) == 0 || strcmp(text, other) == 0))
                        return true;
        }
        return !scopes;
}

json_int_t gitlab_level(const struct forge_inquiry *inquiry) {
        static const char *const through[] = { "project_access", "group_access" };
        const json_t *permissions =
            json_object_get(inquiry_object(inquiry, PROJECT, 200), "permissions");
        json_int_t level = 0, one;

        if (!json_is_object(permissions))
                return -1;
        for (size_t i = 0; i < ELEMENTS(through); i++)
                if (json_member_int(json_object_get(permissions, through[i]), "access_level",
                                    &one) &&
                    one > level)
                        level = one;
        return level;
}

static const char *value(const struct forge_inquiry *inquiry, const char *name,
                         char made[static FORGE_MADE_MAX]) {
        const char *login = json_member_string(inquiry_object(inquiry, USER, 200), "username");

        (void)made;
        if (strcmp(name, "username") == 0)
                return gitlab_is_job(inquiry) ? "gitlab-ci-token" : NULL;
        if (strcmp(name, "who") != 0)
                return NULL;
        return gitlab_is_job(inquiry) ? "the job" : login && *login ? login : NULL;
}

/* A token ends as its day begins, in UTC. */
static usec_t read_expiry(const char *day) {
        usec_t end;

        return day && clock_parse_day(day, &end) ? end - 24 * USEC_PER_HOUR : 0;
}

/* The users of project and group tokens are bots with names of their own. */
static const char *kind_of(const struct forge_inquiry *inquiry, const char *login) {
        if (gitlab_is_job(inquiry))
                return "job-token";
        if (text_starts_with(login, "project_"))
                return "project-token";
        return text_starts_with(login, "group_") ? "group-token" : "personal-access-token";
}

static void identify(const struct forge_inquiry *inquiry, struct forge_report *report) {
        const json_t *user = inquiry_object(inquiry, USER, 200),
                     *self = inquiry_object(inquiry, SELF, 200);
        const char *login;

        if (gitlab_is_job(inquiry))
                user = json_object_get(inquiry_object(inquiry, JOB, 200), "user");
        login = json_member_string(user, "username");
        forge_report_login(inquiry, report, login);
        report->kind = kind_of(inquiry, report->login);
        forge_report_scopes(report, scopes_of(inquiry));
        report->expires_at = read_expiry(json_member_string(self, "expires_at"));
        if (login) {
                forge_finding_yes(inquiry, &report->identity, "the forge knows the token");
                return;
        }
        forge_finding_yes(inquiry, &report->identity,
                          "the token is valid, but may not read its own user");
        error_remedy_set(
            &report->identity.error,
            "Add the scope read_user to see the name; it is not needed for anything else.");
}

static void lack_scope(const struct forge_inquiry *inquiry, const char *scope,
                       struct forge_finding *ret) {
        char evidence[SENTENCE_MAX], remedy[SENTENCE_MAX];

        (void)snprintf(evidence, sizeof(evidence), "{token} lacks the scope %s", scope);
        (void)snprintf(remedy, sizeof(remedy),
                       "Create {new_token} with %s ({url}/-/user_settings/personal_access_tokens, "
                       "or the project's access "
                       "tokens) and store it {kept}.",
                       scope);
        forge_finding_set(inquiry, ret, DIAG_FORGE_SCOPE_MISSING, evidence, remedy);
}

static bool is_archived(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (!json_member_true(inquiry_object(inquiry, PROJECT, 200), "archived"))
                return false;
        forge_finding_set(inquiry, ret, DIAG_FORGE_READ_ONLY, "{repository} is archived",
                          "Unarchive it ({url}/{repository}/edit), or use another project.");
        return true;
}

/* Of a refusal of the forge's own, that it is for lack of one of these scopes.  True if it is. */
static bool is_for_scope(const struct forge_inquiry *inquiry, const char *one, const char *other,
                         struct forge_finding *ret) {
        if (ret->verdict != FORGE_NO || ret->error.code == DIAG_FORGE_REPOSITORY_INVISIBLE ||
            may_have_scope(inquiry, one, other))
                return false;
        lack_scope(inquiry, other, ret);
        return true;
}

static void judge_read(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (inquiry_advertised(inquiry, FETCH, "git-upload-pack")) {
                forge_finding_yes(inquiry, ret, "git may fetch {repository}");
                return;
        }
        forge_finding_refused(inquiry, FETCH, ret);
        if (!may_have_scope(inquiry, "api", "write_repository"))
                (void)is_for_scope(inquiry, "api", "read_repository", ret);
}

/* Git's side gives one text for all of these; the API helps to tell them apart. */
static void explain_push(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        forge_finding_refused(inquiry, PUSH, ret);
        if (ret->verdict != FORGE_NO || ret->error.code == DIAG_FORGE_REPOSITORY_INVISIBLE ||
            is_archived(inquiry, ret) || is_for_scope(inquiry, "api", "write_repository", ret))
                return;
        if (gitlab_is_job(inquiry))
                forge_finding_set(inquiry, ret, DIAG_FORGE_PERMISSION_MISSING,
                                  "a job's own token may not push to {repository}",
                                  "Push with a project's token that has write_repository, or allow "
                                  "it: {url}/{repository}/-/settings/"
                                  "ci_cd, 'Job token permissions'.");
}

static void judge_write(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        struct forge_finding ref;

        if (!inquiry_advertised(inquiry, PUSH, "git-receive-pack")) {
                explain_push(inquiry, ret);
                return;
        }
        forge_finding_yes(inquiry, ret, "git's first step of a push to {repository} is allowed");
        if (!inquiry->question.ref[0])
                return;
        gitlab_judge_ref(inquiry, &ref);
        if (ref.verdict != FORGE_YES)
                *ret = ref;
        else
                forge_finding_yes(inquiry, ret,
                                  "git's first step of a push to {repository} is allowed, and "
                                  "{ref} is open to {who}");
}

/* What needs the scope api and a role: a refusal shows, a right does not. */
static void judge_unseen(const struct forge_inquiry *inquiry, const char *what, json_int_t level,
                         struct forge_finding *ret) {
        char evidence[SENTENCE_MAX];

        if (!may_have_scope(inquiry, "api", "api")) {
                lack_scope(inquiry, "api", ret);
                return;
        }
        if (!gitlab_is_job(inquiry) && inquiry_status(inquiry, PROJECT) != 200) {
                forge_finding_refused(inquiry, PROJECT, ret);
                return;
        }
        if (is_archived(inquiry, ret))
                return;
        if (gitlab_level(inquiry) >= 0 && gitlab_level(inquiry) < level) {
                (void)snprintf(evidence, sizeof(evidence),
                               "the role of {who} in {repository} is too low for %s", what);
                forge_finding_set(inquiry, ret, DIAG_FORGE_PERMISSION_MISSING, evidence,
                                  "Give {who} the role Developer in {repository}: "
                                  "{url}/{repository}/-/project_members.");
                return;
        }
        (void)snprintf(evidence, sizeof(evidence),
                       gitlab_is_job(inquiry)
                           ? "what a job's own token may do with %s GitLab does not show"
                           : "the role of {who} and the token's scope allow %s, but GitLab shows a "
                             "right only when it is used",
                       what);
        forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL, evidence,
                          "There is no draft at GitLab to try it with: --write-probe does not help "
                          "here. Look at {url}/{repository}/-/"
                          "settings/repository for what is protected.");
}

static void judge_packages(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        const char *token = json_member_string(inquiry_object(inquiry, REGISTRY, 200), "token");
        int grants = token ? registry_token_grants(token, inquiry->question.image, "push") : -1;

        if (grants > 0)
                forge_finding_yes(inquiry, ret, "GitLab grants push on {image} to the token");
        else if (grants == 0)
                forge_finding_set(inquiry, ret, DIAG_FORGE_PERMISSION_MISSING,
                                  "GitLab does not grant {who} push on {image}",
                                  "Give {who} the role Developer in the project of {image}.");
        else if (token)
                forge_finding_set(
                    inquiry, ret, DIAG_UPSTREAM_MALFORMED,
                    "the registry's token does not list what it grants",
                    "Check url of [forge {forge}]: {url}/jwt/auth is to be GitLab's.");
        else
                forge_finding_refused(inquiry, REGISTRY, ret);
        (void)is_for_scope(inquiry, "api", "write_registry", ret);
}

static void judge_release(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        judge_unseen(inquiry, "releases", LEVEL_DEVELOPER, ret);
}

/* Who is no member may open one in a public project, and a merge request from a fork. */
static void judge_issues(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        judge_unseen(inquiry, "issues", 0, ret);
}

static void judge_pull(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        judge_unseen(inquiry, "merge requests", 0, ret);
}

static void warn(const struct forge_inquiry *inquiry, struct forge_report *report) {
        if (inquiry->question.write_probe)
                forge_report_warn(inquiry, report,
                                  "GitLab has no draft releases: nothing was written");
}

const struct forge_evidence forge_evidence_gitlab = {
        .probes = gitlab_probes,
        .n_probes = GITLAB_PROBES,
        .second = JOB,
        .refusals = gitlab_refusals,
        .is_job = gitlab_is_job,
        .job_remedy = "Use a token of the broker's, or let the job's project in: "
                      "{url}/{repository}/-/settings/ci_cd, 'Job token "
                      "permissions'.",
        .value = value,
        .second_life = job_life,
        .identify = identify,
        .judge = { judge_read, judge_write, judge_release, judge_packages, judge_issues, judge_pull,
                   gitlab_judge_ref },
        .warn = warn,
};
