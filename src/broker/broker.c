#include "broker/broker.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "broker/audit.h"
#include "broker/doctor_desk.h"
#include "broker/generation.h"
#include "broker/rejected.h"
#include "config/problems.h"

struct broker {
        sd_event *event;
        struct audit *audit;
        struct counters counters;
        struct fingerprint_key *key;
        struct direct_env *direct_env;
        char *state_directory;
        struct generation *generation;
        struct doctor_desk doctor;
        size_t revocations;             /* in flight, at the stop */
        broker_changed stopped;
        void *stopped_userdata;
        broker_changed changed;
        void *userdata;
        usec_t started_at, loaded_at;   /* wall clock */
        bool reload_failed;
};

static void on_changed(void *userdata) {
        struct broker *broker = userdata;

        if (broker->changed)
                broker->changed(broker->userdata);
}

static int make_generation(struct broker *broker, struct config *config, struct error *err) {
        const struct refresh_context context = { .event = broker->event,
                                                 .audit = broker->audit,
                                                 .key = broker->key,
                                                 .direct_env = broker->direct_env,
                                                 .counters = &broker->counters,
                                                 .state_directory = broker->state_directory,
                                                 .changed = on_changed,
                                                 .userdata = broker };
        struct generation *older = broker->generation;
        int r;

        r = direct_env_capture(broker->direct_env, config, err);
        if (r < 0)
                return r;
        r = counters_prepare(&broker->counters, config, err);
        if (r < 0)
                return r;
        r = generation_new(&context, config, older, &broker->generation, err);
        if (r < 0)
                return r;
        broker->loaded_at = clock_realtime();
        /* First start, then end the older one: requests that waited there find a fetch to wait for. */
        generation_start(broker->generation, /* forced= */ older != NULL);
        doctor_desk_drop(&broker->doctor);
        (void)generation_free(older);
        return 0;
}

static void record_loaded(struct broker *broker, const struct config *config) {
        char text[ERROR_DETAIL_MAX];

        (void)snprintf(text, sizeof(text), "%s: %zu tokens, %zu identities, %zu forges; instance %s", config->file,
                       config->n_tokens, config->n_identities, config->n_forges, audit_instance(broker->audit));
        (void)audit_write(broker->audit, &(struct audit_record){ .kind = AUDIT_CONFIG_LOADED, .text = text }, NULL);
}

int broker_new(sd_event *event, struct config *config, bool use_journal, const char *state_directory,
               broker_changed changed, void *userdata, struct broker **ret, struct error *err) {
        _cleanup_(broker_freep) struct broker *broker = calloc(1, sizeof(*broker));
        int r;

        if (!broker)
                return error_oom(err);
        broker->event = sd_event_ref(event);
        broker->changed = changed;
        broker->userdata = userdata;
        broker->started_at = clock_realtime();
        broker->direct_env = direct_env_new();
        broker->state_directory = strdup(state_directory);
        if (!broker->direct_env || !broker->state_directory)
                return error_oom(err);
        r = fingerprint_key_load(state_directory, &broker->key, err);
        if (r < 0)
                return r;
        r = audit_new(event, use_journal, &broker->audit, err);
        if (r < 0)
                return r;
        r = make_generation(broker, config, err);
        if (r < 0)
                return r;
        record_loaded(broker, config);
        *ret = take(broker);
        return 0;
}

struct broker *broker_free(struct broker *broker) {
        if (!broker)
                return NULL;
        doctor_desk_drop(&broker->doctor);
        (void)generation_free(broker->generation);
        (void)direct_env_free(broker->direct_env);
        free(broker->state_directory);
        (void)audit_free(broker->audit);
        (void)fingerprint_key_free(broker->key);
        counters_done(&broker->counters);
        (void)sd_event_unref(broker->event);
        free(broker);
        return NULL;
}

static void on_revoked(void *userdata) {
        struct broker *broker = userdata;

        if (--broker->revocations == 0)
                broker->stopped(broker->stopped_userdata);
}

bool broker_stop(struct broker *broker, broker_changed stopped, void *userdata) {
        broker->stopped = stopped;
        broker->stopped_userdata = userdata;
        broker->revocations = generation_revoke(broker->generation, on_revoked, broker);
        return broker->revocations > 0;
}

