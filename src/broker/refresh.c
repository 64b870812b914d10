#include "broker/refresh.h"

#include <string.h>
#include <sys/random.h>

static uint32_t random_bits(void) {
        uint32_t bits = UINT32_MAX / 2;

        (void)!getrandom(&bits, sizeof(bits), GRND_NONBLOCK);
        return bits;
}

int refresh_get(const struct refresh *refresh, struct value **ret) {
        int state = cache_get(&refresh->slot, refresh->token, clock_boottime(), ret);

        if (state != CACHE_EMPTY && (*ret)->source == SOURCE_DIRECT_ENV_FALLBACK &&
            clock_realtime() >= refresh->token->direct_env_until) {
                *ret = NULL;
                return CACHE_EMPTY;
        }
        return state;
}

enum token_state refresh_state(const struct refresh *refresh) {
        struct value *value;

        switch (refresh_get(refresh, &value)) {
        case CACHE_FRESH:
                return TOKEN_FRESH;
        case CACHE_STALE:
                return TOKEN_STALE;
        default:
                return refresh->has_verdict ? TOKEN_FAILED : TOKEN_PENDING;
        }
}

/* Its verdict is on one value and says nothing of another. */
static bool forge_rejects(const struct refresh *refresh) {
        return refresh->slot.value && refresh->forge_error &&
               strcmp(refresh->slot.value->fingerprint, refresh->forge_print) == 0;
}

bool refresh_degraded(const struct refresh *refresh) {
        return refresh_state(refresh) != TOKEN_FRESH ||
               refresh->slot.value->source != source_first(refresh->token) ||
               forge_rejects(refresh);
}

const struct error *refresh_trouble(const struct refresh *refresh) {
        return error_kept(!refresh->error && forge_rejects(refresh) ? refresh->forge_error
                                                                    : refresh->error);
}

usec_t refresh_may_force(const struct refresh *refresh, usec_t now) {
        return refresh->forced_at == 0
                   ? 0
                   : usec_sub(usec_add(refresh->forced_at, REFRESH_FORCED_INTERVAL), now);
}

bool refresh_had(const struct refresh *refresh, const char *print) {
        for (size_t i = 0; i < REFRESH_PAST_MAX; i++)
                if (refresh->past[i][0] && strcmp(refresh->past[i], print) == 0)
                        return true;
        return false;
}

