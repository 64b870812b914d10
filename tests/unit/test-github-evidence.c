/*
 * GitHub: each answer that is known of it, to each need, with its verdict, code and remedy.  And
 * what is asked at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test-inquiry.h"

#define JSON "application/json"
#define TEXT "text/plain"
#define HTML "text/html"
#define REPO "/api/v3/repos/o/r"
#define HUB(text)                                                                                  \
        "{\"message\":\"" text                                                                     \
        "\",\"documentation_url\":\"https://docs.github.com/rest\",\"status\":\"403\"}"
#define LIST(code, text) "{\"errors\":[{\"code\":\"" code "\",\"message\":\"" text "\"}]}"
#define PAGE             "<html><title>Sign in</title></html>"
#define INTEGRATION      HUB("Resource not accessible by integration")
#define PERSONAL         HUB("Resource not accessible by personal access token")
#define FETCH            "GET /o/r.git/info/refs?service=git-upload-pack"
#define PUSH             "GET /o/r.git/info/refs?service=git-receive-pack"
#define FETCHED                                                                                    \
        200, "application/x-git-upload-pack-advertisement", "001e# service=git-upload-pack\n0000"
#define PUSHED                                                                                     \
        200, "application/x-git-receive-pack-advertisement", "001f# service=git-receive-pack\n0000"
#define BEARER_REALM(url)                                                                          \
        "WWW-Authenticate: Bearer realm=\"" url                                                    \
        "\",service=\"containers\",scope=\"repository:o/i:pull\"\n"
#define MAIN "refs/heads/main"
#define TAG  "refs/tags/v1"

/* What GitHub answers about a classic token that may do everything. */
/* clang-format off */
static const struct canned good[] = {
        { "GET /api/v3/user\n", 200, JSON, "{\"id\":7,\"login\":\"deploy-bot\"}",
          "X-OAuth-Scopes: repo, write:packages\ngithub-authentication-token-expiration: 2026-12-31 00:00:00 UTC\n" },
        { "GET /api/v3/installation/repositories?per_page=1", 200, JSON, "{\"total_count\":1,\"repositories\":[]}", NULL },
        { "GET " REPO "/branches/main", 200, JSON, "{\"protected\":false,\"protection\":{\"enabled\":false}}", NULL },
        { "GET " REPO "/rules/branches/main?per_page=100", 200, JSON, "[]", NULL },
        { "GET " REPO "/rulesets?targets=tag&per_page=100", 200, JSON, "[]", NULL },
        { "GET " REPO "/releases?per_page=10", 200, JSON, "[]", NULL },
        { "GET " REPO "\n", 200, JSON,
          "{\"full_name\":\"o/r\",\"private\":true,\"archived\":false,\"has_issues\":true,\"permissions\":{\"push\":true}}", NULL },
        { FETCH, FETCHED, NULL },
        { PUSH, PUSHED, NULL },
        { "POST " REPO "/releases {}", 422, JSON, HUB("Invalid request.\\n\\n\\\"tag_name\\\" wasn't supplied."), NULL },
        { "POST " REPO "/releases {\"tag_name\"", 201, JSON, "{\"id\":101,\"draft\":true}", NULL },
        { "DELETE " REPO "/releases/101", 204, "", "", NULL },
        { "GET /v2/\n", 401, JSON, LIST("UNAUTHORIZED", "authentication required"),
          BEARER_REALM("https://containers.example.org/token") },
        { "GET /token?service=containers&scope=repository:o/i:pull,push", 200, JSON, "{\"token\":\"bearer\"}", NULL },
        { "POST /v2/o/i/blobs/uploads/", 202, TEXT, "", "Location: /v2/o/i/blobs/uploads/1?_state=abc\n" },
        { "DELETE /v2/o/i/blobs/uploads/1?_state=abc", 204, "", "", NULL },
        { NULL, 0, NULL, NULL, NULL },
};
/* clang-format on */

/* The same of other kinds of tokens. */
#define FINE                                                                                       \
        { "GET /api/v3/user\n", 200, JSON, "{\"id\":7,\"login\":\"deploy-bot\"}", NULL }
#define APP                                                                                        \
        { "GET /api/v3/user\n", 403, JSON, INTEGRATION, NULL }
#define CLASSIC(scopes)                                                                            \
        {                                                                                          \
                "GET /api/v3/user\n", 200, JSON, "{\"id\":7,\"login\":\"deploy-bot\"}",            \
                    "X-OAuth-Scopes: " scopes "\n"                                                 \
        }
