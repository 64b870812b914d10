#include "test-server-fake.h"

#include <string.h>

#include "broker/match.h"
#include "broker/preflight.h"

/* The configuration's strings are its own, so their type is not const. */
#define TEXT(literal) ((char[]){ literal })

static struct forge_config forge = { .name = TEXT("home"),
                                     .type = FORGE_FORGEJO,
                                     .url = TEXT("https://git.example.org") };
static char *nothing[] = { NULL };
static struct identity_config identity = { .name = TEXT("default") };
#define NO_RULES                                                                                   \
        .targets = nothing, .units = nothing, .vouched_by = &forge, .job_repositories = nothing,   \
        .job_events = nothing, .job_refs = nothing

static struct token_config tokens[] = {
        { .name = TEXT(NAME_READY),
          .forge = &forge,
          .identity = &identity,
          .username = TEXT("deploy-bot"),
          NO_RULES },
        { .name = TEXT(NAME_COLD),
          .forge = &forge,
          .identity = &identity,
          .username = TEXT("cold\"bot"),
          NO_RULES },
        { .name = TEXT(NAME_FAILED),
          .forge = &forge,
          .identity = &identity,
          .username = TEXT("deploy-bot"),
          NO_RULES },
        { .name = TEXT(NAME_INSTANT),
          .forge = &forge,
          .identity = &identity,
          .username = TEXT("deploy-bot"),
          NO_RULES },
};

void fake_fill(struct broker *broker) {
        static struct forge_config *forges[] = { &forge };
        static struct token_config *matched[] = { &tokens[0] };

        broker->config.forges = forges;
        broker->config.n_forges = ELEMENTS(forges);
        broker->config.tokens = matched;
        broker->config.n_tokens = ELEMENTS(matched);
}

/* 2026-03-01 12:00:00 UTC */
#define NOON (UINT64_C(1772366400) * USEC_PER_SEC)

void ask_done(struct ask *ask) {
        waiter_leave(&ask->waiter);
        ask->proof = secret_unref(ask->proof);
}

void issuance_done(struct issuance *issuance) {
        (void)secret_unref(issuance->token);
        *issuance = (struct issuance){ 0 };
}

static int find(const char *name) {
        for (size_t i = 0; i < ELEMENTS(tokens); i++)
                if (strcmp(tokens[i].name, name) == 0)
                        return (int)i;
        return -1;
}

static int give(struct broker *broker, int index, struct issuance *ret, struct error *err) {
        *ret = (struct issuance){ .config = &tokens[index],
                                  .token = secret_copy(broker->value, strlen(broker->value)),
                                  .source = SOURCE_INFISICAL_TOKEN_AUTH,
                                  .stale = broker->stale,
                                  .version = 7,
                                  .fingerprint = "3f9a1c02",
                                  .fetched_at = NOON };
        if (!ret->token)
                return error_oom(err);
        broker->issued++;
        return ASK_DONE;
}

static int give_error(struct ask *ask, const char *name, struct error *err) {
        static struct error error;
        static struct attempt attempt = { .source = SOURCE_INFISICAL_TOKEN_AUTH,
                                          .url = "https://infisical.example.org",
                                          .error = &error };
        static struct attempts attempts = { .items = &attempt, .count = 1 };

        ask->attempts = &attempts;
        (void)error_set(&error, DIAG_SECRET_NOT_FOUND, "no secret of that name");
        ask->retry_after = 3200 * USEC_PER_MSEC;
        return error_set(err, DIAG_NO_USABLE_VALUE, "token '%s': secret-not-found", name);
}

int broker_issue(struct broker *broker, struct ask *ask, struct issuance *ret, struct error *err) {
        int index = find(ask->token);

        broker->asked++;
        broker->last_claims = ask->claims;
        broker->last_peer = *ask->peer;
        if (index < 0)
                return error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called so");
        if (strcmp(ask->token, NAME_FAILED) == 0)
                return give_error(ask, ask->token, err);
        if (strcmp(ask->token, NAME_INSTANT) == 0 && !ask->joined) {
                ask->joined = true;
                waiter_join(&ask->waiter, &broker->waiters);
                waiter_wake_all(&broker->waiters);
                return ASK_WAIT;
        }
        if (strcmp(ask->token, NAME_COLD) != 0 || broker->cold == COLD_VALUE)
                return give(broker, index, ret, err);
        if (broker->cold == COLD_ERROR)
                return give_error(ask, ask->token, err);
        if (!ask->may_wait)
                return error_set(err, DIAG_NO_USABLE_VALUE, "token 'cold' is still being fetched");
        waiter_join(&ask->waiter, &broker->waiters);
        return ASK_WAIT;
}

int broker_refresh(struct broker *broker, struct ask *ask, struct token_view *ret,
                   struct error *err) {
        if (!broker_token_find(broker, ask->token, ret))
                return error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called so");
        if (broker->refresh_retry_after > 0) {
                ask->retry_after = broker->refresh_retry_after;
                return error_set(err, DIAG_TOO_MANY_REQUESTS, "token '%s' was just fetched",
                                 ask->token);
        }
        return ASK_DONE;
}

const char *verdict_name(enum verdict verdict) {
        static const char *const names[] = { "changed", "rejected", "still-valid", "not-ours" };

        return names[verdict];
}