static bool same(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

bool refresh_same_secret(const struct token_config *a, const struct token_config *b) {
        const struct identity_config *x = a->identity, *y = b->identity;
        size_t i = 0;

        while (x->urls[i] && y->urls[i] && same(x->urls[i], y->urls[i]))
                i++;
        return !x->urls[i] && !y->urls[i] && same(x->name, y->name) &&
               same(x->project_id, y->project_id) && same(x->environment, y->environment) &&
               same(a->secret_path, b->secret_path) && same(a->secret_name, b->secret_name);
}

/* Best effort: these records inform, they guard no value. */
static void record(const struct refresh *refresh, enum audit_kind kind, const struct error *error,
                   const char *text) {
        const struct value *value = refresh->slot.value;
        struct audit_record entry = { .kind = kind,
                                      .token = refresh->token->name,
                                      .forge_type = refresh->token->forge->type,
                                      .error = error,
                                      .text = text };

        if (value) {
                entry.has_value = true;
                entry.source = value->source;
                entry.stale = refresh_state(refresh) == TOKEN_STALE;
                entry.version = value->version;
                entry.fingerprint = value->fingerprint;
        }
        (void)audit_write(refresh->context->audit, &entry, NULL);
}

/* Says what is different from what was said last: once per change, never per request. */
static void log_changes(struct refresh *refresh) {
        enum token_state state = refresh_state(refresh);
        const struct value *value = refresh->slot.value;
        const struct error *trouble = refresh_trouble(refresh);
        bool was_failing = refresh->shown_code != DIAG_NONE, changed = state != refresh->shown;

        if (trouble->code != DIAG_NONE && (trouble->code != refresh->shown_code || changed))
                record(refresh, AUDIT_UPSTREAM_FAILED, trouble, NULL);
        else if (trouble->code == DIAG_NONE && was_failing)
                record(refresh, AUDIT_UPSTREAM_RECOVERED, NULL,
                       diagnosis_info(refresh->shown_code)->name);
        if (value && refresh->had_value && value->source != refresh->shown_source)
                record(refresh, AUDIT_SOURCE_CHANGED, NULL, source_name(refresh->shown_source));
        if (value && refresh->had_value &&
            strcmp(value->fingerprint, refresh->shown_fingerprint) != 0) {
                record(refresh, AUDIT_TOKEN_ROTATED, NULL, refresh->shown_fingerprint);
                memcpy(refresh->past[refresh->next_past], refresh->shown_fingerprint,
                       FINGERPRINT_MAX);
                refresh->next_past = (refresh->next_past + 1) % REFRESH_PAST_MAX;
                changed = true;
        }

        changed = changed || trouble->code != refresh->shown_code ||
                  (value && value->source != refresh->shown_source);
        refresh->shown = state;
        refresh->shown_code = trouble->code;
        if (value) {
                refresh->had_value = true;
                refresh->shown_source = value->source;
                memcpy(refresh->shown_fingerprint, value->fingerprint, FINGERPRINT_MAX);
        }
        if (changed && refresh->context->changed)
                refresh->context->changed(refresh->context->userdata);
}

void refresh_set_forge_error(struct refresh *refresh, const char *print,
                             const struct error *error) {
        if (!error && strcmp(refresh->forge_print, print) != 0)
                return;
        memcpy(refresh->forge_print, print, FINGERPRINT_MAX);
        refresh->forge_error = error_keep(refresh->forge_error, error);
        log_changes(refresh);
}

/* Arms the timer for the next fetch, or for the moment at which the value goes stale or dies. */
static void arm(struct refresh *refresh) {
        usec_t now = clock_boottime(), next = refresh->fetch ? USEC_INFINITY : refresh->next_at;

        if (refresh->slot.value) {
                usec_t stale_at = usec_add(refresh->slot.confirmed_at, refresh->token->refresh);
                usec_t dead_at = cache_stale_until(&refresh->slot, refresh->token);

                if (stale_at > now && stale_at < next)
                        next = stale_at;
                if (dead_at > now && dead_at < next)
                        next = dead_at;
                if (refresh->slot.value->source == SOURCE_DIRECT_ENV_FALLBACK) {
                        usec_t left = usec_sub(refresh->token->direct_env_until, clock_realtime());

                        if (left > 0 && usec_add(now, left) < next)
                                next = usec_add(now, left);
                }
        }
        (void)sd_event_source_set_time(refresh->timer, next);
        (void)sd_event_source_set_enabled(refresh->timer, SD_EVENT_ONESHOT);
}

static void publish(struct refresh *refresh, struct secret *token,
                    const struct fetch_result *result, struct error *err) {
        const struct value *held = refresh->slot.value;
        unsigned failures = refresh->slot.failures;
        usec_t now = clock_boottime();
        char print[FINGERPRINT_MAX];
        struct value *value;

        fingerprint(refresh->context->key, token, print);
        value = value_new(token, result->source, result->version, print, now);
        if (!value) {
                (void)error_oom(err);
                cache_fail(&refresh->slot, false);
                return;
        }
        /* The same value again keeps the time at which it was first seen. */
        if (held && secret_equal(held->token, value->token))
                value->fetched_at = held->fetched_at;
        cache_publish(&refresh->slot, value, now);
        refresh->etag = result->etag;
        /* A direct value in Infisical's place is no end of the trouble: Infisical is asked again
         * as after any failure. */
        if (result->source == SOURCE_DIRECT_ENV_FALLBACK &&
            source_first(refresh->token) != result->source)
                refresh->slot.failures = failures + 1;
}

/* What the outcome means for the value held; refresh->error says what is wrong afterwards. */
static void take_outcome(struct refresh *refresh, const struct fetch_result *result,
                         const struct error *err) {
        const struct value *held = refresh->slot.value;
        struct fetch_result unchanged = *result;
        struct error error = result->reason;

        if (err->code != DIAG_NONE) {
                error = *err;
                cache_fail(&refresh->slot, result->authoritative);
        } else if (!result->unchanged) {
                publish(refresh, result->token, result, &error);
        } else if (held && held->source == result->source) {
                cache_confirm(&refresh->slot, clock_boottime());
        } else if (held) {
                /* The same value, from another source than before. */
                unchanged.version = held->version;
                publish(refresh, held->token, &unchanged, &error);
        } else {
                /* It was dropped while the question was under way: ask again, without the ETag. */
                (void)error_set(&error, DIAG_UPSTREAM_MALFORMED,
                                "the value that is unchanged is not held any more");
                cache_fail(&refresh->slot, false);
        }
        refresh->error = error_keep(refresh->error, &error);
}

static void tell_expiry(struct refresh *refresh) {
        for (size_t i = 0; i < refresh->attempts.count && !refresh->expiry_told; i++) {
                const struct error *error = error_kept(refresh->attempts.items[i].error);

                if (error->code != DIAG_FALLBACK_EXPIRED)
                        continue;
                record(refresh, AUDIT_FALLBACK_EXPIRED, error, NULL);
                refresh->expiry_told = true;
        }
}

static void on_fetched(void *userdata, const struct fetch_result *result, const struct error *err) {
        struct refresh *refresh = userdata;
        usec_t wait;

        refresh->fetch = NULL;
        refresh->has_verdict = true;
        attempts_take(&refresh->attempts, result->attempts);
        take_outcome(refresh, result, err);
        if (refresh->slot.failures == 0) {
                wait = cache_next_refresh(refresh->token, random_bits());
        } else {
                wait = cache_backoff(refresh->slot.failures, result->authoritative, random_bits());
                if (wait < result->pause)
                        wait = usec_add(result->pause, cache_backoff(1, false, random_bits()));
        }
        if (!refresh->slot.value)
                refresh->etag.text[0] = '\0';
        /* The value that came before the direct one ran out while this fetch was under way: now it
         * is the direct one's turn. */
        if (refresh->held_usable && err->code != DIAG_NONE && refresh->token->direct_env &&
            !result->authoritative && refresh_state(refresh) == TOKEN_FAILED)
                wait = 0;
        refresh->next_at = usec_add(clock_boottime(), wait);
        log_changes(refresh);
        tell_expiry(refresh);
        arm(refresh);
        /* Who waits, waits on for the direct value that is a turn of the loop away. */
        if (wait > 0)
                waiter_wake_all(&refresh->waiters);
}

void refresh_now(struct refresh *refresh) {
        const struct refresh_context *context = refresh->context;
        struct value *value;
        bool usable = refresh_get(refresh, &value) != CACHE_EMPTY;
        const struct fetch_request request = {
                .token = refresh->token,
                .http = context->http,
                .upstream = refresh->upstream,
                .login = refresh->login,
                .direct_env = context->direct_env,
                .held = refresh->slot.value ? &refresh->etag : NULL,
                .holds_usable = usable && value->source != SOURCE_DIRECT_ENV_FALLBACK,
        };
        struct error error;

        if (refresh->fetch)
                return;
        refresh->held_usable = request.holds_usable;
        if (fetch_start(context->event, &request, on_fetched, refresh, &refresh->fetch, &error) <
            0) {
                refresh->error = error_keep(refresh->error, &error);
                refresh->has_verdict = true;
                cache_fail(&refresh->slot, false);
                refresh->next_at = usec_add(
                    clock_boottime(), cache_backoff(refresh->slot.failures, false, random_bits()));
        }
        arm(refresh);
}

void refresh_anew(struct refresh *refresh) {
        refresh->fetch = fetch_cancel(refresh->fetch);
        refresh_now(refresh);
}

static int on_timer(sd_event_source *source, uint64_t time, void *userdata) {
        struct refresh *refresh = userdata;
        struct value *value;
        bool ended = false;

        (void)source, (void)time;
        /* A value whose time is over is not kept in memory any longer. */
        if (refresh->slot.value && refresh_get(refresh, &value) == CACHE_EMPTY) {
                cache_done(&refresh->slot);
                refresh->etag.text[0] = '\0';
                ended = true;
        }
        log_changes(refresh);
        /* With the stale value gone, the direct one is due, not at the next try but now. */
        if (!refresh->fetch &&
            (clock_boottime() >= refresh->next_at || (ended && refresh->token->direct_env)))
                refresh_now(refresh);
        else
                arm(refresh);
        return 0;
}

void refresh_notice_end(struct refresh *refresh) {
        struct value *value;

        if (refresh->slot.value && refresh_get(refresh, &value) == CACHE_EMPTY)
                (void)on_timer(NULL, 0, refresh);
}

void refresh_adopt(struct refresh *refresh, struct refresh *from) {
        refresh->slot = from->slot;
        from->slot = (struct cache_slot){ 0 };
        refresh->etag = from->etag;
        refresh->next_at = from->next_at;
        refresh->forced_at = from->forced_at;
        refresh->error = error_keep(refresh->error, from->error);
        attempts_take(&refresh->attempts, &from->attempts);
        refresh->has_verdict = from->has_verdict && !from->fetch;
        refresh->shown = from->shown;
        refresh->shown_code = from->shown_code;
        refresh->shown_source = from->shown_source;
        refresh->had_value = from->had_value;
        refresh->expiry = from->expiry;
        refresh->expiry_told =
            from->expiry_told && from->token->direct_env_until == refresh->token->direct_env_until;
        memcpy(refresh->shown_fingerprint, from->shown_fingerprint, FINGERPRINT_MAX);
        memcpy(refresh->past, from->past, sizeof(refresh->past));
        refresh->next_past = from->next_past;
        /* What the new rules would not take is not served on. */
        if (refresh->slot.value &&
            !source_configured(refresh->token, refresh->slot.value->source)) {
                cache_done(&refresh->slot);
                refresh->etag.text[0] = '\0';
                refresh->has_verdict = false;
                refresh->next_at = 0;
        }
        /* What was in flight is gone and has to be asked again under the rules of now. */
        if (from->fetch)
                refresh->next_at = 0;
}

void refresh_start(struct refresh *refresh, bool forced) {
        usec_t now = clock_boottime(), earliest = 0;

        /* A reload is often made to mend what fails, so that is tried at once; but a storm of
         * reloads is no storm of reads. */
        if (refresh->forced_at > 0)
                earliest = usec_add(refresh->forced_at, REFRESH_FORCED_INTERVAL);
        /* A value that is good under the new settings too waits for its time, which may be sooner
         * than it was. */
        if (refresh_state(refresh) == TOKEN_FRESH && !refresh->error &&
            refresh->slot.value->source == source_first(refresh->token)) {
                usec_t due = usec_add(refresh->slot.confirmed_at,
                                      cache_next_refresh(refresh->token, random_bits()));

                if (refresh->next_at > due)
                        refresh->next_at = due;
                if (refresh->next_at > earliest)
                        earliest = refresh->next_at;
        }
        if (now >= earliest) {
                if (forced)
                        refresh->forced_at = now;
                refresh_now(refresh);
                return;
        }
        refresh->next_at = earliest;
        arm(refresh);
}

void refresh_done(struct refresh *refresh) {
        refresh->fetch = fetch_cancel(refresh->fetch);
        refresh->timer = sd_event_source_disable_unref(refresh->timer);
        waiter_wake_all(&refresh->waiters);
        cache_done(&refresh->slot);
        attempts_done(&refresh->attempts);
        refresh->error = error_release(refresh->error);
        refresh->forge_error = error_release(refresh->forge_error);
}

int refresh_init(struct refresh *refresh, const struct refresh_context *context,
                 const struct token_config *token, struct upstream *upstream, struct login *login,
                 struct error *err) {
        *refresh = (struct refresh){
                .context = context, .token = token, .upstream = upstream, .login = login
        };
        /* Boottime also fires after a suspend, when a value may have run out meanwhile. */
        if (sd_event_add_time(context->event, &refresh->timer, CLOCK_BOOTTIME, USEC_INFINITY,
                              100 * USEC_PER_MSEC, on_timer, refresh) < 0 ||
            sd_event_source_set_enabled(refresh->timer, SD_EVENT_OFF) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer");
        return attempts_reserve(&refresh->attempts, err);
}
