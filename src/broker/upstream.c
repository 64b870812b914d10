#include "broker/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "infisical/credential.h"

#define FIRST_AGAIN (10 * USEC_PER_MIN)

/* Demanded reads: one per token in so long; broker/refresh.h. */
#define DEMAND_INTERVAL (10 * USEC_PER_SEC)

int upstream_init(struct upstream *upstream, const struct identity_config *config,
                  struct error *err) {
        size_t n = 0;

        while (config->urls[n])
                n++;
        *upstream = (struct upstream){ .config = config,
                                       .servers = calloc(n, sizeof(struct server)),
                                       .n_servers = n,
                                       .read_interval = USEC_INFINITY,
                                       .read_burst = 8 };
        if (!upstream->servers)
                return error_oom(err);
        for (size_t i = 0; i < n; i++)
                upstream->servers[i].infisical = (struct infisical_server){
                        .url = config->urls[i],
                        .ca_file = config->ca_file,
                        .proxy = config->proxy,
                        .connect_timeout = config->connect_timeout,
                        .timeout = config->timeout,
                };
        return 0;
}

void upstream_done(struct upstream *upstream) {
        free(upstream->servers);
        (void)secret_unref(upstream->token);
        (void)secret_unref(upstream->headers);
        *upstream = (struct upstream){ 0 };
}

void upstream_allow(struct upstream *upstream, const struct token_config *token) {
        /* Twice what a refresh every 80 % of the interval needs, so that the budget bites only
         * where something is wrong. */
        double rate = 2.0 / (double)token->refresh + 1.0 / (double)DEMAND_INTERVAL;

        if (upstream->read_interval != USEC_INFINITY)
                rate += 1.0 / (double)upstream->read_interval;
        upstream->read_interval = (usec_t)(1.0 / rate);
        upstream->read_burst += 4;
}

static void server_adopt(struct server *server, const struct server *from) {
        server->infisical.use_v3 = from->infisical.use_v3;
        server->infisical.v3_since = from->infisical.v3_since;
        server->answered = from->answered;
        server->error = from->error;
        server->last_at = from->last_at;
        server->paused_until = from->paused_until;
        server->requests = from->requests;
        server->reads = from->reads;
}

static bool same_file(const char *a, const char *b) {
        return a && b && strcmp(a, b) == 0;
}

void upstream_adopt(struct upstream *upstream, const struct upstream *from) {
        for (size_t i = 0; i < upstream->n_servers; i++) {
                for (size_t k = 0; k < from->n_servers; k++) {
                        if (strcmp(upstream->servers[i].infisical.url,
                                   from->servers[k].infisical.url) != 0)
                                continue;
                        server_adopt(&upstream->servers[i], &from->servers[k]);
                        if (k == from->preferred) {
                                upstream->preferred = i;
                                upstream->preferred_at = from->preferred_at;
                        }
                }
        }
        if (from->token && same_file(upstream->config->token_file, from->config->token_file)) {
                upstream->token = secret_ref(from->token);
                upstream->claims = from->claims;
                upstream->expiry = from->expiry;
                upstream->credential_error = from->credential_error;
        }
}

static void read_headers(struct upstream *upstream) {
        struct secret *headers = NULL;
        struct error err = { 0 };

        if (!upstream->config->header_file)
                return;
        if (credential_read_headers("header_file", upstream->config->header_file, &headers, &err) <
            0) {
                if (upstream->credential_error.code == DIAG_NONE)
                        upstream->credential_error = err;
                return;
        }
        (void)secret_unref(upstream->headers);
        upstream->headers = headers;
        for (size_t i = 0; i < upstream->n_servers; i++)
                upstream->servers[i].infisical.headers = headers;
}

bool upstream_read_credentials(struct upstream *upstream) {
        _cleanup_(secret_unrefp) struct secret *token = NULL;

        upstream->credential_error.code = DIAG_NONE;
        if (upstream->config->token_file)
                (void)credential_read("token_file", upstream->config->token_file, &token,
                                      &upstream->credential_error);
        /* Universal Auth needs them just when the access token is no good. */
        read_headers(upstream);
        if (!token || (upstream->token && secret_equal(token, upstream->token)))
                return false;
        (void)secret_unref(upstream->token);
        upstream->token = take(token);
        upstream->claims = (struct token_claims){ 0 };
        (void)token_claims_read(upstream->token, &upstream->claims);
        /* The budget is there for demand and for faults; a credential that an operator puts in
         * place is neither. */
        for (size_t i = 0; i < upstream->n_servers; i++)
                upstream->servers[i].reads = (struct budget){ 0 };
        return true;
}

size_t upstream_first_server(struct upstream *upstream) {
        usec_t now = clock_boottime();

        if (upstream->preferred != 0 && now >= usec_add(upstream->preferred_at, FIRST_AGAIN)) {
                upstream->preferred_at = now;
                return 0;
        }
        return upstream->preferred;
}

void upstream_worked(struct upstream *upstream, size_t server) {
        if (upstream->preferred != server)
                upstream->preferred_at = clock_boottime();
        upstream->preferred = server;
}

bool upstream_take_read(struct upstream *upstream, struct server *server) {
        return budget_take(&server->reads, clock_boottime(), upstream->read_interval,
                           upstream->read_burst);
}

void upstream_note(const struct upstream *upstream, struct server *server, const struct error *err,
                   usec_t pause) {
        usec_t now = clock_boottime();

        counters_requested(upstream->counters, upstream->config->name, server->infisical.url,
                           err->code);
        server->requests++;
        server->answered = true;
        server->last_at = now;
        server->error = *err;
        if (err->code == DIAG_UPSTREAM_RATE_LIMITED)
                server->paused_until = usec_add(now, pause);
}

bool upstream_failure_is_route(enum diagnosis code) {
        switch (code) {
        case DIAG_UPSTREAM_BLOCKED:
        case DIAG_UPSTREAM_UNREACHABLE:
        case DIAG_UPSTREAM_TLS:
        case DIAG_UPSTREAM_TIMEOUT:
        case DIAG_UPSTREAM_ERROR:
        case DIAG_UPSTREAM_MALFORMED:
                return true;
        default:
                return false;
        }
}
