#include <stdio.h>

#include "forge/adapter.h"

static char *api_url(const char *url) {
        char *api = NULL;

        return asprintf(&api, "%s/api/v4", url) < 0 ? NULL : api;
}

/* {"message":"401 Unauthorized"}, or OAuth's
 * {"error":"invalid_token","error_description":"..."}. */
static bool is_refusal(const struct forge_answer *answer) {
        return answer->text[0] != '\0';
}

#define NEW_TOKEN                                                                                  \
        "Create a new token in GitLab and store it in Infisical; do not rotate the old one "       \
        "through the API, which revokes "                                                          \
        "the new one as well."

static const struct forge_meaning meanings[] = {
        { 401, "invalid_token", FORGE_TOKEN_DEAD, DIAG_FORGE_TOKEN_REJECTED,
          "the token has expired or was revoked", NEW_TOKEN },
        { 403, "insufficient_scope", FORGE_TOKEN_ALIVE, DIAG_NONE, NULL, NULL },
        /* Of a token that GitLab never had it says what it says without any. */
        { 401, "401 Unauthorized", FORGE_TOKEN_DEAD, DIAG_FORGE_TOKEN_REJECTED,
          "it does not know the token",
          "Create a new token in GitLab and store it in Infisical; if the token is good, a proxy "
          "on the way drops the "
          "Authorization header." },
        { 403, "403 Forbidden*", FORGE_TOKEN_UNKNOWN, DIAG_FORGE_CANNOT_TELL,
          "the token's user may not use the API",
          "Let GitLab's administrator look at the account of the token's user." },
};

/* Bearer is taken for personal, project, group and OAuth tokens; PRIVATE-TOKEN not for the last. */
const struct forge_adapter forge_adapter_gitlab = {
        .api_url = api_url,
        .scheme = "Bearer",
        .login = "username",
        .is_refusal = is_refusal,
        .meanings = meanings,
        .n_meanings = ELEMENTS(meanings),
        .evidence = &forge_evidence_gitlab,
};