#define USER(...)                                                                                  \
        {                                                                                          \
                { "GET /api/v3/user\n", __VA_ARGS__, NULL }                                        \
        }
#define ROLE(push)                                                                                 \
        {                                                                                          \
                "GET " REPO "\n", 200, JSON,                                                       \
                    "{\"full_name\":\"o/r\",\"private\":true,\"permissions\":{\"push\":" push      \
                    "}}",                                                                          \
                    NULL                                                                           \
        }
#define RULE(type) "{\"type\":\"" type "\",\"ruleset_id\":5}"
#define RULES(...)                                                                                 \
        { "GET " REPO "/rules/branches/main", 200, JSON, "[" __VA_ARGS__ "]", NULL }
#define BYPASS(who)                                                                                \
        {                                                                                          \
                "GET " REPO "/rulesets/5", 200, JSON,                                              \
                    "{\"id\":5,\"current_user_can_bypass\":\"" who "\"}", NULL                     \
        }
#define NO_BRANCH                                                                                  \
        { "GET " REPO "/branches/main", 404, JSON, HUB("Branch not found"), NULL }
#define TAGS(enforcement)                                                                          \
        {                                                                                          \
                "GET " REPO "/rulesets?", 200, JSON,                                               \
                    "[{\"id\":6,\"target\":\"tag\",\"enforcement\":\"" enforcement                 \
                    "\"},{\"id\":5,\"target\":\"branch\"}]",                                       \
                    NULL                                                                           \
        }
#define TAG_RULESET(pattern, rule, who)                                                            \
        {                                                                                          \
                "GET " REPO "/rulesets/6", 200, JSON,                                              \
                    "{\"conditions\":{\"ref_name\":{\"include\":[\"" pattern                       \
                    "\"],\"exclude\":[]}},"                                                        \
                    "\"rules\":[{\"type\":\"" rule "\"}],\"current_user_can_bypass\":\"" who       \
                    "\"}",                                                                         \
                    NULL                                                                           \
        }

