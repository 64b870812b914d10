#include "broker/broker.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "broker/broker_internal.h"
#include "broker/explain.h"
#include "config/problems.h"

/* Some time after a value came, when it is needed for nothing: jobs come first.  One after the
 * other, which leaves them the room for preflights.  And so often for what was not answered. */
#define EXPIRY_DELAY    (5 * USEC_PER_MIN)
#define EXPIRY_PACE     USEC_PER_SEC
#define EXPIRY_INTERVAL USEC_PER_HOUR

/* Never later than it is set already: what changes all the time must not put it off for ever. */
static void set_expiry_timer(struct broker *broker, usec_t span) {
        usec_t at = usec_add(clock_boottime(), span), before = 0;

        if (sd_event_source_get_time(broker->expiry_timer, &before) < 0 ||
            before < clock_boottime() || at < before)
                (void)sd_event_source_set_time(broker->expiry_timer, at);
        (void)sd_event_source_set_enabled(broker->expiry_timer, SD_EVENT_ONESHOT);
}

static int on_expiry_timer(sd_event_source *source, uint64_t time, void *userdata) {
        struct broker *broker = userdata;

        (void)source;
        (void)time;
        set_expiry_timer(broker, broker_learn_next_expiry(broker) ? EXPIRY_PACE : EXPIRY_INTERVAL);
        return 0;
}

void broker_learn_expiry(struct broker *broker) {
        set_expiry_timer(broker, 0);
}

static void on_changed(void *userdata) {
        struct broker *broker = userdata;

        set_expiry_timer(broker, EXPIRY_DELAY);
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
        /* First start, then end the older one: requests that waited there find a fetch to wait
         * for. */
        generation_start(broker->generation, /* forced= */ older != NULL);
        doctor_desk_drop(&broker->doctor);
        (void)generation_free(older);
        return 0;
}

/* A line names as many tokens as fit into it. */
#define NAMES_MAX_BYTES 1024

static void log_exposed(const struct config *config, bool narrowed_to_units) {
        const char *exposure = NULL;
        char names[NAMES_MAX_BYTES + 128] = "";
        size_t used = 0;

        for (size_t i = 0; i < config->n_tokens; i++) {
                const struct token_config *token = config->tokens[i];

                if (token->proof_required || (token->units[0] != NULL) != narrowed_to_units)
                        continue;
                exposure = explain_exposure(token);
                (void)text_append(names, sizeof(names), &used, "%s%s", used > 0 ? ", " : "",
                                  token->name);
                if (used < NAMES_MAX_BYTES)
                        continue;
                log_message(LOG_LEVEL_NOTICE, "proof = none: %s: %s", names, exposure);
                used = 0;
        }
        if (used > 0)
                log_message(LOG_LEVEL_NOTICE, "proof = none: %s: %s", names, exposure);
}

static void record_loaded(struct broker *broker, const struct config *config) {
        char text[ERROR_DETAIL_MAX];

        (void)snprintf(text, sizeof(text),
                       "%s: %zu tokens, %zu identities, %zu forges; instance %s", config->file,
                       config->n_tokens, config->n_identities, config->n_forges,
                       audit_instance(broker->audit));
        (void)audit_write(broker->audit,
                          &(struct audit_record){ .kind = AUDIT_CONFIG_LOADED, .text = text },
                          NULL);
        /* Whenever rules come into force: that a token is open must be nobody's surprise. */
        log_exposed(config, /* narrowed_to_units= */ false);
        log_exposed(config, /* narrowed_to_units= */ true);
}

int broker_new(sd_event *event, struct config *config, bool use_journal,
               const char *state_directory, broker_changed changed, void *userdata,
               struct broker **ret, struct error *err) {
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
        if (sd_event_add_time_relative(event, &broker->expiry_timer, CLOCK_BOOTTIME,
                                       EXPIRY_INTERVAL, EXPIRY_PACE / 4, on_expiry_timer,
                                       broker) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer");
        r = fingerprint_key_load(state_directory, &broker->key, err);
        if (r < 0)
                return r;
        r = preflight_desk_init(&broker->preflights, event, broker_preflight_ended, broker, err);
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
        preflight_desk_done(&broker->preflights);
        sd_event_source_disable_unref(broker->expiry_timer);
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

void broker_ended(void *userdata) {
        struct broker *broker = userdata;

        if (--broker->ending == 0)
                broker->stopped(broker->stopped_userdata);
}

bool broker_stop(struct broker *broker, broker_changed stopped, void *userdata) {
        broker->stopped = stopped;
        broker->stopped_userdata = userdata;
        broker->ending = generation_revoke(broker->generation, broker_ended, broker) +
                         preflight_desk_writing(&broker->preflights);
        return broker->ending > 0;
}

const struct config *broker_config(const struct broker *broker) {
        return broker->generation->config;
}

static void record_rejected(struct broker *broker, const struct config_problems *problems) {
        char text[ERROR_DETAIL_MAX];

        if (problems->count == 0)
                return;
        (void)snprintf(text, sizeof(text),
                       "%zu problems, the first: %s:%u: %s; the older configuration stays in force",
                       problems->count + problems->dropped, problems->items[0].file,
                       problems->items[0].line, problems->items[0].text);
        (void)audit_write(broker->audit,
                          &(struct audit_record){ .kind = AUDIT_CONFIG_REJECTED, .text = text },
                          NULL);
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
