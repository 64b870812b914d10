#include "config/config.h"

#include <string.h>

struct config *config_ref(struct config *config) {
        config->references++;
        return config;
}

static void list_free(char **list) {
        for (char **item = list; item && *item; item++)
                free(*item);
        free(list);
}

static void identity_free(struct identity_config *identity) {
        list_free(identity->urls);
        free(identity->name);
        free(identity->ca_file);
        free(identity->token_file);
        free(identity->client_id_file);
        free(identity->client_secret_file);
        free(identity->project_id);
        free(identity->environment);
        free(identity->proxy);
        free(identity->header_file);
        free(identity);
}

static void forge_free(struct forge_config *forge) {
        free(forge->name);
        free(forge->url);
        free(forge->registry);
        free(forge->ca_file);
        free(forge->oidc_audience);
        free(forge->oidc_issuer);
        list_free(forge->id_token_hosts);
        free(forge);
}

static void token_free(struct token_config *token) {
        free(token->name);
        free(token->secret_path);
        free(token->secret_name);
        free(token->username);
        list_free(token->targets);
        free(token->direct_env);
        list_free(token->units);
        list_free(token->job_repositories);
        list_free(token->job_events);
        list_free(token->job_refs);
        free(token);
}

struct config *config_unref(struct config *config) {
        if (!config || --config->references > 0)
                return NULL;
        for (size_t i = 0; i < config->n_tokens; i++)
                token_free(config->tokens[i]);
        for (size_t i = 0; i < config->n_forges; i++)
                forge_free(config->forges[i]);
        for (size_t i = 0; i < config->n_identities; i++)
                identity_free(config->identities[i]);
        free(config->tokens);
        free(config->forges);
        free(config->identities);
        free(config->file);
        free(config->socket);
        free(config->control_socket);
        free(config->credential_socket);
        free(config);
        return NULL;
}

const struct token_config *config_find_token(const struct config *config, const char *name) {
        for (size_t i = 0; i < config->n_tokens; i++)
                if (strcmp(config->tokens[i]->name, name) == 0)
                        return config->tokens[i];
        return NULL;
}

static const char *const source_names[SOURCE_COUNT] = {
        [SOURCE_INFISICAL_TOKEN_AUTH] = "infisical-token-auth",
        [SOURCE_INFISICAL_UNIVERSAL_AUTH] = "infisical-universal-auth",
        [SOURCE_DIRECT_ENV_FALLBACK] = "direct-env-fallback",
};

const char *source_name(enum source source) {
        return source_names[source];
}

bool source_find(const char *name, enum source *ret) {
        for (size_t i = 0; i < ELEMENTS(source_names); i++) {
                if (strcmp(source_names[i], name) != 0)
                        continue;
                *ret = (enum source)i;
                return true;
        }
        return false;
}

static const struct {
        const char *name, *marker;
} forge_types[FORGE_TYPE_COUNT] = {
        [FORGE_FORGEJO] = { "forgejo", "forgejo_token_source" },
        [FORGE_GITEA] = { "gitea", "gitea_token_source" },
        [FORGE_GITHUB] = { "github", "github_token_source" },
        [FORGE_GITLAB] = { "gitlab", "gitlab_token_source" },
        [FORGE_OTHER] = { "other", "forge_token_source" },
};

const char *forge_type_name(enum forge_type type) {
        return forge_types[type].name;
}

const char *forge_type_marker(enum forge_type type) {
        return forge_types[type].marker;
}
