/*
 * Configuration files, from bytes to settings.
 *
 * A form feed, which no file may hold, separates the main file from its drop-ins.  Whatever comes:
 * either there are findings, each of them clean text, or there is a configuration, and it keeps
 * what its header promises.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "config/draft.h"
#include "config/problems.h"

#define FILES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text) {
        char clean[1024];

        assert(text && *text != '\0');
        assert(strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0);
}

static void check_problems(const struct config_problems *problems) {
        assert(problems->count <= CONFIG_PROBLEMS_MAX);
        for (size_t i = 0; i < problems->count; i++)
                check_text(problems->items[i].text);
}

static void check_identity(const struct identity_config *identity) {
        assert(text_is_name(identity->name));
        assert(identity->urls && identity->urls[0]);
        for (char **url = identity->urls; *url; url++)
                assert(text_starts_with(*url, "http") && (*url)[strlen(*url) - 1] != '/' &&
                       !strpbrk(*url, "@?# "));
        assert(identity->token_file || identity->client_id_file);
        assert(!identity->client_id_file == !identity->client_secret_file);
        assert(text_is_plain(identity->project_id) && text_is_plain(identity->environment));
        assert(identity->connect_timeout > 0 && identity->connect_timeout <= identity->timeout);
}

static void check_token(const struct config *config, const struct token_config *token) {
        bool any_source = false;

        assert(config_find_token(config, token->name) == token);
        assert(token->forge && token->identity && token->username);
        assert(*token->secret_path == '/' && !strstr(token->secret_path, "//") &&
               !strchr(token->secret_path, '.'));
        assert(*token->secret_name != '\0' && !strchr(token->secret_name, '/'));
        assert(!token->direct_env == !token->direct_env_until);
        assert(token->max_stale == 0 || token->max_stale >= token->refresh);
        for (size_t i = 0; i < SOURCE_COUNT; i++)
                any_source = any_source || token->sources[i];
        assert(any_source);
        assert(token->vouched_by);
        assert(!token->proof_required ||
               (token->job_repositories[0] && token->vouched_by->type != FORGE_OTHER));
        assert(token->proof_required ||
               (!token->job_repositories[0] && !token->job_events[0] && !token->job_refs[0]));
}

static void check_config(const struct config *config) {
        assert(*config->socket == '/');
        assert(!config->control_socket || strcmp(config->control_socket, config->socket) != 0);
        assert(!config->credential_socket ||
               strcmp(config->credential_socket, config->socket) != 0);
        assert(config->max_connections > 0 && config->request_timeout > 0);
        assert(config->n_tokens > 0 && config->n_forges > 0 && config->n_identities > 0);
        for (size_t i = 0; i < config->n_identities; i++)
                check_identity(config->identities[i]);
        for (size_t i = 0; i < config->n_forges; i++)
                assert(text_is_name(config->forges[i]->name) &&
                       text_starts_with(config->forges[i]->url, "http"));
        for (size_t i = 0; i < config->n_tokens; i++)
                check_token(config, config->tokens[i]);
}

static void read_files(struct draft *draft, const char *bytes, size_t length) {
        for (unsigned i = 0; i < FILES_MAX; i++) {
                const char *end = length > 0 ? memchr(bytes, '\f', length) : NULL;
                size_t here = end ? (size_t)(end - bytes) : length;

                draft_read(draft, "fuzz.conf", bytes, here);
                if (!end)
                        return;
                bytes += here + 1;
                length -= here + 1;
        }
}

static void load(const uint8_t *data, size_t size) {
        struct config_problems problems = { 0 };
        _cleanup_(draft_freep) struct draft *draft = draft_new(&problems);
        struct config *config;

        assert(draft);
        read_files(draft, (const char *)data, size);
        draft_finish(draft);
        draft_check(draft);
        if (config_problems_any(&problems)) {
                check_problems(&problems);
        } else {
                config = draft_build(draft, "fuzz.conf");
                assert(config);
                check_config(config);
                (void)config_unref(config);
        }
        config_problems_done(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        load(data, size);
        return 0;
}
