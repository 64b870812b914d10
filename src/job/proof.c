#include "job/proof.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/forge_env.h"

#define GIVEN         "FORGE_BROKER_PROOF"
#define REQUEST_URL   "ACTIONS_ID_TOKEN_REQUEST_URL"
#define REQUEST_TOKEN "ACTIONS_ID_TOKEN_REQUEST_TOKEN"

#define VALUE_MAX 4096 /* as much as the broker takes; an ID token has 1 to 3 KiB */
#define URL_MAX   2048 /* likewise */

/*
 * The runners' names for the automatic token, the surest first: a workflow that sets GITHUB_TOKEN
 * for another forge than its own does so beside FORGEJO_TOKEN, and one that sets GITEA_TOKEN has
 * its automatic one in GITHUB_TOKEN. Outside of a job a token of that name belongs to somebody, and
 * is nobody's proof.
 */
static const char *const automatic[][2] = {
        [FORGE_ENV_NONE] = { NULL },
        [FORGE_ENV_FORGEJO] = { "FORGEJO_TOKEN", "GITHUB_TOKEN" },
        [FORGE_ENV_GITEA] = { "GITHUB_TOKEN", "GITEA_TOKEN" },
        [FORGE_ENV_GITHUB] = { "GITHUB_TOKEN" },
        [FORGE_ENV_GITLAB] = { "CI_JOB_TOKEN" },
};

/* What to write where, for a job that has nothing to show.  Pull requests of strangers never have
 * anything. */
static const char *const remedies[] = {
        [FORGE_ENV_NONE] = "This is no forge's job as far as its environment says; where it is one "
                           "after all, let the "
                           "workflow put the job's ID token into the variable " GIVEN ".",
        [FORGE_ENV_FORGEJO] = "Add 'enable-openid-connect: true' to the job in the workflow, or "
                              "give the step the job's "
                              "automatic token: 'env: { " GIVEN ": ${{ forgejo.token }} }'.",
        [FORGE_ENV_GITEA] =
            "Give the step the job's automatic token in the workflow: 'env: { " GIVEN
            ": ${{ gitea.token }} }'.",
        [FORGE_ENV_GITHUB] = "Add 'permissions: { id-token: write }' to the job in the workflow; a "
                             "pull request from a fork "
                             "cannot have it.",
        [FORGE_ENV_GITLAB] =
            "Add 'id_tokens: { " GIVEN ": { aud: AUDIENCE } }' to the job in .gitlab-ci.yml, with "
            "the oidc_audience of the broker's configuration.",
};

static const char *get(const char *variable) {
        const char *value = variable ? getenv(variable) : NULL;

        return value && *value ? value : NULL;
}

static struct proof choose(void) {
        struct proof proof = { GIVEN, get(GIVEN), NULL };
        enum forge_env env = forge_env_detect();

        if (!proof.value && get(REQUEST_URL) && get(REQUEST_TOKEN))
                proof = (struct proof){ REQUEST_TOKEN, get(REQUEST_TOKEN), get(REQUEST_URL) };
        for (size_t i = 0; !proof.value && i < ELEMENTS(automatic[env]); i++)
                proof = (struct proof){ automatic[env][i], get(automatic[env][i]), NULL };
        return proof;
}

/* A value goes into a header line as it is: what could end the line, or is not ASCII, is none. */
static int check(const char *variable, const char *value, size_t max, struct failure *failure) {
        size_t length = strlen(value);

        for (size_t i = 0; i < length; i++)
                if (value[i] <= ' ' || value[i] > '~')
                        return failure_set(failure, EXIT_REFUSED,
                                           "%s cannot be shown as this job's proof: it has a "
                                           "blank, a line break or "
                                           "another character that no token has",
                                           variable);
        if (length > max)
                return failure_set(failure, EXIT_REFUSED,
                                   "%s cannot be shown as this job's proof: it has %zu bytes, and "
                                   "the broker takes %zu",
                                   variable, length, max);
        return 0;
}

int proof_find(struct proof *ret, struct failure *failure) {
        struct proof proof = choose();
        int r;

        if (!proof.value)
                return PROOF_NONE;
        r = check(proof.variable, proof.value, VALUE_MAX, failure);
        if (r == 0 && proof.id_token_url)
                r = check(REQUEST_URL, proof.id_token_url, URL_MAX, failure);
        if (r < 0) {
                failure_remedy_set(failure,
                                   "Set it to what the forge gave this job, and to nothing more.");
                failure->lasting = true;
                return r;
        }
        *ret = proof;
        return PROOF_FOUND;
}

static bool append(struct locked_buffer *request, const char *text) {
        return locked_buffer_append(request, text, strlen(text));
}

bool proof_append(const struct proof *proof, struct locked_buffer *request) {
        return append(request, "Authorization: Bearer ") && append(request, proof->value) &&
               append(request, "\r\n") &&
               (!proof->id_token_url ||
                (append(request, "Forge-Broker-Id-Token-Url: ") &&
                 append(request, proof->id_token_url) && append(request, "\r\n")));
}

void proof_explain(enum diagnosis diagnosis, struct failure *failure) {
        struct proof proof = choose();

        /* Without any proof the two other refusals are none of a proof, but of what was asked
         * for. */
        if (!proof.value && diagnosis != DIAG_PROOF_REQUIRED)
                return;
        if (!proof.value)
                failure_remedy_set(failure, "%s", remedies[forge_env_detect()]);
        else if (proof.id_token_url)
                failure_line_add(failure,
                                 "the proof of this job: the ID token for which " REQUEST_URL
                                 " is asked");
        else
                failure_line_add(failure, "the proof of this job: the value of %s", proof.variable);
}
