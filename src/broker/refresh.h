/*
 * Keeps one token's value fresh: when to fetch, who waits for it, what the outcome changes, and the
 * one log line per change.
 *
 *      start -> FETCHING -value-> waits for the refresh time -> FETCHING ...
 *                        -failure-> waits out the backoff    -> FETCHING ...
 *
 * At most one fetch is in flight per token, whoever asks for it.
 */
#pragma once

#include <systemd/sd-event.h>

#include "broker/audit.h"
#include "broker/broker.h"
#include "broker/cache.h"
#include "broker/source.h"

/* What all tokens of one generation of the configuration share. */
struct refresh_context {
        sd_event *event;
        struct http_client *http;
        struct audit *audit;
        const struct fingerprint_key *key;
        const struct direct_env *direct_env;
        struct counters *counters;
        const char *state_directory;
        /* some token's state, as others see it, is another one now */
        void (*changed)(void *userdata);
        void *userdata;
};

/* A job that was given a value longer ago than so many rotations has ended. */
#define REFRESH_PAST_MAX 8

struct refresh {
        const struct refresh_context *context;
        const struct token_config *token;
        struct upstream *upstream;
        struct login *login;
        struct cache_slot slot;
        struct etag etag;
        struct fetch *fetch; /* in flight */
        struct waiter_list waiters;
        sd_event_source *timer;
        bool held_usable; /* when the fetch in flight began, a value of Infisical was usable */
        usec_t next_at;   /* boottime of the next fetch, while none is in flight */
        usec_t forced_at; /* boottime of the last fetch that somebody demanded; 0: never */
        /* of the last fetch: why it failed, or why it did not come from the first source;
         * error_keep() */
        struct error *error;
        struct attempts attempts;
        bool expiry_told;       /* that direct_env_until is over */
        struct expiry expiry;   /* what was said about its coming */
        bool has_verdict;       /* at least one fetch has ended */
        enum token_state shown; /* as logged last */
        enum source shown_source;
        enum diagnosis shown_code;
        bool had_value; /* shown_source and shown_fingerprint mean something */
        char shown_fingerprint[FINGERPRINT_MAX];
        /* of values that were held before the one of shown_fingerprint; a ring */
        char past[REFRESH_PAST_MAX][FINGERPRINT_MAX];
        size_t next_past;
        /* why the forge does not accept the value of forge_print; error_keep(), NULL: it was not
         * asked, or knows it */
        struct error *forge_error;
        char forge_print[FINGERPRINT_MAX];
};

/* At most one read per token that somebody demanded (a refresh, a reload) in so long. */
#define REFRESH_FORCED_INTERVAL (10 * USEC_PER_SEC)

/** refresh_init() - embedded; nothing happens before refresh_start() */
int refresh_init(struct refresh *refresh, const struct refresh_context *context,
                 const struct token_config *token, struct upstream *upstream, struct login *login,
                 struct error *err);

/**
 * refresh_adopt() - takes over the value of @from, which served the same secret under the older
 * configuration
 *
 * What was in flight there is not: it was asked under rules that are gone.
 */
void refresh_adopt(struct refresh *refresh, struct refresh *from);

/**
 * refresh_start() - fetches at once, or when an adopted value's time has come
 * @forced: somebody demanded it (a reload): it counts as such
 */
void refresh_start(struct refresh *refresh, bool forced);

/** refresh_done() - cancels what is in flight; waiters are woken */
void refresh_done(struct refresh *refresh);

/** refresh_now() - fetch at once unless one is in flight */
void refresh_now(struct refresh *refresh);

/** refresh_notice_end() - does now what the timer is about to do for a value that has run out:
 * requests may come before it */
void refresh_notice_end(struct refresh *refresh);

/** refresh_anew() - fetch at once; one in flight uses a credential that was replaced, and is
 * dropped.  Who waits goes on waiting. */
void refresh_anew(struct refresh *refresh);

/**
 * refresh_get() - the value to issue now: as cache_get(), and a direct one not after its last day
 * @ret: borrowed
 */
int refresh_get(const struct refresh *refresh, struct value **ret);

/** refresh_state() - as others see it now */
enum token_state refresh_state(const struct refresh *refresh);

/** refresh_degraded() - stale, failed, not from the first of its sources, or not accepted by the
 * forge */
bool refresh_degraded(const struct refresh *refresh);

/** refresh_trouble() - what is wrong with the token: the last fetch's error, else the forge's; code
 * DIAG_NONE: nothing */
const struct error *refresh_trouble(const struct refresh *refresh);

/** refresh_may_force() - 0 if a read that somebody demands is allowed now, else how long not */
usec_t refresh_may_force(const struct refresh *refresh, usec_t now);

/** refresh_had() - true if a value of that fingerprint was held before the one held now */
bool refresh_had(const struct refresh *refresh, const char *print);

/**
 * refresh_set_forge_error() - the forge was asked about the value of that fingerprint
 * @error: why it does not accept it; NULL: it knows it
 */
void refresh_set_forge_error(struct refresh *refresh, const char *print, const struct error *error);

/** refresh_same_secret() - true if both name the same value of the same Infisical under the same
 * identity */
bool refresh_same_secret(const struct token_config *a, const struct token_config *b);
