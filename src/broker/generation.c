#include "broker/generation.h"

#include <string.h>

#include "base/log.h"

struct generation *generation_free(struct generation *generation) {
        if (!generation)
                return NULL;
        for (size_t i = 0; generation->verifies && i < generation->config->n_tokens; i++)
                if (generation->verifies[i].refresh)
                        verify_done(&generation->verifies[i]);
        vouch_desk_done(&generation->vouching);
        for (size_t i = 0; generation->tokens && i < generation->config->n_tokens; i++)
                if (generation->tokens[i].token)
                        refresh_done(&generation->tokens[i]);
        for (size_t i = 0; generation->logins && i < generation->config->n_identities; i++)
                if (generation->logins[i].upstream)
                        login_done(&generation->logins[i]);
        for (size_t i = 0; generation->watches && i < generation->config->n_identities; i++)
                for (size_t k = 0; k < ELEMENTS(generation->watches[i].files); k++)
                        (void)watch_free(generation->watches[i].files[k]);
        generation->context.http = http_client_free(generation->context.http);
        for (size_t i = 0; generation->upstreams && i < generation->config->n_identities; i++)
                upstream_done(&generation->upstreams[i]);
        free(generation->tokens);
        free(generation->verifies);
        free(generation->forges);
        free(generation->upstreams);
        free(generation->logins);
        free(generation->watches);
        (void)sd_event_source_disable_unref(generation->expiry_timer);
        (void)config_unref(generation->config);
        free(generation);
        return NULL;
}

struct refresh *generation_find(const struct generation *generation, const char *name) {
        for (size_t i = 0; i < generation->config->n_tokens; i++)
                if (strcmp(generation->tokens[i].token->name, name) == 0)
                        return &generation->tokens[i];
        return NULL;
}

struct verify *generation_verify(const struct generation *generation, const struct refresh *token) {
        return &generation->verifies[token - generation->tokens];
}

static struct verify_forge *find_forge(const struct generation *generation,
                                       const struct forge_config *forge) {
        for (size_t i = 0; i < generation->config->n_forges; i++)
                if (verify_same_forge(generation->forges[i].config, forge))
                        return &generation->forges[i];
        return NULL;
}

static struct upstream *find_upstream(const struct generation *generation,
                                      const struct identity_config *identity) {
        for (size_t i = 0; i < generation->config->n_identities; i++)
                if (strcmp(generation->upstreams[i].config->name, identity->name) == 0)
                        return &generation->upstreams[i];
        return NULL;
}

/* A session belongs to a pair of credentials and to the servers that gave it. */
static bool same_login(const struct identity_config *a, const struct identity_config *b) {
        size_t i = 0;

        if (!a->client_id_file || !b->client_id_file ||
            strcmp(a->client_id_file, b->client_id_file) != 0 ||
            strcmp(a->client_secret_file, b->client_secret_file) != 0)
                return false;
        while (a->urls[i] && b->urls[i] && strcmp(a->urls[i], b->urls[i]) == 0)
                i++;
        return !a->urls[i] && !b->urls[i];
}

/* What a forge said of a value, and its patience, are the same under the new configuration. */
static void adopt_forges(struct generation *generation, struct generation *older) {
        for (size_t i = 0; i < generation->config->n_forges; i++) {
                const struct verify_forge *from = find_forge(older, generation->config->forges[i]);

                if (!from)
                        continue;
                memcpy(generation->forges[i].dead_at, from->dead_at, sizeof(from->dead_at));
                generation->forges[i].next = from->next;
                generation->forges[i].paused_until = from->paused_until;
                generation->forges[i].jobs_paused_until = from->jobs_paused_until;
        }
        for (size_t i = 0; i < generation->config->n_tokens; i++) {
                struct refresh *token = &generation->tokens[i],
                               *from = generation_find(older, token->token->name);

                if (!from || !verify_same_forge(token->token->forge, from->token->forge))
                        continue;
                verify_adopt(&generation->verifies[i], generation_verify(older, from));
                memcpy(token->forge_print, from->forge_print, sizeof(token->forge_print));
                token->forge_error = error_keep(token->forge_error, from->forge_error);
        }
}

