/*
 * GitLab: each answer that is known of it, to each need, with its verdict, code and remedy.  And
 * what is asked at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "forge/registry_token.h"
#include "test-inquiry.h"

#define JSON      "application/json"
#define TEXT      "text/plain"
#define HTML      "text/html"
#define PROJECT   "/api/v4/projects/o%2Fr"
#define LAB(text) "{\"message\":\"" text "\"}"
#define NARROW                                                                                     \
        "{\"error\":\"insufficient_scope\",\"error_description\":\"...\",\"scope\":\"api "         \
        "read_api\"}"
#define ENDED                                                                                      \
        "{\"error\":\"invalid_token\",\"error_description\":\"Token was revoked. You have to "     \
        "re-authorize from the user.\"}"
#define PAGE  "<html><title>Sign in</title></html>"
#define FETCH "GET /o/r.git/info/refs?service=git-upload-pack"
#define PUSH  "GET /o/r.git/info/refs?service=git-receive-pack"
#define FETCHED                                                                                    \
        200, "application/x-git-upload-pack-advertisement", "001e# service=git-upload-pack\n0000"
#define PUSHED                                                                                     \
        200, "application/x-git-receive-pack-advertisement", "001f# service=git-receive-pack\n0000"
#define NO_PUSH                                                                                    \
        { PUSH, 403, TEXT, "You are not allowed to push code to this project.", NULL }
#define DENIED                                                                                     \
        "HTTP Basic: Access denied. If a password was provided for Git authentication, the "       \
        "password was incorrect"
#define SELF(scopes)                                                                               \
        {                                                                                          \
                "GET /api/v4/personal_access_tokens/self", 200, JSON,                              \
                    "{\"id\":3,\"scopes\":[" scopes                                                \
                    "],\"active\":true,\"expires_at\":\"2026-12-31\"}",                            \
                    NULL                                                                           \
        }
#define LEVELS(project, group)                                                                     \
        {                                                                                          \
                "GET " PROJECT "\n", 200, JSON,                                                    \
                    "{\"id\":33,\"archived\":false,\"permissions\":{\"project_access\":" project   \
                    ",\"group_access\":" group "}}",                                               \
                    NULL                                                                           \
        }
#define LEVEL(level) "{\"access_level\":" level "}"
#define JWT(payload)                                                                               \
        {                                                                                          \
                "GET /jwt/auth", 200, JSON,                                                        \
                    "{\"token\":\"eyJhbGciOiJSUzI1NiJ9." payload ".c2ln\"}", NULL                  \
        }
/* {"access":[{"type":"repository","name":"o/i","actions":["pull","push"]}]}, and so on */
#define BOTH                                                                                       \
        "eyJhY2Nlc3MiOlt7InR5cGUiOiJyZXBvc2l0b3J5IiwibmFtZSI6Im8vaSIsImFjdGlvbnMiOlsicHVsbCIsInB1" \
        "c2giXX1dfQ"
#define PULL                                                                                       \
        "eyJhY2Nlc3MiOlt7InR5cGUiOiJyZXBvc2l0b3J5IiwibmFtZSI6Im8vaSIsImFjdGlvbnMiOlsicHVsbCJdfV19"
#define OTHER                                                                                      \
        "eyJhY2Nlc3MiOlt7InR5cGUiOiJyZXBvc2l0b3J5IiwibmFtZSI6Im8vaTIiLCJhY3Rpb25zIjpbInB1c2giXX1d" \
        "fQ"
#define NOTHING "eyJhY2Nlc3MiOltdfQ"
#define NO_LIST "eyJzdWIiOiJ4In0"
#define MAIN    "refs/heads/main"
#define TAG     "refs/tags/v1"
#define NO_BRANCH                                                                                  \
        { "GET " PROJECT "/repository/branches/main", 404, JSON, LAB("404 Branch Not Found"), NULL }
