#include "broker/cache.h"

#include <string.h>

#define BACKOFF_FIRST (1 * USEC_PER_SEC)
#define BACKOFF_LAST  (60 * USEC_PER_SEC)
#define BACKOFF_LEAST (100 * USEC_PER_MSEC)
#define REFUSED_LEAST (30 * USEC_PER_SEC)

struct value *value_new(struct secret *token, enum source source, int64_t version,
                        const char *print, usec_t now) {
        /* In the region beside its token: it is made in the middle of a fetch, and outlives what
         * lies around it in the heap. */
        struct value *value = secret_alloc(sizeof(*value));

        if (!value)
                return NULL;
        *value = (struct value){ .references = 1,
                                 .token = secret_ref(token),
                                 .source = source,
                                 .version = version,
                                 .fetched_at = now };
        memcpy(value->fingerprint, print, sizeof(value->fingerprint));
        return value;
}

struct value *value_ref(struct value *value) {
        value->references++;
        return value;
}

struct value *value_unref(struct value *value) {
        if (value && --value->references == 0) {
                (void)secret_unref(value->token);
                secret_free(value);
        }
        return NULL;
}

usec_t cache_stale_until(const struct cache_slot *slot, const struct token_config *config) {
        usec_t span = config->max_stale > config->refresh ? config->max_stale : config->refresh;

        return usec_add(slot->confirmed_at, span);
}

int cache_get(const struct cache_slot *slot, const struct token_config *config, usec_t now,
              struct value **ret) {
        *ret = NULL;
        if (!slot->value || now >= cache_stale_until(slot, config))
                return CACHE_EMPTY;
        *ret = slot->value;
        return now < usec_add(slot->confirmed_at, config->refresh) ? CACHE_FRESH : CACHE_STALE;
}

void cache_confirm(struct cache_slot *slot, usec_t now) {
        slot->confirmed_at = now;
        slot->failures = 0;
}

void cache_publish(struct cache_slot *slot, struct value *value, usec_t now) {
        (void)value_unref(slot->value);
        slot->value = value;
        cache_confirm(slot, now);
}

void cache_fail(struct cache_slot *slot, bool authoritative) {
        slot->failures++;
        if (authoritative)
                slot->value = value_unref(slot->value);
}

void cache_done(struct cache_slot *slot) {
        slot->value = value_unref(slot->value);
}

/* A number in [0, limit), from 32 random bits: good to one part in four billion, which a delay
 * does not notice. */
static usec_t scale(uint32_t random, usec_t limit) {
        return (usec_t)(((unsigned __int128)limit * random) >> 32);
}

usec_t cache_next_refresh(const struct token_config *config, uint32_t random) {
        return config->refresh / 100 * 80 + scale(random, config->refresh / 100 * 15);
}

usec_t cache_backoff(unsigned failures, bool authoritative, uint32_t random) {
        usec_t ceiling = BACKOFF_FIRST, wait;

        if (authoritative)
                return REFUSED_LEAST + scale(random, BACKOFF_LAST - REFUSED_LEAST);
        for (unsigned i = 1; i < failures && ceiling < BACKOFF_LAST; i++)
                ceiling *= 2;
        if (ceiling > BACKOFF_LAST)
                ceiling = BACKOFF_LAST;
        wait = scale(random, ceiling);
        return wait < BACKOFF_LEAST ? BACKOFF_LEAST : wait;
}
