#include "broker/upstream.h"

#include <stdlib.h>
#include <string.h>

int upstream_init(struct upstream *upstream, const struct identity_config *config, struct error *err) {
        size_t n = 0;

        while (config->urls[n])
                n++;
        *upstream = (struct upstream){ .config = config, .servers = calloc(n, sizeof(struct server)), .n_servers = n };
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
        *upstream = (struct upstream){ 0 };
}

static void server_adopt(struct server *server, const struct server *from) {
        server->infisical.use_v3 = from->infisical.use_v3;
        server->infisical.v3_since = from->infisical.v3_since;
        server->answered = from->answered;
        server->error = from->error;
        server->last_at = from->last_at;
        server->paused_until = from->paused_until;
        server->requests = from->requests;
}

void upstream_adopt(struct upstream *upstream, const struct upstream *from) {
        for (size_t i = 0; i < upstream->n_servers; i++)
                for (size_t k = 0; k < from->n_servers; k++)
                        if (strcmp(upstream->servers[i].infisical.url, from->servers[k].infisical.url) == 0)
                                server_adopt(&upstream->servers[i], &from->servers[k]);
}

void upstream_note(struct server *server, const struct error *err, usec_t pause) {
        usec_t now = clock_boottime();

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
