#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "infisical/infisical.h"

#define MASK "<hidden-by-infisical>"

/* The framework's limit on a path parameter: a longer name never reaches Infisical's own code. */
#define NAME_MAX_BYTES 100

/* A 429 that does not say how long, and the longest that is believed. */
#define PAUSE_DEFAULT (60 * USEC_PER_SEC)
#define PAUSE_MAX     USEC_PER_HOUR

#define ERROR_NAME_MAX 112
#define MESSAGE_MAX    200
#define REQUEST_ID_MAX 32
#define ISSUES_SHOWN   3

/* Together they fit a detail, so that it is never cut in the middle of a character. */
#define ERROR_NAME_SHOWN_MAX 72
#define MESSAGE_SHOWN_MAX    104

/*
 * Whose answer it is.  Infisical gives what it builds a request id, but its 2024 servers did not, and neither does the
 * framework it runs on: those two are known by the member statusCode and believed only where a row says so.
 */
enum origin { FOREIGN, FRAMEWORK, INFISICAL };

struct answer {
        int status;
        enum origin origin;
        char error[ERROR_NAME_MAX], message[MESSAGE_MAX], request_id[REQUEST_ID_MAX];   /* clean */
};

#define TOO_LONG                                                                                                   \
        "Check the credential file: it is too long to be an access token, the server refuses a request head of that size."
#define NOT_ACCEPTED "Check project_id, environment, secret_path and secret_name; if they are right, report this detail."

/*
 * What Infisical's refusals mean; docs/upstream/infisical.md, "Order of the checks", "When the token is no good", "Seen on
 * a real server".  The first row that fits decides.  Names and texts stayed while statuses changed from year to year, so
 * few rows need a status.  0 and NULL: any; the texts are globs.  @from: the least origin that is believed.  @ends_value:
 * Infisical itself refuses for good, a value held ends its life.
 */
