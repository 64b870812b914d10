/*
 * What GitHub's answers prove, of github.com and of a server of one's own.  docs/upstream/forges.md
 * has each fact's source.
 *
 * Git's advertisement of a push is for those who may push, and says nothing of rules.  The role
 * that the API shows is the person's: what a fine-grained token or an App's may do of it is shown
 * nowhere, so that a release is proven by a draft and by nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "forge/github_probes.h"

#define SENTENCE_MAX 384

/* "required; url=https://github.com/orgs/O/sso?...": the address is shown only if it is the
 * forge's own. */
static size_t own_address(const struct forge_inquiry *inquiry, const char *url) {
        const char *forge = inquiry->question.forge->url;
        size_t origin = strlen(forge), length = strcspn(url, " ;,");
        bool is_own = length > origin && strncmp(url, forge, origin) == 0 && url[origin] == '/';

        return is_own && strcspn(url, "{}") >= length ? length : 0;
}

static void refuse_for_sso(const struct forge_inquiry *inquiry, const char *header,
                           struct forge_finding *ret) {
        const char *url = strstr(header, "url=");
        size_t length = url ? own_address(inquiry, url + 4) : 0;
        char remedy[SENTENCE_MAX];

        if (url && length > 0)
                (void)snprintf(remedy, sizeof(remedy),
                               "Authorise the token for the organisation {owner}: %.*s",
                               (int)length, url + 4);
        else
                (void)snprintf(remedy, sizeof(remedy),
                               "Authorise the token for the organisation {owner}: "
                               "{url}/settings/tokens, 'Configure SSO'.");
        forge_finding_set(
            inquiry, ret, DIAG_FORGE_SCOPE_MISSING,
            "the token is not authorised for the organisation {owner}, which wants single sign-on",
            remedy);
}

/* What the route wants of a fine-grained token: "contents=write". */
static void refuse_for_permission(const struct forge_inquiry *inquiry, const char *accepted,
                                  struct forge_finding *ret) {
        char evidence[SENTENCE_MAX], remedy[SENTENCE_MAX];

        (void)snprintf(evidence, sizeof(evidence),
                       "{token}, a fine-grained one, lacks %.64s for {repository}", accepted);
        (void)snprintf(remedy, sizeof(remedy),
                       "Give the token {repository} and %.64s "
                       "({url}/settings/personal-access-tokens), and look for a pending approval "
                       "of the organisation {owner}.",
                       accepted);
        forge_finding_set(inquiry, ret, DIAG_FORGE_SCOPE_MISSING, evidence, remedy);
}

void github_refused(const struct forge_inquiry *inquiry, size_t probe, struct forge_finding *ret) {
        const struct forge_reply *reply = &inquiry->replies[probe];
        const char *sso = http_header(&reply->response, "x-github-sso");
        const char *accepted = http_header(&reply->response, "x-accepted-github-permissions");
        const char *left = http_header(&reply->response, "x-ratelimit-remaining");
        int status = inquiry_status(inquiry, probe);

        if (status == 403 && sso && text_starts_with(sso, "required"))
                refuse_for_sso(inquiry, sso, ret);
        else if ((status == 403 || status == 429) &&
                 ((left && strcmp(left, "0") == 0) || reply->response.retry_after > 0))
                forge_finding_set(inquiry, ret, DIAG_UPSTREAM_RATE_LIMITED,
                                  "GitHub's rate limit for this token is used up",
                                  "Ask again later, and not in a loop.");
        else if (status == 403 && accepted &&
                 accepted[strspn(accepted, "abcdefghijklmnopqrstuvwxyz_=,; ")] == '\0' &&
                 strcmp(reply->text, "Resource not accessible by personal access token") == 0)
                refuse_for_permission(inquiry, accepted, ret);
        else if (status == 301 && strcmp(reply->text, "Moved Permanently") == 0)
                forge_finding_set(
                    inquiry, ret, DIAG_UPSTREAM_BLOCKED,
                    "{repository} has another name now, and redirects are not followed",
                    "Ask for {repository} under its present name, which {url}/{repository} leads "
                    "to.");
        else
                forge_finding_refused(inquiry, probe, ret);
}

