/*
 * A broker that does what its tokens' names say, for tests of the server.
 */
#pragma once

#include <stdbool.h>

#include "broker/broker.h"

/* What broker_issue() does for each of the configured names. */
#define NAME_READY   "deploy"  /* has a value */
#define NAME_COLD    "cold"    /* ASK_WAIT until fake->cold is set */
#define NAME_FAILED  "failed"  /* no-usable-value with attempts and Retry-After */
#define NAME_INSTANT "instant" /* wakes its waiter inside the very call that says ASK_WAIT */

enum { COLD_WAITS, COLD_VALUE, COLD_ERROR };

struct broker {
        struct config config;
        struct token_config *token_list[4];
        struct counters counters;
        struct waiter_list waiters;
        int cold;
        const char *value; /* of every token that has one */
        bool stale;
        bool ready; /* /readyz and the views say that all is well */
        bool reload_fails;
        unsigned reloads;
        usec_t refresh_retry_after; /* > 0: too-many-requests */

        unsigned issued, asked, refusals;
        struct error last_refusal;
        char last_print[9]; /* of broker_rejected() */
        struct claims last_claims;
        struct peer last_peer;
};

/** fake_fill() - gives the configuration a forge at https://git.example.org, and NAME_READY as its
 * token */
void fake_fill(struct broker *broker);
