#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "forge/adapter.h"

/* github.com, and tenants under ghe.com, have their API on a host of its own; a server of one's
 * own has it below. */
static char *api_url(const char *url) {
        static const char tenant[] = ".ghe.com";
        size_t length = strlen(url);
        char *api = NULL;
        int r;

        if (strcmp(url, "https://github.com") == 0 || strcmp(url, "https://www.github.com") == 0)
                r = asprintf(&api, "https://api.github.com");
        else if (text_starts_with(url, "https://") && !strchr(url + 8, '/') &&
                 length > sizeof(tenant) + 7 &&
                 strcmp(url + length - (sizeof(tenant) - 1), tenant) == 0)
                r = asprintf(&api, "https://api.%s", url + 8);
        else
                r = asprintf(&api, "%s/api/v3", url);
        return r < 0 ? NULL : api;
}

static bool is_refusal(const struct forge_answer *answer) {
        return answer->text[0] && json_member_string(answer->root, "documentation_url");
}

#define WAIT                                                                                       \
        "Ask again later, and not in a loop: after several refused tokens GitHub refuses "         \
        "everything for a while."

static const struct forge_meaning meanings[] = {
        { 401, "Bad credentials", FORGE_TOKEN_DEAD, DIAG_FORGE_TOKEN_REJECTED,
          "it does not know the token", NULL },
        { 401, "Requires authentication", FORGE_TOKEN_UNKNOWN, DIAG_UPSTREAM_BLOCKED,
          "no token arrived there",
          "Let proxies on the way to GitHub pass the Authorization header on: it was sent and did "
          "not arrive." },
        /* Those of an App have no user, and a narrow one may not read its own: both are known. */
        { 403, "Resource not accessible by integration", FORGE_TOKEN_ALIVE, DIAG_NONE, NULL, NULL },
        { 403, "Resource not accessible by personal access token", FORGE_TOKEN_ALIVE, DIAG_NONE,
          NULL, NULL },
        { 0, "*rate limit*", FORGE_TOKEN_UNKNOWN, DIAG_UPSTREAM_RATE_LIMITED,
          "its rate limit is used up", WAIT },
};

const struct forge_adapter forge_adapter_github = {
        .api_url = api_url,
        .scheme = "Bearer",
        .accept = "application/vnd.github+json",
        .headers = "X-GitHub-Api-Version: 2022-11-28\n",
        .login = "login",
        .is_refusal = is_refusal,
        .meanings = meanings,
        .n_meanings = ELEMENTS(meanings),
        .evidence = &forge_evidence_github,
};
