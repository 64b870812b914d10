#include "infisical/refusal.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Together they fit a detail, so that it is never cut in the middle of a character. */
#define ERROR_NAME_SHOWN_MAX 72
#define MESSAGE_SHOWN_MAX    104

#define NOT_ACCEPTED                                                                               \
        "Check project_id, environment, secret_path and secret_name; if they are right, report "   \
        "this detail."

#define TOO_LONG ANSWER_HEAD_TOO_LONG_REMEDY

/* The least origin that a row believes: with a request id only, or also without. */
#define OWN  ANSWER_INFISICAL
#define BARE ANSWER_FRAMEWORK

/*
 * What Infisical's refusals mean; docs/upstream/infisical.md, "Order of the checks", "When the
 * token is no good", "Seen on a real server".  The first row that fits decides.  Names and texts
 * stayed while statuses changed from year to year, so few rows need a status.  0 and NULL: any; the
 * texts are globs.  @ends_value: Infisical itself refuses for good, a value held ends its life.
 */
static const struct meaning meanings[] = {
        /* The secret, its folder, its project: these begin with fixed words, so no name in them
         * can pass for another. */
        { 404, NULL, "Secret with name '*' not found*", OWN, DIAG_SECRET_NOT_FOUND, true, NULL },
        { 400, "BadRequest", "Secret not found", BARE, DIAG_SECRET_NOT_FOUND, true, NULL },

        { 404, "GetSecretByName", NULL, OWN, DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 404, NULL, "Folder with path '*' not found*", OWN, DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 404, "SecretPathNotFound", NULL, OWN, DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 400, NULL, "Folder not found for the given environment slug*", BARE,
          DIAG_FOLDER_NOT_FOUND, true, NULL },
        { 400, "BadRequest", "Invalid secret path.*", OWN, DIAG_FOLDER_NOT_FOUND, true, NULL },

        { 404, NULL, "Project with *not found*", OWN, DIAG_PROJECT_NOT_FOUND, true, NULL },
        { 400, NULL, "Project not found during bot lookup*", BARE, DIAG_PROJECT_NOT_FOUND, true,
          NULL },
        { 404, NULL, "Project not found*", OWN, DIAG_PROJECT_NOT_FOUND, true, NULL },
        { 403, NULL, "This project does not belong to your selected organization*", OWN,
          DIAG_PROJECT_NOT_FOUND, true,
          "Use an identity of the organization that owns the project, or set project_id to a "
          "project of the "
          "identity's organization." },
        { 400, NULL, "The project is of type *", OWN, DIAG_PROJECT_NOT_FOUND, false,
          "Set project_id to a project of the type Secrets Management." },

        { 403, "ProjectMembershipNotFound", NULL, OWN, DIAG_NOT_PROJECT_MEMBER, true, NULL },
        { 403, NULL, "You are not a member of this project*", OWN, DIAG_NOT_PROJECT_MEMBER, true,
          NULL },
        { 403, "Identity is not a member of the specified project*", NULL, OWN,
          DIAG_NOT_PROJECT_MEMBER, true, NULL },
        { 403, "Identity not in project", NULL, BARE, DIAG_NOT_PROJECT_MEMBER, true, NULL },

        /* The credential. */
        { 0, NULL, "*from the current IP address*", OWN, DIAG_ADDRESS_NOT_ALLOWED, false, NULL },
        { 403, NULL, "*from the current IP address*", BARE, DIAG_ADDRESS_NOT_ALLOWED, false, NULL },
        { 0, NULL, "Token missing", BARE, DIAG_UPSTREAM_BLOCKED, false,
          "Let the proxy in front of url pass the Authorization header on: it was sent and did not "
          "arrive." },
        { 0, NULL, "*number of uses limit reached*", BARE, DIAG_CREDENTIAL_USES_EXHAUSTED, false,
          NULL },
        { 0, NULL, "*usage limit reached*", BARE, DIAG_CREDENTIAL_USES_EXHAUSTED, false, NULL },
        { 0, NULL, "Cannot renew exhausted access token", BARE, DIAG_CREDENTIAL_USES_EXHAUSTED,
          false, NULL },
        { 0, "TokenError", "*expired*", OWN, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 0, "UnauthorizedError", "*token*expired*", OWN, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 500, "Internal Server Error", "jwt expired", BARE, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 0, "UnauthorizedError", "*TTL expiration*", BARE, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 401, NULL, "*reached its max TTL*", OWN, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 401, NULL, "*exceeded max age*", OWN, DIAG_CREDENTIAL_EXPIRED, false, NULL },
        { 401, NULL, "*been revoked*", OWN, DIAG_CREDENTIAL_REJECTED, true, NULL },
        { 401, NULL, "*revoked or unknown access token*", OWN, DIAG_CREDENTIAL_REJECTED, true,
          NULL },
        { 401, NULL, "No identity access token found*", OWN, DIAG_CREDENTIAL_REJECTED, true, NULL },
        { 0, NULL, "Identity does not belong to * organization*", OWN, DIAG_CREDENTIAL_REJECTED,
          true,
          "Put the identity back into the organization, or use the credential of another one." },
        { 401, "UnauthorizedError", "You are not allowed to access this resource", BARE,
          DIAG_CREDENTIAL_REJECTED, true, NULL },
        { 403, "UnauthorizedError", "You are not allowed to access this resource", BARE,
          DIAG_CREDENTIAL_REJECTED, true, NULL },
        { 404, "NotFound", "Service token with ID *", OWN, DIAG_CREDENTIAL_REJECTED, true,
          "Put an access token of a machine identity into the credential file: this is a service "
          "token." },
        { 0, "Forbidden access to *", NULL, OWN, DIAG_CREDENTIAL_REJECTED, false,
          "Put an access token of a machine identity into the credential file: this is another "
          "kind of token." },
        { 0, "TokenError", NULL, OWN, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 401, "UnauthorizedError", NULL, OWN, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 500, "Internal Server Error", "jwt *", BARE, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 500, "Internal Server Error", "invalid signature", BARE, DIAG_CREDENTIAL_REJECTED, false,
          NULL },
        { 500, "Internal Server Error", "invalid token", BARE, DIAG_CREDENTIAL_REJECTED, false,
          NULL },
        { 500, "Internal Server Error", "invalid algorithm", BARE, DIAG_CREDENTIAL_REJECTED, false,
          NULL },

        /* The right to read. */
        { 0, "PermissionDenied", "You are not allowed to * on *", BARE, DIAG_PERMISSION_DENIED,
          true, NULL },
        { 0, "PermissionDenied", NULL, OWN, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "ForbiddenReadSecretError", NULL, OWN, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "ForbiddenError", NULL, OWN, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "PermissionBoundaryError", NULL, OWN, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, "PolicyViolationError", NULL, OWN, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, NULL, "Permission denied *", OWN, DIAG_PERMISSION_DENIED, true, NULL },
        { 403, NULL, "Read value denied*", OWN, DIAG_PERMISSION_DENIED, true, NULL },
        { 404, "NotFound", NULL, OWN, DIAG_SECRET_NOT_FOUND, true, NULL },

        /* Our request, the server. */
        { 429, NULL, NULL, BARE, DIAG_UPSTREAM_RATE_LIMITED, false, NULL },
        { 431, NULL, NULL, BARE, DIAG_CREDENTIAL_REJECTED, false, TOO_LONG },
        { 422, NULL, NULL, BARE, DIAG_UPSTREAM_ERROR, false, NOT_ACCEPTED },
        { 0, "ValidationFailure", NULL, BARE, DIAG_UPSTREAM_ERROR, false, NOT_ACCEPTED },
        { 400, NULL, NULL, BARE, DIAG_UPSTREAM_ERROR, false, NOT_ACCEPTED },
        { 500, NULL, NULL, BARE, DIAG_UPSTREAM_ERROR, false, NULL },
        { 0, NULL, NULL, OWN, DIAG_UPSTREAM_ERROR, false, NULL },
};