static const struct meaning {
        int status;
        const char *error, *message;
        enum origin from;
        enum diagnosis code;
        bool ends_value;
        const char *remedy;     /* where the code's own does not fit */
} meanings[] = {
        /* The secret, its folder, its project: these begin with fixed words, so no name in them can pass for another. */
        { 404, NULL, "Secret with name '*' not found*", INFISICAL, DIAG_SECRET_NOT_FOUND, true, NULL },
        { 400, "BadRequest", "Secret not found", FRAMEWORK, DIAG_SECRET_NOT_FOUND, true, NULL },

        { 404, "GetSecretByName", NULL, INFISICAL, DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 404, NULL, "Folder with path '*' not found*", INFISICAL, DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 404, "SecretPathNotFound", NULL, INFISICAL, DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 400, NULL, "Folder not found for the given environment slug*", FRAMEWORK, DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 400, "BadRequest", "Invalid secret path.*", INFISICAL, DIAG_FOLDER_NOT_FOUND, true, NULL },

        { 404, NULL, "Project with *not found*", INFISICAL, DIAG_PROJECT_NOT_FOUND, true, NULL },
        { 400, NULL, "Project not found during bot lookup*", FRAMEWORK, DIAG_PROJECT_NOT_FOUND, true, NULL },
        { 404, NULL, "Project not found*", INFISICAL, DIAG_PROJECT_NOT_FOUND, true, NULL },
        { 403, NULL, "This project does not belong to your selected organization*", INFISICAL, DIAG_PROJECT_NOT_FOUND,
          true, "Use an identity of the organization that owns the project, or set project_id to a project of the "
                "identity's organization." },
        { 400, NULL, "The project is of type *", INFISICAL, DIAG_PROJECT_NOT_FOUND, false,
          "Set project_id to a project of the type Secrets Management." },

        { 403, "ProjectMembershipNotFound", NULL, INFISICAL, DIAG_NOT_PROJECT_MEMBER, true, NULL },
        { 403, NULL, "You are not a member of this project*", INFISICAL, DIAG_NOT_PROJECT_MEMBER, true, NULL },
        { 403, "Identity is not a member of the specified project*", NULL, INFISICAL, DIAG_NOT_PROJECT_MEMBER, true,
          NULL },
        { 403, "Identity not in project", NULL, FRAMEWORK, DIAG_NOT_PROJECT_MEMBER, true, NULL },

        /* The credential. */
        { 0, NULL, "*from the current IP address*", INFISICAL, DIAG_ADDRESS_NOT_ALLOWED, false, NULL },
        { 403, NULL, "*from the current IP address*", FRAMEWORK, DIAG_ADDRESS_NOT_ALLOWED, false, NULL },
        { 0, NULL, "Token missing", FRAMEWORK, DIAG_UPSTREAM_BLOCKED, false,
          "Let the proxy in front of url pass the Authorization header on: it was sent and did not arrive." },
        { 0, NULL, "*number of uses limit reached*", FRAMEWORK, DIAG_CREDENTIAL_USES_EXHAUSTED, false, NULL },
        { 0, NULL, "*usage limit reached*", FRAMEWORK, DIAG_CREDENTIAL_USES_EXHAUSTED, false, NULL },
        { 0, NULL, "Cannot renew exhausted access token", FRAMEWORK, DIAG_CREDENTIAL_USES_EXHAUSTED, false, NULL },
        { 0, "TokenError", "*expired*", INFISICAL, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 0, "UnauthorizedError", "*token*expired*", INFISICAL, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 500, "Internal Server Error", "jwt expired", FRAMEWORK, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 0, "UnauthorizedError", "*TTL expiration*", FRAMEWORK, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 401, NULL, "*reached its max TTL*", INFISICAL, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 401, NULL, "*exceeded max age*", INFISICAL, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 401, NULL, "*been revoked*", INFISICAL, DIAG_CREDENTIAL_REJECTED, true, NULL },
        { 401, NULL, "*revoked or unknown access token*", INFISICAL, DIAG_CREDENTIAL_REJECTED, true, NULL },
        { 401, NULL, "No identity access token found*", INFISICAL, DIAG_CREDENTIAL_REJECTED, true, NULL },
        { 0, NULL, "Identity does not belong to * organization*", INFISICAL, DIAG_CREDENTIAL_REJECTED, true,
          "Put the identity back into the organization, or use the credential of another one." },
        { 401, "UnauthorizedError", "You are not allowed to access this resource", FRAMEWORK, DIAG_CREDENTIAL_REJECTED,
          true, NULL },
        { 403, "UnauthorizedError", "You are not allowed to access this resource", FRAMEWORK, DIAG_CREDENTIAL_REJECTED,
          true, NULL },
        { 404, "NotFound", "Service token with ID *", INFISICAL, DIAG_CREDENTIAL_REJECTED, true,
          "Put an access token of a machine identity into the credential file: this is a service token." },
        { 0, "Forbidden access to *", NULL, INFISICAL, DIAG_CREDENTIAL_REJECTED, false,
          "Put an access token of a machine identity into the credential file: this is another kind of token." },
        { 0, "TokenError", NULL, INFISICAL, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 401, "UnauthorizedError", NULL, INFISICAL, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 500, "Internal Server Error", "jwt *", FRAMEWORK, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 500, "Internal Server Error", "invalid signature", FRAMEWORK, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 500, "Internal Server Error", "invalid token", FRAMEWORK, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 500, "Internal Server Error", "invalid algorithm", FRAMEWORK, DIAG_CREDENTIAL_REJECTED, false, NULL },

        /* The right to read. */
        { 0, "PermissionDenied", "You are not allowed to * on *", FRAMEWORK, DIAG_PERMISSION_DENIED, true, NULL },
        { 0, "PermissionDenied", NULL, INFISICAL, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "ForbiddenReadSecretError", NULL, INFISICAL, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "ForbiddenError", NULL, INFISICAL, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "PermissionBoundaryError", NULL, INFISICAL, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "PolicyViolationError", NULL, INFISICAL, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, NULL, "Permission denied *", INFISICAL, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, NULL, "Read value denied*", INFISICAL, DIAG_PERMISSION_DENIED, true, NULL },
        { 404, "NotFound", NULL, INFISICAL, DIAG_SECRET_NOT_FOUND, true, NULL },

        /* Our request, the server. */
        { 429, NULL, NULL, FRAMEWORK, DIAG_UPSTREAM_RATE_LIMITED, false, NULL },
        { 431, NULL, NULL, FRAMEWORK, DIAG_CREDENTIAL_REJECTED, false, TOO_LONG },
        { 422, NULL, NULL, FRAMEWORK, DIAG_UPSTREAM_ERROR, false, NOT_ACCEPTED },
        { 0, "ValidationFailure", NULL, FRAMEWORK, DIAG_UPSTREAM_ERROR, false, NOT_ACCEPTED },
        { 400, NULL, NULL, FRAMEWORK, DIAG_UPSTREAM_ERROR, false, NOT_ACCEPTED },
        { 500, NULL, NULL, FRAMEWORK, DIAG_UPSTREAM_ERROR, false, NULL },
        { 0, NULL, NULL, INFISICAL, DIAG_UPSTREAM_ERROR, false, NULL },
};