static void adopt(struct generation *generation, struct generation *older) {
        adopt_forges(generation, older);
        for (size_t i = 0; i < generation->config->n_identities; i++) {
                struct upstream *from = find_upstream(older, generation->config->identities[i]);

                if (!from)
                        continue;
                upstream_adopt(&generation->upstreams[i], from);
                if (same_login(generation->upstreams[i].config, from->config))
                        login_adopt(&generation->logins[i],
                                    &older->logins[from - older->upstreams]);
        }
        for (size_t i = 0; i < generation->config->n_tokens; i++) {
                struct refresh *from = generation_find(older, generation->config->tokens[i]->name);

                if (from && refresh_same_secret(generation->config->tokens[i], from->token))
                        refresh_adopt(&generation->tokens[i], from);
        }
}

/* Looked at so often: the warnings are about days. */
#define EXPIRY_INTERVAL USEC_PER_HOUR

/* Of the value that is held: one that was replaced may end as it likes. */
static void warn_of_expiry(const struct refresh *token, struct verify *verify, usec_t now) {
        usec_t until =
            token->slot.value ? verify_expires_at(verify, token->slot.value->fingerprint) : 0;
        char day[CLOCK_TEXT_MAX];
        unsigned days;

        if (expiry_due(&verify->expiry, until, now, &days))
                log_message(LOG_LEVEL_WARNING,
                            "token '%s': forge '%s' says that it expires on %s, within %u days. "
                            "remedy: create a new one there and "
                            "store it as secret '%s' in Infisical's %s",
                            token->token->name, token->token->forge->name, clock_format(until, day),
                            days, token->token->secret_name, token->token->secret_path);
}

void generation_warn(struct generation *generation) {
        usec_t now = clock_realtime();
        char day[CLOCK_TEXT_MAX];
        unsigned days;

        for (size_t i = 0; i < generation->config->n_identities; i++) {
                struct upstream *upstream = &generation->upstreams[i];
                usec_t until = upstream->claims.expires_at;

                if (expiry_due(&upstream->expiry, until, now, &days))
                        log_message(LOG_LEVEL_WARNING,
                                    "identity '%s': its access token expires on %s, within %u "
                                    "days. remedy: create a new one "
                                    "in Infisical and replace %s",
                                    upstream->config->name, clock_format(until, day), days,
                                    upstream->config->token_file);
        }
        for (size_t i = 0; i < generation->config->n_tokens; i++) {
                struct refresh *token = &generation->tokens[i];

                if (token->token->direct_env &&
                    expiry_due(&token->expiry, token->token->direct_env_until, now, &days))
                        log_message(LOG_LEVEL_WARNING,
                                    "token '%s': its direct fallback (%s) ends with "
                                    "direct_env_until, within %u days. remedy: "
                                    "see that Infisical serves it, then remove direct_env",
                                    token->token->name, token->token->direct_env, days);
                warn_of_expiry(token, &generation->verifies[i], now);
        }
}

