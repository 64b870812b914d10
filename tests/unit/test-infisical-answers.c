/*
 * What Infisical's answers mean: each recorded exchange, each answer of the 2024 servers, and what
 * a hostile or broken server could send.  Answer in, code and end of life out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/wiping.h"
#include "infisical/infisical.h"

#define URL "https://infisical.example.org"

enum { KEEP = false, END = true };

static const struct infisical_address lab = {
        .project_id = "a5db14e9-3090-42e4-a6a0-514a805f306f",
        .environment = "prod",
        .secret_path = "/forge",
        .secret_name = "DEPLOY",
};

struct outcome {
        enum diagnosis code;
        bool ends_value;
};

static struct http_response answer_make(int status, const char *content_type, const char *body) {
        struct http_response response = { .status = status,
                                          .body = secret_copy(body, strlen(body)) };

        assert_non_null(response.body);
        (void)snprintf(response.content_type, sizeof(response.content_type), "%s", content_type);
        return response;
}

/* What holds for every outcome, whatever it is. */
static void check_outcome(const char *name, const struct infisical_result *result,
                          const struct error *err, int r, struct outcome expected) {
        if (result->verdict.code != expected.code ||
            result->verdict.authoritative != expected.ends_value)
                fail_msg("%s: %s (%s), expected %s (%s): %s", name,
                         result->verdict.code ? diagnosis_info(result->verdict.code)->name : "none",
                         result->verdict.authoritative ? "ends the value" : "keeps it",
                         expected.code ? diagnosis_info(expected.code)->name : "none",
                         expected.ends_value ? "ends the value" : "keeps it", err->detail);
        assert_int_equal(r, -(int)expected.code);
        assert_int_equal(err->code, expected.code);
        if (expected.code == DIAG_NONE) {
                assert_true((result->value != NULL) == !result->verdict.unchanged);
                assert_string_equal(err->detail, "");
                return;
        }
        assert_null(result->value);
        assert_string_not_equal(err->detail, "");
        assert_true(strlen(error_remedy(err)) > 20);
        assert_null(strstr(err->detail, "environment="));
        assert_null(strstr(err->detail, "lab-value"));
        assert_null(strstr(err->remedy, "lab-value"));
}