/* False, and why, where the repository cannot be seen. */
static bool sees_repository(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (json_member_string(inquiry_object(inquiry, REPOSITORY, 200), "full_name"))
                return true;
        github_refused(inquiry, REPOSITORY, ret);
        return false;
}

/* The same where it is archived. */
static bool takes_writes(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (!sees_repository(inquiry, ret))
                return false;
        if (!json_member_true(inquiry->replies[REPOSITORY].root, "archived"))
                return true;
        forge_finding_set(inquiry, ret, DIAG_FORGE_READ_ONLY, "{repository} is archived",
                          "Unarchive it ({url}/{repository}/settings), or use another repository.");
        return false;
}

/*
 * A classic token without the scope for this repository's contents, issues and pull requests.  Of
 * one without any scope that is not certain: a person's token of an App shows an empty list as
 * well.
 */
static bool lacks_repo_scope(const struct forge_inquiry *inquiry) {
        const char *scopes = github_scopes(inquiry);
        bool is_private = json_member_true(inquiry->replies[REPOSITORY].root, "private");

        return scopes && *scopes && !github_has_scope(scopes, "repo") &&
               (is_private || !github_has_scope(scopes, "public_repo"));
}

static void lack_scope(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        forge_finding_set(inquiry, ret, DIAG_FORGE_SCOPE_MISSING, "{token} lacks the scope repo",
                          "Create {new_token}, a classic one, with the scope repo "
                          "({url}/settings/tokens) and store it {kept}.");
}

/* Git's side says that there is no right to push; whose fault that is the API helps to tell. */
static void explain_push(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        const char *text = inquiry->replies[PUSH].text, *scopes = github_scopes(inquiry);
        const json_t *role = json_object_get(inquiry->replies[REPOSITORY].root, "permissions");
        bool may_push = json_member_true(role, "push");

        github_refused(inquiry, PUSH, ret);
        if (inquiry_status(inquiry, PUSH) != 403 ||
            (!strstr(text, " denied to ") &&
             !text_starts_with(text, "Write access to repository not granted")))
                return;
        if (github_is_installation(inquiry))
                forge_finding_set(inquiry, ret, DIAG_FORGE_SCOPE_MISSING,
                                  "{who} lacks contents: write for {repository}",
                                  "Give the job permissions: contents: write. If it has that, "
                                  "Settings > Actions > General > "
                                  "Workflow permissions of {repository}, or of the organisation "
                                  "above it, is read-only, or a "
                                  "caller's permissions: is narrower; forks and Dependabot only "
                                  "read. An App needs it in its "
                                  "installation.");
        else if (lacks_repo_scope(inquiry) || (may_push && scopes && !*scopes))
                lack_scope(inquiry, ret);
        else if (may_push && !scopes)
                refuse_for_permission(inquiry, "contents=write", ret);
}

static bool pushes(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (!takes_writes(inquiry, ret))
                return false;
        if (inquiry_advertised(inquiry, PUSH, "git-receive-pack")) {
                forge_finding_yes(inquiry, ret,
                                  "git's first step of a push to {repository} is allowed");
                return true;
        }
        explain_push(inquiry, ret);
        return false;
}

static void judge_read(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (!sees_repository(inquiry, ret))
                return;
        if (inquiry_advertised(inquiry, FETCH, "git-upload-pack"))
                forge_finding_yes(inquiry, ret, "the API shows {repository}, and git may fetch it");
        else if (inquiry_status(inquiry, FETCH) == 403 && !github_scopes(inquiry))
                refuse_for_permission(inquiry, "contents=read", ret);
        else
                github_refused(inquiry, FETCH, ret);
}

static void judge_write(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        struct forge_finding ref;

        if (!pushes(inquiry, ret) || !inquiry->question.ref[0])
                return;
        github_judge_ref(inquiry, &ref);
        if (ref.verdict != FORGE_YES)
                *ret = ref;
        else
                forge_finding_yes(inquiry, ret,
                                  "git's first step of a push to {repository} is allowed, and "
                                  "nothing protects {ref} against it");
}

