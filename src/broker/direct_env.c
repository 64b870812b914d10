#include "broker/direct_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "infisical/infisical.h"

struct variable {
        struct variable *next;
        char *name;
        struct secret *value; /* NULL: it was set, but to nothing that could be a token */
};

struct direct_env {
        struct variable *variables;
};

struct direct_env *direct_env_new(void) {
        return calloc(1, sizeof(struct direct_env));
}

struct direct_env *direct_env_free(struct direct_env *env) {
        struct variable *next;

        for (struct variable *variable = env ? env->variables : NULL; variable; variable = next) {
                next = variable->next;
                (void)secret_unref(variable->value);
                free(variable->name);
                free(variable);
        }
        free(env);
        return NULL;
}

static struct variable *find(const struct direct_env *env, const char *name) {
        struct variable *variable = env->variables;

        while (variable && strcmp(variable->name, name) != 0)
                variable = variable->next;
        return variable;
}

static bool looks_like_token(const char *text, size_t length) {
        if (length == 0 || length > INFISICAL_VALUE_MAX_BYTES)
                return false;
        for (size_t i = 0; i < length; i++)
                if (text[i] < 0x21 || text[i] > 0x7e)
                        return false;
        return true;
}

static int capture(struct direct_env *env, const char *name, struct error *err) {
        char *text = getenv(name), *stripped;
        size_t length, whole;
        struct variable *variable;

        if (!text)
                return 0;
        variable = find(env, name);
        if (!variable) {
                variable = calloc(1, sizeof(*variable));
                if (!variable)
                        return error_oom(err);
                variable->name = strdup(name);
                if (!variable->name) {
                        free(variable);
                        return error_oom(err);
                }
                variable->next = env->variables;
                env->variables = variable;
        }
        whole = length = strlen(text);
        stripped = text_strip(text, &length);
        if (looks_like_token(stripped, length)) {
                (void)secret_unref(variable->value);
                variable->value = secret_copy(stripped, length);
                if (!variable->value)
                        return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for %s",
                                         name);
        }
        /* In place: this is the block that /proc/PID/environ shows. */
        explicit_bzero(text, whole);
        (void)unsetenv(name);
        return 0;
}

int direct_env_capture(struct direct_env *env, const struct config *config, struct error *err) {
        for (size_t i = 0; i < config->n_tokens; i++) {
                int r = config->tokens[i]->direct_env
                            ? capture(env, config->tokens[i]->direct_env, err)
                            : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int direct_env_get(const struct direct_env *env, const struct token_config *token, usec_t now,
                   struct secret **ret, struct error *err) {
        const struct variable *variable = find(env, token->direct_env);
        char day[CLOCK_TEXT_MAX];

        if (now >= token->direct_env_until) {
                (void)clock_format(token->direct_env_until - USEC_PER_SEC, day);
                (void)error_set(err, DIAG_FALLBACK_EXPIRED, "direct_env_until = %.10s is over",
                                day);
                error_remedy_set(
                    err,
                    "Restore Infisical for token '%s', or set a later direct_env_until on purpose.",
                    token->name);
                return -(int)DIAG_FALLBACK_EXPIRED;
        }
        if (!variable) {
                (void)error_set(err, DIAG_FALLBACK_DISABLED,
                                "the variable %s was not set when the daemon started",
                                token->direct_env);
                error_remedy_set(err,
                                 "Set %s in an EnvironmentFile= of the daemon's unit and restart "
                                 "it, or remove direct_env "
                                 "from token '%s'.",
                                 token->direct_env, token->name);
                return -(int)DIAG_FALLBACK_DISABLED;
        }
        if (!variable->value) {
                (void)error_set(err, DIAG_SECRET_MALFORMED,
                                "the variable %s holds nothing that could be a token",
                                token->direct_env);
                return -(int)DIAG_SECRET_MALFORMED;
        }
        *ret = secret_ref(variable->value);
        return 0;
}
