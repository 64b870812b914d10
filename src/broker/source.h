/*
 * The chain: from which source a value comes, and what was tried.
 *
 *      infisical-token-auth -credential-*, address-not-allowed-> infisical-universal-auth -> direct-env-fallback
 *             '---- anything else: another login would change nothing --------------------------^
 *
 * A fetch walks a token's sources in their order, and within Infisical the identity's servers,
 * until one yields a value or an answer that no other source could better.  One fetch asks each
 * server at most once (twice where the routes' version is being learned, or where a session turned
 * out to be dead).  When to fetch, and what to do with the outcome, is broker/refresh.
 */
#pragma once

#include <systemd/sd-event.h>

#include "broker/broker.h"
#include "broker/direct_env.h"
#include "broker/login.h"
#include "broker/upstream.h"
#include "config/config.h"
#include "infisical/infisical.h"
#include "net/http.h"

/* The ETag of a value held, which only means something to the server that gave it. */
struct etag {
        size_t server;
        char text[HTTP_ETAG_MAX];
};

/* What a fetch works with; all but the members themselves outlives it. */
struct fetch_request {
        const struct token_config *token;
        struct http_client *http;
        struct upstream *upstream;
        struct login *login;
        const struct direct_env *direct_env;
        const struct etag *held; /* of the value held, or NULL; copied */
        /* a value from Infisical is held that may still be served: it comes before source 3 */
        bool holds_usable;
};

struct fetch_result {
        struct secret *token; /* borrowed; NULL if unchanged or failed */
        enum source source;
        int64_t version;
        bool unchanged; /* the server said: the value that the ETag was for */
        /* failed, and Infisical itself refused: end the life of a value held */
        bool authoritative;
        usec_t pause; /* failed: not before so long; 0 = no wish */
        /* there is a value, but not from the first source: why; else DIAG_NONE */
        struct error reason;
        struct etag etag;
        struct attempts *attempts; /* done() may take them */
};

/* @err has code DIAG_NONE for a value; both borrowed, valid during the call. */
typedef void (*fetch_done)(void *userdata, const struct fetch_result *result,
                           const struct error *err);

struct fetch;

/**
 * fetch_start() - begins to walk the chain
 * @done: once, from the loop, never from fetch_start()
 */
int fetch_start(sd_event *event, const struct fetch_request *request, fetch_done done,
                void *userdata, struct fetch **ret, struct error *err);

/** fetch_cancel() - drops it without a word; NULL is fine.  Return: NULL. */
struct fetch *fetch_cancel(struct fetch *fetch);

/** source_configured() - true if the token may use this source and its identity has what it
 * needs */
bool source_configured(const struct token_config *token, enum source source);

/** source_first() - the source that a token should come from when all is well */
enum source source_first(const struct token_config *token);

/** source_failure_moves_on() - true if another source of Infisical could cure this failure */
bool source_failure_moves_on(enum diagnosis code);
