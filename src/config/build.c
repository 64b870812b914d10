/*
 * From a draft without problems to the configuration, and the configuration's life.
 */
#include "config/draft.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* A copy of the text, or NULL where there is none; *failed is set for lack of memory. */
static char *copy_text(const struct section *section, enum key_id id, bool *failed) {
        const char *text = setting_text(section, id);
        char *copy;

        if (!text)
                return NULL;
        copy = strdup(text);
        if (!copy)
                *failed = true;
        return copy;
}

static char **copy_list(const struct section *section, enum key_id id, bool *failed) {
        const struct setting *setting = &section->settings[id];
        char **list = calloc(setting->n_items + 1, sizeof(char *));

        if (!list) {
                *failed = true;
                return NULL;
        }
        for (size_t i = 0; i < setting->n_items; i++) {
                list[i] = strdup(setting->items[i].text);
                if (!list[i])
                        *failed = true;
        }
        return list;
}

static char *copy_name(const struct section *section, bool *failed) {
        char *copy = strdup(section->name);

        if (!copy)
                *failed = true;
        return copy;
}

static void fill_broker(struct config *config, const struct section *section, bool *failed) {
        config->socket = copy_text(section, BROKER_SOCKET, failed);
        config->control_socket = copy_text(section, BROKER_CONTROL_SOCKET, failed);
        config->credential_socket = copy_text(section, BROKER_CREDENTIAL_SOCKET, failed);
        config->log = (enum log_target)setting_number(section, BROKER_LOG);
        config->max_connections = (unsigned)setting_number(section, BROKER_MAX_CONNECTIONS);
        config->request_timeout = setting_number(section, BROKER_REQUEST_TIMEOUT);
        config->requests_per_second = (unsigned)setting_number(section, BROKER_REQUESTS_PER_SECOND);
}

static void fill_identity(struct identity_config *identity, const struct section *section,
                          bool *failed) {
        identity->name = copy_name(section, failed);
        identity->urls = copy_list(section, IDENTITY_URL, failed);
        identity->ca_file = copy_text(section, IDENTITY_CA_FILE, failed);
        identity->token_file = copy_text(section, IDENTITY_TOKEN_FILE, failed);
        identity->client_id_file = copy_text(section, IDENTITY_CLIENT_ID_FILE, failed);
        identity->client_secret_file = copy_text(section, IDENTITY_CLIENT_SECRET_FILE, failed);
        identity->project_id = copy_text(section, IDENTITY_PROJECT_ID, failed);
        identity->environment = copy_text(section, IDENTITY_ENVIRONMENT, failed);
        identity->proxy = copy_text(section, IDENTITY_PROXY, failed);
        identity->header_file = copy_text(section, IDENTITY_HEADER_FILE, failed);
        identity->connect_timeout = setting_number(section, IDENTITY_CONNECT_TIMEOUT);
        identity->timeout = setting_number(section, IDENTITY_TIMEOUT);
        identity->allow_plaintext = setting_number(section, IDENTITY_ALLOW_PLAINTEXT) != 0;
}

static bool is_public_github(const struct forge_config *forge) {
        return forge->type == FORGE_GITHUB && strcmp(forge->url, "https://github.com") == 0;
}

/* docs/upstream/forges.md, "Who vouches for a job". */
static char *default_issuer(const struct forge_config *forge, bool *failed) {
        char *issuer = NULL;
        int r = 0;

        if (is_public_github(forge))
                r = asprintf(&issuer, "https://token.actions.githubusercontent.com");
        else if (forge->type == FORGE_GITHUB)
                r = asprintf(&issuer, "%s/_services/token", forge->url);
        else if (forge->type == FORGE_FORGEJO)
                r = asprintf(&issuer, "%s/api/actions", forge->url);
        else if (forge->type == FORGE_GITLAB)
                r = asprintf(&issuer, "%s", forge->url);
        if (r >= 0)
                return issuer;
        *failed = true;
        return NULL;
}

/* Other forges hand them out themselves. */
static char **default_id_token_hosts(const struct forge_config *forge, bool *failed) {
        char **list = calloc(2, sizeof(char *));

        if (list && is_public_github(forge))
                list[0] = strdup("*.actions.githubusercontent.com");
        if (!list || (is_public_github(forge) && !list[0]))
                *failed = true;
        return list;
}

static void fill_forge(struct forge_config *forge, const struct section *section, bool *failed) {
        forge->name = copy_name(section, failed);
        forge->type = (enum forge_type)setting_number(section, FORGE_KEY_TYPE);
        forge->url = copy_text(section, FORGE_KEY_URL, failed);
        forge->registry = copy_text(section, FORGE_KEY_REGISTRY, failed);
        forge->ca_file = copy_text(section, FORGE_KEY_CA_FILE, failed);
        forge->oidc_audience = copy_text(section, FORGE_KEY_OIDC_AUDIENCE, failed);
        if (*failed)
                return;
        forge->oidc_issuer = setting_is_set(section, FORGE_KEY_OIDC_ISSUER)
                                 ? copy_text(section, FORGE_KEY_OIDC_ISSUER, failed)
                                 : default_issuer(forge, failed);
        forge->id_token_hosts = setting_is_left(section, FORGE_KEY_ID_TOKEN_HOSTS)
                                    ? default_id_token_hosts(forge, failed)
                                    : copy_list(section, FORGE_KEY_ID_TOKEN_HOSTS, failed);
}

/* Forgejo and Gitea take any user name that is not empty; the other two document these. */
static const char *default_username(enum forge_type type) {
        switch (type) {
        case FORGE_GITHUB:
                return "x-access-token";
        case FORGE_GITLAB:
                return "oauth2";
        default:
                return "forge-broker";
        }
}