#define PROTECTED(levels)                                                                          \
        {                                                                                          \
                "GET " PROJECT "/protected_branches", 200, JSON,                                   \
                    "[{\"name\":\"release/*\"},{\"name\":\"ma*\",\"push_access_levels\":[" levels  \
                    "]}]",                                                                         \
                    NULL                                                                           \
        }
#define TAGS(levels)                                                                               \
        {                                                                                          \
                "GET " PROJECT "/protected_tags", 200, JSON,                                       \
                    "[{\"name\":\"v*\",\"create_access_levels\":[" levels "]}]", NULL              \
        }

/* What GitLab answers about the token of a project's developer. */
static const struct canned good[] = {
        { "GET /api/v4/user\n", 200, JSON, "{\"id\":7,\"username\":\"project_33_bot\"}", NULL },
        SELF("\"api\""),
        { "GET " PROJECT "/repository/branches/main", 200, JSON,
          "{\"name\":\"main\",\"can_push\":true}", NULL },
        { "GET " PROJECT "/protected_branches?per_page=100", 200, JSON, "[]", NULL },
        { "GET " PROJECT "/protected_tags?per_page=100", 200, JSON, "[]", NULL },
        LEVELS("{\"access_level\":30}", "null"),
        { FETCH, FETCHED, NULL },
        { PUSH, PUSHED, NULL },
        { "GET /jwt/auth?service=container_registry&scope=repository:o/i:push,pull", 200, JSON,
          "{\"token\":\"eyJhbGciOiJSUzI1NiJ9." BOTH ".c2ln\"}", NULL },
        { NULL, 0, NULL, NULL, NULL },
};

#define USER(...)                                                                                  \
        {                                                                                          \
                { "GET /api/v4/user\n", __VA_ARGS__, NULL }                                        \
        }
#define NO_USER                                                                                    \
        { "GET /api/v4/user\n", 401, JSON, LAB("401 Unauthorized"), NULL }
#define JOB                                                                                        \
        {                                                                                          \
                "GET /api/v4/job\n", 200, JSON,                                                    \
                    "{\"id\":420,\"pipeline\":{\"id\":42},\"user\":{\"username\":\"alice\"}}",     \
                    NULL                                                                           \
        }

