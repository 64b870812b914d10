#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct diagnosis_info table[DIAG_COUNT] = {
        [DIAG_MALFORMED_REQUEST] = { "malformed-request", "The request is not well formed", 400,
                                     EXIT_USAGE,
                                     "Send the request as forge-broker(1) and docs/api.md describe "
                                     "it." },
        [DIAG_PEER_REFUSED] = { "peer-refused", "This process may not ask", 403, EXIT_REFUSED,
                                "Only uid 0 of this host is served, and of it whom the token's "
                                "rules allow: run the command as root, or let "
                                "the job reach the broker as docs/install.md describes." },
        [DIAG_PROOF_REQUIRED] = { "proof-required", "This token is given to proven jobs only", 401,
                                  EXIT_REFUSED,
                                  "Let the job present its OIDC ID token or its automatic token." },
        [DIAG_PROOF_REJECTED] = { "proof-rejected", "The job's proof does not hold", 403,
                                  EXIT_REFUSED,
                                  "Request a new ID token in this very job, for the audience that "
                                  "the forge's oidc_audience names." },
        [DIAG_PROOF_INSUFFICIENT] = { "proof-insufficient",
                                      "The job's proof does not decide the rule", 403, EXIT_REFUSED,
                                      "Use an OIDC ID token, which also proves the event and the "
                                      "ref." },
        [DIAG_UNKNOWN_TOKEN] = { "unknown-token", "There is no token of that name", 404,
                                 EXIT_UNKNOWN_TOKEN,
                                 "Ask for one of the known names, or add a [token NAME] section to "
                                 "the configuration." },
        [DIAG_METHOD_NOT_ALLOWED] = { "method-not-allowed", "This method is not for this path", 405,
                                      EXIT_USAGE,
                                      "Use one of the methods that the Allow header names." },
        [DIAG_REQUEST_TOO_LARGE] = { "request-too-large", "The request is too large", 413,
                                     EXIT_USAGE, "Send a body of at most 16 KiB." },
        [DIAG_TOO_MANY_REQUESTS] = { "too-many-requests", "Too many requests", 429, EXIT_NO_VALUE,
                                     "Wait as long as the Retry-After header says, then ask "
                                     "again." },
        [DIAG_NO_USABLE_VALUE] = { "no-usable-value", "No source has a usable value", 503,
                                   EXIT_NO_VALUE,
                                   "Look at the attempts of this answer, or run 'forge-brokerctl "
                                   "status' on the host: each names its own "
                                   "remedy." },
        [DIAG_AUDIT_UNAVAILABLE] = { "audit-unavailable", "The issuance cannot be recorded", 503,
                                     EXIT_NO_VALUE,
                                     "Restore the journal on the host (systemctl status "
                                     "systemd-journald.socket): no record, no value." },
        [DIAG_INTERNAL_ERROR] = { "internal-error", "The broker failed", 500, EXIT_NO_VALUE,
                                  "Look at the broker's own log on the host: journalctl -u "
                                  "forge-brokerd." },

        [DIAG_CREDENTIAL_MISSING] = { "credential-missing",
                                      "A credential of the identity is missing", 503, EXIT_NO_VALUE,
                                      "Put the identity's access token where token_file points, or "
                                      "into the credential store "
                                      "that the unit loads." },
        [DIAG_CREDENTIAL_PERMISSIONS] = { "credential-permissions",
                                          "A credential file is not private", 503, EXIT_NO_VALUE,
                                          "Make it a regular file of root or of the daemon's user, "
                                          "mode 0600 or 0640." },
        [DIAG_CREDENTIAL_EXPIRED] = { "credential-expired",
                                      "The identity's access token has expired", 503, EXIT_NO_VALUE,
                                      "Create a new access token for the identity in Infisical and "
                                      "replace the credential." },
        [DIAG_CREDENTIAL_REJECTED] = { "credential-rejected",
                                       "Infisical does not accept the credential", 503,
                                       EXIT_NO_VALUE,
                                       "Check that the credential belongs to this Infisical and "
                                       "was not revoked, else create a "
                                       "new one and replace it." },
        [DIAG_CREDENTIAL_LOCKED_OUT] = { "credential-locked-out",
                                         "The identity's login is locked for now", 503,
                                         EXIT_NO_VALUE,
                                         "Replace the client secret; the lock ends by itself after "
                                         "the identity's lockout "
                                         "duration." },
        [DIAG_CREDENTIAL_USES_EXHAUSTED] = { "credential-uses-exhausted",
                                             "The credential's uses are used up", 503,
                                             EXIT_NO_VALUE,
                                             "Create a new credential with a use limit of 0 "
                                             "(unlimited): a broker reads often." },
        [DIAG_ADDRESS_NOT_ALLOWED] = { "address-not-allowed", "This host's address is not trusted",
                                       503, EXIT_NO_VALUE,
                                       "Add the address from which Infisical sees this host to the "
                                       "identity's trusted IPs." },

        [DIAG_PERMISSION_DENIED] = { "permission-denied", "The identity may not read this secret",
                                     503, EXIT_NO_VALUE,
                                     "Give the identity's project role 'describe secret' and 'read "
                                     "value' for this environment and path." },
        [DIAG_PROJECT_NOT_FOUND] = { "project-not-found", "There is no such project", 503,
                                     EXIT_NO_VALUE,
                                     "Set project_id to the ID from the project's settings page." },
        [DIAG_NOT_PROJECT_MEMBER] = { "not-project-member",
                                      "The identity is not a member of the project", 503,
                                      EXIT_NO_VALUE,
                                      "Add the identity to the project (Access Control, Machine "
                                      "Identities)." },
        [DIAG_FOLDER_NOT_FOUND] = { "folder-not-found", "There is no such environment or folder",
                                    503, EXIT_NO_VALUE,
                                    "Check environment (the slug, not the name) and secret_path; "
                                    "both are case sensitive." },
        [DIAG_SECRET_NOT_FOUND] = { "secret-not-found", "There is no such secret", 503,
                                    EXIT_NO_VALUE,
                                    "Check secret_name, which is case sensitive, against the "
                                    "folder in Infisical." },
        [DIAG_SECRET_HIDDEN] = { "secret-hidden", "Infisical masks the secret's value", 503,
                                 EXIT_NO_VALUE,
                                 "Give the identity's project role 'read value' for this secret, "
                                 "not only 'describe secret'." },
        [DIAG_SECRET_EMPTY] = { "secret-empty", "The secret is empty", 503, EXIT_NO_VALUE,
                                "Store the forge token as the secret's value in Infisical." },
        [DIAG_SECRET_MALFORMED] = { "secret-malformed", "The secret does not look like a token",
                                    503, EXIT_NO_VALUE,
                                    "Store one token without blanks, line breaks or control "
                                    "characters as the secret's value." },

        [DIAG_UPSTREAM_BLOCKED] = { "upstream-blocked", "Something in front of the server answered",
                                    503, EXIT_NO_VALUE,
                                    "Let this host through the proxy or firewall in front of "
                                    "Infisical, or correct url." },
        [DIAG_UPSTREAM_UNREACHABLE] = { "upstream-unreachable", "The server cannot be reached", 503,
                                        EXIT_NO_VALUE,
                                        "Check url, DNS, routing and whether Infisical is "
                                        "running." },
        [DIAG_UPSTREAM_TLS] = { "upstream-tls", "The TLS connection is not trustworthy", 503,
                                EXIT_NO_VALUE,
                                "Check the server's certificate and name; for a private CA set "
                                "ca_file." },
        [DIAG_UPSTREAM_TIMEOUT] = { "upstream-timeout", "The server did not answer in time", 503,
                                    EXIT_NO_VALUE,
                                    "Check the server's health (its database and Redis), or raise "
                                    "timeout." },
        [DIAG_UPSTREAM_ERROR] = { "upstream-error", "The server failed", 503, EXIT_NO_VALUE,
                                  "Look at Infisical's own log for the request id in this "
                                  "detail." },
        [DIAG_UPSTREAM_RATE_LIMITED] = { "upstream-rate-limited",
                                         "The server limits the request rate", 503, EXIT_NO_VALUE,
                                         "Raise refresh, or the server's limit; the broker pauses "
                                         "all calls by itself." },
        [DIAG_UPSTREAM_MALFORMED] = { "upstream-malformed", "The answer is not one of the server's",
                                      503, EXIT_NO_VALUE,
                                      "Check that url is the base address of Infisical's API and "
                                      "not of another service." },

        [DIAG_FALLBACK_DISABLED] = { "fallback-disabled", "No direct token is configured", 503,
                                     EXIT_NO_VALUE,
                                     "Restore Infisical; a direct token would need direct_env and "
                                     "direct_env_until in the token's section." },
        [DIAG_FALLBACK_EXPIRED] = { "fallback-expired", "The direct token's time is over", 503,
                                    EXIT_NO_VALUE,
                                    "Restore Infisical, or set a later direct_env_until for this "
                                    "token on purpose." },

        [DIAG_FORGE_TOKEN_REJECTED] = { "forge-token-rejected",
                                        "The forge does not accept the token", 502, EXIT_UNMET,
                                        "Create a new token at the forge and store it in "
                                        "Infisical." },
        [DIAG_FORGE_SCOPE_MISSING] = { "forge-scope-missing", "The token lacks a scope", 502,
                                       EXIT_UNMET,
                                       "Create a token with the scope that the detail names." },
        [DIAG_FORGE_PERMISSION_MISSING] = { "forge-permission-missing",
                                            "The token's user lacks a right", 502, EXIT_UNMET,
                                            "Give the token's user the right that the detail "
                                            "names." },
        [DIAG_FORGE_BRANCH_PROTECTED] = { "forge-branch-protected",
                                          "The ref is protected against this token", 502,
                                          EXIT_UNMET,
                                          "Add the token's user to the protection's allow list, or "
                                          "use a token that may pass it." },
        [DIAG_FORGE_REPOSITORY_INVISIBLE] = { "forge-repository-invisible",
                                              "The token does not see the repository", 502,
                                              EXIT_UNMET,
                                              "Check the repository's name and give the token's "
                                              "user access to it." },
        [DIAG_FORGE_READ_ONLY] = { "forge-read-only", "The repository takes no writes", 502,
                                   EXIT_UNMET,
                                   "Unarchive the repository, or push to the mirror's source." },
        [DIAG_FORGE_IDENTITY_HIJACKED] = { "forge-identity-hijacked",
                                           "Another credential authenticates", 502, EXIT_UNMET,
                                           "Use 'forge-broker git', which takes other credentials "
                                           "out of the way." },
        [DIAG_FORGE_CANNOT_TELL] = { "forge-cannot-tell", "The forge does not say", 502,
                                     EXIT_CANNOT_TELL,
                                     "See the detail for the option or scope that would tell." },
};