const struct config *broker_config(const struct broker *broker) {
        return broker->generation->config;
}

static void record_rejected(struct broker *broker, const struct config_problems *problems) {
        char text[ERROR_DETAIL_MAX];

        if (problems->count == 0)
                return;
        (void)snprintf(text, sizeof(text), "%zu problems, the first: %s:%u: %s; the older configuration stays in force",
                       problems->count + problems->dropped, problems->items[0].file, problems->items[0].line,
                       problems->items[0].text);
        (void)audit_write(broker->audit, &(struct audit_record){ .kind = AUDIT_CONFIG_REJECTED, .text = text }, NULL);
}

int broker_reload(struct broker *broker, struct config_problems *problems) {
        _cleanup_(config_unrefp) struct config *config = NULL;
        struct error err = { 0 };

        broker->reload_failed = true;
        if (config_load(broker->generation->config->file, &config, problems) < 0) {
                record_rejected(broker, problems);
                on_changed(broker);
                return -1;
        }
        if (make_generation(broker, config, &err) < 0) {
                config_problem_add(problems, config->file, 0, "%s", err.detail);
                record_rejected(broker, problems);
                on_changed(broker);
                return -1;
        }
        broker->reload_failed = false;
        record_loaded(broker, config);
        on_changed(broker);
        return 0;
}

/* Each one is counted; equal ones share a record. */
static void refused(struct broker *broker, const struct audit_record *record) {
        counters_refused(&broker->counters, record->token, record->error->code);
        audit_refusal(broker->audit, record);
}

void broker_record_refusal(struct broker *broker, const struct peer *peer, const struct error *err) {
        refused(broker, &(struct audit_record){ .kind = AUDIT_REFUSED, .peer = peer, .error = err });
}

void ask_done(struct ask *ask) {
        waiter_leave(&ask->waiter);
}

void issuance_done(struct issuance *issuance) {
        (void)secret_unref(issuance->token);
        (void)config_unref(issuance->configuration);
        *issuance = (struct issuance){ 0 };
}

/* Boottime as wall clock; 0 stays 0. */
static usec_t wall(usec_t boottime) {
        return boottime == 0 || boottime == USEC_INFINITY
                       ? 0
                       : usec_sub(usec_add(clock_realtime(), boottime), clock_boottime());
}

/* Finds the token of an ask; an unknown one or a peer that may not ask is refused and recorded. */
static int admit(struct broker *broker, struct ask *ask, struct refresh **ret, struct error *err) {
        char name[80];

        (void)text_clean(name, sizeof(name), ask->token, strlen(ask->token));
        *ret = generation_find(broker->generation, ask->token);
        if (!peer_is_root(ask->peer))
                (void)error_set(err, DIAG_PEER_REFUSED, "uid %u is not served, only uid 0", (unsigned)ask->peer->uid);
        else if (!*ret)
                (void)error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called '%s'", name);
        else
                return 0;
        refused(broker, &(struct audit_record){ .kind = AUDIT_REFUSED, .token = name, .peer = ask->peer,
                                                .claims = &ask->claims, .error = err });
        return -(int)err->code;
}

static int unavailable(struct broker *broker, struct ask *ask, const struct refresh *refresh, struct error *err) {
        refused(broker, &(struct audit_record){ .kind = AUDIT_UNAVAILABLE, .token = refresh->token->name,
                                                .peer = ask->peer, .claims = &ask->claims, .error = err });
        return -(int)err->code;
}

static int no_usable_value(struct ask *ask, struct refresh *refresh, struct error *err) {
        const struct diagnosis_info *info = diagnosis_info(refresh->error.code);

        ask->attempts = &refresh->attempts;
        if (refresh->fetch || !refresh->has_verdict) {
                (void)error_set(err, DIAG_NO_USABLE_VALUE, "token '%s' is still being fetched", refresh->token->name);
                error_remedy_set(err, "Ask again; 'forge-brokerctl status' on the host shows what the fetch waits for.");
        } else {
                ask->retry_after = usec_sub(refresh->next_at, clock_boottime());
                (void)error_set(err, DIAG_NO_USABLE_VALUE, "token '%s': %s: %s", refresh->token->name, info->name,
                                refresh->error.detail);
                error_remedy_set(err, "%s", error_remedy(&refresh->error));
        }
        return -(int)err->code;
}