static int on_expiry_timer(sd_event_source *source, uint64_t time, void *userdata) {
        (void)time;
        generation_warn(userdata);
        (void)sd_event_source_set_time_relative(source, EXPIRY_INTERVAL);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

static bool has_failed(const struct refresh *token) {
        return token->has_verdict && token->error;
}

/* Some credential file of the identity is another one now, or is there at all, or is gone. */
static void on_credential_changed(void *userdata) {
        struct credential_watch *watch = userdata;
        struct upstream *upstream = watch->upstream;
        enum diagnosis before = upstream->credential_error.code;
        bool replaced = upstream_read_credentials(upstream);
        const struct error *error = &upstream->credential_error;

        if (replaced)
                log_message(LOG_LEVEL_NOTICE, "identity '%s': a new access token is in use",
                            upstream->config->name);
        else if (error->code != DIAG_NONE && error->code != before)
                log_message(LOG_LEVEL_WARNING, "identity '%s': %s: %s; %s. remedy: %s",
                            upstream->config->name, diagnosis_info(error->code)->name,
                            error->detail,
                            upstream->token ? "the access token read before stays in use"
                                            : "there is none to use",
                            error_remedy(error));
        generation_warn(watch->generation);
        for (size_t i = 0; i < watch->generation->config->n_tokens; i++) {
                struct refresh *token = &watch->generation->tokens[i];

                if (token->upstream != upstream)
                        continue;
                if (replaced)
                        refresh_anew(token);
                else if (has_failed(token))
                        refresh_now(token);
        }
}

static void on_pair_changed(void *userdata) {
        struct credential_watch *watch = userdata;

        login_pair_changed(
            &watch->generation->logins[watch->upstream - watch->generation->upstreams]);
        on_credential_changed(watch);
}

/* What systemd put into $CREDENTIALS_DIRECTORY changes only with a restart: those are named
 * without a directory. */
static void watch_files(struct generation *generation, size_t index) {
        struct credential_watch *watch = &generation->watches[index];
        const struct identity_config *identity = generation->config->identities[index];
        const char *const files[] = { identity->token_file, identity->header_file,
                                      identity->client_id_file, identity->client_secret_file };
        struct error err = { 0 };

        watch->generation = generation;
        watch->upstream = &generation->upstreams[index];
        for (size_t i = 0; i < ELEMENTS(files); i++) {
                if (!files[i] || files[i][0] != '/')
                        continue;
                if (watch_new(generation->context.event, files[i],
                              i < 2 ? on_credential_changed : on_pair_changed, watch,
                              &watch->files[i], &err) < 0)
                        log_message(LOG_LEVEL_WARNING,
                                    "identity '%s': %s: it is read again at each refresh",
                                    identity->name, err.detail);
        }
}

int generation_new(const struct refresh_context *context, struct config *config,
                   struct generation *older, struct generation **ret, struct error *err) {
        _cleanup_(generation_freep) struct generation *generation = calloc(1, sizeof(*generation));
        int r;

        if (!generation)
                return error_oom(err);
        generation->config = config_ref(config);
        generation->context = *context;
        generation->upstreams = calloc(config->n_identities, sizeof(struct upstream));
        generation->tokens = calloc(config->n_tokens, sizeof(struct refresh));
        generation->logins = calloc(config->n_identities, sizeof(struct login));
        generation->watches = calloc(config->n_identities, sizeof(struct credential_watch));
        generation->verifies = calloc(config->n_tokens, sizeof(struct verify));
        generation->forges = calloc(config->n_forges, sizeof(struct verify_forge));
        if (!generation->upstreams || !generation->tokens || !generation->logins ||
            !generation->watches || !generation->verifies || !generation->forges)
                return error_oom(err);
        r = http_client_new(context->event, &generation->context.http, err);
        for (size_t i = 0; i < config->n_forges; i++)
                generation->forges[i].config = config->forges[i];
        if (r >= 0)
                r = vouch_desk_init(&generation->vouching, generation->context.http, context->key,
                                    generation->forges, config->n_forges, err);
        for (size_t i = 0; r >= 0 && i < config->n_identities; i++) {
                r = upstream_init(&generation->upstreams[i], config->identities[i], err);
                generation->upstreams[i].counters = context->counters;
                if (r >= 0)
                        login_init(&generation->logins[i], &generation->upstreams[i], context->key,
                                   context->state_directory, generation->context.http);
        }
        for (size_t i = 0; r >= 0 && i < config->n_tokens; i++) {
                struct upstream *upstream = find_upstream(generation, config->tokens[i]->identity);

                upstream_allow(upstream, config->tokens[i]);
                r = refresh_init(&generation->tokens[i], &generation->context, config->tokens[i],
                                 upstream, &generation->logins[upstream - generation->upstreams],
                                 err);
                if (r >= 0)
                        verify_init(&generation->verifies[i], &generation->tokens[i],
                                    generation->context.http,
                                    find_forge(generation, config->tokens[i]->forge));
        }
        if (r < 0)
                return r;
        if (older)
                adopt(generation, older);
        *ret = take(generation);
        return 0;
}

void generation_start(struct generation *generation, bool forced) {
        for (size_t i = 0; i < generation->config->n_identities; i++) {
                watch_files(generation, i);
                (void)upstream_read_credentials(&generation->upstreams[i]);
        }
        (void)sd_event_add_time_relative(generation->context.event, &generation->expiry_timer,
                                         CLOCK_BOOTTIME, EXPIRY_INTERVAL, EXPIRY_INTERVAL / 10,
                                         on_expiry_timer, generation);
        generation_warn(generation);
        for (size_t i = 0; i < generation->config->n_tokens; i++)
                refresh_start(&generation->tokens[i], forced);
}

size_t generation_revoke(struct generation *generation, void (*done)(void *userdata),
                         void *userdata) {
        size_t sent = 0;

        for (size_t i = 0; i < generation->config->n_identities; i++)
                sent += login_revoke(&generation->logins[i], done, userdata);
        return sent;
}