const struct diagnosis_info *diagnosis_info(enum diagnosis code) {
        if (code <= DIAG_NONE || code >= DIAG_COUNT)
                code = DIAG_INTERNAL_ERROR;
        return &table[code];
}

enum diagnosis diagnosis_find(const char *name) {
        for (int code = DIAG_NONE + 1; code < DIAG_COUNT; code++)
                if (strcmp(table[code].name, name) == 0)
                        return (enum diagnosis)code;
        return DIAG_NONE;
}

/* A text that was cut may end inside a UTF-8 sequence, which no JSON may hold: the torn sequence
 * goes. */
static void trim_torn(char *text, size_t size) {
        size_t length = strlen(text), start = length;

        if (length + 1 < size)
                return;
        while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
                start--;
        if (start > 0 && (unsigned char)text[start - 1] >= 0xc0)
                text[start - 1] = '\0';
}

int error_set(struct error *err, enum diagnosis code, const char *format, ...) {
        va_list args;

        if (!err)
                return -(int)code;
        err->code = code;
        err->remedy[0] = '\0';
        va_start(args, format);
        (void)vsnprintf(err->detail, sizeof(err->detail), format, args);
        va_end(args);
        trim_torn(err->detail, sizeof(err->detail));
        return -(int)code;
}

void error_remedy_set(struct error *err, const char *format, ...) {
        va_list args;

        if (!err)
                return;
        va_start(args, format);
        (void)vsnprintf(err->remedy, sizeof(err->remedy), format, args);
        va_end(args);
        trim_torn(err->remedy, sizeof(err->remedy));
}