/* No value is held: waits for one, if one may come in time. */
static int await_value(struct ask *ask, struct refresh *refresh, struct error *err) {
        if (!ask->may_wait || (!refresh->fetch && refresh->has_verdict))
                return no_usable_value(ask, refresh, err);
        waiter_join(&ask->waiter, &refresh->waiters);
        return ASK_WAIT;
}

/* The journal is full: wait for it, but not for ever and not when the request's own time is over. */
static int wait_for_audit(struct broker *broker, struct ask *ask, struct refresh *refresh, struct error *err) {
        usec_t now = clock_monotonic();

        if (ask->audit_deadline == 0)
                ask->audit_deadline = now + AUDIT_WAIT_MAX;
        if (ask->may_wait && now < ask->audit_deadline) {
                audit_wait(broker->audit, &ask->waiter);
                return ASK_WAIT;
        }
        (void)error_set(err, DIAG_AUDIT_UNAVAILABLE, "the %s took no record for %u s",
                        audit_uses_journal(broker->audit) ? "journal" : "standard error",
                        (unsigned)(AUDIT_WAIT_MAX / USEC_PER_SEC));
        return unavailable(broker, ask, refresh, err);
}

int broker_issue(struct broker *broker, struct ask *ask, struct issuance *ret, struct error *err) {
        struct audit_record record = { .kind = AUDIT_ISSUED, .has_value = true, .peer = ask->peer,
                                       .claims = &ask->claims };
        struct refresh *refresh;
        struct value *value;
        int r, state;

        r = admit(broker, ask, &refresh, err);
        if (r < 0)
                return r;
        state = refresh_get(refresh, &value);
        if (state == CACHE_EMPTY) {
                r = await_value(ask, refresh, err);
                return r < 0 ? unavailable(broker, ask, refresh, err) : r;
        }

        record.token = refresh->token->name;
        record.forge_type = refresh->token->forge->type;
        record.source = value->source;
        record.stale = state == CACHE_STALE;
        record.version = value->version;
        record.fingerprint = value->fingerprint;
        if (record.stale || refresh_degraded(refresh))
                record.error = refresh_trouble(refresh);
        r = audit_write(broker->audit, &record, err);
        if (r == AUDIT_BUSY)
                return wait_for_audit(broker, ask, refresh, err);
        if (r < 0)
                return unavailable(broker, ask, refresh, err);

        counters_issued(&broker->counters, record.token, record.source, record.stale);
        *ret = (struct issuance){ .configuration = config_ref(broker->generation->config),
                                  .config = refresh->token,
                                  .token = secret_ref(value->token),
                                  .source = value->source,
                                  .stale = record.stale,
                                  .version = value->version,
                                  .fetched_at = wall(value->fetched_at),
                                  .refresh_at = wall(refresh->next_at) };
        memcpy(ret->fingerprint, value->fingerprint, sizeof(ret->fingerprint));
        return ASK_DONE;
}

int broker_refresh(struct broker *broker, struct ask *ask, struct token_view *ret, struct error *err) {
        struct refresh *refresh;
        usec_t now = clock_boottime();
        int r;

        r = admit(broker, ask, &refresh, err);
        if (r < 0)
                return r;
        if (!ask->joined && !refresh->fetch) {
                ask->retry_after = refresh_may_force(refresh, now);
                if (ask->retry_after > 0) {
                        char span[CLOCK_TEXT_MAX];

                        return error_set(err, DIAG_TOO_MANY_REQUESTS,
                                         "token '%s' was just fetched on demand; the next time is in %s",
                                         refresh->token->name, clock_format_span(ask->retry_after, span));
                }
                refresh->forced_at = now;
                refresh_now(refresh);
        }
        ask->joined = true;
        if (refresh->fetch && ask->may_wait) {
                waiter_join(&ask->waiter, &refresh->waiters);
                return ASK_WAIT;
        }
        (void)broker_token_find(broker, refresh->token->name, ret);
        return ASK_DONE;
}

const char *verdict_name(enum verdict verdict) {
        static const char *const names[] = { [VERDICT_CHANGED] = "changed", [VERDICT_REJECTED] = "rejected",
                                             [VERDICT_STILL_VALID] = "still-valid", [VERDICT_NOT_OURS] = "not-ours" };

        return names[verdict];
}

