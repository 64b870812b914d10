#include "job/forge_env.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define VARIABLE_MAX 40

static bool is_set(const char *variable) {
        const char *value = getenv(variable);

        return value && *value;
}

static bool is_true(const char *variable) {
        const char *value = getenv(variable);

        return value && strcmp(value, "true") == 0;
}

/* forgejo-runner also says that it is Gitea's, and both that they are GitHub's. */
enum forge_env forge_env_detect(void) {
        if (is_set("FORGEJO_ACTIONS"))
                return FORGE_ENV_FORGEJO;
        if (is_set("GITEA_ACTIONS"))
                return FORGE_ENV_GITEA;
        if (is_true("GITHUB_ACTIONS"))
                return FORGE_ENV_GITHUB;
        return is_true("GITLAB_CI") ? FORGE_ENV_GITLAB : FORGE_ENV_NONE;
}

const char *forge_env_name(enum forge_env env) {
        static const char *const names[] = { [FORGE_ENV_NONE] = "no forge",
                                             [FORGE_ENV_FORGEJO] = "Forgejo",
                                             [FORGE_ENV_GITEA] = "Gitea",
                                             [FORGE_ENV_GITHUB] = "GitHub",
                                             [FORGE_ENV_GITLAB] = "GitLab" };

        return names[env];
}

const char *forge_env_get(const char *name) {
        static const char *const prefixes[] = { "FORGEJO_", "GITEA_", "GITHUB_" };

        for (size_t i = 0; i < ELEMENTS(prefixes); i++) {
                char variable[VARIABLE_MAX] = "";
                size_t used = 0;

                if (text_append(variable, sizeof(variable), &used, "%s%s", prefixes[i], name) &&
                    is_set(variable))
                        return getenv(variable);
        }
        return NULL;
}
