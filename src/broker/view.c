/*
 * How the broker stands, for status, metrics and lists: copies of the moment.
 */
#include "base/text.h"
#include "broker/broker_internal.h"

const char *token_state_name(enum token_state state) {
        static const char *const names[] = { [TOKEN_PENDING] = "pending",
                                             [TOKEN_FRESH] = "fresh",
                                             [TOKEN_STALE] = "stale",
                                             [TOKEN_FAILED] = "failed" };

        return names[state];
}

const struct counters *broker_counters(const struct broker *broker) {
        return &broker->counters;
}

static void view_token(const struct broker *broker, const struct refresh *refresh,
                       struct token_view *ret) {
        *ret = (struct token_view){ .config = refresh->token,
                                    .state = refresh_state(refresh),
                                    .refresh_at = refresh->fetch ? 0 : clock_wall(refresh->next_at),
                                    .fetching = refresh->fetch != NULL,
                                    .error = *refresh_trouble(refresh),
                                    .attempts = &refresh->attempts };
        ret->has_value = token_is_usable(ret);
        ret->degraded = ret->state != TOKEN_PENDING && refresh_degraded(refresh);
        if (ret->has_value) {
                const struct value *value = refresh->slot.value;

                ret->source = value->source;
                ret->version = value->version;
                ret->fingerprint = value->fingerprint;
                ret->fetched_at = clock_wall(value->fetched_at);
                ret->confirmed_at = clock_wall(refresh->slot.confirmed_at);
                ret->stale_until = clock_wall(cache_stale_until(&refresh->slot, refresh->token));
                ret->expires_at = verify_expires_at(generation_verify(broker->generation, refresh),
                                                    value->fingerprint);
        }
}

size_t broker_token_count(const struct broker *broker) {
        return broker->generation->config->n_tokens;
}

void broker_token_view(const struct broker *broker, size_t index, struct token_view *ret) {
        view_token(broker, &broker->generation->tokens[index], ret);
}

bool broker_token_find(const struct broker *broker, const char *name, struct token_view *ret) {
        const struct refresh *refresh = generation_find(broker->generation, name);

        if (refresh)
                view_token(broker, refresh, ret);
        return refresh != NULL;
}

size_t broker_identity_count(const struct broker *broker) {
        return broker->generation->config->n_identities;
}

void broker_identity_view(const struct broker *broker, size_t index, struct identity_view *ret) {
        const struct upstream *upstream = &broker->generation->upstreams[index];
        const struct login *login = &broker->generation->logins[index];

        *ret = (struct identity_view){ .config = upstream->config,
                                       .has_token = upstream->token != NULL,
                                       .credential_error = upstream->credential_error,
                                       .token_expires_at = upstream->claims.expires_at,
                                       .token_uses_limit = upstream->claims.uses_limit,
                                       .token_identity = upstream->claims.identity_name,
                                       .has_session = login->access_token != NULL,
                                       .session_expires_at = clock_wall(login->expires_at),
                                       .login_error = login->error,
                                       .logins = login->logins };
}

size_t broker_server_count(const struct broker *broker) {
        size_t n = 0;

        for (size_t i = 0; i < broker->generation->config->n_identities; i++)
                n += broker->generation->upstreams[i].n_servers;
        return n;
}

void broker_server_view(const struct broker *broker, size_t index, struct server_view *ret) {
        const struct upstream *upstream = broker->generation->upstreams;
        const struct server *server;
        bool unknown;

        for (; index >= upstream->n_servers; upstream++)
                index -= upstream->n_servers;
        server = &upstream->servers[index];
        unknown = !server->answered || upstream_failure_is_route(server->error.code);
        *ret = (struct server_view){ .identity = upstream->config,
                                     .url = server->infisical.url,
                                     .api = server->infisical.use_v3 ? "v3"
                                            : unknown                ? "unknown"
                                                                     : "v4",
                                     .answered = server->answered,
                                     .error = server->error,
                                     .last_at = clock_wall(server->last_at),
                                     .requests = server->requests };
        if (server->paused_until > clock_boottime())
                ret->paused_until = clock_wall(server->paused_until);
}

/* "2 of 5 tokens usable; deploy: permission-denied": what an operator sees in systemctl status. */
static void summarize(const struct broker *broker, struct broker_view *view) {
        size_t n = broker_token_count(broker), usable = 0, pending = 0, stale = 0;
        const char *worst = NULL, *code = NULL;
        size_t used = 0;

        for (size_t i = 0; i < n; i++) {
                struct token_view token;

                broker_token_view(broker, i, &token);
                usable += token_is_usable(&token);
                pending += token.state == TOKEN_PENDING;
                stale += token.state == TOKEN_STALE;
                view->degraded = view->degraded || token.degraded;
                if (!worst && token.error.code != DIAG_NONE) {
                        worst = token.config->name;
                        code = diagnosis_info(token.error.code)->name;
                }
        }
        view->ready = usable == n;
        (void)text_append(view->summary, sizeof(view->summary), &used, "%zu of %zu tokens usable",
                          usable, n);
        if (pending > 0)
                (void)text_append(view->summary, sizeof(view->summary), &used,
                                  ", %zu being fetched", pending);
        if (stale > 0)
                (void)text_append(view->summary, sizeof(view->summary), &used, ", %zu stale",
                                  stale);
        if (worst)
                (void)text_append(view->summary, sizeof(view->summary), &used, "; %s: %s", worst,
                                  code);
        if (broker->reload_failed)
                (void)text_append(view->summary, sizeof(view->summary), &used,
                                  "; the last reload was rejected");
}

void broker_view(const struct broker *broker, struct broker_view *ret) {
        *ret =
            (struct broker_view){ .version = PACKAGE_VERSION,
                                  .instance = audit_instance(broker->audit),
                                  .config_file = broker->generation->config->file,
                                  .audit = audit_uses_journal(broker->audit) ? "journal" : "stderr",
                                  .records = audit_sequence(broker->audit),
                                  .started_at = broker->started_at,
                                  .loaded_at = broker->loaded_at,
                                  .reload_failed = broker->reload_failed };
        summarize(broker, ret);
}