static bool glob(const char *pattern, const char *text) {
        return !pattern || fnmatch(pattern, text, FNM_NOESCAPE | FNM_CASEFOLD) == 0;
}

/* The remedy of a code with the settings in question; the others have theirs in the table of
 * diagnoses. */
void refusal_advise(struct error *err, enum diagnosis code,
                    const struct infisical_address *address) {
        const char *project = address->project_id, *environment = address->environment;
        const char *path = address->secret_path, *name = address->secret_name;

        switch ((int)code) {
        case DIAG_PERMISSION_DENIED:
                error_remedy_set(
                    err,
                    "Give the identity's role in project %s 'describe secret' and 'read value' for "
                    "secret '%s' in environment '%s', path '%s'.",
                    project, name, environment, path);
                break;
        case DIAG_SECRET_HIDDEN:
                error_remedy_set(
                    err,
                    "Give the identity's role in project %s 'read value', not only 'describe "
                    "secret', for secret '%s' in environment '%s', path '%s'.",
                    project, name, environment, path);
                break;
        case DIAG_PROJECT_NOT_FOUND:
                error_remedy_set(
                    err, "Set project_id, now '%s', to the ID from the project's settings page.",
                    project);
                break;
        case DIAG_NOT_PROJECT_MEMBER:
                error_remedy_set(
                    err, "Add the identity to project %s (Access Control, Machine Identities).",
                    project);
                break;
        case DIAG_FOLDER_NOT_FOUND:
                error_remedy_set(err,
                                 "Check environment '%s' (the slug, not the name) and secret_path "
                                 "'%s' in project "
                                 "%s; both are case sensitive.",
                                 environment, path, project);
                break;
        case DIAG_SECRET_NOT_FOUND:
                if (strlen(name) > INFISICAL_NAME_MAX_BYTES)
                        error_remedy_set(err,
                                         "Rename the secret and secret_name: Infisical does not "
                                         "serve names over "
                                         "%d characters.",
                                         INFISICAL_NAME_MAX_BYTES);
                else
                        error_remedy_set(
                            err,
                            "Check secret_name '%s', which is case sensitive, against the folder "
                            "'%s' of environment '%s' in project %s.",
                            name, path, environment, project);
                break;
        case DIAG_SECRET_EMPTY:
        case DIAG_SECRET_MALFORMED:
                error_remedy_set(err,
                                 "Store one token, at most %d bytes without blanks or line breaks, "
                                 "as the value of "
                                 "secret '%s' in environment '%s', path '%s'.",
                                 INFISICAL_VALUE_MAX_BYTES, name, environment, path);
                break;
        default:
                break;
        }
}

