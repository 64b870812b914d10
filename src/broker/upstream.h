/*
 * An identity at work: its Infisical servers, what was learned of each, and its Universal Auth session.
 */
#pragma once

#include "base/clock.h"
#include "config/config.h"
#include "infisical/infisical.h"

/* One URL of an identity, and what became of asking it. */
struct server {
        struct infisical_server infisical;
        bool answered;
        struct error error;             /* of the last request */
        usec_t last_at;                 /* boottime */
        usec_t paused_until;            /* boottime: it asked us to wait */
        uint64_t requests;
};

/* An identity at work. */
struct upstream {
        const struct identity_config *config;
        struct server *servers;
        size_t n_servers;
        size_t preferred;               /* the one that worked last */
};

/** upstream_init() - @config outlives it */
int upstream_init(struct upstream *upstream, const struct identity_config *config, struct error *err);
void upstream_done(struct upstream *upstream);

/** upstream_adopt() - takes over what @from has learned of the servers that both name: pauses, versions, figures */
void upstream_adopt(struct upstream *upstream, const struct upstream *from);

/** upstream_note() - a request to @server ended like this */
void upstream_note(struct server *server, const struct error *err, usec_t pause);

/** upstream_failure_is_route() - true if another URL of the same Infisical could cure this failure */
bool upstream_failure_is_route(enum diagnosis code);