/* clang-format off */
static const struct {
        const char *name;
        struct outcome outcome;
} recorded[] = {
        { "auth-alg-hs512", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-alg-none", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-basic-scheme", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-empty-bearer-space", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-expired-token", { DIAG_CREDENTIAL_EXPIRED, KEEP } },
        { "auth-expired-token-ua", { DIAG_CREDENTIAL_EXPIRED, KEEP } },
        { "auth-garbage-token", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-huge-token", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-identity-without-project", { DIAG_NOT_PROJECT_MEMBER, END } },
        { "auth-missing-header", { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "auth-raw-token-no-scheme", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-revoked-token-by-admin", { DIAG_CREDENTIAL_REJECTED, END } },
        { "auth-service-token-malformed", { DIAG_CREDENTIAL_REJECTED, END } },
        { "auth-service-token-unknown", { DIAG_CREDENTIAL_REJECTED, END } },
        { "auth-three-part-garbage", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-token-after-failed-renew", { DIAG_CREDENTIAL_REJECTED, END } },
        { "auth-tokenauth-after-failed-renew", { DIAG_CREDENTIAL_REJECTED, END } },
        { "auth-truncated-token", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-wrong-signature", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "auth-x-api-key-unknown", { DIAG_CREDENTIAL_REJECTED, END } },
        { "backend-database-down", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "environment-missing", { DIAG_FOLDER_NOT_FOUND, END } },
        { "import-denied", { DIAG_SECRET_NOT_FOUND, END } },
        { "import-not-requested", { DIAG_SECRET_NOT_FOUND, END } },
        { "import-read-ok", { DIAG_NONE, KEEP } },      /* this server does not say where it came from */
        { "name-100-bytes", { DIAG_SECRET_NOT_FOUND, END } },
        { "name-101-bytes", { DIAG_SECRET_NOT_FOUND, KEEP } },
        { "name-with-nul", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "param-bad-version", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "param-bad-viewSecretValue", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "param-duplicated-environment", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "param-missing-all", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "param-missing-workspace", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "param-projectId-instead-of-workspaceId", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "path-bad-percent-encoding", { DIAG_UPSTREAM_ERROR, KEEP } },
        { "path-missing", { DIAG_FOLDER_NOT_FOUND, END } },
        { "permission-denied-missing-secret", { DIAG_PERMISSION_DENIED, END } },
        { "permission-denied-no-access-role", { DIAG_PERMISSION_DENIED, END } },
        { "permission-denied-not-project-member", { DIAG_NOT_PROJECT_MEMBER, END } },
        { "permission-denied-other-env", { DIAG_PERMISSION_DENIED, END } },
        { "project-id-malformed", { DIAG_PROJECT_NOT_FOUND, END } },
        { "project-slug-missing", { DIAG_PROJECT_NOT_FOUND, END } },
        { "rate-limit-exceeded-bad-token", { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "rate-limit-exceeded-other-token", { DIAG_UPSTREAM_RATE_LIMITED, KEEP } },
        { "rate-limit-exceeded-secret-read", { DIAG_UPSTREAM_RATE_LIMITED, KEEP } },
        { "rate-limit-headers-on-ok", { DIAG_NONE, KEEP } },
        { "secret-deleted", { DIAG_SECRET_NOT_FOUND, END } },
        { "secret-deleted-old-version", { DIAG_NONE, KEEP } },
        { "secret-missing", { DIAG_SECRET_NOT_FOUND, END } },
        { "secret-read-bearer-lowercase", { DIAG_NONE, KEEP } },
        { "secret-read-comment-metadata", { DIAG_NONE, KEEP } },
        { "secret-read-describe-only-denied-value", { DIAG_PERMISSION_DENIED, END } },
        { "secret-read-describe-only-hidden", { DIAG_SECRET_HIDDEN, END } },
        { "secret-read-empty-value", { DIAG_SECRET_EMPTY, END } },
        { "secret-read-environment-uppercase", { DIAG_FOLDER_NOT_FOUND, END } },
        { "secret-read-environment-with-spaces", { DIAG_NONE, KEEP } },
        { "secret-read-large-value", { DIAG_SECRET_MALFORMED, END } },
        { "secret-read-multiline", { DIAG_SECRET_MALFORMED, END } },
        { "secret-read-name-surrounded-by-spaces", { DIAG_NONE, KEEP } },
        { "secret-read-name-uppercase", { DIAG_SECRET_NOT_FOUND, END } },
        { "secret-read-not-modified", { DIAG_NONE, KEEP } },
        { "secret-read-ok", { DIAG_NONE, KEEP } },
        { "secret-read-ok-by-slug", { DIAG_NONE, KEEP } },
        { "secret-read-ok-explicit-defaults", { DIAG_NONE, KEEP } },
        { "secret-read-ok-lowercase-hex", { DIAG_NONE, KEEP } },
        { "secret-read-ok-path-unescaped-slashes", { DIAG_NONE, KEEP } },
        { "secret-read-path-default-root", { DIAG_NONE, KEEP } },
        { "secret-read-path-dotdot", { DIAG_FOLDER_NOT_FOUND, END } },
        { "secret-read-path-empty", { DIAG_FOLDER_NOT_FOUND, END } },
        { "secret-read-path-no-leading-slash", { DIAG_FOLDER_NOT_FOUND, END } },
        { "secret-read-path-non-ascii", { DIAG_FOLDER_NOT_FOUND, END } },
        { "secret-read-path-trailing-slash", { DIAG_NONE, KEEP } },
        { "secret-read-path-uppercase", { DIAG_FOLDER_NOT_FOUND, END } },
        { "secret-read-personal-missing", { DIAG_SECRET_NOT_FOUND, END } },
        { "secret-read-plus-as-space", { DIAG_SECRET_NOT_FOUND, END } },
        { "secret-read-reference-expanded", { DIAG_NONE, KEEP } },
        { "secret-read-route-trailing-slash", { DIAG_NONE, KEEP } },
        { "secret-read-unicode", { DIAG_SECRET_MALFORMED, END } },
        { "secret-read-unknown-extra-query", { DIAG_NONE, KEEP } },
        { "secret-read-version-1", { DIAG_NONE, KEEP } },
        { "secret-rotated-after", { DIAG_NONE, KEEP } },
        { "secret-rotated-before", { DIAG_NONE, KEEP } },
        { "secret-rotated-old-version", { DIAG_NONE, KEEP } },
        { "token-ttl-fresh-read-ok", { DIAG_NONE, KEEP } },
        { "ua-token-read-ok", { DIAG_NONE, KEEP } },
        { "uselimit-consumed-by-404s", { DIAG_CREDENTIAL_USES_EXHAUSTED, KEEP } },
        { "uselimit-fourth-gone", { DIAG_CREDENTIAL_REJECTED, END } },
        { "uselimit-second-ok", { DIAG_NONE, KEEP } },
        { "uselimit-third-exhausted", { DIAG_CREDENTIAL_USES_EXHAUSTED, KEEP } },
        { "v4-secret-route-absent", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "very-long-name", { DIAG_SECRET_NOT_FOUND, KEEP } },
};
/* clang-format on */

static const struct outcome *recorded_outcome(const char *name) {
        for (size_t i = 0; i < ELEMENTS(recorded); i++)
                if (strcmp(recorded[i].name, name) == 0)
                        return &recorded[i].outcome;
        fail_msg("no row for the recording %s", name);
        return NULL;
}

static void check_recording(const json_t *line) {
        const char *name = json_member_string(line, "name");
        const struct infisical_address address = {
                .project_id = json_member_string(line, "project_id"),
                .environment = json_member_string(line, "environment"),
                .secret_path = json_member_string(line, "secret_path"),
                .secret_name = json_member_string(line, "secret_name"),
        };
        const struct outcome *expected = recorded_outcome(name);
        struct infisical_result result;
        struct http_response response;
        struct error err = { 0 };
        json_int_t status, retry_after;
        int r;

        assert_true(json_member_int(line, "status", &status));
        assert_true(json_member_int(line, "retry_after", &retry_after));
        response = answer_make((int)status, json_member_string(line, "content_type"),
                               json_member_string(line, "body"));
        response.retry_after = (usec_t)retry_after * USEC_PER_SEC;
        (void)snprintf(response.etag, sizeof(response.etag), "%s",
                       json_member_string(line, "etag"));

        r = infisical_classify_read(&response, &address, URL, json_member_true(line, "v4"),
                                    json_member_true(line, "sent_etag"), &result, &err);
        check_outcome(name, &result, &err, r, *expected);
        if (expected->code == DIAG_NONE)
                assert_string_equal(result.etag, response.etag);
        if (result.value)
                assert_true(result.version >= 1);
        assert_int_equal(result.verdict.unchanged, status == 304);
        assert_int_equal(result.verdict.route_unknown, strcmp(name, "v4-secret-route-absent") == 0);
        assert_int_equal(result.verdict.pause,
                         expected->code == DIAG_UPSTREAM_RATE_LIMITED ? 59 * USEC_PER_SEC : 0);
        (void)secret_unref(result.value);
        (void)secret_unref(response.body);
}

static void every_recorded_read_has_its_meaning(void **state) {
        const char *top = getenv("top_srcdir");
        _cleanup_(fclosep) FILE *file = NULL;
        _cleanup_(freep) char *line = NULL;
        char path[4096];
        size_t size = 0, lines = 0;
        ssize_t length;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/tests/unit/data/infisical-reads.jsonl",
                       top ? top : ".");
        file = fopen(path, "re");
        assert_non_null(file);
        while ((length = getline(&line, &size, file)) > 0) {
                json_t *root = json_parse(line, (size_t)length);

                assert_non_null(root);
                check_recording(root);
                json_decref(root);
                lines++;
        }
        assert_int_equal(lines, ELEMENTS(recorded));
}

/* An error body as the 2024 servers and the framework write it: without a request id. */
#define BARE(status, error, message)                                                               \
        "{\"statusCode\":" #status ",\"message\":\"" message "\",\"error\":\"" error "\"}"
#define OWN(status, error, message)                                                                \
        "{\"reqId\":\"req-aB3dE5fG7hJ9kL\",\"statusCode\":" #status ",\"message\":\"" message      \
        "\",\"error\":\"" error "\"}"
#define SECRET(rest) "{\"secret\":{\"secretKey\":\"DEPLOY\"," rest "}}"
#define NOT_ALLOWED  "You are not allowed to access this resource"
#define JSON         "application/json"
#define HTML         "text/html"
#define PAGE         "<!DOCTYPE html><html><body>Forbidden</body></html>"

/* clang-format off */
static const struct answer_case {
        const char *name;
        int status;
        const char *content_type, *body;
        struct outcome outcome;
} cases[] = {
        /* Servers of mid-2024: other statuses, no request ids. */
        { "2024 auth-empty-bearer", 500, JSON, BARE(500, "Internal Server Error", "jwt must be provided"),
          { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "2024 auth-expired-token", 403, JSON,
          BARE(403, "UnauthorizedError", "Failed to renew MI access token due to TTL expiration"),
          { DIAG_CREDENTIAL_EXPIRED, KEEP } },
        { "2024 jwt expired", 500, JSON, BARE(500, "Internal Server Error", "jwt expired"),
          { DIAG_CREDENTIAL_EXPIRED, KEEP } },
        { "2024 auth-garbage-token", 500, JSON, BARE(500, "Internal Server Error", "jwt malformed"),
          { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "2024 auth-missing-header", 403, JSON, BARE(403, "Unauthorized access", "Token missing"),
          { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "2024 auth-revoked-token", 403, JSON, BARE(403, "UnauthorizedError", NOT_ALLOWED),
          { DIAG_CREDENTIAL_REJECTED, END } },
        { "2024 auth-service-token-unknown", 403, JSON, BARE(403, "UnauthorizedError", NOT_ALLOWED),
          { DIAG_CREDENTIAL_REJECTED, END } },
        { "2024 auth-wrong-signature", 500, JSON, BARE(500, "Internal Server Error", "invalid signature"),
          { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "2024 environment-missing", 400, JSON,
          BARE(400, "Create secret", "Folder not found for the given environment slug & secret path"),
          { DIAG_FOLDER_NOT_FOUND, END } },
        { "2024 path-missing", 400, JSON,
          BARE(400, "Create secret", "Folder not found for the given environment slug & secret path"),
          { DIAG_FOLDER_NOT_FOUND, END } },
        { "2024 list-denied", 401, JSON, BARE(401, "PermissionDenied", "You are not allowed to read on secrets"),
          { DIAG_PERMISSION_DENIED, END } },
        { "2024 list-missing-params", 400, JSON, BARE(400, "BadRequest", "Missing workspace id or environment"),
          { DIAG_UPSTREAM_ERROR, KEEP } },
        { "2024 name-101-bytes", 404, JSON, BARE(404, "Not Found", "Route GET:/api/v3/secrets/raw/NNN?x=y not found"),
          { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "2024 name-with-nul", 400, JSON, BARE(400, "BadRequest", "Secret not found"),
          { DIAG_SECRET_NOT_FOUND, END } },
        { "2024 param-bad-type", 403, JSON,
          "{\"statusCode\":403,\"error\":\"ValidationFailure\",\"message\":[{\"path\":[\"type\"],\"message\":\"Invalid\"}]}",
          { DIAG_UPSTREAM_ERROR, KEEP } },
        { "2024 param-missing-environment", 400, JSON, BARE(400, "BadRequest", "Missing environment"),
          { DIAG_UPSTREAM_ERROR, KEEP } },
        { "2024 param-missing-workspace", 400, JSON,
          BARE(400, "BadRequest", "You must provide workspaceSlug or workspaceId"), { DIAG_UPSTREAM_ERROR, KEEP } },
        { "2024 permission-denied-no-access-role", 401, JSON,
          BARE(401, "PermissionDenied", "You are not allowed to read on secrets"), { DIAG_PERMISSION_DENIED, END } },
        { "2024 permission-denied-not-project-member", 403, JSON, BARE(403, "Identity not in project", NOT_ALLOWED),
          { DIAG_NOT_PROJECT_MEMBER, END } },
        { "2024 project-id-malformed", 400, JSON, BARE(400, "BadRequest", "Project not found during bot lookup."),
          { DIAG_PROJECT_NOT_FOUND, END } },
        { "2024 project-missing", 400, JSON, BARE(400, "BadRequest", "Project not found during bot lookup."),
          { DIAG_PROJECT_NOT_FOUND, END } },
        { "2024 project-slug-missing", 500, JSON, BARE(500, "Find project by slug", "Something went wrong"),
          { DIAG_UPSTREAM_ERROR, KEEP } },
        { "2024 secret-missing", 400, JSON, BARE(400, "BadRequest", "Secret not found"),
          { DIAG_SECRET_NOT_FOUND, END } },
        { "2024 secret-read-ok", 200, JSON, SECRET("\"version\":1,\"environment\":\"prod\",\"secretValue\":\"t\""),
          { DIAG_NONE, KEEP } },
        { "2024 uselimit-third", 400, JSON,
          BARE(400, "BadRequest", "Unable to renew because access token number of uses limit reached"),
          { DIAG_CREDENTIAL_USES_EXHAUSTED, KEEP } },
        { "2024 uselimit-fourth", 403, JSON, BARE(403, "UnauthorizedError", NOT_ALLOWED),
          { DIAG_CREDENTIAL_REJECTED, END } },

        /* Servers of 2025 and 2026 that were not recorded. */
        { "revoked", 401, JSON, OWN(401, "UnauthorizedError", "Failed to authorize: token has been revoked"),
          { DIAG_CREDENTIAL_REJECTED, END } },
        { "client secret revoked", 401, JSON,
          OWN(401, "UnauthorizedError", "Failed to authorize: client secret has been revoked"),
          { DIAG_CREDENTIAL_REJECTED, END } },
        { "identity tokens revoked", 401, JSON,
          OWN(401, "UnauthorizedError", "Failed to authorize: identity tokens have been revoked"),
          { DIAG_CREDENTIAL_REJECTED, END } },
        { "unknown on C", 401, JSON, OWN(401, "UnauthorizedError", "Cannot renew revoked or unknown access token"),
          { DIAG_CREDENTIAL_REJECTED, END } },
        { "max age", 401, JSON,
          OWN(401, "UnauthorizedError", "Identity access token exceeded max age, please re-authenticate"),
          { DIAG_CREDENTIAL_EXPIRED, KEEP } },
        { "bad claims", 401, JSON,
          OWN(401, "UnauthorizedError", "Invalid identity access token claims, please re-authenticate"),
          { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "expired, 401 as of PR 7443", 401, JSON,
          OWN(401, "TokenError", "Your token has expired. Please re-authenticate."),
          { DIAG_CREDENTIAL_EXPIRED, KEEP } },
        { "uses on C", 401, JSON, OWN(401, "UnauthorizedError", "Failed to authorize: token usage limit reached"),
          { DIAG_CREDENTIAL_USES_EXHAUSTED, KEEP } },
        { "address", 403, JSON,
          OWN(403, "ForbiddenError", "You are not allowed to access this resource from the current IP address"),
          { DIAG_ADDRESS_NOT_ALLOWED, KEEP } },
        { "identity out of the organization, B", 400, JSON,
          OWN(400, "BadRequest", "Identity does not belong to this organization"), { DIAG_CREDENTIAL_REJECTED, END } },
        { "identity out of the organization, A", 401, JSON,
          OWN(401, "UnauthorizedError", "Identity does not belong to any organization"),
          { DIAG_CREDENTIAL_REJECTED, END } },
        { "no identity token", 403, JSON, OWN(403, "Forbidden access to /api/v4/secrets/DEPLOY", NOT_ALLOWED),
          { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "not a member, 2026", 403, JSON,
          OWN(403, "ProjectMembershipNotFound", "You are not a member of this project with ID x."),
          { DIAG_NOT_PROJECT_MEMBER, END } },
        { "not a member, 2025", 403, JSON,
          OWN(403, "ForbiddenError", "You are not a member of this project with ID x."),
          { DIAG_NOT_PROJECT_MEMBER, END } },
        { "another organization", 403, JSON,
          OWN(403, "ForbiddenError", "This project does not belong to your selected organization."),
          { DIAG_PROJECT_NOT_FOUND, END } },
        { "another project type", 400, JSON,
          OWN(400, "BadRequest", "The project is of type kms. Operations of type secret-manager are not allowed."),
          { DIAG_PROJECT_NOT_FOUND, KEEP } },
        { "no project", 404, JSON, OWN(404, "NotFound", "Project with x not found"), { DIAG_PROJECT_NOT_FOUND, END } },
        { "references", 403, JSON, OWN(403, "ForbiddenError", "Failed to expand one or more secret references"),
          { DIAG_PERMISSION_DENIED, END } },
        { "list folder", 404, JSON,
          OWN(404, "SecretPathNotFound", "Folder with path '/x' in environment 'prod' was not found."),
          { DIAG_FOLDER_NOT_FOUND, END } },
        { "folder named like a limit", 404, JSON,
          OWN(404, "GetSecretByName", "Folder with path '/usage limit reached' in environment with slug 'x' not found"),
          { DIAG_FOLDER_NOT_FOUND, END } },
        { "Go port validation", 422, JSON, OWN(422, "ValidationFailure", "projectId is required"),
          { DIAG_UPSTREAM_ERROR, KEEP } },
        { "gateway timeout of its own", 504, JSON, OWN(504, "GatewayTimeoutError", "upstream timed out"),
          { DIAG_UPSTREAM_ERROR, KEEP } },
        { "unknown name 403", 403, JSON, OWN(403, "NewKindOfRefusal", "No."), { DIAG_UPSTREAM_ERROR, KEEP } },
        { "unknown name 404", 404, JSON, OWN(404, "NewKindOfAbsence", "No."), { DIAG_UPSTREAM_ERROR, KEEP } },
        { "unknown name 409", 409, JSON, OWN(409, "Conflict", "No."), { DIAG_UPSTREAM_ERROR, KEEP } },
        { "429 without a time", 429, JSON, OWN(429, "RateLimitExceeded", "Rate limit exceeded"),
          { DIAG_UPSTREAM_RATE_LIMITED, KEEP } },

        /* Not Infisical. */
        { "HTML 403", 403, HTML, PAGE, { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "HTML 401", 401, HTML, PAGE, { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "HTML 404", 404, HTML, PAGE, { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "HTML 400", 400, HTML, PAGE, { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "HTML 429", 429, HTML, PAGE, { DIAG_UPSTREAM_RATE_LIMITED, KEEP } },
        { "HTML 431", 431, HTML, PAGE, { DIAG_CREDENTIAL_REJECTED, KEEP } },
        { "HTML 500", 500, HTML, PAGE, { DIAG_UPSTREAM_UNREACHABLE, KEEP } },
        { "HTML 502", 502, HTML, PAGE, { DIAG_UPSTREAM_UNREACHABLE, KEEP } },
        { "HTML 503", 503, HTML, PAGE, { DIAG_UPSTREAM_UNREACHABLE, KEEP } },
        { "CDN 522", 522, HTML, PAGE, { DIAG_UPSTREAM_UNREACHABLE, KEEP } },
        { "web page 200", 200, HTML, PAGE, { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "text 200", 200, "text/plain", "ok", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "nothing 200", 200, "", "", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "JSON under a wrong type", 200, "text/plain", SECRET("\"secretValue\":\"t\""),
          { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "redirect", 302, HTML, "", { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "redirect with Infisical's JSON", 307, JSON, OWN(307, "PermissionDenied", "x"),
          { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "created", 201, JSON, SECRET("\"secretValue\":\"t\""), { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "no content", 204, "", "", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "partial content", 206, JSON, SECRET("\"secretValue\":\"t\""), { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "304 unasked", 304, "", "", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "API gateway 403", 403, JSON, "{\"message\":\"Forbidden\"}", { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "another framework's 403", 403, JSON, BARE(403, "Forbidden", "Forbidden"), { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "403 that borrows a name", 403, JSON, BARE(403, "ForbiddenError", "Denied"), { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "403 that borrows another", 403, JSON, BARE(403, "PermissionDenied", "Denied"),
          { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "status rewritten on the way", 403, JSON, OWN(404, "NotFound", "Secret with name 'DEPLOY' not found"),
          { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "another framework's 404", 404, JSON, BARE(404, "Not Found", "Cannot GET /api"), { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "JSON 502 of a gateway", 502, JSON, "{\"error\":\"bad gateway\"}", { DIAG_UPSTREAM_UNREACHABLE, KEEP } },
        { "array", 403, JSON, "[]", { DIAG_UPSTREAM_BLOCKED, KEEP } },
        { "number", 200, JSON, "1", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "empty body 403", 403, JSON, "", { DIAG_UPSTREAM_BLOCKED, KEEP } },

        /* A value that is none, or not ours. */
        { "truncated", 200, JSON, "{\"secret\":{\"secretKey\":\"DEPLOY\",\"secretValue\":\"lab-val",
          { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "trailing bytes", 200, JSON, SECRET("\"secretValue\":\"t\"") "{}", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "duplicate keys", 200, JSON, SECRET("\"secretValue\":\"a\",\"secretValue\":\"b\""),
          { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "NUL inside", 200, JSON, SECRET("\"secretValue\":\"a\\u0000b\""), { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "no secret", 200, JSON, "{\"secrets\":[]}", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "secret is a string", 200, JSON, "{\"secret\":\"t\"}", { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "no value", 200, JSON, SECRET("\"version\":1"), { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "value is a number", 200, JSON, SECRET("\"secretValue\":1"), { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "value is null", 200, JSON, SECRET("\"secretValue\":null"), { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "another key", 200, JSON, "{\"secret\":{\"secretKey\":\"OTHER\",\"secretValue\":\"lab-value\"}}",
          { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "version is text", 200, JSON, SECRET("\"version\":\"1\",\"secretValue\":\"t\""),
          { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "version is 0", 200, JSON, SECRET("\"version\":0,\"secretValue\":\"t\""), { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "no version", 200, JSON, SECRET("\"secretValue\":\"t\""), { DIAG_NONE, KEEP } },
        { "null version", 200, JSON, SECRET("\"version\":null,\"secretValue\":\"t\""), { DIAG_NONE, KEEP } },
        { "import from a path", 200, JSON,
          SECRET("\"environment\":\"prod\",\"secretPath\":\"/shared\",\"secretValue\":\"lab-value\""),
          { DIAG_SECRET_NOT_FOUND, END } },
        { "import from an environment", 200, JSON,
          SECRET("\"environment\":\"dev\",\"secretPath\":\"/forge\",\"secretValue\":\"lab-value\""),
          { DIAG_SECRET_NOT_FOUND, END } },
        { "path is a number", 200, JSON, SECRET("\"secretPath\":1,\"secretValue\":\"t\""),
          { DIAG_UPSTREAM_MALFORMED, KEEP } },
        { "path with a slash behind", 200, JSON,
          SECRET("\"environment\":\"prod\",\"secretPath\":\"/forge/\",\"secretValue\":\"t\""), { DIAG_NONE, KEEP } },
        { "masked", 200, JSON, SECRET("\"secretValueHidden\":true,\"secretValue\":\"<hidden-by-infisical>\""),
          { DIAG_SECRET_HIDDEN, END } },
        { "masked, not said", 200, JSON, SECRET("\"secretValue\":\"<hidden-by-infisical>\""),
          { DIAG_SECRET_HIDDEN, END } },
        { "hidden, another mask", 200, JSON, SECRET("\"secretValueHidden\":true,\"secretValue\":\"***\""),
          { DIAG_SECRET_HIDDEN, END } },
        { "hidden is text", 200, JSON, SECRET("\"secretValueHidden\":\"yes\",\"secretValue\":\"***\""),
          { DIAG_SECRET_HIDDEN, END } },
        { "not hidden", 200, JSON, SECRET("\"secretValueHidden\":false,\"secretValue\":\"t\""), { DIAG_NONE, KEEP } },
        { "blanks only", 200, JSON, SECRET("\"secretValue\":\" \\n\\t \""), { DIAG_SECRET_EMPTY, END } },
        { "newline at the end", 200, JSON, SECRET("\"secretValue\":\"t\\n\""), { DIAG_NONE, KEEP } },
        { "newline inside", 200, JSON, SECRET("\"secretValue\":\"lab-value\\nx\""), { DIAG_SECRET_MALFORMED, END } },
        { "blank inside", 200, JSON, SECRET("\"secretValue\":\"lab-value x\""), { DIAG_SECRET_MALFORMED, END } },
        { "DEL inside", 200, JSON, SECRET("\"secretValue\":\"lab-value\\u007f\""), { DIAG_SECRET_MALFORMED, END } },
        { "not ASCII", 200, JSON, SECRET("\"secretValue\":\"lab-value\\u00e9\""), { DIAG_SECRET_MALFORMED, END } },
        { "reference", 200, JSON, SECRET("\"secretValue\":\"${prod.forge.OTHER}\""), { DIAG_SECRET_MALFORMED, END } },
};
/* clang-format on */

static void every_other_answer_has_its_meaning(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct http_response response =
                    answer_make(cases[i].status, cases[i].content_type, cases[i].body);
                struct infisical_result result;
                struct error err = { 0 };
                int r = infisical_classify_read(&response, &lab, URL, false, false, &result, &err);

                check_outcome(cases[i].name, &result, &err, r, cases[i].outcome);
                if (result.value) {
                        assert_int_equal(secret_length(result.value), 1);
                        assert_string_equal(secret_bytes(result.value), "t");
                }
                (void)secret_unref(result.value);
                (void)secret_unref(response.body);
        }
}

static struct infisical_result classify(int status, const char *body,
                                        const struct infisical_address *address, bool v4,
                                        usec_t retry_after, struct error *err) {
        struct http_response response = answer_make(status, JSON, body);
        struct infisical_result result;

        response.retry_after = retry_after;
        (void)infisical_classify_read(&response, address, URL, v4, false, &result, err);
        (void)secret_unref(result.value);
        result.value = NULL;
        (void)secret_unref(response.body);
        return result;
}

static void a_pause_is_what_the_server_asks_for_within_an_hour(void **state) {
        static const struct {
                const char *message;
                usec_t retry_after, pause;
        } rows[] = {
                { OWN(429, "RateLimitExceeded", "Please try again in 57 seconds"), 0,
                  57 * USEC_PER_SEC },
                { OWN(429, "RateLimitExceeded", "Please try again in 57 seconds"), 9 * USEC_PER_SEC,
                  9 * USEC_PER_SEC },
                { OWN(429, "RateLimitExceeded", "Please try again in 1 minute"), 0,
                  60 * USEC_PER_SEC },
                { OWN(429, "RateLimitExceeded", "Please try again in 9999 seconds"), 0,
                  USEC_PER_HOUR },
                { OWN(429, "RateLimitExceeded", "Please try again in 99999 seconds"), 0,
                  60 * USEC_PER_SEC },
                { "{}", 0, 60 * USEC_PER_SEC },
                { "", 2 * USEC_PER_HOUR, USEC_PER_HOUR },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct error err;
                struct infisical_result result =
                    classify(429, rows[i].message, &lab, true, rows[i].retry_after, &err);

                assert_int_equal(result.verdict.code, DIAG_UPSTREAM_RATE_LIMITED);
                assert_int_equal(result.verdict.pause, rows[i].pause);
        }
}

static void only_the_framework_itself_says_that_a_route_is_unknown(void **state) {
        static const struct {
                const char *body;
                bool unknown;
        } rows[] = {
                { BARE(404, "Not Found", "Route GET:/api/v4/secrets/DEPLOY?projectId=x not found"),
                  true },
                { OWN(404, "Not Found", "Route GET:/api/v4/secrets/DEPLOY?projectId=x not found"),
                  false },
                { BARE(404, "NotFound", "Route GET:/api/v4/secrets/DEPLOY not found"), false },
                { BARE(404, "Not Found", "Not Found"), false },
                { "{\"error\":\"Not Found\",\"message\":\"Route GET:/api not found\"}", false },
        };
        struct infisical_address long_name = lab;
        char name[102];
        struct error err;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                for (int v4 = 0; v4 < 2; v4++)
                        assert_int_equal(
                            classify(404, rows[i].body, &lab, v4, 0, &err).verdict.route_unknown,
                            rows[i].unknown);

        /* Any server says so of a name over 100 bytes: v3 is worth one try, and then it is the
         * name. */
        memset(name, 'N', sizeof(name));
        name[101] = '\0';
        long_name.secret_name = name;
        assert_true(classify(404, rows[0].body, &long_name, true, 0, &err).verdict.route_unknown);
        assert_false(classify(404, rows[0].body, &long_name, false, 0, &err).verdict.route_unknown);
        assert_int_equal(err.code, DIAG_SECRET_NOT_FOUND);
        assert_non_null(strstr(err.remedy, "100"));
}

static void a_remedy_names_the_settings_in_question(void **state) {
        struct error err;

        (void)state;
        (void)classify(
            403, OWN(403, "PermissionDenied", "You are not allowed to describeSecret on secrets"),
            &lab, true, 0, &err);
        assert_non_null(strstr(err.remedy, "DEPLOY"));
        assert_non_null(strstr(err.remedy, "'prod'"));
        assert_non_null(strstr(err.remedy, "/forge"));
        assert_non_null(strstr(err.remedy, lab.project_id));
        assert_non_null(strstr(err.detail, "req-aB3dE5fG7hJ9kL"));
        assert_non_null(strstr(err.detail, "describeSecret"));

        (void)classify(404, OWN(404, "NotFound", "Project with x not found"), &lab, true, 0, &err);
        assert_non_null(strstr(err.remedy, lab.project_id));

        (void)classify(422,
                       "{\"reqId\":\"req-1\",\"statusCode\":422,\"error\":\"ValidationFailure\","
                       "\"message\":[{\"path\":"
                       "[\"projectId\"],\"message\":\"Required\"},{\"path\":[\"environment\"],"
                       "\"message\":\"Required\"},7]}",
                       &lab, true, 0, &err);
        assert_non_null(strstr(err.detail, "projectId: Required; environment: Required"));
}

static void outside_text_is_clean_and_bounded(void **state) {
        char body[4096];
        struct error err;

        (void)state;
        (void)snprintf(body, sizeof(body),
                       OWN(403, "Permission\\nDenied", "\\u001b[31m%0*d\\u202e"), 2000, 0);
        (void)classify(403, body, &lab, true, 0, &err);
        assert_null(strchr(err.detail, '\n'));
        assert_null(strchr(err.detail, '\033'));
        assert_null(strstr(err.detail, "\xe2\x80\xae"));

        (void)classify(
            400,
            OWN(400, "BadRequest", "'/api/v3/secrets/raw/x?workspaceId=secret-project' is bad"),
            &lab, true, 0, &err);
        assert_null(strstr(err.detail, "workspaceId"));
}

static void a_value_may_be_as_long_as_the_limit(void **state) {
        char body[INFISICAL_VALUE_MAX_BYTES + 128];

        (void)state;
        for (int extra = 0; extra < 2; extra++) {
                int length = INFISICAL_VALUE_MAX_BYTES + extra;
                struct error err;

                (void)snprintf(body, sizeof(body), SECRET("\"secretValue\":\"%0*d\""), length, 0);
                assert_int_equal(classify(200, body, &lab, true, 0, &err).verdict.code,
                                 extra ? DIAG_SECRET_MALFORMED : DIAG_NONE);
        }
}

static void not_modified_answers_only_who_sent_an_etag(void **state) {
        struct http_response response = answer_make(304, "", "");
        struct infisical_result result;
        struct error err;

        (void)state;
        (void)snprintf(response.etag, sizeof(response.etag), "\"abc\"");
        assert_int_equal(infisical_classify_read(&response, &lab, URL, true, true, &result, &err),
                         0);
        assert_true(result.verdict.unchanged);
        assert_null(result.value);
        assert_string_equal(result.etag, "\"abc\"");
        assert_int_equal(infisical_classify_read(&response, &lab, URL, true, false, &result, &err),
                         -(int)DIAG_UPSTREAM_MALFORMED);
        assert_false(result.verdict.unchanged);
        (void)secret_unref(response.body);
}

static int set_up(void **state) {
        (void)state;
        json_set_alloc_funcs(wiping_malloc, wiping_free);
        return secret_init(true, NULL);
}

static int tear_down(void **state) {
        (void)state;
        assert_int_equal(wiping_in_use(), 0);
        assert_int_equal(secret_in_use(), 0);
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_recorded_read_has_its_meaning),
                cmocka_unit_test(every_other_answer_has_its_meaning),
                cmocka_unit_test(a_pause_is_what_the_server_asks_for_within_an_hour),
                cmocka_unit_test(only_the_framework_itself_says_that_a_route_is_unknown),
                cmocka_unit_test(a_remedy_names_the_settings_in_question),
                cmocka_unit_test(outside_text_is_clean_and_bounded),
                cmocka_unit_test(a_value_may_be_as_long_as_the_limit),
                cmocka_unit_test(not_modified_answers_only_who_sent_an_etag),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