/* What is pinned and configured, or without a pin all that is configured. */
static void fill_sources(struct token_config *token, const struct section *section) {
        const bool configured[SOURCE_COUNT] = {
                [SOURCE_INFISICAL_TOKEN_AUTH] = token->identity->token_file,
                [SOURCE_INFISICAL_UNIVERSAL_AUTH] = token->identity->client_id_file,
                [SOURCE_DIRECT_ENV_FALLBACK] = token->direct_env,
        };
        const struct setting *pinned = &section->settings[TOKEN_SOURCES];

        for (size_t i = 0; i < pinned->n_items; i++)
                token->sources[pinned->items[i].number] = true;
        for (size_t i = 0; i < SOURCE_COUNT; i++)
                token->sources[i] = (pinned->n_items == 0 || token->sources[i]) && configured[i];
}

static const struct identity_config *find_identity(const struct config *config, const char *name) {
        for (size_t i = 0; i < config->n_identities; i++)
                if (strcmp(config->identities[i]->name, name) == 0)
                        return config->identities[i];
        return NULL;
}

static const struct forge_config *find_forge(const struct config *config, const char *name) {
        for (size_t i = 0; i < config->n_forges; i++)
                if (strcmp(config->forges[i]->name, name) == 0)
                        return config->forges[i];
        return NULL;
}

static void fill_rules(const struct config *config, struct token_config *token,
                       const struct section *section, bool *failed) {
        const char *voucher = setting_text(section, TOKEN_VOUCHED_BY);

        token->units = copy_list(section, TOKEN_UNITS, failed);
        token->proof_required = setting_number(section, TOKEN_PROOF) != 0;
        token->vouched_by = voucher ? find_forge(config, voucher) : token->forge;
        assert(token->vouched_by);
        token->job_repositories = copy_list(section, TOKEN_JOB_REPOSITORIES, failed);
        token->job_events = copy_list(section, TOKEN_JOB_EVENTS, failed);
        token->job_refs = copy_list(section, TOKEN_JOB_REFS, failed);
}

/* After the identities and forges: it points to them. */
static void fill_token(const struct config *config, struct token_config *token,
                       const struct section *section, bool *failed) {
        token->name = copy_name(section, failed);
        token->forge = find_forge(config, setting_text(section, TOKEN_FORGE));
        token->identity = find_identity(config, setting_text(section, TOKEN_IDENTITY));
        assert(token->forge && token->identity);
        token->secret_path = copy_text(section, TOKEN_SECRET_PATH, failed);
        token->secret_name = copy_text(section, TOKEN_SECRET_NAME, failed);
        token->username = copy_text(section, TOKEN_USERNAME, failed);
        if (!token->username)
                token->username = strdup(default_username(token->forge->type));
        if (!token->username)
                *failed = true;
        token->targets = copy_list(section, TOKEN_FOR, failed);
        token->refresh = setting_number(section, TOKEN_REFRESH);
        token->max_stale = setting_number(section, TOKEN_MAX_STALE);
        token->direct_env = copy_text(section, TOKEN_DIRECT_ENV, failed);
        token->direct_env_until = setting_number(section, TOKEN_DIRECT_ENV_UNTIL);
        token->write_probe = setting_number(section, TOKEN_WRITE_PROBE) != 0;
        fill_sources(token, section);
        fill_rules(config, token, section, failed);
}

/* An array with one zeroed element for each section of that kind. */
static void **new_list(const struct draft *draft, enum section_kind kind, size_t element_bytes,
                       size_t *ret_count, bool *failed) {
        void **list = calloc(draft->n_sections + 1, sizeof(void *));
        size_t count = 0;

        if (!list)
                *failed = true;
        for (size_t i = 0; list && i < draft->n_sections; i++) {
                if (draft->sections[i]->kind != kind)
                        continue;
                list[count] = calloc(1, element_bytes);
                if (!list[count]) {
                        *failed = true;
                        break;
                }
                count++;
        }
        *ret_count = count;
        return list;
}

static struct config *new_config(const struct draft *draft) {
        _cleanup_(config_unrefp) struct config *config = calloc(1, sizeof(*config));
        bool failed = false;

        if (!config)
                return NULL;
        config->references = 1;
        config->identities = (struct identity_config **)new_list(draft, SECTION_IDENTITY,
                                                                 sizeof(struct identity_config),
                                                                 &config->n_identities, &failed);
        config->forges = (struct forge_config **)new_list(
            draft, SECTION_FORGE, sizeof(struct forge_config), &config->n_forges, &failed);
        config->tokens = (struct token_config **)new_list(
            draft, SECTION_TOKEN, sizeof(struct token_config), &config->n_tokens, &failed);
        return failed ? NULL : take(config);
}

struct config *draft_build(const struct draft *draft, const char *file) {
        _cleanup_(config_unrefp) struct config *config = new_config(draft);
        size_t identity = 0, forge = 0, token = 0;
        bool failed = false;

        if (!config)
                return NULL;
        config->file = strdup(file);
        if (!config->file)
                return NULL;
        for (size_t i = 0; i < draft->n_sections; i++) {
                const struct section *section = draft->sections[i];

                if (section->kind == SECTION_BROKER)
                        fill_broker(config, section, &failed);
                else if (section->kind == SECTION_IDENTITY)
                        fill_identity(config->identities[identity++], section, &failed);
                else if (section->kind == SECTION_FORGE)
                        fill_forge(config->forges[forge++], section, &failed);
        }
        if (failed)
                return NULL;
        for (size_t i = 0; i < draft->n_sections; i++)
                if (draft->sections[i]->kind == SECTION_TOKEN)
                        fill_token(config, config->tokens[token++], draft->sections[i], &failed);
        return failed ? NULL : take(config);
}