/* Of a repository that is visible, "Not Found" is said to those who may not make a release. */
static void refuse_release(const struct forge_inquiry *inquiry, size_t probe,
                           struct forge_finding *ret) {
        if (inquiry_status(inquiry, probe) == 404)
                forge_finding_set(inquiry, ret, DIAG_FORGE_PERMISSION_MISSING,
                                  "{who} may not make releases in {repository}",
                                  "Give {who} the role Write in {repository}: "
                                  "{url}/{repository}/settings/access.");
        else
                github_refused(inquiry, probe, ret);
}

static void judge_release(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        int empty = inquiry_status(inquiry, EMPTY_RELEASE);

        if (!pushes(inquiry, ret))
                return;
        if (inquiry->question.write_probe && inquiry_object(inquiry, CREATE, 201))
                forge_finding_yes(inquiry, ret, draft_evidence(inquiry, CREATE));
        else if (inquiry->question.write_probe)
                refuse_release(inquiry, CREATE, ret);
        /* Whether the permission was looked at before the body is not known: that nothing was
         * refused is no proof. */
        else if (empty == 422 && inquiry_object(inquiry, EMPTY_RELEASE, 422))
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "{who} may push to {repository}, but that a release may be made "
                                  "GitHub shows only when one is",
                                  "Ask with --write-probe, which makes a draft release and deletes "
                                  "it; the token's section needs "
                                  "write_probe = yes.");
        else
                refuse_release(inquiry, EMPTY_RELEASE, ret);
}

/* Issues and pull requests: a refusal may show, a right does not. */
static void judge_unseen(const struct forge_inquiry *inquiry, const char *what,
                         struct forge_finding *ret) {
        char evidence[SENTENCE_MAX];

        if (!takes_writes(inquiry, ret))
                return;
        if (lacks_repo_scope(inquiry)) {
                lack_scope(inquiry, ret);
                return;
        }
        (void)snprintf(evidence, sizeof(evidence),
                       github_scopes(inquiry)
                           ? "{token} has the scope for it, but that it may write %s GitHub shows "
                             "only when one is made"
                           : "what this kind of token may do with %s GitHub shows nowhere",
                       what);
        forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL, evidence,
                          "Look at the token's permissions ({url}/settings/tokens), the App's "
                          "installation or the job's permissions:.");
}

static void judge_issues(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        const json_t *repository = inquiry_object(inquiry, REPOSITORY, 200);

        if (takes_writes(inquiry, ret) && json_is_false(json_object_get(repository, "has_issues")))
                forge_finding_set(inquiry, ret, DIAG_FORGE_READ_ONLY,
                                  "{repository} has no issues: they are switched off",
                                  "Switch them on: {url}/{repository}/settings.");
        else
                judge_unseen(inquiry, "issues", ret);
}

static void judge_packages(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        upload_judge(inquiry, CHALLENGE, ret);
}

static void judge_pull(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        judge_unseen(inquiry, "pull requests", ret);
}

static void judge_ref(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        if (sees_repository(inquiry, ret))
                github_judge_ref(inquiry, ret);
}

static void warn(const struct forge_inquiry *inquiry, struct forge_report *report) {
        draft_warn(inquiry, CREATE, report);
        upload_warn(inquiry, CHALLENGE, report);
}

static char *address(const struct forge_inquiry *inquiry, const char *name) {
        if (strcmp(name, "realm") == 0)
                return upload_realm(inquiry, CHALLENGE);
        return strcmp(name, "upload") == 0 ? upload_location(inquiry, CHALLENGE) : NULL;
}

static const char *bearer(const struct forge_inquiry *inquiry) {
        return upload_bearer(inquiry, CHALLENGE);
}

static const char *const keep[] = { "x-oauth-scopes",
                                    "github-authentication-token-expiration",
                                    "x-github-sso",
                                    "x-accepted-github-permissions",
                                    "x-ratelimit-remaining",
                                    "www-authenticate",
                                    "location",
                                    NULL };

const struct forge_evidence forge_evidence_github = {
        .probes = github_probes,
        .n_probes = GITHUB_PROBES,
        .refusals = github_refusals,
        .keep = keep,
        .value = github_value,
        .address = address,
        .bearer = bearer,
        .identify = github_identify,
        .judge = { judge_read, judge_write, judge_release, judge_packages, judge_issues, judge_pull,
                   judge_ref },
        .warn = warn,
};