/* What stands in front of Infisical, by status alone: its texts mean nothing to us.  The first range that fits decides. */
static const struct {
        int from, to;
        enum diagnosis code;
} foreign_meanings[] = {
        { 300, 399, DIAG_UPSTREAM_BLOCKED },            /* to a login page; never followed */
        { 429, 429, DIAG_UPSTREAM_RATE_LIMITED },
        { 431, 431, DIAG_CREDENTIAL_REJECTED },         /* the only long header is the credential */
        { 400, 499, DIAG_UPSTREAM_BLOCKED },
        { 500, 599, DIAG_UPSTREAM_UNREACHABLE },        /* a gateway that does not reach it */
        { 0, 999, DIAG_UPSTREAM_MALFORMED },
};

size_t infisical_path_length(const char *path) {
        size_t length = strlen(path);

        while (length > 1 && path[length - 1] == '/')
                length--;
        return length;
}

static bool glob(const char *pattern, const char *text) {
        return !pattern || fnmatch(pattern, text, FNM_NOESCAPE | FNM_CASEFOLD) == 0;
}

static void clean_member(char *buffer, size_t size, const json_t *root, const char *key) {
        const char *text = json_member_string(root, key);

        (void)text_clean(buffer, size, text ? text : "", json_member_string_length(root, key));
}

/* "projectId: Required; environment: Required": where the request was not accepted. */
static void clean_issues(char *buffer, size_t size, const json_t *issues) {
        size_t used = 0, index;
        const json_t *issue;

        buffer[0] = '\0';
        json_array_foreach(issues, index, issue) {
                const char *first = json_string_value(json_array_get(json_object_get(issue, "path"), 0));
                char path[48], text[64];

                if (index == ISSUES_SHOWN)
                        break;
                (void)text_clean(path, sizeof(path), first ? first : "?", first ? strlen(first) : 1);
                clean_member(text, sizeof(text), issue, "message");
                if (!text_append(buffer, size, &used, "%s%s: %s", used > 0 ? "; " : "", path, text))
                        return;
        }
}

static void read_answer(struct answer *answer, int status, const json_t *root) {
        const json_t *message = json_object_get(root, "message");
        json_int_t status_code = 0;

        *answer = (struct answer){ .status = status, .origin = FOREIGN };
        if (!json_member_string(root, "error") || !(json_is_string(message) || json_is_array(message)) ||
            !json_member_int(root, "statusCode", &status_code) || status_code != status)
                return;
        clean_member(answer->error, sizeof(answer->error), root, "error");
        clean_member(answer->request_id, sizeof(answer->request_id), root, "reqId");
        if (json_is_array(message))
                clean_issues(answer->message, sizeof(answer->message), message);
        else
                clean_member(answer->message, sizeof(answer->message), root, "message");
        answer->origin = text_starts_with(answer->request_id, "req-") ? INFISICAL : FRAMEWORK;
}