const struct meaning *meaning_find(const struct meaning *rows, size_t count,
                                   const struct answer *answer) {
        for (size_t i = 0; i < count; i++)
                if ((rows[i].status == 0 || rows[i].status == answer->status) &&
                    answer->origin >= rows[i].from && glob(rows[i].error, answer->error) &&
                    glob(rows[i].message, answer->message))
                        return &rows[i];
        return NULL;
}

int meaning_apply(const struct meaning *meaning, const struct http_response *response,
                  const struct answer *answer, struct infisical_verdict *verdict,
                  struct error *err) {
        char error[ERROR_NAME_SHOWN_MAX], message[MESSAGE_SHOWN_MAX];

        /* Some texts repeat our request with its query: that is not for the log. */
        (void)text_clean(error, sizeof(error), answer->error, strlen(answer->error));
        (void)text_clean(message, sizeof(message), answer->message, strlen(answer->message));
        if (strstr(answer->error, "/api/"))
                (void)snprintf(error, sizeof(error), "(repeats our request)");
        if (strstr(answer->message, "/api/"))
                (void)snprintf(message, sizeof(message), "(its text repeats our request)");
        (void)error_set(err, meaning->code, "%s %d (%s%s%s): %s",
                        meaning->code == DIAG_UPSTREAM_ERROR && answer->status < 500
                            ? "our request was not accepted:"
                            : "Infisical answered",
                        answer->status, error, answer->request_id[0] ? ", " : "",
                        answer->request_id, message);
        if (meaning->remedy)
                error_remedy_set(err, "%s", meaning->remedy);
        if (meaning->code == DIAG_UPSTREAM_RATE_LIMITED)
                verdict->pause = answer_pause(response, answer);
        return verdict_set(verdict, meaning->code, meaning->ends_value);
}

int refusal_classify(const struct http_response *response, const struct answer *answer,
                     const struct infisical_address *address, const char *url,
                     struct infisical_verdict *verdict, struct error *err) {
        const struct meaning *meaning = meaning_find(meanings, ELEMENTS(meanings), answer);
        int r;

        if (!meaning)
                return answer_classify_foreign(response, answer, url, verdict, err);
        r = meaning_apply(meaning, response, answer, verdict, err);
        if (!meaning->remedy)
                refusal_advise(err, meaning->code, address);
        return r;
}