int error_prefix(struct error *err, const char *format, ...) {
        char detail[ERROR_DETAIL_MAX];
        va_list args;
        int n;

        if (!err)
                return -(int)DIAG_INTERNAL_ERROR;
        memcpy(detail, err->detail, sizeof(detail));
        va_start(args, format);
        n = vsnprintf(err->detail, sizeof(err->detail), format, args);
        va_end(args);
        if (n >= 0 && (size_t)n + 3 < sizeof(err->detail))
                (void)snprintf(err->detail + n, sizeof(err->detail) - (size_t)n, ": %.*s",
                               (int)(sizeof(err->detail) - (size_t)n - 3), detail);
        trim_torn(err->detail, sizeof(err->detail));
        return -(int)err->code;
}

const char *error_remedy(const struct error *err) {
        return err->remedy[0] ? err->remedy : diagnosis_info(err->code)->remedy;
}

int error_oom(struct error *err) {
        return error_set(err, DIAG_INTERNAL_ERROR, "out of memory");
}

/* Not to be written to. */
static struct error no_memory = { .code = DIAG_INTERNAL_ERROR, .detail = "out of memory" };

struct error *error_release(struct error *kept) {
        if (kept != &no_memory)
                free(kept);
        return NULL;
}

struct error *error_keep(struct error *kept, const struct error *err) {
        struct error *copy;

        if (!err || err->code == DIAG_NONE)
                return error_release(kept);
        copy = kept && kept != &no_memory ? kept : malloc(sizeof(*copy));
        if (!copy)
                return &no_memory;
        *copy = *err;
        return copy;
}

const struct error *error_kept(const struct error *kept) {
        static const struct error none = { .code = DIAG_NONE };

        return kept ? kept : &none;
}
