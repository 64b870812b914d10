/*
 * Forgejo and Gitea: each answer that is known of them, to each need, with its verdict, code and
 * remedy.  And what is asked at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test-inquiry.h"

#define JSON     "application/json"
#define TEXT     "text/plain"
#define HTML     "text/html"
#define REPO     "/api/v1/repos/o/r"
#define FG(text) "{\"message\":\"" text "\",\"url\":\"https://git.example.org/api/swagger\"}"
#define GONE                                                                                       \
        "{\"errors\":[],\"message\":\"The target couldn't be "                                     \
        "found.\",\"url\":\"https://git.example.org/api/swagger\"}"
#define SCOPES(list) FG("token does not have at least one of required scope(s): [" list "]")
#define WRITER       FG("user should have a permission to write to a repo")
#define PAGE         "<html><title>Sign in</title></html>"
#define FETCHED      "application/x-git-upload-pack-advertisement", "001e# service=git-upload-pack\n0000"
#define PUSHED                                                                                     \
        "application/x-git-receive-pack-advertisement", "001f# service=git-receive-pack\n0000"

/* What a forge answers to a token that may do everything. */
/* clang-format off */
static const struct canned good[] = {
        { "GET /api/v1/user\n", 200, JSON, "{\"id\":7,\"login\":\"deploy-bot\"}", NULL },
        { "GET /api/v1/users/deploy-bot/tokens", 200, JSON,
          "[{\"token_last_eight\":\"00000000\",\"scopes\":[\"all\"]},"
          "{\"token_last_eight\":\"23456789\",\"scopes\":[\"read:user\",\"write:repository\"]}]", NULL },
        { "GET /api/v1/token", 200, JSON, "{\"id\":1,\"scopes\":[\"write:repository\"],\"user\":{\"login\":\"deploy-bot\"}}", NULL },
        { "GET " REPO "/branches/", 200, JSON, "{\"name\":\"main\",\"protected\":false,\"user_can_push\":true}", NULL },
        { "GET " REPO "/tag_protections", 200, JSON, "[]", NULL },
        { "GET " REPO "/issues/pinned", 200, JSON, "[]", NULL },
        { "GET " REPO "/releases?draft=true", 200, JSON, "[]", NULL },
        { "GET " REPO "\n", 200, JSON, "{\"id\":1,\"empty\":false,\"archived\":false}", NULL },
        { "GET /o/r.git/info/refs?service=git-upload-pack", 200, FETCHED, NULL },
        { "GET /o/r.git/info/refs?service=git-receive-pack", 200, PUSHED, NULL },
        { "POST " REPO "/branches", 422, JSON, FG("[BranchName]: Required"), NULL },
        { "POST " REPO "/tags", 422, JSON, FG("[TagName]: Required"), NULL },
        { "POST " REPO "/releases", 422, JSON, FG("[TagName]: Required"), NULL },
        { "POST " REPO "/issues", 422, JSON, FG("[Title]: Required"), NULL },
        { "POST " REPO "/pulls", 422, JSON, FG("[Head]: Required"), NULL },
        { "POST /v2/o/i/blobs/uploads/?digest=sha256:0000", 400, JSON, "{\"errors\":[{\"code\":\"DIGEST_INVALID\",\"message\":\"\"}]}",
          NULL },
        { NULL, 0, NULL, NULL, NULL },
};
/* clang-format on */

enum {
        READ = NEED_CONTENTS_READ,
        WRITE = NEED_CONTENTS_WRITE,
        RELEASE = NEED_RELEASE_WRITE,
        PACKAGES = NEED_PACKAGES_WRITE,
        ISSUES = NEED_ISSUES_WRITE,
        PULL = NEED_PULL_WRITE,
        REF = NEED_REF,
};
enum { F = FORGE_FORGEJO, G = FORGE_GITEA };
enum { YES = FORGE_YES, NO = FORGE_NO, UNSURE = FORGE_CANNOT_TELL };