/* Reached without any check of the token: says nothing but that this server is too old, or is not the API at all. */
static bool is_route_unknown(const struct answer *answer) {
        return answer->status == 404 && answer->origin == FRAMEWORK && strcmp(answer->error, "Not Found") == 0 &&
               text_starts_with(answer->message, "Route GET:");
}

/* The remedy of a code with the settings in question; the others have theirs in the table of diagnoses. */
static void advise(struct error *err, enum diagnosis code, const struct infisical_address *address) {
        const char *project = address->project_id, *environment = address->environment;
        const char *path = address->secret_path, *name = address->secret_name;

        switch ((int)code) {
        case DIAG_PERMISSION_DENIED:
                error_remedy_set(err, "Give the identity's role in project %s 'describe secret' and 'read value' for "
                                 "secret '%s' in environment '%s', path '%s'.", project, name, environment, path);
                break;
        case DIAG_SECRET_HIDDEN:
                error_remedy_set(err, "Give the identity's role in project %s 'read value', not only 'describe "
                                 "secret', for secret '%s' in environment '%s', path '%s'.", project, name,
                                 environment, path);
                break;
        case DIAG_PROJECT_NOT_FOUND:
                error_remedy_set(err, "Set project_id, now '%s', to the ID from the project's settings page.", project);
                break;
        case DIAG_NOT_PROJECT_MEMBER:
                error_remedy_set(err, "Add the identity to project %s (Access Control, Machine Identities).", project);
                break;
        case DIAG_FOLDER_NOT_FOUND:
                error_remedy_set(err, "Check environment '%s' (the slug, not the name) and secret_path '%s' in project "
                                 "%s; both are case sensitive.", environment, path, project);
                break;
        case DIAG_SECRET_NOT_FOUND:
                if (strlen(name) > NAME_MAX_BYTES)
                        error_remedy_set(err, "Rename the secret and secret_name: Infisical does not serve names over "
                                         "%d characters.", NAME_MAX_BYTES);
                else
                        error_remedy_set(err, "Check secret_name '%s', which is case sensitive, against the folder "
                                         "'%s' of environment '%s' in project %s.", name, path, environment, project);
                break;
        case DIAG_SECRET_EMPTY:
        case DIAG_SECRET_MALFORMED:
                error_remedy_set(err, "Store one token, at most %d bytes without blanks or line breaks, as the value of "
                                 "secret '%s' in environment '%s', path '%s'.", INFISICAL_VALUE_MAX_BYTES, name,
                                 environment, path);
                break;
        default:
                break;
        }
}

static int refuse(struct infisical_result *result, enum diagnosis code, bool ends_value) {
        result->verdict.code = code;
        result->verdict.authoritative = ends_value;
        return -(int)code;
}

/* "Please try again in 57 seconds" */
static usec_t pause_in_text(const char *message) {
        const char *p = strstr(message, "again in ");
        unsigned seconds;
        int end = 0;

        if (!p || sscanf(p, "again in %4u second%n", &seconds, &end) != 1 || end == 0)
                return 0;
        return seconds * USEC_PER_SEC;
}

