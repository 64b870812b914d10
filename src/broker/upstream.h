/*
 * An identity at work: its credential, its Infisical servers, and what was learned of each.
 */
#pragma once

#include "base/budget.h"
#include "base/clock.h"
#include "broker/counters.h"
#include "broker/expiry.h"
#include "config/config.h"
#include "infisical/infisical.h"
#include "infisical/session.h"

/* One URL of an identity, and what became of asking it. */
struct server {
        struct infisical_server infisical;
        bool answered;
        struct error error;  /* of the last request */
        usec_t last_at;      /* boottime */
        usec_t paused_until; /* boottime: it asked us to wait */
        uint64_t requests;
        struct budget reads;
};

/* An identity at work. */
struct upstream {
        const struct identity_config *config;
        struct server *servers;
        size_t n_servers;
        size_t preferred;    /* the one that worked last */
        usec_t preferred_at; /* boottime: since when, or when the first was tried again */

        /* Token Auth: the last access token that could be used; NULL: none yet */
        struct secret *token;
        struct token_claims claims; /* what it says of itself */
        struct expiry expiry;       /* what was said about its end */
        /* why the file as it is now is not used; DIAG_NONE: it is */
        struct error credential_error;
        struct secret *headers; /* of header_file; NULL: none */

        struct counters *counters; /* NULL: nobody counts */
        /* the budget of each server, from what the tokens' refresh needs */
        usec_t read_interval;
        unsigned read_burst;
};

/** upstream_init() - @config outlives it */
int upstream_init(struct upstream *upstream, const struct identity_config *config,
                  struct error *err);
void upstream_done(struct upstream *upstream);

/** upstream_allow() - makes room in the budget of reads for one more token */
void upstream_allow(struct upstream *upstream, const struct token_config *token);

/** upstream_adopt() - takes over what @from has learned of the servers that both name, and its
 * credential if it is the same file */
void upstream_adopt(struct upstream *upstream, const struct upstream *from);

/**
 * upstream_read_credentials() - reads token_file and header_file again
 *
 * A file that is no good now does not take away the access token that was read before: it stays in
 * use, and credential_error says why.  A header_file that is no good is as bad as none: the access
 * proxy will say so.
 * Return: true if another access token than before is in use now.
 */
bool upstream_read_credentials(struct upstream *upstream);

/**
 * upstream_first_server() - where a fetch begins: the server that worked last, but every 10 minutes
 * the first again
 */
size_t upstream_first_server(struct upstream *upstream);

/** upstream_take_read() - one read from @server's budget; false: it is used up */
bool upstream_take_read(struct upstream *upstream, struct server *server);

/** upstream_note() - a request to @server ended like this */
void upstream_note(const struct upstream *upstream, struct server *server, const struct error *err,
                   usec_t pause);

/** upstream_worked() - @server answered well: the next fetch begins there */
void upstream_worked(struct upstream *upstream, size_t server);

/** upstream_failure_is_route() - true if another URL of the same Infisical could cure this
 * failure */
bool upstream_failure_is_route(enum diagnosis code);
