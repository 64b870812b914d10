/*
 * One generation of the configuration at work: its identities, its tokens, its connections.  A
 * reload makes another one, which takes over the values it may, and then the older one ends with
 * all it had in flight.
 */
#pragma once

#include "broker/refresh.h"
#include "broker/verify.h"
#include "broker/vouch_desk.h"
#include "infisical/watch.h"

/* The files of one identity that are watched. */
struct credential_watch {
        struct generation *generation;
        struct upstream *upstream;
        /* token, headers, client id, client secret; NULL where there is none to watch */
        struct watch *files[4];
};

struct generation {
        struct config *config;
        struct refresh_context context;
        struct upstream *upstreams;       /* one per identity, in the configuration's order */
        struct login *logins;             /* likewise */
        struct credential_watch *watches; /* likewise */
        struct refresh *tokens;           /* one per token, in the configuration's order */
        struct verify *verifies;          /* likewise */
        struct verify_forge *forges;      /* one per forge, in the configuration's order */
        struct vouch_desk vouching;
        sd_event_source *expiry_timer;
};

/**
 * generation_new() - nothing is fetched before generation_start()
 * @context: all but http, which each generation has of its own, so that no kept connection outlives
 *           its settings
 * @config:  a reference is taken
 * @older:   whose values are taken over where they are of the same secret, or NULL
 */
int generation_new(const struct refresh_context *context, struct config *config,
                   struct generation *older, struct generation **ret, struct error *err);
/** generation_start() - @forced: a reload, not the first start */
void generation_start(struct generation *generation, bool forced);
struct generation *generation_free(struct generation *generation);
DEFINE_CLEANUP(struct generation *, generation_free);

/** generation_warn() - logs what ends soon and was not told yet: credentials, fallbacks, tokens */
void generation_warn(struct generation *generation);

/** generation_find() - borrowed, or NULL */
struct refresh *generation_find(const struct generation *generation, const char *name);

/** generation_verify() - what goes with that token of this generation */
struct verify *generation_verify(const struct generation *generation, const struct refresh *token);

/**
 * generation_revoke() - revokes what logins gave, at a clean stop
 * @done: called once for each revocation that was sent, whatever became of it
 *
 * Return: how many were sent.
 */
size_t generation_revoke(struct generation *generation, void (*done)(void *userdata),
                         void *userdata);