static usec_t pause_for(const struct http_response *response, const struct answer *answer) {
        usec_t pause = response->retry_after;

        if (pause == 0)
                pause = pause_in_text(answer->message);
        if (pause == 0)
                pause = PAUSE_DEFAULT;
        return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

static const char *clean_type(char buffer[static HTTP_CONTENT_TYPE_MAX], const struct http_response *response) {
        const char *type = response->content_type[0] ? response->content_type : "no content type";

        return text_clean(buffer, HTTP_CONTENT_TYPE_MAX, type, strlen(type));
}

static int classify_foreign(const struct http_response *response, const struct answer *answer, const char *url,
                            struct infisical_result *result, struct error *err) {
        char type[HTTP_CONTENT_TYPE_MAX];
        enum diagnosis code = DIAG_UPSTREAM_MALFORMED;

        for (size_t i = 0; i < ELEMENTS(foreign_meanings); i++) {
                if (response->status < foreign_meanings[i].from || response->status > foreign_meanings[i].to)
                        continue;
                code = foreign_meanings[i].code;
                break;
        }
        (void)error_set(err, code, "%s answered %d (%s), which is not an answer of Infisical", url, response->status,
                        clean_type(type, response));
        if (response->status >= 300 && response->status < 400)
                error_remedy_set(err, "Correct url = %s, or let this host through the login proxy in front of it "
                                 "(header_file): redirects are never followed.", url);
        else if (code == DIAG_CREDENTIAL_REJECTED)
                error_remedy_set(err, TOO_LONG);
        if (code == DIAG_UPSTREAM_RATE_LIMITED)
                result->verdict.pause = pause_for(response, answer);
        return refuse(result, code, false);
}

static int classify_error(const struct http_response *response, const struct answer *answer,
                          const struct infisical_address *address, const char *url, struct infisical_result *result,
                          struct error *err) {
        const struct meaning *meaning = NULL;
        char error[ERROR_NAME_SHOWN_MAX], message[MESSAGE_SHOWN_MAX];

        for (size_t i = 0; i < ELEMENTS(meanings) && !meaning; i++)
                if ((meanings[i].status == 0 || meanings[i].status == answer->status) &&
                    answer->origin >= meanings[i].from && glob(meanings[i].error, answer->error) &&
                    glob(meanings[i].message, answer->message))
                        meaning = &meanings[i];
        if (!meaning)
                return classify_foreign(response, answer, url, result, err);

        /* Some texts repeat our request with its query: that is not for the log. */
        (void)text_clean(error, sizeof(error), answer->error, strlen(answer->error));
        (void)text_clean(message, sizeof(message), answer->message, strlen(answer->message));
        if (strstr(answer->error, "/api/"))
                (void)snprintf(error, sizeof(error), "(repeats our request)");
        if (strstr(answer->message, "/api/"))
                (void)snprintf(message, sizeof(message), "(its text repeats our request)");
        (void)error_set(err, meaning->code, "%s %d (%s%s%s): %s",
                        meaning->code == DIAG_UPSTREAM_ERROR && answer->status < 500 ? "our request was not accepted:"
                                                                                     : "Infisical answered",
                        answer->status, error, answer->request_id[0] ? ", " : "", answer->request_id, message);
        advise(err, meaning->code, address);
        if (meaning->remedy)
                error_remedy_set(err, "%s", meaning->remedy);
        if (meaning->code == DIAG_UPSTREAM_RATE_LIMITED)
                result->verdict.pause = pause_for(response, answer);
        return refuse(result, meaning->code, meaning->ends_value);
}

static int classify_unknown_route(const struct infisical_address *address, const char *url, bool v4,
                                  struct infisical_result *result, struct error *err) {
        /* A long name is refused by the same answer, from any server. */
        if (!v4 && strlen(address->secret_name) > NAME_MAX_BYTES) {
                (void)error_set(err, DIAG_SECRET_NOT_FOUND, "secret_name has %zu bytes, more than a route takes",
                                strlen(address->secret_name));
                advise(err, DIAG_SECRET_NOT_FOUND, address);
                return refuse(result, DIAG_SECRET_NOT_FOUND, false);
        }
        result->verdict.route_unknown = true;
        (void)error_set(err, DIAG_UPSTREAM_MALFORMED, "%s does not know the route for reading secrets (%s)", url,
                        v4 ? "v4" : "v3");
        error_remedy_set(err, "Check that url = %s is the base address of Infisical, without a path of its own.", url);
        return refuse(result, DIAG_UPSTREAM_MALFORMED, false);
}

static bool is_space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static int classify_value(const char *value, size_t length, const struct infisical_address *address,
                          struct infisical_result *result, struct error *err) {
        enum diagnosis code = DIAG_NONE;

        while (length > 0 && is_space(*value)) {
                value++;
                length--;
        }
        while (length > 0 && is_space(value[length - 1]))
                length--;
        if (length == 0) {
                code = DIAG_SECRET_EMPTY;
                (void)error_set(err, code, "the value of secret '%s' is empty", address->secret_name);
        } else if (length > INFISICAL_VALUE_MAX_BYTES) {
                code = DIAG_SECRET_MALFORMED;
                (void)error_set(err, code, "the value of secret '%s' has %zu bytes, more than %d", address->secret_name,
                                length, INFISICAL_VALUE_MAX_BYTES);
        }
        for (size_t i = 0; i < length && code == DIAG_NONE; i++) {
                if (value[i] >= 0x21 && value[i] <= 0x7e)
                        continue;
                code = DIAG_SECRET_MALFORMED;
                (void)error_set(err, code, "the value of secret '%s' has a byte at offset %zu of %zu that no token has",
                                address->secret_name, i, length);
        }
        if (code == DIAG_NONE && memmem(value, length, "${", 2)) {
                code = DIAG_SECRET_MALFORMED;
                (void)error_set(err, code, "the value of secret '%s' refers to another secret; references are not "
                                "expanded", address->secret_name);
        }
        if (code != DIAG_NONE) {
                advise(err, code, address);
                return refuse(result, code, true);
        }
        result->value = secret_copy(value, length);
        if (!result->value) {
                (void)error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a value");
                return refuse(result, DIAG_INTERNAL_ERROR, false);
        }
        return 0;
}

static int refuse_shape(const char *url, const char *what, struct infisical_result *result, struct error *err) {
        (void)error_set(err, DIAG_UPSTREAM_MALFORMED, "%s answered 200 with JSON %s", url, what);
        return refuse(result, DIAG_UPSTREAM_MALFORMED, false);
}

static bool same_path(const char *a, const char *b) {
        size_t length = infisical_path_length(a);

        return length == infisical_path_length(b) && memcmp(a, b, length) == 0;
}

/* Absent and null are the same; another type is not Infisical's. */
static bool optional_string(const json_t *object, const char *key, const char **ret) {
        const json_t *member = json_object_get(object, key);

        *ret = json_string_value(member);
        return !member || json_is_null(member) || json_is_string(member);
}

static bool is_hidden(const json_t *secret, const char *value) {
        const json_t *hidden = json_object_get(secret, "secretValueHidden");

        return (hidden && !json_is_null(hidden) && !json_is_false(hidden)) || strcmp(value, MASK) == 0;
}

/* Members that servers leave out are not compared. */
static int classify_secret(const json_t *secret, const struct infisical_address *address, const char *url,
                           struct infisical_result *result, struct error *err) {
        const char *key = json_member_string(secret, "secretKey"), *value = json_member_string(secret, "secretValue");
        const json_t *version = json_object_get(secret, "version");
        const char *environment, *path;
        json_int_t number = 0;

        if (!key || !value || !optional_string(secret, "environment", &environment) ||
            !optional_string(secret, "secretPath", &path))
                return refuse_shape(url, "without a secret's name and value", result, err);
        if (version && !json_is_null(version) && (!json_member_int(secret, "version", &number) || number <= 0))
                return refuse_shape(url, "in which version is not a positive number", result, err);
        if (strcmp(key, address->secret_name) != 0)
                return refuse_shape(url, "that holds another secret than the one asked for", result, err);
        if ((environment && strcmp(environment, address->environment) != 0) ||
            (path && !same_path(path, address->secret_path))) {
                char other_environment[48], other_path[80];

                (void)text_clean(other_environment, sizeof(other_environment), environment ? environment : "?",
                                 environment ? strlen(environment) : 1);
                (void)text_clean(other_path, sizeof(other_path), path ? path : "?", path ? strlen(path) : 1);
                (void)error_set(err, DIAG_SECRET_NOT_FOUND, "an import answered: the secret is in environment '%s', "
                                "path '%s'", other_environment, other_path);
                error_remedy_set(err, "Set environment and secret_path to where the secret '%s' itself is: imports are "
                                 "not followed.", address->secret_name);
                return refuse(result, DIAG_SECRET_NOT_FOUND, true);
        }
        if (is_hidden(secret, value)) {
                (void)error_set(err, DIAG_SECRET_HIDDEN, "Infisical masks the value of secret '%s'",
                                address->secret_name);
                advise(err, DIAG_SECRET_HIDDEN, address);
                return refuse(result, DIAG_SECRET_HIDDEN, true);
        }
        result->version = number;
        return classify_value(value, json_member_string_length(secret, "secretValue"), address, result, err);
}

static int classify_unchanged(const struct http_response *response, const char *url, bool sent_etag,
                              struct infisical_result *result, struct error *err) {
        if (!sent_etag) {
                (void)error_set(err, DIAG_UPSTREAM_MALFORMED, "%s answered 304 though no ETag was sent", url);
                return refuse(result, DIAG_UPSTREAM_MALFORMED, false);
        }
        result->verdict.unchanged = true;
        memcpy(result->etag, response->etag, sizeof(result->etag));
        return 0;
}

static int classify_not_json(const struct http_response *response, const struct answer *answer, const char *url,
                             struct infisical_result *result, struct error *err) {
        char type[HTTP_CONTENT_TYPE_MAX];

        if (response->status != 200)
                return classify_foreign(response, answer, url, result, err);
        if (strcmp(response->content_type, "text/html") == 0) {
                (void)error_set(err, DIAG_UPSTREAM_BLOCKED, "%s answered 200 with a web page", url);
                error_remedy_set(err, "Check that url = %s is Infisical's base address and that no login page stands in "
                                 "front of it.", url);
                return refuse(result, DIAG_UPSTREAM_BLOCKED, false);
        }
        (void)error_set(err, DIAG_UPSTREAM_MALFORMED, "%s answered 200 (%s) without well-formed JSON", url,
                        clean_type(type, response));
        return refuse(result, DIAG_UPSTREAM_MALFORMED, false);
}

int infisical_classify_read(const struct http_response *response, const struct infisical_address *address,
                            const char *url, bool v4, bool sent_etag, struct infisical_result *ret,
                            struct error *err) {
        struct answer answer;
        json_t *root = NULL;
        int r;

        *ret = (struct infisical_result){ 0 };
        (void)error_set(err, DIAG_NONE, "%s", "");
        if (response->status == 304)
                return classify_unchanged(response, url, sent_etag, ret, err);

        if (strcmp(response->content_type, "application/json") == 0)
                root = json_parse(secret_bytes(response->body), secret_length(response->body));
        read_answer(&answer, response->status, root);
        if (!json_is_object(root))
                r = classify_not_json(response, &answer, url, ret, err);
        else if (response->status == 200)
                r = classify_secret(json_object_get(root, "secret"), address, url, ret, err);
        else if (response->status < 400)
                r = classify_foreign(response, &answer, url, ret, err);
        else if (is_route_unknown(&answer))
                r = classify_unknown_route(address, url, v4, ret, err);
        else
                r = classify_error(response, &answer, address, url, ret, err);
        json_decref(root);
        if (r == 0)
                memcpy(ret->etag, response->etag, sizeof(ret->etag));
        return r;
}
