/*
 * One token's value and how fresh it is, and when to ask again.  Knows time and states; no I/O, no
 * waiting, no randomness: the time and the random number are passed in.
 *
 *   EMPTY -publish-> FRESH -refresh passed, upstream failing-> STALE -max_stale passed-> EMPTY -publish-> FRESH
 *                      '----------------- refused by Infisical itself: at once ------------^
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/fingerprint.h"
#include "config/config.h"

/* A value that was fetched.  Immutable once published. */
struct value {
        unsigned references;
        struct secret *token;
        enum source source;
        int64_t version;
        char fingerprint[FINGERPRINT_MAX];
        usec_t fetched_at; /* boottime: when this value was first seen */
};

struct value *value_new(struct secret *token, enum source source, int64_t version,
                        const char *fingerprint, usec_t now);
struct value *value_ref(struct value *value);
struct value *value_unref(struct value *value);
DEFINE_CLEANUP(struct value *, value_unref);

enum { CACHE_FRESH, CACHE_STALE, CACHE_EMPTY };

/* Embedded; zeroed is EMPTY. */
struct cache_slot {
        struct value *value;
        usec_t confirmed_at; /* boottime: when the source last said that this is the value */
        unsigned failures;   /* fetches that failed since */
};

/**
 * cache_get() - how the value stands now
 * @now: boottime
 * @ret: borrowed; NULL for CACHE_EMPTY
 *
 * A value is fresh for @refresh since it was confirmed and stale from then until @max_stale since
 * it was confirmed; a
 * @max_stale that is shorter than @refresh does not cut the fresh time.
 */
int cache_get(const struct cache_slot *slot, const struct token_config *config, usec_t now,
              struct value **ret);

/** cache_stale_until() - boottime after which the value is not served any more */
usec_t cache_stale_until(const struct cache_slot *slot, const struct token_config *config);

/** cache_publish() - a fetch brought this value; consumes @value.  The same value again is only
 * confirmed. */
void cache_publish(struct cache_slot *slot, struct value *value, usec_t now);

/** cache_confirm() - the source said that the value held is the current one */
void cache_confirm(struct cache_slot *slot, usec_t now);

/** cache_fail() - a fetch failed; an authoritative refusal ends the life of the value held */
void cache_fail(struct cache_slot *slot, bool authoritative);

void cache_done(struct cache_slot *slot);

/**
 * cache_next_refresh() - how long to wait after a fetch that worked
 * @random: any 32 bits
 *
 * Between 80 and 95 % of the interval: ahead of its end, so that the value does not go stale while
 * it is being refreshed, and spread, so that a hundred tokens do not ask at once.
 */
usec_t cache_next_refresh(const struct token_config *config, uint32_t random);

/**
 * cache_backoff() - how long to wait after the @failures-th failure in a row
 *
 * Full jitter over 1 s, 2 s, 4 s ... 60 s, never below 100 ms; after an authoritative refusal 30 to
 * 60 s, for the answer will not change by asking.
 */
usec_t cache_backoff(unsigned failures, bool authoritative, uint32_t random);