/* clang-format off */
static const struct {
        int type;
        int need;
        const char *ref;
        struct canned with;             /* the one answer that is different */
        int verdict;
        enum diagnosis code;
        const char *remedy;             /* what it has to name */
} rows[] = {
        /* All is well. */
        { F, READ, "", { 0 }, YES, DIAG_NONE, "" },
        { F, WRITE, "", { 0 }, YES, DIAG_NONE, "" },
        { F, RELEASE, "", { 0 }, YES, DIAG_NONE, "" },
        { F, PACKAGES, "", { 0 }, YES, DIAG_NONE, "" },
        { F, ISSUES, "", { 0 }, YES, DIAG_NONE, "" },
        { F, PULL, "", { 0 }, YES, DIAG_NONE, "" },
        { F, WRITE, "refs/heads/main", { 0 }, YES, DIAG_NONE, "" },
        { F, REF, "refs/heads/main", { 0 }, YES, DIAG_NONE, "" },
        { F, REF, "refs/tags/v1", { 0 }, YES, DIAG_NONE, "" },
        { G, WRITE, "refs/tags/v1", { 0 }, YES, DIAG_NONE, "" },

        /* The token itself. */
        { F, WRITE, "", { "GET /api/v1/user\n", 401, JSON, FG("user does not exist [uid: 0, name: ]"), NULL }, NO,
          DIAG_FORGE_TOKEN_REJECTED, "Infisical's /y" },
        { G, WRITE, "", { "GET /api/v1/user\n", 401, JSON, FG("invalid username, password or token"), NULL }, NO,
          DIAG_FORGE_TOKEN_REJECTED, "Rotate" },
        { F, WRITE, "", { "GET /api/v1/user\n", 401, JSON, FG("token is required"), NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "proxies" },
        { F, WRITE, "", { "GET /api/v1/user\n", 403, JSON, FG("Only signed in user is allowed to call APIs."), NULL }, UNSURE,
          DIAG_UPSTREAM_BLOCKED, "proxies" },
        { F, WRITE, "", { "GET /api/v1/user\n", 403, JSON, FG("This account is not activated."), NULL }, UNSURE,
          DIAG_FORGE_CANNOT_TELL, "account" },
        { F, WRITE, "", { "GET /api/v1/user\n", 403, JSON, SCOPES("read:user"), NULL }, YES, DIAG_NONE, "" },
        { F, WRITE, "", { "GET /api/v1/user\n", 403, HTML, PAGE, NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "url of [forge home]" },
        { F, WRITE, "", { "GET /api/v1/user\n", 0, "", "", NULL }, UNSURE, DIAG_UPSTREAM_TIMEOUT, "" },

        /* 1.5: git's first step. */
        { F, READ, "", { "GET /o/r.git/info/refs?service=git-upload-pack", 401, TEXT, "Unauthorized\n", NULL }, NO,
          DIAG_FORGE_TOKEN_REJECTED, "Rotate" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 401, TEXT,
                          "Users with two-factor authentication enabled cannot perform HTTP/HTTPS operations", NULL }, NO,
          DIAG_FORGE_TOKEN_REJECTED, "password" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 403, TEXT, "Forbidden\n", NULL }, NO,
          DIAG_FORGE_SCOPE_MISSING, "write:repository" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 403, TEXT,
                          "This repo is archived. You can view files and clone it, but cannot push or open issues/pull-requests.",
                          NULL }, NO, DIAG_FORGE_READ_ONLY, "Unarchive" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 403, TEXT, "mirror repository is read-only", NULL }, NO,
          DIAG_FORGE_READ_ONLY, "mirrors" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 403, TEXT, "User permission denied", NULL }, NO,
          DIAG_FORGE_PERMISSION_MISSING, "forge-broker git" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 403, TEXT, "Your account is disabled.", NULL }, NO,
          DIAG_FORGE_PERMISSION_MISSING, "account of deploy-bot" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 403, TEXT,
                          "Push to create is not enabled for organizations.", NULL }, NO, DIAG_FORGE_REPOSITORY_INVISIBLE, "spelling" },
        { F, READ, "", { "GET /o/r.git/info/refs?service=git-upload-pack", 404, TEXT, "Repository not found", NULL }, NO,
          DIAG_FORGE_REPOSITORY_INVISIBLE, "deploy-bot" },
        { F, READ, "", { "GET /o/r.git/info/refs?service=git-upload-pack", 403, HTML, PAGE, NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED,
          "url of [forge home]" },
        { F, READ, "", { "GET /o/r.git/info/refs?service=git-upload-pack", 200, HTML, PAGE, NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED,
          "url of [forge home]" },
        { F, READ, "", { "GET /o/r.git/info/refs?service=git-upload-pack", 403, TEXT, "Access denied by policy", NULL }, UNSURE,
          DIAG_UPSTREAM_BLOCKED, "url of [forge home]" },
        { F, READ, "", { "GET /o/r.git/info/refs?service=git-upload-pack", 302, TEXT, "", NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED,
          "canonical" },
        { F, WRITE, "", { "POST " REPO "/branches", 307, HTML, "", NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED,
          "See where https://git.example.org/o/r leads" },
        { F, READ, "", { "GET /o/r.git/info/refs?service=git-upload-pack", 200, TEXT, "001e# service=git-upload-pack\n", NULL },
          UNSURE, DIAG_UPSTREAM_MALFORMED, "url of [forge home]" },
        { F, WRITE, "", { "GET /o/r.git/info/refs?service=git-receive-pack", 200, FETCHED, NULL }, UNSURE, DIAG_UPSTREAM_MALFORMED,
          "url of [forge home]" },

        /* A reader, whose advertisement of a push is good at this forge. */
        { F, WRITE, "", { "POST " REPO "/branches", 403, JSON, WRITER, NULL }, NO, DIAG_FORGE_PERMISSION_MISSING,
          "https://git.example.org/o/r/settings/collaboration" },

        /* 1.6: the empty object. */
        { F, RELEASE, "", { "POST " REPO "/releases", 403, JSON, SCOPES("write:repository"), NULL }, NO, DIAG_FORGE_SCOPE_MISSING,
          "write:repository" },
        { F, RELEASE, "", { "POST " REPO "/releases", 403, JSON, WRITER, NULL }, NO, DIAG_FORGE_PERMISSION_MISSING, "deploy-bot" },
        { F, RELEASE, "", { "POST " REPO "/releases", 404, JSON, GONE, NULL }, NO, DIAG_FORGE_PERMISSION_MISSING, "settings/units" },
        { F, RELEASE, "", { "POST " REPO "/releases", 404, HTML, PAGE, NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "url of [forge home]" },
        { F, REF, "refs/heads/main", { "GET " REPO "/branches/main", 404, HTML, PAGE, NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED,
          "url of [forge home]" },
        { F, RELEASE, "", { "POST " REPO "/releases", 422, JSON, FG("repo is empty"), NULL }, NO, DIAG_FORGE_READ_ONLY, "commit" },
        { F, RELEASE, "", { "POST " REPO "/releases", 422, JSON, FG("something else"), NULL }, UNSURE, DIAG_FORGE_CANNOT_TELL, "" },
        { F, RELEASE, "", { "POST " REPO "/releases", 422, JSON, FG("x [TagName]: Required"), NULL }, UNSURE,
          DIAG_FORGE_CANNOT_TELL, "" },
        { F, RELEASE, "", { "POST " REPO "/releases", 422, JSON, FG("[TagName]: Required, or not"), NULL }, UNSURE,
          DIAG_FORGE_CANNOT_TELL, "" },
        { F, RELEASE, "", { "POST " REPO "/releases", 422, HTML, "[TagName]: Required", NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "" },
        { F, RELEASE, "", { "POST " REPO "/releases", 201, JSON, "{\"id\":1}", NULL }, UNSURE, DIAG_UPSTREAM_MALFORMED, "" },
        { F, RELEASE, "", { "GET " REPO "\n", 200, JSON, "{\"id\":1,\"empty\":true}", NULL }, NO, DIAG_FORGE_READ_ONLY, "first commit" },
        { F, WRITE, "", { "POST " REPO "/branches", 423, JSON, FG("<Repository 1:o/r> is archived"), NULL }, NO,
          DIAG_FORGE_READ_ONLY, "Unarchive" },
        { G, WRITE, "", { "POST " REPO "/branches", 423, JSON, FG("repo is archived"), NULL }, NO, DIAG_FORGE_READ_ONLY,
          "Unarchive" },
        { F, WRITE, "", { "GET " REPO "\n", 404, JSON, GONE, NULL }, NO, DIAG_FORGE_REPOSITORY_INVISIBLE, "deploy-bot" },
        { F, PULL, "", { "GET " REPO "\n", 404, JSON, GONE, NULL }, NO, DIAG_FORGE_REPOSITORY_INVISIBLE, "deploy-bot" },
        { F, ISSUES, "", { "GET " REPO "\n", 404, JSON, GONE, NULL }, NO, DIAG_FORGE_REPOSITORY_INVISIBLE, "deploy-bot" },
        { F, ISSUES, "", { "GET " REPO "\n", 403, JSON, SCOPES("read:repository"), NULL }, YES, DIAG_NONE, "" },
        { F, ISSUES, "", { "POST " REPO "/issues", 403, JSON, SCOPES("write:issue"), NULL }, NO, DIAG_FORGE_SCOPE_MISSING,
          "write:issue" },
        { F, ISSUES, "", { "GET " REPO "/issues/pinned", 403, JSON,
                           FG("user should have specific read permission or be a repo admin or a site admin"), NULL }, NO,
          DIAG_FORGE_PERMISSION_MISSING, "deploy-bot" },
        { F, PULL, "", { "POST " REPO "/pulls", 423, JSON, FG("repo is archived"), NULL }, NO, DIAG_FORGE_READ_ONLY, "Unarchive" },
        { F, READ, "", { "GET " REPO "\n", 307, TEXT, "", NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "canonical" },
        { F, READ, "", { "GET " REPO "\n", 403, JSON, FG("token scope is limited to public repos"), NULL }, NO, DIAG_FORGE_SCOPE_MISSING,
          "public only" },
        { F, WRITE, "", { "POST " REPO "/branches", 413, JSON, "{\"message\":\"quota exceeded\",\"user_id\":7,\"username\":\"o\"}",
                          NULL }, NO, DIAG_FORGE_READ_ONLY, "quota of o" },
        { F, WRITE, "", { "POST " REPO "/branches", 413, HTML, PAGE, NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "" },
        { F, WRITE, "", { "POST " REPO "/branches", 500, JSON, FG(""), NULL }, UNSURE, DIAG_UPSTREAM_ERROR, "" },
        { F, WRITE, "", { "POST " REPO "/branches", 429, JSON, FG("slow down"), NULL }, UNSURE, DIAG_UPSTREAM_RATE_LIMITED, "" },
        { F, WRITE, "", { "POST " REPO "/branches", 0, "", "", NULL }, UNSURE, DIAG_UPSTREAM_TIMEOUT, "" },

        /* A ref's protection. */
        { F, WRITE, "refs/heads/main", { "GET " REPO "/branches/main", 200, JSON, "{\"protected\":true,\"user_can_push\":false}", NULL },
          NO, DIAG_FORGE_BRANCH_PROTECTED, "https://git.example.org/o/r/settings/branches" },
        { F, WRITE, "refs/heads/main", { "GET " REPO "/branches/main", 200, JSON, "{\"protected\":true,\"user_can_push\":true}", NULL },
          YES, DIAG_NONE, "" },
        { F, WRITE, "refs/heads/main", { "GET " REPO "/branches/main", 404, JSON, GONE, NULL }, UNSURE, DIAG_FORGE_CANNOT_TELL,
          "settings/branches" },
        { F, WRITE, "refs/heads/main", { "GET " REPO "/branches/main", 200, JSON, "{}", NULL }, UNSURE, DIAG_UPSTREAM_MALFORMED, "" },
        { F, REF, "refs/tags/v1", { "GET " REPO "/tag_protections", 403, JSON,
                                    FG("user should be an owner or a collaborator with admin write of a repository"), NULL }, UNSURE,
          DIAG_FORGE_CANNOT_TELL, "settings/tags" },
        { F, REF, "refs/tags/v1", { "GET " REPO "/tag_protections", 200, JSON, "[{\"name_pattern\":\"v*\"}]", NULL }, UNSURE,
          DIAG_FORGE_CANNOT_TELL, "settings/tags" },
        { F, REF, "refs/tags/v1", { "POST " REPO "/tags", 403, JSON, WRITER, NULL }, NO, DIAG_FORGE_PERMISSION_MISSING, "" },
        { F, REF, "refs/pull/1/head", { 0 }, UNSURE, DIAG_FORGE_CANNOT_TELL, "refs/heads/" },

        /* 1.8: the registry. */
        { F, PACKAGES, "", { "POST /v2/", 401, TEXT, "reqPackageAccess", NULL }, NO, DIAG_FORGE_SCOPE_MISSING, "write:package" },
        { F, PACKAGES, "", { "POST /v2/", 403, TEXT, "reqToken", NULL }, NO, DIAG_FORGE_SCOPE_MISSING, "public only" },
        { F, PACKAGES, "", { "POST /v2/", 401, JSON, "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"\"}]}", NULL }, NO,
          DIAG_FORGE_TOKEN_REJECTED, "Rotate" },
        { F, PACKAGES, "", { "POST /v2/", 400, JSON, "{\"errors\":[{\"code\":\"NAME_INVALID\",\"message\":\"\"}]}", NULL }, UNSURE,
          DIAG_UPSTREAM_BLOCKED, "" },
        { F, PACKAGES, "", { "POST /v2/", 400, TEXT, "DIGEST_INVALID", NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "" },
        { F, PACKAGES, "", { "POST /v2/", 202, JSON, "{}", NULL }, UNSURE, DIAG_UPSTREAM_MALFORMED, "" },
        { F, PACKAGES, "", { "POST /v2/", 403, HTML, PAGE, NULL }, UNSURE, DIAG_UPSTREAM_BLOCKED, "" },
};
/* clang-format on */

static struct canned_question question(int type, int need, const char *ref, bool write_probe) {
        return (struct canned_question){ .type = (enum forge_type)type,
                                         .url = "https://git.example.org",
                                         .needs = 1u << need,
                                         .ref = ref,
                                         .write_probe = write_probe };
}

static void each_answer_has_its_verdict(void **state) {
        static struct canned_result result;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const struct canned with[] = { rows[i].with, { NULL, 0, NULL, NULL, NULL } };
                const struct canned_question asked =
                    question(rows[i].type, rows[i].need, rows[i].ref, false);
                const struct forge_finding *finding = &result.report.findings[rows[i].need];

                canned_ask(&asked, with, good, &result);
                if ((int)finding->verdict != rows[i].verdict ||
                    finding->error.code != rows[i].code ||
                    !strstr(error_remedy(&finding->error), rows[i].remedy))
                        fail_msg("row %zu, %s %s: %s %s, %s, remedy %s", i,
                                 forge_need_name((enum forge_need)rows[i].need),
                                 rows[i].with.request ? rows[i].with.request : "",
                                 forge_verdict_name(finding->verdict),
                                 diagnosis_info(finding->error.code)->name, finding->error.detail,
                                 error_remedy(&finding->error));
                assert_true(finding->error.detail[0] != '\0');
                assert_null(strchr(finding->error.detail, '{'));
                assert_null(strchr(error_remedy(&finding->error), '{'));
        }
}

static void who_it_is_is_asked_alone_and_first(void **state) {
        static const struct canned dead[] = { { "GET /api/v1/user\n", 401, JSON,
                                                FG("user does not exist [uid: 0, name: ]"), NULL },
                                              { NULL, 0, NULL, NULL, NULL } };
        static struct canned_result result;
        struct canned_question asked = question(F, WRITE, "refs/heads/main", false);

        (void)state;
        asked.needs = (1u << NEED_REF) - 1;
        canned_ask(&asked, dead, good, &result);
        assert_string_equal(result.log, "GET /api/v1/user\n");
        assert_true(result.report.dead);
        for (enum forge_need need = 0; need < NEED_REF; need++)
                assert_int_equal(result.report.findings[need].verdict, FORGE_NO);
}

static void only_what_proves_something_is_asked(void **state) {
        static struct canned_result result;
        struct canned_question asked = question(F, RELEASE, "", false);

        (void)state;
        canned_ask(&asked, NULL, good, &result);
        assert_string_equal(result.log,
                            "GET /api/v1/user\nGET /api/v1/users/deploy-bot/tokens\nGET " REPO
                            "\nPOST " REPO "/releases {}\n");
        asked.needs = 0;
        canned_ask(&asked, NULL, good, &result);
        assert_int_equal(result.report.identity.verdict, FORGE_YES);
        assert_null(strstr(result.log, "POST"));
}

static void the_token_says_what_it_is(void **state) {
        static const struct canned undisclosed[] = { { "GET /api/v1/user\n", 403, JSON,
                                                       SCOPES("read:user"), NULL },
                                                     { "GET /api/v1/token", 404, JSON, GONE, NULL },
                                                     { NULL, 0, NULL, NULL, NULL } };
        static const struct canned job[] = { { "GET /api/v1/user\n", 200, JSON,
                                               "{\"id\":-2,\"login\":\"forgejo-actions\"}", NULL },
                                             { NULL, 0, NULL, NULL, NULL } };
        static struct canned_result result;
        struct canned_question asked = question(F, READ, "", false);

        (void)state;
        asked.needs = 0;
        canned_ask(&asked, NULL, good, &result);
        assert_string_equal(result.report.login, "deploy-bot");
        assert_string_equal(result.report.kind, "personal-access-token");
        assert_true(result.report.scopes_known);
        assert_string_equal(result.report.scopes, "read:user write:repository");

        asked.type = FORGE_GITEA;
        canned_ask(&asked, NULL, good, &result);
        assert_string_equal(result.report.scopes, "write:repository");
        canned_ask(&asked, undisclosed, good, &result);
        assert_int_equal(result.report.identity.verdict, FORGE_YES);
        assert_string_equal(result.report.login, "");
        assert_false(result.report.scopes_known);
        assert_non_null(strstr(result.report.identity.error.remedy, "read:user"));

        asked = question(F, WRITE, "refs/heads/main", false);
        canned_ask(&asked, job, good, &result);
        assert_string_equal(result.report.kind, "job-token");
        assert_false(result.report.scopes_known);
        assert_int_equal(result.report.findings[WRITE].verdict, FORGE_YES);
}

/* Of a protected branch it says user_can_push = false to a job's token, which means nothing. */
static void of_a_protected_branch_nothing_is_known_to_a_job(void **state) {
        static const struct canned with[] = {
                { "GET /api/v1/user\n", 200, JSON, "{\"id\":-2,\"login\":\"gitea-actions\"}",
                  NULL },
                { "GET " REPO "/branches/main", 200, JSON,
                  "{\"protected\":true,\"user_can_push\":false}", NULL },
                { NULL, 0, NULL, NULL, NULL },
        };
        static struct canned_result result;
        const struct canned_question asked = question(G, WRITE, "refs/heads/main", false);

        (void)state;
        canned_ask(&asked, with, good, &result);
        assert_int_equal(result.report.findings[WRITE].verdict, FORGE_CANNOT_TELL);
}

/* Nobody gives a job's own token a right, and what a job hands in is not kept in Infisical. */
static void a_token_of_a_jobs_has_remedies_of_its_own(void **state) {
        static const struct canned job[] = {
                { "GET /api/v1/user\n", 200, JSON, "{\"id\":-2,\"login\":\"forgejo-actions\"}",
                  NULL },
                { "POST " REPO "/branches", 403, JSON, WRITER, NULL },
                { "POST /v2/", 401, TEXT, "reqPackageAccess", NULL },
                { NULL, 0, NULL, NULL, NULL },
        };
        static const struct canned narrow[] = {
                { "GET /api/v1/user\n", 403, JSON, SCOPES("read:user"), NULL },
                { "POST " REPO "/branches", 403, JSON, SCOPES("write:repository"), NULL },
                { NULL, 0, NULL, NULL, NULL },
        };
        static const struct canned dead[] = {
                { "GET /api/v1/user\n", 401, JSON, FG("user does not exist [uid: 0, name: ]"),
                  NULL },
                { NULL, 0, NULL, NULL, NULL },
        };
        static struct canned_result result;
        struct canned_question asked = question(F, WRITE, "", false);
        const struct forge_finding *write = &result.report.findings[WRITE];

        (void)state;
        asked.needs |= 1u << PACKAGES;
        asked.handed_in = true;
        canned_ask(&asked, job, good, &result);
        assert_int_equal(write->error.code, DIAG_FORGE_PERMISSION_MISSING);
        assert_non_null(strstr(write->error.remedy, "a token of the broker's"));
        assert_null(strstr(write->error.remedy, "collaborator"));
        assert_non_null(
            strstr(result.report.findings[PACKAGES].error.remedy, "a token of the broker's"));
        canned_ask(&asked, narrow, good, &result);
        assert_non_null(strstr(write->error.detail, "the token lacks the scope write:repository"));
        assert_non_null(strstr(write->error.remedy, "Create a token with write:repository"));
        assert_non_null(strstr(write->error.remedy, "where the job has its own from"));
        canned_ask(&asked, dead, good, &result);
        assert_int_equal(write->error.code, DIAG_FORGE_TOKEN_REJECTED);
        assert_non_null(strstr(write->error.remedy, "Give the job another token"));
        assert_null(strstr(write->error.remedy, "forge-brokerctl"));
}

/* Then it stands in no address and in no text: those are shown and logged. */
static void a_forge_that_repeats_the_token_is_not_quoted(void **state) {
        static const struct canned with[] = {
                { "GET /api/v1/user\n", 200, JSON, "{\"id\":7,\"login\":\"canary-0123456789\"}",
                  NULL },
                { "POST " REPO "/branches", 403, JSON, SCOPES("canary-0123456789"), NULL },
                { NULL, 0, NULL, NULL, NULL },
        };
        static struct canned_result result;
        struct canned_question asked = question(F, WRITE, "", false);
        const struct forge_finding *finding = &result.report.findings[WRITE];

        (void)state;
        asked.may_lack = true;
        canned_ask(&asked, with, good, &result);
        assert_string_equal(result.report.login, "?");
        assert_int_equal(finding->error.code, DIAG_FORGE_SCOPE_MISSING);
        assert_null(strstr(finding->error.detail, "canary"));
        assert_null(strstr(finding->error.remedy, "canary"));
        assert_null(strstr(result.log, "canary"));
}

/* Nor is a part of it that was cut off. */
static void what_is_quoted_is_not_cut_within_the_token(void **state) {
        static char login[256], message[512];
        static const struct canned with[] = {
                { "GET /api/v1/user\n", 200, JSON, login, NULL },
                { "GET /api/v1/users/", 200, JSON,
                  "[{\"token_last_eight\":\"23456789\",\"scopes\":[\"scope-scope-scope-scope-scope-"
                  "scope-scope-scope-scope-"
                  "canary-0123456789\"]}]",
                  NULL },
                { "POST " REPO "/branches", 403, JSON, message, NULL },
                { NULL, 0, NULL, NULL, NULL },
        };
        static struct canned_result result;
        struct canned_question asked = question(F, WRITE, "", false);

        (void)state;
        asked.may_lack = true;
        (void)snprintf(login, sizeof(login), "{\"id\":7,\"login\":\"%0117d%s\"}", 0,
                       "canary-0123456789");
        (void)snprintf(message, sizeof(message), SCOPES("%0185d%s"), 0, "canary-0123456789");
        canned_ask(&asked, with, good, &result);
        assert_null(strstr(result.report.login, "canary"));
        assert_null(strstr(result.report.scopes, "canary"));
        assert_false(result.report.scopes_known);
        assert_null(strstr(result.report.findings[WRITE].error.detail, "canary"));
        assert_null(strstr(result.report.findings[WRITE].error.remedy, "canary"));
}

/* The write probe: what is made is taken away by its number, and what is left is said. */
#define CREATE   "POST " REPO "/releases {\"tag_name\""
#define TAKEN    "DELETE " REPO "/releases/101", 204, "", "", NULL
#define UNTAGGED "DELETE " REPO "/tags/", 204, "", "", NULL

/* clang-format off */
static const struct {
        const char *ref;
        struct canned with[4];
        int verdict;
        enum diagnosis code;
        const char *warning;            /* "": none */
        int deletes;
} write_rows[] = {
        { "", { { CREATE, 201, JSON, "{\"id\":101}", NULL }, { TAKEN }, { UNTAGGED } }, YES, DIAG_NONE, "", 2 },
        { "", { { CREATE, 201, JSON, "{\"id\":101}", NULL }, { TAKEN }, { "DELETE " REPO "/tags/", 404, JSON, GONE, NULL } }, YES,
          DIAG_NONE, "", 2 },
        { "", { { CREATE, 201, JSON, "{\"id\":101}", NULL }, { "DELETE", 500, JSON, FG(""), NULL } }, YES, DIAG_NONE,
          "the draft release 101 (forge-broker-preflight-", 2 },
        { "", { { CREATE, 201, JSON, "{\"id\":101}", NULL }, { TAKEN },
                { "DELETE " REPO "/tags/", 422, JSON, FG("user not allowed to delete protected tag"), NULL } }, YES, DIAG_NONE,
          "keeps a row for its tag forge-broker-preflight-", 3 },
        { "", { { CREATE, 413, JSON, "{\"message\":\"quota exceeded\",\"user_id\":7,\"username\":\"o\"}", NULL } }, NO,
          DIAG_FORGE_READ_ONLY, "", 0 },
        { "refs/tags/v1.2", { { CREATE, 422, JSON, FG("release tag name is protected [tag_name: v1.2]"), NULL } }, NO,
          DIAG_FORGE_BRANCH_PROTECTED, "", 0 },
        { "", { { CREATE, 403, JSON, WRITER, NULL } }, NO, DIAG_FORGE_PERMISSION_MISSING, "", 0 },
        /* The answer was lost: there may be one, or not, or nobody knows. */
        { "", { { CREATE, 502, HTML, PAGE, NULL } }, UNSURE, DIAG_UPSTREAM_ERROR, "", 0 },
        /* Who is slow may make it after FIND has looked. */
        { "", { { CREATE, 0, "", "", NULL } }, UNSURE, DIAG_UPSTREAM_TIMEOUT,
          "not known whether a draft release forge-broker-preflight-", 0 },
        { "", { { CREATE, 504, HTML, PAGE, NULL } }, UNSURE, DIAG_UPSTREAM_ERROR,
          "not known whether a draft release forge-broker-preflight-", 0 },
        { "", { { CREATE, 0, "", "", NULL }, { "GET " REPO "/releases?draft", 500, JSON, FG(""), NULL } }, UNSURE,
          DIAG_UPSTREAM_TIMEOUT, "not known whether a draft release forge-broker-preflight-", 0 },
        { "", { { CREATE, 502, HTML, PAGE, NULL }, { "GET " REPO "/releases?draft", 0, "", "", NULL } }, UNSURE, DIAG_UPSTREAM_ERROR,
          "not known whether a draft release forge-broker-preflight-", 0 },
};
/* clang-format on */

static int count(const char *text, const char *what) {
        int found = 0;

        for (; (text = strstr(text, what)); text++)
                found++;
        return found;
}

static void what_a_write_probe_leaves_is_said(void **state) {
        static struct canned_result result;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(write_rows); i++) {
                const struct canned_question asked = question(F, RELEASE, write_rows[i].ref, true);
                const struct forge_finding *finding = &result.report.findings[RELEASE];

                canned_ask(&asked, write_rows[i].with, good, &result);
                if ((int)finding->verdict != write_rows[i].verdict ||
                    finding->error.code != write_rows[i].code)
                        fail_msg("row %zu: %s %s, %s", i, forge_verdict_name(finding->verdict),
                                 diagnosis_info(finding->error.code)->name, finding->error.detail);
                assert_int_equal(result.report.n_warnings, write_rows[i].warning[0] != '\0');
                if (!strstr(result.report.warnings[0], write_rows[i].warning))
                        fail_msg("row %zu: %s", i, result.report.warnings[0]);
                if (count(result.log, "\nDELETE ") != write_rows[i].deletes)
                        fail_msg("row %zu: %s", i, result.log);
                if (write_rows[i].ref[0])
                        assert_non_null(
                            strstr(result.log, "{\"tag_name\":\"v1.2-forge-broker-preflight-"));
        }
}

/* The forge looks at the rules for tags when a release is published: that it takes a draft says
 * nothing of them. */
static void a_draft_proves_nothing_of_a_tag(void **state) {
        static const struct canned with[] = {
                { "GET " REPO "/tag_protections", 403, JSON,
                  FG("user should be an owner or a collaborator with admin write of a repository"),
                  NULL },
                { CREATE, 201, JSON, "{\"id\":101}", NULL },
                { TAKEN },
                { UNTAGGED },
                { NULL, 0, NULL, NULL, NULL },
        };
        static struct canned_result result;
        struct canned_question asked = question(F, RELEASE, "refs/tags/v1.2", true);

        (void)state;
        asked.needs |= 1u << WRITE | 1u << REF;
        canned_ask(&asked, with, good, &result);
        assert_int_equal(result.report.findings[RELEASE].verdict, FORGE_YES);
        assert_int_equal(result.report.findings[REF].verdict, FORGE_CANNOT_TELL);
        assert_int_equal(result.report.findings[WRITE].verdict, FORGE_CANNOT_TELL);
}

static void nothing_is_written_without_leave_or_without_the_right(void **state) {
        static const struct canned refused[] = {
                { "POST " REPO "/releases", 403, JSON, WRITER, NULL }, { NULL, 0, NULL, NULL, NULL }
        };
        static struct canned_result result;
        struct canned_question asked = question(F, RELEASE, "", false);

        (void)state;
        canned_ask(&asked, NULL, good, &result);
        assert_null(strstr(result.log, "tag_name"));
        asked.write_probe = true;
        canned_ask(&asked, refused, good, &result);
        assert_null(strstr(result.log, "tag_name"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_answer_has_its_verdict),
                cmocka_unit_test(who_it_is_is_asked_alone_and_first),
                cmocka_unit_test(only_what_proves_something_is_asked),
                cmocka_unit_test(the_token_says_what_it_is),
                cmocka_unit_test(of_a_protected_branch_nothing_is_known_to_a_job),
                cmocka_unit_test(a_token_of_a_jobs_has_remedies_of_its_own),
                cmocka_unit_test(a_forge_that_repeats_the_token_is_not_quoted),
                cmocka_unit_test(what_is_quoted_is_not_cut_within_the_token),
                cmocka_unit_test(what_a_write_probe_leaves_is_said),
                cmocka_unit_test(a_draft_proves_nothing_of_a_tag),
                cmocka_unit_test(nothing_is_written_without_leave_or_without_the_right),
        };
        struct error err;

        if (secret_init(true, &err) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