/* clang-format off */
static const struct canned_row rows[] = {
        { NEED_CONTENTS_READ, "", { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_CONTENTS_WRITE, "", { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_CONTENTS_WRITE, MAIN, { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_PACKAGES_WRITE, "", { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_RELEASE_WRITE, "", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "--write-probe does not help", false },
        { NEED_ISSUES_WRITE, "", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "", false },
        { NEED_PULL_WRITE, "", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "", false },

        /* The token itself. */
        { NEED_CONTENTS_WRITE, "", USER(401, JSON, ENDED), FORGE_NO, DIAG_FORGE_TOKEN_REJECTED, "do not rotate the old one", false },
        { NEED_CONTENTS_WRITE, "", { NO_USER, { "GET /api/v4/job\n", 401, JSON, LAB("401 Unauthorized"), NULL } }, FORGE_NO,
          DIAG_FORGE_TOKEN_REJECTED, "", false },
        { NEED_CONTENTS_WRITE, "", { NO_USER, { "GET /api/v4/job\n", 0, "", "", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_TIMEOUT, "",
          false },
        { NEED_CONTENTS_WRITE, "", { NO_USER, { "GET /api/v4/job\n", 403, HTML, PAGE, NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_BLOCKED, "url of [forge home]", false },
        { NEED_CONTENTS_WRITE, "", { NO_USER, { "GET /api/v4/job\n", 200, JSON, "{}", NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_MALFORMED, "", false },
        { NEED_CONTENTS_WRITE, "", USER(403, JSON, LAB("403 Forbidden - Your account has been blocked")), FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "administrator", false },
        { NEED_CONTENTS_WRITE, "", USER(403, JSON, NARROW), FORGE_YES, DIAG_NONE, "", false },
        { NEED_CONTENTS_WRITE, "", USER(302, HTML, ""), FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED, "canonical", false },

        /* Git's first step. */
        { NEED_CONTENTS_WRITE, "", { NO_PUSH }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "Give project_33_bot the role Developer in o/r",
          false },
        { NEED_CONTENTS_WRITE, "", { SELF("\"read_api\",\"read_repository\""), NO_PUSH }, FORGE_NO, DIAG_FORGE_SCOPE_MISSING,
          "write_repository", false },
        { NEED_CONTENTS_WRITE, "", { SELF("\"read_repository\""), { PUSH, 401, TEXT, DENIED, NULL } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "write_repository", false },
        { NEED_CONTENTS_WRITE, "", { SELF("\"write_repository\""), NO_PUSH }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "Developer", false },
        { NEED_CONTENTS_WRITE, "", { { "GET /api/v4/personal_access_tokens/self", 404, JSON, LAB("404 Not Found"), NULL }, NO_PUSH },
          FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "write_repository", false },
        { NEED_CONTENTS_WRITE, "", { { "GET " PROJECT "\n", 200, JSON, "{\"archived\":true}", NULL }, NO_PUSH }, FORGE_NO,
          DIAG_FORGE_READ_ONLY, "Unarchive", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 401, TEXT, DENIED, NULL } }, FORGE_NO, DIAG_FORGE_TOKEN_REJECTED, "Do not rotate the old one",
          false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 404, TEXT, "The project you were looking for could not be found or you don't have "
                                       "permission to view it.", NULL } }, FORGE_NO, DIAG_FORGE_REPOSITORY_INVISIBLE, "o/r", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 403, HTML, PAGE, NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED, "url of [forge home]",
          false },
        { NEED_CONTENTS_READ, "", { { FETCH, 403, TEXT, "You are not allowed to download code from this project.", NULL } }, FORGE_NO,
          DIAG_FORGE_PERMISSION_MISSING, "Reporter", false },
        { NEED_CONTENTS_READ, "", { SELF("\"read_user\""), { FETCH, 401, TEXT, DENIED, NULL } }, FORGE_NO, DIAG_FORGE_SCOPE_MISSING,
          "read_repository", false },
        { NEED_CONTENTS_READ, "", { { "GET " PROJECT "\n", 403, JSON, NARROW, NULL } }, FORGE_YES, DIAG_NONE, "", false },

        /* What needs a role and the scope api. */
        { NEED_RELEASE_WRITE, "", { SELF("\"read_api\",\"write_repository\"") }, FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "with api", false },
        { NEED_RELEASE_WRITE, "", { LEVELS(LEVEL("20"), "null") }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "Developer in o/r", false },
        { NEED_RELEASE_WRITE, "", { LEVELS("null", "null") }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "Developer in o/r", false },
        { NEED_RELEASE_WRITE, "", { LEVELS("null", LEVEL("40")) }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "", false },
        { NEED_RELEASE_WRITE, "", { { "GET " PROJECT "\n", 404, JSON, LAB("404 Project Not Found"), NULL } }, FORGE_NO,
          DIAG_FORGE_REPOSITORY_INVISIBLE, "Check the spelling", false },
        { NEED_RELEASE_WRITE, "", { { "GET " PROJECT "\n", 403, JSON, NARROW, NULL } }, FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "scope", false },
        { NEED_ISSUES_WRITE, "", { SELF("\"read_api\"") }, FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "with api", false },
        { NEED_ISSUES_WRITE, "", { LEVELS("null", "null") }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "", false },
        { NEED_PULL_WRITE, "", { { "GET " PROJECT "\n", 200, JSON, "{\"archived\":true}", NULL } }, FORGE_NO, DIAG_FORGE_READ_ONLY,
          "Unarchive", false },
        { NEED_PULL_WRITE, "", { { "GET " PROJECT "\n", 301, JSON, "{}", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED, "", false },

        /* What protects a ref. */
        { NEED_REF, MAIN, { { "GET " PROJECT "/repository/branches/main", 200, JSON, "{\"can_push\":false}", NULL } }, FORGE_NO,
          DIAG_FORGE_BRANCH_PROTECTED, "settings/repository", false },
        { NEED_REF, MAIN, { { "GET " PROJECT "/repository/branches/main", 200, JSON, "{}", NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_MALFORMED, "", false },
        { NEED_REF, MAIN, { { "GET " PROJECT "/repository/branches/main", 403, JSON, NARROW, NULL } }, FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "scope", false },
        { NEED_REF, MAIN, { NO_BRANCH }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED(LEVEL("30")) }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED(LEVEL("40")) }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "project_33_bot", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED(LEVEL("0")) }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED("") }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED("{\"access_level\":40,\"user_id\":7}") }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED("{\"access_level\":30,\"user_id\":8}") }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED("{\"access_level\":40,\"group_id\":8}") }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL,
          "settings/repository", false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED("{\"access_level\":40,\"deploy_key_id\":8}") }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "",
          false },
        { NEED_REF, MAIN, { NO_BRANCH, PROTECTED(LEVEL("40")), { "GET " PROJECT "\n", 403, JSON, NARROW, NULL } }, FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "", false },
        { NEED_REF, MAIN, { NO_BRANCH, { "GET " PROJECT "/protected_branches", 403, JSON, LAB("403 Forbidden"), NULL } },
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "Reporter", false },
        { NEED_REF, MAIN, { NO_BRANCH, { "GET " PROJECT "/protected_branches", 200, JSON, "{}", NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_MALFORMED, "", false },
        { NEED_CONTENTS_WRITE, MAIN, { NO_BRANCH, PROTECTED(LEVEL("40")) }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, TAG, { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, TAG, { TAGS(LEVEL("40")) }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, TAG, { TAGS(LEVEL("30")) }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, "refs/merge-requests/1/head", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "refs/heads/", false },

        /* The registry's token. */
        { NEED_PACKAGES_WRITE, "", { JWT(PULL) }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "Developer in the project of o/i", false },
        { NEED_PACKAGES_WRITE, "", { JWT(PULL), SELF("\"read_registry\"") }, FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "write_registry", false },
        { NEED_PACKAGES_WRITE, "", { JWT(OTHER) }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "", false },
        { NEED_PACKAGES_WRITE, "", { JWT(NOTHING) }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "", false },
        { NEED_PACKAGES_WRITE, "", { JWT(NO_LIST) }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_MALFORMED, "jwt/auth", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /jwt/auth", 200, JSON, "{\"token\":\"opaque\"}", NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_MALFORMED, "jwt/auth", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /jwt/auth", 200, JSON, "{}", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_MALFORMED, "", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /jwt/auth", 403, JSON,
                                       "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"access forbidden\"}]}", NULL } }, FORGE_NO,
          DIAG_FORGE_PERMISSION_MISSING, "write_registry", false },
        { NEED_PACKAGES_WRITE, "", { SELF("\"read_api\""), { "GET /jwt/auth", 403, JSON,
                                       "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"access forbidden\"}]}", NULL } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "write_registry", false },
        { NEED_PACKAGES_WRITE, "", { SELF("\"read_api\""), { "GET /jwt/auth", 403, HTML, PAGE, NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_BLOCKED, "", false },

        /* A job's own token. */
        { NEED_CONTENTS_READ, "", { NO_USER, JOB }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_CONTENTS_WRITE, "", { NO_USER, JOB, NO_PUSH }, FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "Job token permissions", false },
        { NEED_CONTENTS_WRITE, MAIN, { NO_USER, JOB }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "project or a person", false },
        { NEED_RELEASE_WRITE, "", { NO_USER, JOB }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "", false },
        { NEED_PACKAGES_WRITE, "", { NO_USER, JOB }, FORGE_YES, DIAG_NONE, "", false },
        { .remedy = NULL },
};
/* clang-format on */

static const struct canned_question lab = { .type = FORGE_GITLAB,
                                            .url = "https://git.example.org",
                                            .ref = "" };

static void each_answer_has_its_verdict(void **state) {
        (void)state;
        canned_rows(&lab, good, rows);
}

static void who_it_is_is_asked_alone_and_first(void **state) {
        static const struct canned ended[] = { { "GET /api/v4/user\n", 401, JSON, ENDED, NULL },
                                               { 0 } };
        static const struct canned unknown[] = {
                NO_USER, { "GET /api/v4/job\n", 401, JSON, LAB("401 Unauthorized"), NULL }, { 0 }
        };
        static struct canned_result result;
        struct canned_question asked = lab;

        (void)state;
        asked.needs = (1u << NEED_REF) - 1;
        canned_ask(&asked, ended, good, &result);
        assert_string_equal(result.log, "GET /api/v4/user\n");
        assert_true(result.report.dead);
        canned_ask(&asked, unknown, good, &result);
        assert_string_equal(result.log, "GET /api/v4/user\nGET /api/v4/job\n");
        assert_true(result.report.dead);
        assert_int_equal(result.report.refusals, forge_refusals_max(FORGE_GITLAB));
        asked.token = "glpat-0123456789";
        canned_ask(&asked, unknown, good, &result);
        assert_string_equal(result.log, "GET /api/v4/user\n");
        assert_int_equal(result.report.refusals, 1);
}

/* GitLab counts what it refuses, and a new job's token shows that it is one. */
static void a_jobs_token_is_not_shown_as_a_users(void **state) {
        static const struct canned job[] = { JOB, { 0 } };
        static const struct canned unknown[] = {
                { "GET /api/v4/job\n", 401, JSON, LAB("401 Unauthorized"), NULL }, { 0 }
        };
        static const struct canned ended[] = { { "GET /api/v4/job\n", 401, JSON, ENDED, NULL },
                                               { 0 } };
        static const struct canned foreign[] = { { "GET /api/v4/job\n", 401, HTML, PAGE, NULL },
                                                 { 0 } };
        static struct canned_result result;
        struct canned_question asked = lab;

        (void)state;
        asked.needs = 0;
        asked.token = "glcbt-64_0123456789";
        asked.handed_in = true;
        canned_ask(&asked, job, good, &result);
        assert_string_equal(result.log, "GET /api/v4/job\n");
        assert_string_equal(result.report.login, "alice");
        assert_int_equal(result.report.refusals, 0);
        canned_ask(&asked, unknown, good, &result);
        assert_true(result.report.dead);
        assert_int_equal(result.report.identity.verdict, FORGE_NO);
        assert_int_equal(result.report.refusals, 1);
        canned_ask(&asked, ended, good, &result);
        assert_true(result.report.dead);
        canned_ask(&asked, foreign, good, &result);
        assert_false(result.report.dead);
        assert_int_equal(result.report.identity.verdict, FORGE_CANNOT_TELL);
}

static void nothing_is_written(void **state) {
        static struct canned_result result;
        struct canned_question asked = lab;

        (void)state;
        asked.needs = (1u << NEED_REF) - 1;
        asked.ref = MAIN;
        asked.write_probe = true;
        canned_ask(&asked, NULL, good, &result);
        assert_null(strstr(result.log, "POST"));
        assert_int_equal(result.report.n_warnings, 1);
        assert_non_null(strstr(result.report.warnings[0], "no draft releases"));
}

static void the_token_says_what_it_is(void **state) {
        static const struct canned narrow[] = { { "GET /api/v4/user\n", 403, JSON, NARROW, NULL },
                                                { 0 } };
        static const struct canned person[] = { { "GET /api/v4/user\n", 200, JSON,
                                                  "{\"id\":7,\"username\":\"alice\"}", NULL },
                                                { 0 } };
        static const struct canned job[] = { NO_USER, JOB, { 0 } };
        static struct canned_result result;

        (void)state;
        canned_ask(&lab, NULL, good, &result);
        assert_string_equal(result.report.login, "project_33_bot");
        assert_string_equal(result.report.kind, "project-token");
        assert_string_equal(result.report.scopes, "api");
        /* 2026-12-31T00:00:00Z */
        assert_int_equal(result.report.expires_at, 1798675200 * USEC_PER_SEC);
        canned_ask(&lab, person, good, &result);
        assert_string_equal(result.report.kind, "personal-access-token");
        canned_ask(&lab, narrow, good, &result);
        assert_int_equal(result.report.identity.verdict, FORGE_YES);
        assert_string_equal(result.report.login, "");
        assert_non_null(strstr(result.report.identity.error.remedy, "read_user"));
        canned_ask(&lab, job, good, &result);
        assert_string_equal(result.report.login, "alice");
        assert_string_equal(result.report.kind, "job-token");
        assert_false(result.report.scopes_known);
        assert_string_equal(result.log, "GET /api/v4/user\nGET /api/v4/job\n");
}

/* The next page may have the name. */
static void a_full_page_of_protected_names_proves_nothing(void **state) {
        static char page[8192] = "[{\"name\":\"other\"}";
        const struct canned with[] = { { "GET " PROJECT "/protected_tags?per_page=100", 200, JSON,
                                         page, NULL },
                                       { NULL, 0, NULL, NULL, NULL } };
        static struct canned_result result;
        struct canned_question asked = { .type = FORGE_GITLAB,
                                         .url = "https://git.example.org",
                                         .needs = 1u << NEED_REF,
                                         .ref = "refs/tags/v1" };

        (void)state;
        for (int i = 1; i < 99; i++)
                (void)strcat(page, ",{\"name\":\"other\"}");
        (void)strcat(page, "]");
        canned_ask(&asked, with, good, &result);
        assert_int_equal(result.report.findings[NEED_REF].verdict, FORGE_YES);
        page[strlen(page) - 1] = '\0';
        (void)strcat(page, ",{\"name\":\"other\"}]");
        canned_ask(&asked, with, good, &result);
        assert_int_equal(result.report.findings[NEED_REF].verdict, FORGE_CANNOT_TELL);
}

static void a_registry_token_lists_what_it_grants(void **state) {
        static const struct {
                const char *jwt, *image, *action;
                int grants;
        } tokens[] = {
                { "h." BOTH ".s", "o/i", "push", 1 },
                { "h." BOTH ".s", "o/i", "delete", 0 },
                { "h." BOTH ".s", "o", "push", 0 },
                { "h." PULL ".s", "o/i", "push", 0 },
                { "h." NO_LIST ".s", "o/i", "push", -1 },
                { "h." BOTH, "o/i", "push", -1 },
                { "h." BOTH ".s.t", "o/i", "push", -1 },
                { "h.e30=.s", "o/i", "push", -1 },
                { "h..s", "o/i", "push", -1 },
                { "", "o/i", "push", -1 },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(tokens); i++)
                assert_int_equal(
                    registry_token_grants(tokens[i].jwt, tokens[i].image, tokens[i].action),
                    tokens[i].grants);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_answer_has_its_verdict),
                cmocka_unit_test(who_it_is_is_asked_alone_and_first),
                cmocka_unit_test(a_jobs_token_is_not_shown_as_a_users),
                cmocka_unit_test(nothing_is_written),
                cmocka_unit_test(the_token_says_what_it_is),
                cmocka_unit_test(a_full_page_of_protected_names_proves_nothing),
                cmocka_unit_test(a_registry_token_lists_what_it_grants),
        };
        struct error err;

        if (secret_init(true, &err) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