int broker_rejected(struct broker *broker, struct ask *ask, const char *print, struct rejection *ret, struct error *err) {
        struct rejection rejection = { 0 };
        struct refresh *refresh;
        struct value *value;
        int r;

        r = admit(broker, ask, &refresh, err);
        if (r < 0)
                return r;
        if (ask->since == 0)
                ask->since = clock_boottime();
        if (refresh_get(refresh, &value) == CACHE_EMPTY)
                return await_value(ask, refresh, err);
        r = rejected_decide(refresh, generation_verify(broker->generation, refresh), value, ask, print, &rejection.verdict,
                            &rejection.reason, err);
        if (r != ASK_DONE)
                return r;
        if (rejection.verdict != VERDICT_REJECTED)
                rejection.reason = (struct error){ 0 };
        (void)broker_token_find(broker, refresh->token->name, &rejection.token);
        *ret = rejection;
        return ASK_DONE;
}

int broker_doctor(struct broker *broker, struct ask *ask, json_t **ret, usec_t *ret_checked_at, struct error *err) {
        const struct doctor_context context = { .event = broker->event, .generation = broker->generation,
                                                .audit = broker->audit, .environment_known = true };
        int r = doctor_desk_ask(&broker->doctor, &context, &ask->waiter, ask->joined, ret, ret_checked_at, err);

        ask->joined = true;
        return r == DOCTOR_WAIT ? ASK_WAIT : r;
}

const char *token_state_name(enum token_state state) {
        static const char *const names[] = { [TOKEN_PENDING] = "pending", [TOKEN_FRESH] = "fresh",
                                             [TOKEN_STALE] = "stale", [TOKEN_FAILED] = "failed" };

        return names[state];
}

const struct counters *broker_counters(const struct broker *broker) {
        return &broker->counters;
}

static void view_token(const struct refresh *refresh, struct token_view *ret) {
        *ret = (struct token_view){ .config = refresh->token,
                                    .state = refresh_state(refresh),
                                    .refresh_at = refresh->fetch ? 0 : wall(refresh->next_at),
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
                ret->fetched_at = wall(value->fetched_at);
                ret->confirmed_at = wall(refresh->slot.confirmed_at);
                ret->stale_until = wall(cache_stale_until(&refresh->slot, refresh->token));
        }
}

size_t broker_token_count(const struct broker *broker) {
        return broker->generation->config->n_tokens;
}

void broker_token_view(const struct broker *broker, size_t index, struct token_view *ret) {
        view_token(&broker->generation->tokens[index], ret);
}

bool broker_token_find(const struct broker *broker, const char *name, struct token_view *ret) {
        const struct refresh *refresh = generation_find(broker->generation, name);

        if (refresh)
                view_token(refresh, ret);
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
                                       .session_expires_at = wall(login->expires_at),
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
                                     .api = server->infisical.use_v3 ? "v3" : unknown ? "unknown" : "v4",
                                     .answered = server->answered,
                                     .error = server->error,
                                     .last_at = wall(server->last_at),
                                     .requests = server->requests };
        if (server->paused_until > clock_boottime())
                ret->paused_until = wall(server->paused_until);
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
        (void)text_append(view->summary, sizeof(view->summary), &used, "%zu of %zu tokens usable", usable, n);
        if (pending > 0)
                (void)text_append(view->summary, sizeof(view->summary), &used, ", %zu being fetched", pending);
        if (stale > 0)
                (void)text_append(view->summary, sizeof(view->summary), &used, ", %zu stale", stale);
        if (worst)
                (void)text_append(view->summary, sizeof(view->summary), &used, "; %s: %s", worst, code);
        if (broker->reload_failed)
                (void)text_append(view->summary, sizeof(view->summary), &used, "; the last reload was rejected");
}

void broker_view(const struct broker *broker, struct broker_view *ret) {
        *ret = (struct broker_view){ .version = PACKAGE_VERSION,
                                     .instance = audit_instance(broker->audit),
                                     .config_file = broker->generation->config->file,
                                     .audit = audit_uses_journal(broker->audit) ? "journal" : "stderr",
                                     .records = audit_sequence(broker->audit),
                                     .started_at = broker->started_at,
                                     .loaded_at = broker->loaded_at,
                                     .reload_failed = broker->reload_failed };
        summarize(broker, ret);
}