/* clang-format off */
static const struct canned_row token_rows[] = {
        { NEED_CONTENTS_READ, "", { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_CONTENTS_WRITE, "", { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_CONTENTS_WRITE, MAIN, { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_PACKAGES_WRITE, "", { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_RELEASE_WRITE, "", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "--write-probe", false },
        { NEED_ISSUES_WRITE, "", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "permissions", false },
        { NEED_PULL_WRITE, "", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "permissions", false },

        /* The token itself, which decides over all needs. */
        { NEED_CONTENTS_WRITE, "", USER(401, JSON, HUB("Bad credentials")), FORGE_NO, DIAG_FORGE_TOKEN_REJECTED, "", false },
        { NEED_CONTENTS_WRITE, "", USER(401, JSON, HUB("Requires authentication")), FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED,
          "Authorization", false },
        { NEED_CONTENTS_WRITE, "", USER(403, JSON, HUB("Maximum number of login attempts exceeded. Please try again later.")),
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "lock this address out", false },
        { NEED_CONTENTS_WRITE, "", USER(403, JSON, HUB("API rate limit exceeded for user ID 7.")), FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_RATE_LIMITED, "not in a loop", false },
        { NEED_CONTENTS_WRITE, "", USER(403, HTML, PAGE), FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED, "url of [forge home]", false },
        { NEED_CONTENTS_WRITE, "", USER(0, "", ""), FORGE_CANNOT_TELL, DIAG_UPSTREAM_TIMEOUT, "url", false },

        /* The repository. */
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 404, JSON, HUB("Not Found"), NULL } }, FORGE_NO,
          DIAG_FORGE_REPOSITORY_INVISIBLE, "o/r", false },
        { NEED_PULL_WRITE, "", { { "GET " REPO "\n", 404, JSON, HUB("Not Found"), NULL } }, FORGE_NO,
          DIAG_FORGE_REPOSITORY_INVISIBLE, "o/r", false },
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 301, JSON, HUB("Moved Permanently"), NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_BLOCKED, "present name", false },
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 200, JSON, "[]", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_MALFORMED, "url",
          false },
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 403, JSON, HUB("Resource protected by organization SAML enforcement."),
                                      "X-GitHub-SSO: required; url=https://git.example.org/orgs/o/sso?authorization_request=AA\n" } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "https://git.example.org/orgs/o/sso?authorization_request=AA", false },
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 403, JSON, HUB("Resource protected by organization SAML enforcement."),
                                      "X-GitHub-SSO: required; url=https://elsewhere.example/orgs/o/sso\n" } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "https://git.example.org/settings/tokens, 'Configure SSO'", false },
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 403, JSON, HUB("Resource protected by organization SAML enforcement."), NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "Configure SSO", false },
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 403, JSON, HUB("You have been too quick."), "x-ratelimit-remaining: 0\n" } },
          FORGE_CANNOT_TELL, DIAG_UPSTREAM_RATE_LIMITED, "Ask again later", false },
        { NEED_CONTENTS_READ, "", { { "GET " REPO "\n", 500, JSON, HUB(""), NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_ERROR, "",
          false },
        { NEED_CONTENTS_WRITE, "", { { "GET " REPO "\n", 200, JSON, "{\"full_name\":\"o/r\",\"archived\":true}", NULL } }, FORGE_NO,
          DIAG_FORGE_READ_ONLY, "Unarchive", false },
        { NEED_ISSUES_WRITE, "", { { "GET " REPO "\n", 200, JSON, "{\"full_name\":\"o/r\",\"has_issues\":false}", NULL } }, FORGE_NO,
          DIAG_FORGE_READ_ONLY, "Switch them on", false },
        { .remedy = NULL },
};
/* clang-format on */

/* clang-format off */
static const struct canned_row git_rows[] = {
        { NEED_CONTENTS_WRITE, "", { { PUSH, 401, TEXT, "Invalid username or token.\n", NULL } }, FORGE_NO,
          DIAG_FORGE_TOKEN_REJECTED, "Rotate", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 403, TEXT, "Permission to o/r.git denied to deploy-bot.\n", NULL } }, FORGE_NO,
          DIAG_FORGE_PERMISSION_MISSING, "Give deploy-bot the role Write in o/r", false },
        { NEED_CONTENTS_WRITE, "", { CLASSIC("gist"), { PUSH, 403, TEXT, "Permission to o/r.git denied to deploy-bot.\n", NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "scope repo", false },
        { NEED_CONTENTS_WRITE, "", { CLASSIC(""), { PUSH, 403, TEXT, "Permission to o/r.git denied to deploy-bot.\n", NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "with the scope repo", false },
        { NEED_CONTENTS_WRITE, "", { CLASSIC("public_repo"), { PUSH, 403, TEXT, "Permission to o/r.git denied to x.\n", NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "scope repo", false },
        { NEED_CONTENTS_WRITE, "", { FINE, { PUSH, 403, TEXT, "Write access to repository not granted.\n", NULL } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "contents=write", false },
        { NEED_CONTENTS_WRITE, "", { FINE, ROLE("false"), { PUSH, 403, TEXT, "Write access to repository not granted.\n", NULL } },
          FORGE_NO, DIAG_FORGE_PERMISSION_MISSING, "role Write", false },
        { NEED_CONTENTS_WRITE, "", { APP, { PUSH, 403, TEXT, "Permission to o/r.git denied to github-actions[bot].\n", NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "Workflow permissions", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 403, TEXT, "This repository was archived so it is read-only.\n", NULL } }, FORGE_NO,
          DIAG_FORGE_READ_ONLY, "Unarchive", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 403, TEXT, "The `o' organization has enabled or enforced SAML SSO.\n", NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "Configure SSO", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 404, TEXT, "Repository not found.\n", NULL } }, FORGE_NO,
          DIAG_FORGE_REPOSITORY_INVISIBLE, "o/r", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 403, TEXT, "Access denied by policy\n", NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_BLOCKED, "url of [forge home]", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, FETCHED, NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_MALFORMED, "url", false },
        { NEED_CONTENTS_WRITE, "", { { PUSH, 302, HTML, "", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED, "canonical", false },
        { NEED_CONTENTS_READ, "", { FINE, { FETCH, 403, TEXT, "Write access to repository not granted.\n", NULL } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "contents=read", false },
        { NEED_CONTENTS_READ, "", { { FETCH, 404, TEXT, "Repository not found.\n", NULL } }, FORGE_NO,
          DIAG_FORGE_REPOSITORY_INVISIBLE, "o/r", false },
        { NEED_CONTENTS_READ, "", { { FETCH, 0, "", "", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_TIMEOUT, "", false },
        { .remedy = NULL },
};
/* clang-format on */

/* clang-format off */
static const struct canned_row rule_rows[] = {
        { NEED_REF, MAIN, { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, MAIN, { RULES(RULE("pull_request")), BYPASS("always") }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, MAIN, { RULES(RULE("pull_request")), BYPASS("never") }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "bypass list",
          false },
        { NEED_REF, MAIN, { RULES(RULE("update")), BYPASS("pull_requests_only") }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED,
          "GITHUB_TOKEN can never", false },
        { NEED_CONTENTS_WRITE, MAIN, { RULES(RULE("merge_queue")), BYPASS("never") }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "",
          false },
        { NEED_CONTENTS_WRITE, MAIN, { RULES(RULE("pull_request")), BYPASS("exempt") }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL,
          "settings/rules", false },
        { NEED_REF, MAIN, { RULES(RULE("pull_request")), { "GET " REPO "/rulesets/5", 404, JSON, HUB("Not Found"), NULL } },
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "settings/rules", false },
        { NEED_REF, MAIN, { RULES(RULE("pull_request")), { "GET " REPO "/rulesets/5", 0, "", "", NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_TIMEOUT, "", false },
        { NEED_REF, MAIN, { RULES(RULE("deletion")) }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, MAIN, { RULES(RULE("creation")) }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, MAIN, { RULES(RULE("creation")), BYPASS("never"), NO_BRANCH }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, MAIN, { RULES(RULE("required_signatures")), BYPASS("never") }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL,
          "signatures", false },
        { NEED_REF, MAIN, { RULES(RULE("non_fast_forward")), BYPASS("never") }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "forced",
          false },
        { NEED_REF, MAIN, { RULES(RULE("a_rule_of_tomorrow")), BYPASS("never") }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "", false },
        { NEED_REF, MAIN, { RULES(RULE("deletion") "," RULE("pull_request") "," RULE("required_signatures")), BYPASS("never") },
          FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, MAIN, { RULES("{\"type\":\"update\",\"ruleset_id\":4},{\"type\":\"update\",\"ruleset_id\":5}"), BYPASS("never"),
                            { "GET " REPO "/rulesets/4", 200, JSON, "{\"current_user_can_bypass\":\"always\"}", NULL } }, FORGE_NO,
          DIAG_FORGE_BRANCH_PROTECTED, "", false },
        { NEED_REF, MAIN, { RULES("{\"type\":\"update\",\"ruleset_id\":1},{\"type\":\"update\",\"ruleset_id\":2},{\"type\":\"update\","
                                  "\"ruleset_id\":3},{\"type\":\"update\",\"ruleset_id\":4},{\"type\":\"update\",\"ruleset_id\":5}"),
                            { "GET " REPO "/rulesets/", 200, JSON, "{\"current_user_can_bypass\":\"always\"}", NULL } },
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "settings/rules", false },
        { NEED_REF, MAIN, { RULES("{\"type\":\"update\"}") }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "", false },
        { NEED_REF, MAIN, { { "GET " REPO "/rules/", 200, JSON, "{}", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_MALFORMED, "", false },
        { NEED_REF, MAIN, { { "GET " REPO "/rules/", 403, JSON, PERSONAL, NULL } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "",
          false },
        { NEED_REF, MAIN, { { "GET " REPO "/branches/main", 200, JSON, "{\"protected\":true,\"protection\":{\"enabled\":true}}", NULL } },
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "settings/branches", false },
        { NEED_REF, MAIN, { NO_BRANCH }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "settings/branches", false },
        { NEED_REF, MAIN, { { "GET " REPO "/branches/main", 200, JSON, "{}", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_MALFORMED, "",
          false },

        { NEED_REF, TAG, { { 0 } }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, TAG, { TAGS("disabled") }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, TAG, { TAGS("active"), { "GET " REPO "/rulesets/6", 200, JSON,
                                                        "{\"conditions\":{\"ref_name\":{\"include\":[\"~ALL\"],\"exclude\":[]}}}", NULL } },
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "settings/rules", false },
        { NEED_REF, TAG, { TAGS("active"), TAG_RULESET("refs/tags/v*", "creation", "never") }, FORGE_NO, DIAG_FORGE_BRANCH_PROTECTED,
          "bypass list", false },
        { NEED_REF, TAG, { TAGS("active"), TAG_RULESET("~ALL", "creation", "always") }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, TAG, { TAGS("active"), TAG_RULESET("refs/tags/nightly-*", "creation", "never") }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, TAG, { TAGS("active"), TAG_RULESET("refs/tags/**/v*", "creation", "never") }, FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "settings/rules", false },
        { NEED_REF, TAG, { TAGS("active"), TAG_RULESET("~ALL", "update", "never") }, FORGE_YES, DIAG_NONE, "", false },
        { NEED_REF, "refs/pull/1/head", { { 0 } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "refs/heads/", false },
        { .remedy = NULL },
};
/* clang-format on */

/* clang-format off */
static const struct canned_row release_rows[] = {
        { NEED_RELEASE_WRITE, "", { { 0 } }, FORGE_YES, DIAG_NONE, "", true },
        { NEED_RELEASE_WRITE, "", { APP, { "POST " REPO "/releases {}", 403, JSON, INTEGRATION, NULL } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "permissions: contents: write", false },
        { NEED_RELEASE_WRITE, "", { FINE, { "POST " REPO "/releases {}", 403, JSON, PERSONAL,
                                            "X-Accepted-GitHub-Permissions: contents=write; contents=write,workflows=write\n" } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "contents=write; contents=write,workflows=write", false },
        { NEED_RELEASE_WRITE, "", { FINE, { "POST " REPO "/releases {}", 403, JSON, PERSONAL,
                                            "X-Accepted-GitHub-Permissions: {kept}\n" } }, FORGE_NO, DIAG_FORGE_SCOPE_MISSING,
          "pending approval of the organisation o", false },
        { NEED_RELEASE_WRITE, "", { { "POST " REPO "/releases {}", 404, JSON, HUB("Not Found"), NULL } }, FORGE_NO,
          DIAG_FORGE_PERMISSION_MISSING, "role Write", false },
        { NEED_RELEASE_WRITE, "", { { "POST " REPO "/releases {}", 422, HTML, PAGE, NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED,
          "", false },
        { NEED_RELEASE_WRITE, "", { APP, { PUSH, 403, TEXT, "Permission to o/r.git denied to github-actions[bot].\n", NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "Workflow permissions", true },
        { NEED_RELEASE_WRITE, "", { APP, { "POST " REPO "/releases {\"tag_name\"", 403, JSON, INTEGRATION, NULL } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "permissions: contents: write", true },
        { NEED_RELEASE_WRITE, "", { { "POST " REPO "/releases {\"tag_name\"", 404, JSON, HUB("Not Found"), NULL } }, FORGE_NO,
          DIAG_FORGE_PERMISSION_MISSING, "role Write", true },
        { NEED_RELEASE_WRITE, "", { { "POST " REPO "/releases {\"tag_name\"", 0, "", "", NULL } }, FORGE_CANNOT_TELL,
          DIAG_UPSTREAM_TIMEOUT, "", true },
        { .remedy = NULL },
};
/* clang-format on */

/* clang-format off */
static const struct canned_row package_rows[] = {
        { NEED_PACKAGES_WRITE, "", { { "POST /v2/", 403, JSON, LIST("DENIED", "permission_denied: write_package"), NULL } }, FORGE_NO,
          DIAG_FORGE_PERMISSION_MISSING, "Manage Actions access", false },
        { NEED_PACKAGES_WRITE, "", { { "POST /v2/", 403, JSON,
                                       LIST("DENIED", "permission_denied: The token provided does not match expected scopes."), NULL } },
          FORGE_NO, DIAG_FORGE_SCOPE_MISSING, "write:packages", false },
        { NEED_PACKAGES_WRITE, "", { APP, { "POST /v2/", 403, JSON,
                                            LIST("DENIED", "installation not allowed to Write organization package"), NULL } }, FORGE_NO,
          DIAG_FORGE_SCOPE_MISSING, "packages: write", false },
        { NEED_PACKAGES_WRITE, "", { { "POST /v2/", 401, JSON, LIST("UNAUTHORIZED", "authentication required"), NULL } },
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "registry of [forge home]", false },
        { NEED_PACKAGES_WRITE, "", { { "POST /v2/", 403, HTML, PAGE, NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED, "", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /token", 403, JSON, LIST("DENIED", "denied"), NULL } }, FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "registry of [forge home]", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /token", 200, JSON, "{\"token\":7}", NULL } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL,
          "registry of [forge home]", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 401, JSON, LIST("UNAUTHORIZED", ""),
                                       BEARER_REALM("https://elsewhere.example/token") } }, FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL,
          "must be at one of them", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 401, JSON, LIST("UNAUTHORIZED", ""),
                                       BEARER_REALM("http://containers.example.org/token") } }, FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "must be at one of them", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 401, JSON, LIST("UNAUTHORIZED", ""),
                                       BEARER_REALM("https://containers.example.org.elsewhere.example/token") } }, FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "must be at one of them", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 401, JSON, LIST("UNAUTHORIZED", ""),
                                       BEARER_REALM("https://containers.example.org@elsewhere.example/token") } }, FORGE_CANNOT_TELL,
          DIAG_FORGE_CANNOT_TELL, "must be at one of them", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 401, JSON, LIST("UNAUTHORIZED", ""), BEARER_REALM("https://git.example.org/token") } },
          FORGE_YES, DIAG_NONE, "", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 401, JSON, LIST("UNAUTHORIZED", ""), "WWW-Authenticate: Basic realm=\"x\"\n" } },
          FORGE_CANNOT_TELL, DIAG_FORGE_CANNOT_TELL, "must be at one of them", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 403, HTML, PAGE, NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_BLOCKED, "", false },
        { NEED_PACKAGES_WRITE, "", { { "GET /v2/\n", 200, JSON, "{}", NULL } }, FORGE_CANNOT_TELL, DIAG_UPSTREAM_MALFORMED, "", false },
        { .remedy = NULL },
};
/* clang-format on */

static const struct canned_question hub = { .type = FORGE_GITHUB,
                                            .url = "https://git.example.org",
                                            .registry = "containers.example.org",
                                            .ref = "" };

static void each_answer_has_its_verdict(void **state) {
        (void)state;
        canned_rows(&hub, good, token_rows);
        canned_rows(&hub, good, git_rows);
        canned_rows(&hub, good, rule_rows);
        canned_rows(&hub, good, release_rows);
        canned_rows(&hub, good, package_rows);
}

static void issues_need_a_scope_that_shows(void **state) {
        static const struct canned_row rows[] = {
                { NEED_ISSUES_WRITE,
                  "",
                  { CLASSIC("public_repo") },
                  FORGE_NO,
                  DIAG_FORGE_SCOPE_MISSING,
                  "scope repo",
                  false },
                { NEED_PULL_WRITE,
                  "",
                  { CLASSIC("gist") },
                  FORGE_NO,
                  DIAG_FORGE_SCOPE_MISSING,
                  "scope repo",
                  false },
                { NEED_PULL_WRITE,
                  "",
                  { CLASSIC("") },
                  FORGE_CANNOT_TELL,
                  DIAG_FORGE_CANNOT_TELL,
                  "",
                  false },
                { NEED_ISSUES_WRITE,
                  "",
                  { CLASSIC("public_repo"),
                    { "GET " REPO "\n", 200, JSON, "{\"full_name\":\"o/r\",\"private\":false}",
                      NULL } },
                  FORGE_CANNOT_TELL,
                  DIAG_FORGE_CANNOT_TELL,
                  "",
                  false },
                { NEED_ISSUES_WRITE,
                  "",
                  { FINE },
                  FORGE_CANNOT_TELL,
                  DIAG_FORGE_CANNOT_TELL,
                  "",
                  false },
                { NEED_ISSUES_WRITE,
                  "",
                  { APP },
                  FORGE_CANNOT_TELL,
                  DIAG_FORGE_CANNOT_TELL,
                  "",
                  false },
                { .remedy = NULL },
        };

        (void)state;
        canned_rows(&hub, good, rows);
}

static void without_a_registry_nothing_is_known_of_packages(void **state) {
        static const struct canned_row rows[] = {
                { NEED_PACKAGES_WRITE,
                  "",
                  { { 0 } },
                  FORGE_CANNOT_TELL,
                  DIAG_FORGE_CANNOT_TELL,
                  "Set registry of [forge home]",
                  false },
                { .remedy = NULL },
        };
        struct canned_question asked = hub;

        (void)state;
        asked.registry = NULL;
        canned_rows(&asked, good, rows);
}

static void who_it_is_is_asked_alone_and_first(void **state) {
        static const struct canned dead[] = {
                { "GET /api/v3/user\n", 401, JSON, HUB("Bad credentials"), NULL }, { 0 }
        };
        static struct canned_result result;
        struct canned_question asked = hub;

        (void)state;
        asked.needs = (1u << NEED_REF) - 1;
        asked.ref = MAIN;
        canned_ask(&asked, dead, good, &result);
        assert_string_equal(result.log, "GET /api/v3/user\n");
        assert_true(result.report.dead);
        for (enum forge_need need = 0; need < NEED_REF; need++)
                assert_int_equal(result.report.findings[need].verdict, FORGE_NO);
}

static void only_what_proves_something_is_asked(void **state) {
        static const struct canned ruled[] = { RULES(RULE("pull_request") "," RULE("update")),
                                               BYPASS("never"),
                                               { 0 } };
        static struct canned_result result;
        struct canned_question asked = hub;

        (void)state;
        canned_ask(&asked, NULL, good, &result);
        assert_string_equal(result.log, "GET /api/v3/user\n");
        asked.needs = 1u << NEED_CONTENTS_WRITE;
        asked.ref = MAIN;
        canned_ask(&asked, ruled, good, &result);
        assert_string_equal(result.log,
                            "GET /api/v3/user\nGET " REPO "\n" PUSH "\nGET " REPO
                            "/branches/main\nGET " REPO
                            "/rules/branches/main?per_page=100\nGET " REPO "/rulesets/5\n");
        asked.needs = 1u << NEED_PACKAGES_WRITE;
        asked.ref = "";
        canned_ask(&asked, NULL, good, &result);
        assert_string_equal(
            result.log, "GET /api/v3/user\nGET /v2/\nGET "
                        "/token?service=containers&scope=repository:o/i:pull,push\n"
                        "POST /v2/o/i/blobs/uploads/\nDELETE /v2/o/i/blobs/uploads/1?_state=abc\n");
        assert_int_equal(result.report.n_warnings, 0);
}

static void the_token_says_what_it_is(void **state) {
        static const struct canned fine[] = { FINE, { 0 } }, app[] = { APP, { 0 } },
                                   bare[] = { CLASSIC(""), { 0 } };
        static const struct canned narrow[] = { { "GET /api/v3/user\n", 403, JSON, PERSONAL, NULL },
                                                { 0 } };
        static struct canned_result result;

        (void)state;
        canned_ask(&hub, NULL, good, &result);
        assert_string_equal(result.report.login, "deploy-bot");
        assert_string_equal(result.report.kind, "personal-access-token");
        assert_true(result.report.scopes_known);
        assert_string_equal(result.report.scopes, "repo write:packages");
        /* 2026-12-31T00:00:00Z */
        assert_int_equal(result.report.expires_at, 1798675200 * USEC_PER_SEC);
        canned_ask(&hub, bare, good, &result);
        assert_true(result.report.scopes_known);
        assert_string_equal(result.report.scopes, "");
        assert_int_equal(result.report.expires_at, 0);
        canned_ask(&hub, fine, good, &result);
        assert_string_equal(result.report.kind, "fine-grained-token");
        assert_false(result.report.scopes_known);
        canned_ask(&hub, narrow, good, &result);
        assert_int_equal(result.report.identity.verdict, FORGE_YES);
        assert_string_equal(result.report.login, "");
        assert_string_equal(result.report.kind, "fine-grained-token");
        canned_ask(&hub, app, good, &result);
        assert_int_equal(result.report.identity.verdict, FORGE_YES);
        assert_string_equal(result.report.kind, "installation");
        assert_non_null(strstr(result.report.identity.error.detail, "no user"));
}

static void an_expiry_is_read_or_not_at_all(void **state) {
        static const struct {
                const char *header;
                usec_t at;
        } rows[] = {
                { "2026-12-31 00:00:00 UTC", 1798675200 * USEC_PER_SEC },
                { "2026-12-31 02:00:00 +0200", 1798675200 * USEC_PER_SEC },
                { "2026-12-30 17:00:00 -0700", 1798675200 * USEC_PER_SEC },
                { "2026-12-31", 0 },
                { "2026-12-31 00:00:00", 0 },
                { "2026-12-31 00:00:00 UTC, or so", 0 },
                { "2026-12-31 00:00:00 PST", 0 },
                { "1969-12-31 00:00:00 UTC", 0 },
                { "soon", 0 },
                { "", 0 },
        };
        static struct canned_result result;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char headers[128];
                const struct canned with[] = { { "GET /api/v3/user\n", 200, JSON,
                                                 "{\"id\":7,\"login\":\"x\"}", headers },
                                               { 0 } };

                (void)snprintf(headers, sizeof(headers),
                               "github-authentication-token-expiration: %s\n", rows[i].header);
                canned_ask(&hub, with, good, &result);
                assert_int_equal(result.report.expires_at, rows[i].at);
        }
}

/* What a write probe made is taken away by its number, and what is left is said. */
static void what_is_left_is_said(void **state) {
        static const struct {
                enum forge_need need;
                struct canned with[3];
                const char *warning; /* "": none */
                int deletes;
        } rows[] = {
                { NEED_RELEASE_WRITE, { { 0 } }, "", 1 },
                { NEED_RELEASE_WRITE, { { "DELETE ", 404, JSON, HUB("Not Found"), NULL } }, "", 1 },
                { NEED_RELEASE_WRITE,
                  { { "DELETE ", 500, JSON, HUB(""), NULL } },
                  "the draft release 101 (forge-broker-preflight-",
                  2 },
                { NEED_RELEASE_WRITE,
                  { { "DELETE ", 0, "", "", NULL } },
                  "the draft release 101 (forge-broker-preflight-",
                  2 },
                { NEED_RELEASE_WRITE,
                  { { "POST " REPO "/releases {\"tag_name\"", 502, HTML, PAGE, NULL } },
                  "",
                  0 },
                { NEED_RELEASE_WRITE,
                  { { "POST " REPO "/releases {\"tag_name\"", 0, "", "", NULL } },
                  "it is not known whether a draft release forge-broker-preflight-",
                  0 },
                { NEED_RELEASE_WRITE,
                  { { "POST " REPO "/releases {\"tag_name\"", 0, "", "", NULL },
                    { "GET " REPO "/releases?per_page=10", 500, JSON, HUB(""), NULL } },
                  "it is not known whether a draft release forge-broker-preflight-",
                  0 },
                { NEED_RELEASE_WRITE,
                  { { "POST " REPO "/releases {\"tag_name\"", 403, JSON, INTEGRATION, NULL } },
                  "",
                  0 },
                { NEED_PACKAGES_WRITE,
                  { { "DELETE ", 500, JSON, "{}", NULL } },
                  "may be left open",
                  2 },
                { NEED_PACKAGES_WRITE,
                  { { "POST /v2/", 0, "", "", NULL } },
                  "may be left open",
                  0 },
                { NEED_PACKAGES_WRITE,
                  { { "POST /v2/", 202, TEXT, "", NULL } },
                  "may be left open",
                  0 },
                { NEED_PACKAGES_WRITE,
                  { { "POST /v2/", 202, TEXT, "", "Location: /v2/canary-0123456789\n" } },
                  "may be left open",
                  0 },
                { NEED_PACKAGES_WRITE,
                  { { "POST /v2/", 202, TEXT, "", "Location: //elsewhere.example/v2/x\n" } },
                  "may be left open",
                  0 },
                { NEED_PACKAGES_WRITE,
                  { { "POST /v2/", 202, TEXT, "", "Location: https://elsewhere.example/v2/x\n" } },
                  "may be left open",
                  0 },
                { NEED_PACKAGES_WRITE,
                  { { "POST /v2/", 202, TEXT, "",
                      "Location: https://containers.example.org/v2/o/i/blobs/uploads/"
                      "1?_state=abc\n" } },
                  "",
                  1 },
        };
        static struct canned_result result;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct canned_question asked = hub;
                int deletes = 0;

                asked.needs = 1u << rows[i].need;
                asked.write_probe = true;
                canned_ask(&asked, rows[i].with, good, &result);
                for (const char *p = result.log; (p = strstr(p, "DELETE ")); p++)
                        deletes++;
                if (deletes != rows[i].deletes ||
                    (result.report.n_warnings == 1) != (rows[i].warning[0] != '\0') ||
                    (rows[i].warning[0] && !strstr(result.report.warnings[0], rows[i].warning)))
                        fail_msg("row %zu: %d deletes, %s", i, deletes,
                                 result.report.n_warnings ? result.report.warnings[0] : "");
        }
}

/* A draft is found by the name that nobody else has, and no other is ever deleted. */
static void a_lost_draft_is_found_by_its_own_name(void **state) {
        static const struct canned with[] = {
                { "POST " REPO "/releases {\"tag_name\"", 502, JSON, "{}", NULL },
                { "GET " REPO "/releases?per_page=10", 200, JSON,
                  "[{\"id\":99,\"tag_name\":\"v1\"},{\"id\":98}]", NULL },
                { 0 },
        };
        static struct canned_result result;
        struct canned_question asked = hub;

        (void)state;
        asked.needs = 1u << NEED_RELEASE_WRITE;
        asked.write_probe = true;
        canned_ask(&asked, with, good, &result);
        assert_null(strstr(result.log, "DELETE"));
        assert_int_equal(result.report.n_warnings, 0);
}

static int set_up(void **state) {
        struct error err;

        (void)state;
        return secret_init(false, &err);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_answer_has_its_verdict),
                cmocka_unit_test(issues_need_a_scope_that_shows),
                cmocka_unit_test(without_a_registry_nothing_is_known_of_packages),
                cmocka_unit_test(who_it_is_is_asked_alone_and_first),
                cmocka_unit_test(only_what_proves_something_is_asked),
                cmocka_unit_test(the_token_says_what_it_is),
                cmocka_unit_test(an_expiry_is_read_or_not_at_all),
                cmocka_unit_test(what_is_left_is_said),
                cmocka_unit_test(a_lost_draft_is_found_by_its_own_name),
        };

        return cmocka_run_group_tests(tests, set_up, NULL);
}
