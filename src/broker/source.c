#include "broker/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infisical/credential.h"

struct fetch {
        struct http_client *http;
        struct upstream *upstream;
        const struct token_config *token;
        struct etag held;
        fetch_done done;
        void *userdata;

        sd_event_source *defer;         /* the next step, so that nothing calls back from fetch_start() */
        struct infisical_call *call;
        struct secret *access_token;

        enum source source;             /* being tried */
        size_t server, servers_tried;
        bool refused;                   /* every source so far was refused by Infisical itself */
        struct fetch_result result;
        struct error error;             /* of the last attempt */
};

bool source_failure_moves_on(enum diagnosis code) {
        switch (code) {
        case DIAG_CREDENTIAL_MISSING:
        case DIAG_CREDENTIAL_PERMISSIONS:
        case DIAG_CREDENTIAL_EXPIRED:
        case DIAG_CREDENTIAL_REJECTED:
        case DIAG_CREDENTIAL_LOCKED_OUT:
        case DIAG_CREDENTIAL_USES_EXHAUSTED:
        case DIAG_ADDRESS_NOT_ALLOWED:
                return true;
        default:
                return false;
        }
}

struct fetch *fetch_cancel(struct fetch *fetch) {
        if (!fetch)
                return NULL;
        (void)infisical_cancel(fetch->call);
        (void)sd_event_source_disable_unref(fetch->defer);
        (void)secret_unref(fetch->access_token);
        free(fetch);
        return NULL;
}

static void finish(struct fetch *fetch) {
        fetch->done(fetch->userdata, &fetch->result, &fetch->error);
        (void)fetch_cancel(fetch);
}

static void add_attempt(struct fetch *fetch, const char *url, const struct error *error) {
        struct attempts *attempts = &fetch->result.attempts;
        struct attempt *attempt;

        if (attempts->count == ATTEMPTS_MAX)
                return;
        attempt = &attempts->items[attempts->count++];
        attempt->source = fetch->source;
        attempt->error = *error;
        (void)snprintf(attempt->url, sizeof(attempt->url), "%s", url ? url : "");
}

static int step(sd_event_source *source, void *userdata);

static int schedule(struct fetch *fetch) {
        return sd_event_source_set_enabled(fetch->defer, SD_EVENT_ONESHOT);
}

/* The attempt at fetch->source is over with fetch->error: another source, or the end. */
static void source_failed(struct fetch *fetch, bool authoritative) {
        enum diagnosis code = fetch->error.code;

        fetch->access_token = secret_unref(fetch->access_token);
        if (source_failure_moves_on(code)) {
                fetch->refused = fetch->refused && authoritative;
                fetch->source++;
                (void)schedule(fetch);
                return;
        }
        /* Another login would get the same answer about the secret, or reach the same server that is not there. */
        fetch->result.authoritative = authoritative;
        fetch->source = SOURCE_COUNT;
        (void)schedule(fetch);
}

static bool next_server(struct fetch *fetch) {
        fetch->servers_tried++;
        fetch->server = (fetch->server + 1) % fetch->upstream->n_servers;
        return fetch->servers_tried < fetch->upstream->n_servers;
}

static void ask_server(struct fetch *fetch);

static void on_answer(void *userdata, const struct infisical_result *result, const struct error *err) {
        struct fetch *fetch = userdata;
        struct server *server = &fetch->upstream->servers[fetch->server];

        fetch->call = NULL;
        upstream_note(server, err, result->verdict.pause);
        fetch->error = *err;
        add_attempt(fetch, server->infisical.url, err);

        if (err->code == DIAG_NONE) {
                fetch->upstream->preferred = fetch->server;
                fetch->result.token = result->value;
                fetch->result.source = fetch->source;
                fetch->result.version = result->version;
                fetch->result.unchanged = result->verdict.unchanged;
                fetch->result.etag.server = fetch->server;
                memcpy(fetch->result.etag.text, result->etag, sizeof(result->etag));
                finish(fetch);
                return;
        }
        if (err->code == DIAG_UPSTREAM_RATE_LIMITED)
                fetch->result.pause = result->verdict.pause;
        if (upstream_failure_is_route(err->code) && next_server(fetch)) {
                ask_server(fetch);
                return;
        }
        source_failed(fetch, result->verdict.authoritative);
}

static void ask_server(struct fetch *fetch) {
        struct server *server = &fetch->upstream->servers[fetch->server];
        const struct infisical_address address = {
                .project_id = fetch->upstream->config->project_id,
                .environment = fetch->upstream->config->environment,
                .secret_path = fetch->token->secret_path,
                .secret_name = fetch->token->secret_name,
        };
        const char *etag = fetch->held.text[0] && fetch->held.server == fetch->server ? fetch->held.text : NULL;
        usec_t now = clock_boottime();
        int r;

        if (now < server->paused_until) {
                char span[CLOCK_TEXT_MAX];

                (void)error_set(&fetch->error, DIAG_UPSTREAM_RATE_LIMITED, "%s asked for a pause, %s of it are left",
                                server->infisical.url, clock_format_span(server->paused_until - now, span));
                add_attempt(fetch, server->infisical.url, &fetch->error);
                fetch->result.pause = server->paused_until - now;
                source_failed(fetch, false);
                return;
        }
        r = infisical_read(fetch->http, &server->infisical, &address, fetch->access_token, etag, on_answer, fetch,
                           &fetch->call, &fetch->error);
        if (r < 0) {
                add_attempt(fetch, server->infisical.url, &fetch->error);
                source_failed(fetch, false);
                return;
        }
}

/* Begins with the source that fetch->source says, or ends the fetch behind the last one. */
static int step(sd_event_source *source, void *userdata) {
        struct fetch *fetch = userdata;
        const struct identity_config *identity = fetch->upstream->config;

        (void)source;
        while (fetch->source < SOURCE_COUNT && !fetch->token->sources[fetch->source])
                fetch->source++;
        if (fetch->source == SOURCE_COUNT) {
                if (source_failure_moves_on(fetch->error.code))
                        fetch->result.authoritative = fetch->refused;
                finish(fetch);
                return 0;
        }
        if (credential_read("token_file", identity->token_file, &fetch->access_token, &fetch->error) < 0) {
                add_attempt(fetch, NULL, &fetch->error);
                source_failed(fetch, false);
                return 0;
        }
        fetch->server = fetch->upstream->preferred;
        fetch->servers_tried = 0;
        ask_server(fetch);
        return 0;
}

int fetch_start(sd_event *event, struct http_client *http, struct upstream *upstream, const struct token_config *token,
                const struct etag *held, fetch_done done, void *userdata, struct fetch **ret, struct error *err) {
        struct fetch *fetch = calloc(1, sizeof(*fetch));

        if (!fetch)
                return error_oom(err);
        *fetch = (struct fetch){ .http = http, .upstream = upstream, .token = token, .done = done, .userdata = userdata,
                                 .refused = true };
        if (held)
                fetch->held = *held;
        (void)error_set(&fetch->error, DIAG_NO_USABLE_VALUE, "no source is configured");
        if (sd_event_add_defer(event, &fetch->defer, step, fetch) < 0) {
                (void)fetch_cancel(fetch);
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot queue a fetch");
        }
        *ret = fetch;
        return 0;
}
