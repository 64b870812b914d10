/*
 * One server proven step by step: its name, the connection, TLS, and who answers there.
 *
 * One request with the very settings that the broker uses (CA, proxy, limits), on a connection of
 * its own; how far it came says which step is broken.  For `forge-brokerctl doctor`.
 */
#pragma once

#include "broker/findings.h"
#include "broker/upstream.h"
#include "config/config.h"
#include "infisical/status.h"

enum endpoint_state { ENDPOINT_PENDING, ENDPOINT_WORKS, ENDPOINT_BROKEN, ENDPOINT_UNKNOWN };

/* Embedded; zeroed, then one of the starts, then endpoint_done(). */
struct endpoint {
        enum endpoint_state state;
        const struct identity_config *identity; /* of an Infisical server */
        const struct forge_config *forge;       /* or of a forge */
        struct findings *findings;
        json_t *finding;
        const char *url, *proxy;
        struct infisical_server server; /* a copy: learns nothing for others */
        struct infisical_status *status;
        struct http_call *call;
        void (*done)(void *userdata);
        void *userdata;
};

/**
 * endpoint_start_infisical() - asks whether @server is Infisical
 * @done: once, from the loop, unless the state is not ENDPOINT_PENDING at return
 */
void endpoint_start_infisical(struct endpoint *endpoint, struct http_client *http,
                              const struct upstream *upstream, const struct server *server,
                              json_t *parent);

/** endpoint_start_forge() - asks whether anybody answers HTTP where @forge is said to be; without
 * any credential */
void endpoint_start_forge(struct endpoint *endpoint, struct http_client *http,
                          const struct forge_config *forge);

void endpoint_done(struct endpoint *endpoint);
