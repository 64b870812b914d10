/*
 * What Forgejo and Gitea are asked about a token, and what it proves.  docs/upstream/forges.md has
 * each fact's source.
 *
 * Their routes look at scope, visibility and the right on the unit before they look at the body: an
 * empty object that is refused for its body alone proves the right, and nothing is written.  Git's
 * advertisement of a push proves none: readers get it as well, for refs/for/.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "forge/forgejo_probes.h"

static const char *value(const struct forge_inquiry *inquiry, const char *name,
                         char made[static FORGE_MADE_MAX]) {
        const char *login = json_member_string(inquiry->replies[USER].root, "login");

        if (strcmp(name, "login") == 0 || strcmp(name, "who") == 0)
                return login && *login ? login : NULL;
        return strcmp(name, "draft") == 0 ? draft_number(inquiry, CREATE, made) : NULL;
}

/* Its user's list has each token with its last eight characters. */
static const json_t *find_in_list(const struct forge_inquiry *inquiry) {
        const char *bytes = secret_bytes(inquiry->token);
        size_t length = secret_length(inquiry->token), i;
        const json_t *token;

        if (inquiry_status(inquiry, TOKENS) != 200 || length < 8)
                return NULL;
        json_array_foreach(inquiry->replies[TOKENS].root, i, token) {
                const char *last = json_member_string(token, "token_last_eight");

                if (last && strlen(last) == 8 && memcmp(last, bytes + length - 8, 8) == 0)
                        return token;
        }
        return NULL;
}

static void identify(const struct forge_inquiry *inquiry, struct forge_report *report) {
        const char *login = json_member_string(inquiry->replies[USER].root, "login");
        const json_t *token = inquiry_status(inquiry, TOKEN) == 200 ? inquiry->replies[TOKEN].root
                                                                    : find_in_list(inquiry);

        if (!login)
                login = json_member_string(json_object_get(token, "user"), "login");
        forge_report_login(inquiry, report, login);
        report->kind = forgejo_is_job(inquiry) ? "job-token" : "personal-access-token";
        forge_report_scopes(report, json_object_get(token, "scopes"));
        if (login)
                forge_finding_yes(inquiry, &report->identity, "the forge knows the token");
        else
                forge_finding_yes(inquiry, &report->identity,
                                  "the token is valid, but may not read its own user");
        if (!login)
                error_remedy_set(
                    &report->identity.error,
                    "Add the scope read:user to see the name; it is not needed for anything "
                    "else.");
}

/* Whether an empty object to that route was refused for its body alone. */
static void judge_empty(const struct forge_inquiry *inquiry, size_t probe, const char *evidence,
                        struct forge_finding *ret) {
        if (forgejo_is_refused_for_body(inquiry, probe))
                forge_finding_yes(inquiry, ret, evidence);
        else
                forge_finding_refused(inquiry, probe, ret);
}

/* The forge itself says 404; a proxy's is none. */
static bool is_not_found(const struct forge_inquiry *inquiry, size_t probe,
                         struct forge_finding *ret) {
        if (inquiry_status(inquiry, probe) != 404)
                return false;
        forge_finding_refused(inquiry, probe, ret);
        return ret->error.code == DIAG_FORGE_REPOSITORY_INVISIBLE;
}

/* That the repository is not there, or not for this token, is said in those words whatever the
 * route. */
static bool is_invisible(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        return is_not_found(inquiry, REPOSITORY, ret);
}

static void judge_read(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        struct forge_finding git;

        if (inquiry_object(inquiry, REPOSITORY, 200))
                forge_finding_yes(inquiry, ret, "the API shows {repository}, and git may fetch it");
        else
                forge_finding_refused(inquiry, REPOSITORY, ret);
        if (inquiry_advertised(inquiry, FETCH, "git-upload-pack"))
                return;
        forge_finding_refused(inquiry, FETCH, &git);
        forge_finding_worst(ret, &git);
}

static void judge_branch(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        const json_t *branch = inquiry->replies[BRANCH].root;

        if (is_not_found(inquiry, BRANCH, ret))
                forge_finding_set(
                    inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                    "there is no branch {branch} yet, and whether a rule holds for its name only "
                    "administrators can read",
                    "Make the branch, or look at {url}/{repository}/settings/branches.");
        else if (!inquiry_object(inquiry, BRANCH, 200) ||
                 !json_is_boolean(json_object_get(branch, "protected")))
                forge_finding_refused(inquiry, BRANCH, ret);
        else if (!json_member_true(branch, "protected"))
                forge_finding_yes(inquiry, ret, "the branch {branch} is not protected");
        else if (forgejo_is_job(inquiry))
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "the branch {branch} is protected, and the forge does not say "
                                  "whether a job's own token passes",
                                  "Use a token of a person, and add that person to the branch's "
                                  "push allow-list.");
        else if (json_member_true(branch, "user_can_push"))
                forge_finding_yes(inquiry, ret,
                                  "the branch {branch} is protected, and {who} may push to it");
        else
                forge_finding_set(
                    inquiry, ret, DIAG_FORGE_BRANCH_PROTECTED,
                    "the branch {branch} of {repository} is protected, and {who} is not in its "
                    "push allow-list",
                    "Add {who} to the push allow-list ({url}/{repository}/settings/branches), or "
                    "open a pull request.");
}

/*
 * The rules for tags are for administrators to read; that there are none at all is an answer as
 * well.  A draft that was taken is none: the rules are looked at when a release is published.
 */
