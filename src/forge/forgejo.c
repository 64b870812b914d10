#include <stdio.h>
#include <string.h>

#include "forge/adapter.h"

static char *api_url(const char *url) {
        char *api = NULL;

        return asprintf(&api, "%s/api/v1", url) < 0 ? NULL : api;
}

/*
 * Each error of the API carries the address of its description:
 * {"message":"...","url":"https://HOST/api/swagger"}; that of a quota names its user instead.
 */
static bool is_refusal(const struct forge_answer *answer) {
        static const char tail[] = "/api/swagger";
        const char *url = json_member_string(answer->root, "url");
        size_t length = url ? strlen(url) : 0;

        if (answer->response->status == 413)
                return json_member_string(answer->root, "username") != NULL;
        return length >= sizeof(tail) - 1 && strcmp(url + length - (sizeof(tail) - 1), tail) == 0;
}

#define DROPPED                                                                                    \
        "Set the forge's url to its canonical address, and let proxies pass the Authorization "    \
        "header on: it was sent and did "                                                          \
        "not arrive."
#define ACCOUNT                                                                                    \
        "Sign in to the forge as the token's user, or let its administrator look at that account."

static const struct forge_meaning meanings[] = {
        { 401, "token is required", FORGE_TOKEN_UNKNOWN, DIAG_UPSTREAM_BLOCKED,
          "no token arrived there", DROPPED },
        { 401, "user does not exist *", FORGE_TOKEN_DEAD, DIAG_FORGE_TOKEN_REJECTED,
          "it does not know the token", NULL },
        { 401, "invalid username, password or token", FORGE_TOKEN_DEAD, DIAG_FORGE_TOKEN_REJECTED,
          "it does not know the token", NULL },
        /* Asking as whom needs read:user, which a token that only pushes need not have. */
        { 403, "token does not have at least one of required scope(s): *", FORGE_TOKEN_ALIVE,
          DIAG_NONE, NULL, NULL },
        { 403, "token scope is limited to public *", FORGE_TOKEN_ALIVE, DIAG_NONE, NULL, NULL },
        { 403, "Only signed in user is allowed to call APIs.", FORGE_TOKEN_UNKNOWN,
          DIAG_UPSTREAM_BLOCKED, "no token arrived there", DROPPED },
        { 403, "This account is not activated.", FORGE_TOKEN_UNKNOWN, DIAG_FORGE_CANNOT_TELL,
          "the account of the token's user is not activated", ACCOUNT },
        { 403, "This account is prohibited from signing in*", FORGE_TOKEN_UNKNOWN,
          DIAG_FORGE_CANNOT_TELL, "the token's user may not sign in", ACCOUNT },
        { 403, "You must change your password.*", FORGE_TOKEN_UNKNOWN, DIAG_FORGE_CANNOT_TELL,
          "the token's user must change the password first", ACCOUNT },
};

const struct forge_adapter forge_adapter_forgejo = {
        .api_url = api_url,
        .scheme = "token",
        .login = "login",
        .is_refusal = is_refusal,
        .meanings = meanings,
        .n_meanings = ELEMENTS(meanings),
        .evidence = &forge_evidence_forgejo,
};
