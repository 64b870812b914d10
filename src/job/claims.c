#include "job/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/forge_env.h"

/* The runners' names for the same thing, in the order in which they are asked. */
static const struct {
        const char *header;
        const char *name;   /* for forge_env_get() */
        const char *gitlab; /* NULL: GitLab has no such thing */
} claims[] = {
        { "Forge-Broker-Repository", "REPOSITORY", "CI_PROJECT_PATH" },
        { "Forge-Broker-Run-Id", "RUN_ID", "CI_PIPELINE_ID" },
        { "Forge-Broker-Run-Attempt", "RUN_ATTEMPT", NULL },
        { "Forge-Broker-Job", "JOB", "CI_JOB_NAME" },
        { "Forge-Broker-Workflow", "WORKFLOW", NULL },
        { "Forge-Broker-Event", "EVENT_NAME", "CI_PIPELINE_SOURCE" },
        { "Forge-Broker-Ref", "REF", "CI_COMMIT_REF_NAME" },
        { "Forge-Broker-Actor", "ACTOR", "GITLAB_USER_LOGIN" },
};

static const char *variable(const char *name) {
        const char *value = getenv(name);

        return value && *value ? value : NULL;
}

static const char *find_value(const char *name, const char *gitlab) {
        const char *value = forge_env_get(name);

        return !value && gitlab ? variable(gitlab) : value;
}

bool claims_append(char *buffer, size_t size, size_t *used) {
        for (size_t i = 0; i < ELEMENTS(claims); i++) {
                const char *value = find_value(claims[i].name, claims[i].gitlab);
                char clean[CLAIM_BYTES];

                if (!value)
                        continue;
                (void)text_clean(clean, sizeof(clean), value, strnlen(value, sizeof(clean)));
                if (!text_append(buffer, size, used, "%s: %s\r\n", claims[i].header, clean))
                        return false;
        }
        return true;
}

const char *claims_repository(void) {
        return find_value("REPOSITORY", "CI_PROJECT_PATH");
}

bool claims_ref(char ref[static CLAIM_BYTES]) {
        const char *own = forge_env_get("REF"), *prefix = "";
        size_t used = 0;

        /* GitLab has bare names: one of a tag, or one of a branch. */
        if (!own) {
                own = variable("CI_COMMIT_TAG");
                prefix = own ? "refs/tags/" : "refs/heads/";
        }
        if (!own)
                own = variable("CI_COMMIT_BRANCH");
        return own && text_append(ref, CLAIM_BYTES, &used, "%s%s", prefix, own) &&
               (text_starts_with(ref, "refs/heads/") || text_starts_with(ref, "refs/tags/"));
}