static void judge_tag(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        judge_empty(
            inquiry, TAGS,
            "the forge would make a tag: POST tags with nothing in it was refused for that alone",
            ret);
        if (ret->verdict != FORGE_YES)
                return;
        if (inquiry_status(inquiry, TAG_RULES) == 200 &&
            json_is_array(inquiry->replies[TAG_RULES].root) &&
            json_array_size(inquiry->replies[TAG_RULES].root) == 0)
                forge_finding_yes(inquiry, ret, "{who} may make tags, and none are protected");
        else if (inquiry_status(inquiry, CREATE) == 422)
                forge_finding_refused(inquiry, CREATE, ret);
        else
                forge_finding_set(
                    inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                    "{who} may make tags, but whether {tag} is a protected name is not shown",
                    "Look at {url}/{repository}/settings/tags.");
}

static void judge_ref(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (is_invisible(inquiry, ret))
                return;
        if (inquiry_branch(inquiry))
                judge_branch(inquiry, ret);
        else if (inquiry_tag(inquiry))
                judge_tag(inquiry, ret);
        else
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "{ref} is neither a branch nor a tag",
                                  "Name a branch (refs/heads/NAME) or a tag (refs/tags/NAME).");
}

static void judge_write(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        struct forge_finding other;

        if (is_invisible(inquiry, ret))
                return;
        judge_empty(
            inquiry, BRANCHES,
            "the forge would make a branch: POST branches with nothing in it was refused for that "
            "alone",
            ret);
        if (!inquiry_advertised(inquiry, PUSH, "git-receive-pack")) {
                forge_finding_refused(inquiry, PUSH, &other);
                forge_finding_worst(ret, &other);
        }
        if (inquiry->question.ref[0]) {
                judge_ref(inquiry, &other);
                if (ret->verdict == FORGE_YES && other.verdict == FORGE_YES)
                        forge_finding_yes(inquiry, ret,
                                          "{who} may write to {repository}, and to {ref}");
                else
                        forge_finding_worst(ret, &other);
        }
}

static void judge_release(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (is_invisible(inquiry, ret))
                return;
        if (is_not_found(inquiry, RELEASES, ret) && inquiry_status(inquiry, REPOSITORY) == 200) {
                forge_finding_set(inquiry, ret, DIAG_FORGE_PERMISSION_MISSING,
                                  "{repository} has no releases, or {who} does not see them",
                                  "Switch releases on in {url}/{repository}/settings/units, and "
                                  "let {who} write them.");
                return;
        }
        judge_empty(
            inquiry, RELEASES,
            "the forge would make a release: POST releases with nothing in it was refused for that "
            "alone",
            ret);
        if (ret->verdict != FORGE_YES)
                return;
        if (inquiry->question.write_probe) {
                if (inquiry_object(inquiry, CREATE, 201))
                        forge_finding_yes(inquiry, ret, draft_evidence(inquiry, CREATE));
                else
                        forge_finding_refused(inquiry, CREATE, ret);
        } else if (json_member_true(inquiry->replies[REPOSITORY].root, "empty")) {
                forge_finding_set(inquiry, ret, DIAG_FORGE_READ_ONLY,
                                  "{repository} has no commit yet, and a release needs one",
                                  "Push a first commit to {repository}.");
        }
}

static void judge_issues(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        struct forge_finding other;

        if (is_invisible(inquiry, ret))
                return;
        judge_empty(inquiry, ISSUES,
                    "the forge would make an issue: POST issues with nothing in it was refused for "
                    "that alone, "
                    "and the list can be read",
                    ret);
        if (inquiry_status(inquiry, PINNED) == 200 && json_is_array(inquiry->replies[PINNED].root))
                return;
        forge_finding_refused(inquiry, PINNED, &other);
        forge_finding_worst(ret, &other);
}

static void judge_packages(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        const struct forge_reply *reply = &inquiry->replies[UPLOAD];

        if (inquiry_status(inquiry, UPLOAD) == 400 && reply->root &&
            text_starts_with(reply->text, "DIGEST_INVALID"))
                forge_finding_yes(inquiry, ret,
                                  "the registry would take {image}: an upload was refused for its "
                                  "wrong digest alone");
        else
                forge_finding_refused(inquiry, UPLOAD, ret);
}

static void judge_pull(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (!is_invisible(inquiry, ret))
                judge_empty(inquiry, PULLS,
                            "the forge would open a pull request: POST pulls with nothing in it "
                            "was refused for that "
                            "alone",
                            ret);
}

static void warn(const struct forge_inquiry *inquiry, struct forge_report *report) {
        draft_warn(inquiry, CREATE, report);
        if (draft_is_deleted(inquiry, CREATE) && !inquiry_is_gone(inquiry, UNTAG) &&
            !inquiry_is_gone(inquiry, UNTAG_AGAIN))
                forge_report_warn(inquiry, report,
                                  "the draft release {draft} of {repository} was deleted, but the "
                                  "forge keeps a row for "
                                  "its tag {probe}: delete that tag there");
        if (json_member_true(inquiry->replies[REPOSITORY].root, "archived") &&
            inquiry_needs(inquiry, NEED_RELEASE_WRITE))
                forge_report_warn(
                    inquiry, report,
                    "{repository} is archived: a release that needs a new tag will fail");
}

const struct forge_evidence forge_evidence_forgejo = {
        .probes = forgejo_probes,
        .n_probes = FORGEJO_PROBES,
        .refusals = forgejo_refusals,
        .is_job = forgejo_is_job,
        .job_remedy = "Use a token of the broker's: a job's own is for the job's own repository, "
                      "only reads in a pull request from "
                      "a fork, and writes packages at a Gitea alone, where permissions: says so.",
        .value = value,
        .identify = identify,
        .judge = { judge_read, judge_write, judge_release, judge_packages, judge_issues, judge_pull,
                   judge_ref },
        .warn = warn,
};