int broker_rejected(struct broker *broker, struct ask *ask, const char *print,
                    struct rejection *ret, struct error *err) {
        *ret = (struct rejection){ .verdict = VERDICT_NOT_OURS };
        memcpy(broker->last_print, print, sizeof(broker->last_print));
        if (!broker_token_find(broker, ask->token, &ret->token))
                return error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called so");
        if (strcmp(ask->token, NAME_INSTANT) == 0 && !ask->joined) {
                ask->joined = true;
                waiter_join(&ask->waiter, &broker->waiters);
                waiter_wake_all(&broker->waiters);
                return ASK_WAIT;
        }
        if (strcmp(ask->token, NAME_FAILED) == 0)
                return error_set(err, DIAG_FORGE_CANNOT_TELL, "forge 'home' does not say");
        if (strcmp(print, "3f9a1c02") == 0) {
                ret->verdict = VERDICT_REJECTED;
                (void)error_set(&ret->reason, DIAG_FORGE_TOKEN_REJECTED,
                                "forge 'home' does not know it");
        }
        return ASK_DONE;
}

int broker_preflight(struct broker *broker, struct ask *ask, const struct preflight_query *query,
                     struct preflight_answer *ret, struct error *err) {
        (void)broker, (void)query, (void)ret;
        if (find(ask->token) < 0)
                return error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called so");
        return error_set(err, DIAG_FORGE_CANNOT_TELL, "forge 'home' does not say");
}

int broker_doctor(struct broker *broker, struct ask *ask, json_t **ret, usec_t *ret_checked_at,
                  struct error *err) {
        (void)broker, (void)ask, (void)err;
        *ret = json_array();
        *ret_checked_at = 0;
        return ASK_DONE;
}

void broker_record_refusal(struct broker *broker, const struct peer *peer,
                           const struct error *err) {
        broker->refusals++;
        broker->last_refusal = *err;
        broker->last_peer = *peer;
}

int broker_reload(struct broker *broker, struct config_problems *problems) {
        static struct config_problem items[] = {
                { .line = 3 },
                { .line = 0 },
        };
        static char file[] = "/etc/forge-broker/forge-broker.conf", text[] = "unknown key";

        items[0].file = items[1].file = file;
        items[0].text = items[1].text = text;
        broker->reloads++;
        if (!broker->reload_fails)
                return 0;
        problems->items = items;
        problems->count = ELEMENTS(items);
        problems->dropped = 1;
        return -1;
}

void config_problems_done(struct config_problems *problems) {
        *problems = (struct config_problems){ 0 };
}

const struct config *broker_config(const struct broker *broker) {
        return &broker->config;
}

const struct counters *broker_counters(const struct broker *broker) {
        return &broker->counters;
}

void broker_view(const struct broker *broker, struct broker_view *ret) {
        *ret = (struct broker_view){ .version = "0.1.0",
                                     .instance = "00112233445566778899aabbccddeeff",
                                     .config_file = "/etc/forge-broker/forge-broker.conf",
                                     .audit = "journal",
                                     .records = 41,
                                     .started_at = NOON,
                                     .loaded_at = NOON,
                                     .ready = broker->ready,
                                     .degraded = !broker->ready,
                                     .summary = "4 tokens" };
}

size_t broker_token_count(const struct broker *broker) {
        (void)broker;
        return ELEMENTS(tokens);
}

void broker_token_view(const struct broker *broker, size_t index, struct token_view *ret) {
        static struct attempts none;
        bool usable = broker->ready || index == 0;

        *ret = (struct token_view){ .config = &tokens[index],
                                    .state = TOKEN_FAILED,
                                    .attempts = &none };
        if (!usable && index == 1)
                ret->state = TOKEN_PENDING;
        else if (!usable)
                (void)error_set(&ret->error, DIAG_SECRET_NOT_FOUND, "no secret of that name");
        if (!usable)
                return;
        ret->state = broker->stale ? TOKEN_STALE : TOKEN_FRESH;
        ret->has_value = true;
        ret->source = SOURCE_INFISICAL_TOKEN_AUTH;
        ret->version = 7;
        ret->fingerprint = "3f9a1c02";
        ret->fetched_at = ret->confirmed_at = NOON;
}

int broker_match(struct broker *broker, const struct ask *ask, const struct match_query *query,
                 const struct token_config **ret, struct error *err) {
        (void)ask;
        return match_token(&broker->config, query, ret, err);
}

bool broker_may_see(const struct peer *peer, const struct token_config *token) {
        (void)peer, (void)token;
        return true;
}

int broker_token_show(struct broker *broker, struct ask *ask, const char *name,
                      struct token_view *ret, struct error *err) {
        (void)ask;
        return broker_token_find(broker, name, ret)
                   ? 0
                   : error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called '%s'", name);
}

bool broker_token_find(const struct broker *broker, const char *name, struct token_view *ret) {
        int index = find(name);

        if (index >= 0)
                broker_token_view(broker, (size_t)index, ret);
        return index >= 0;
}

size_t broker_identity_count(const struct broker *broker) {
        (void)broker;
        return 0;
}

void broker_identity_view(const struct broker *broker, size_t index, struct identity_view *ret) {
        (void)broker, (void)index;
        *ret = (struct identity_view){ 0 };
}

size_t broker_server_count(const struct broker *broker) {
        (void)broker;
        return 1;
}

void broker_server_view(const struct broker *broker, size_t index, struct server_view *ret) {
        (void)broker;
        (void)index;
        *ret = (struct server_view){ .identity = &identity,
                                     .url = "https://infisical.example.org",
                                     .api = "v4",
                                     .answered = true,
                                     .last_at = NOON,
                                     .requests = 2 };
}

const char *token_state_name(enum token_state state) {
        static const char *const names[] = { "pending", "fresh", "stale", "failed" };

        return names[state];
}

/* The names are the configuration's, which a test of the server has no other use for. */
const char *source_name(enum source source) {
        static const char *const names[] = { "infisical-token-auth", "infisical-universal-auth",
                                             "direct-env-fallback" };

        return names[source];
}

const char *forge_type_name(enum forge_type type) {
        static const char *const names[] = { "forgejo", "gitea", "github", "gitlab", "other" };

        return names[type];
}
