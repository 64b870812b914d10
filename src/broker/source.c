#include "broker/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fetch {
        struct fetch_request request;
        struct etag held;
        fetch_done done;
        void *userdata;

        /* the next step, so that nothing calls back from fetch_start() */
        sd_event_source *defer;
        struct infisical_call *call;
        struct waiter waiter; /* for the identity's login */
        bool login_awaited, logged_in_anew;
        struct secret *access_token;

        enum source source; /* being tried */
        size_t server, servers_tried;
        bool refused; /* every source so far was refused by Infisical itself */
        struct fetch_result result;
        struct attempts attempts; /* those of the result */
        struct error error;       /* of the last attempt at Infisical */
};

bool source_configured(const struct token_config *token, enum source source) {
        if (!token->sources[source])
                return false;
        switch (source) {
        case SOURCE_INFISICAL_TOKEN_AUTH:
                return token->identity->token_file != NULL;
        case SOURCE_INFISICAL_UNIVERSAL_AUTH:
                return token->identity->client_id_file != NULL;
        case SOURCE_DIRECT_ENV_FALLBACK:
                return token->direct_env != NULL;
        case SOURCE_COUNT:
                break;
        }
        return false;
}

enum source source_first(const struct token_config *token) {
        enum source source = 0;

        while (source < SOURCE_COUNT - 1 && !source_configured(token, source))
                source++;
        return source;
}

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
        waiter_leave(&fetch->waiter);
        (void)infisical_cancel(fetch->call);
        (void)sd_event_source_disable_unref(fetch->defer);
        (void)secret_unref(fetch->access_token);
        attempts_done(&fetch->attempts);
        free(fetch);
        return NULL;
}

static void finish(struct fetch *fetch, const struct error *error) {
        fetch->done(fetch->userdata, &fetch->result, error);
        (void)fetch_cancel(fetch);
}

static void add_attempt(struct fetch *fetch, const char *url, const struct error *error) {
        attempts_add(&fetch->attempts, fetch->source, url, error);
}

static void schedule(struct fetch *fetch) {
        (void)sd_event_source_set_enabled(fetch->defer, SD_EVENT_ONESHOT);
}

/* The attempt at fetch->source is over with fetch->error: another source, or the end. */
static void source_failed(struct fetch *fetch, bool authoritative) {
        fetch->access_token = secret_unref(fetch->access_token);
        if (source_failure_moves_on(fetch->error.code)) {
                fetch->refused = fetch->refused && authoritative;
                fetch->result.authoritative = fetch->refused;
                fetch->source++;
        } else {
                /* Another login would get the same answer about the secret, or reach the same
                 * server that is not there. */
                fetch->result.authoritative = authoritative;
                fetch->source = SOURCE_DIRECT_ENV_FALLBACK;
        }
        schedule(fetch);
}

static bool next_server(struct fetch *fetch) {
        fetch->servers_tried++;
        fetch->server = (fetch->server + 1) % fetch->request.upstream->n_servers;
        return fetch->servers_tried < fetch->request.upstream->n_servers;
}

static void ask_server(struct fetch *fetch);

/* A session may die before its time: revoked by an operator, or with the server's key.  One fetch
 * logs in anew once. */
static bool try_new_session(struct fetch *fetch) {
        if (fetch->source != SOURCE_INFISICAL_UNIVERSAL_AUTH || fetch->logged_in_anew ||
            fetch->error.code == DIAG_ADDRESS_NOT_ALLOWED ||
            !source_failure_moves_on(fetch->error.code))
                return false;
        login_drop(fetch->request.login, fetch->access_token);
        fetch->access_token = secret_unref(fetch->access_token);
        fetch->logged_in_anew = true;
        fetch->login_awaited = false;
        schedule(fetch);
        return true;
}

static void on_answer(void *userdata, const struct infisical_result *result,
                      const struct error *err) {
        struct fetch *fetch = userdata;
        struct server *server = &fetch->request.upstream->servers[fetch->server];

        fetch->call = NULL;
        upstream_note(fetch->request.upstream, server, err, result->verdict.pause);
        add_attempt(fetch, server->infisical.url, err);
        if (err->code == DIAG_NONE) {
                upstream_worked(fetch->request.upstream, fetch->server);
                fetch->result.token = result->value;
                fetch->result.source = fetch->source;
                fetch->result.version = result->version;
                fetch->result.unchanged = result->verdict.unchanged;
                fetch->result.etag.server = fetch->server;
                memcpy(fetch->result.etag.text, result->etag, sizeof(result->etag));
                if (fetch->source != source_first(fetch->request.token))
                        fetch->result.reason = fetch->error;
                finish(fetch, err);
                return;
        }
        fetch->error = *err;
        if (err->code == DIAG_UPSTREAM_RATE_LIMITED)
                fetch->result.pause = result->verdict.pause;
        if (upstream_failure_is_route(err->code) && next_server(fetch))
                ask_server(fetch);
        else if (!try_new_session(fetch))
                source_failed(fetch, result->verdict.authoritative);
}

/* True if this server may be asked now; else fetch->error and the pause say why not. */
static bool may_ask(struct fetch *fetch, struct server *server) {
        usec_t now = clock_boottime();
        char span[CLOCK_TEXT_MAX];

        if (now < server->paused_until) {
                fetch->result.pause = server->paused_until - now;
                (void)error_set(&fetch->error, DIAG_UPSTREAM_RATE_LIMITED,
                                "%s asked for a pause, %s of it are left", server->infisical.url,
                                clock_format_span(fetch->result.pause, span));
                return false;
        }
        if (!upstream_take_read(fetch->request.upstream, server)) {
                (void)error_set(&fetch->error, DIAG_UPSTREAM_RATE_LIMITED,
                                "our own budget of reads for %s is used up", server->infisical.url);
                error_remedy_set(
                    &fetch->error,
                    "It fills up by itself; if this stays, something reloads or refreshes the "
                    "broker all the time.");
                return false;
        }
        return true;
}

static void ask_server(struct fetch *fetch) {
        struct upstream *upstream = fetch->request.upstream;
        struct server *server = &upstream->servers[fetch->server];
        const struct infisical_address address = {
                .project_id = upstream->config->project_id,
                .environment = upstream->config->environment,
                .secret_path = fetch->request.token->secret_path,
                .secret_name = fetch->request.token->secret_name,
        };
        const char *etag =
            fetch->held.text[0] && fetch->held.server == fetch->server ? fetch->held.text : NULL;

        if (may_ask(fetch, server) &&
            infisical_read(fetch->request.http, &server->infisical, &address, fetch->access_token,
                           etag, on_answer, fetch, &fetch->call, &fetch->error) >= 0)
                return;
        add_attempt(fetch, server->infisical.url, &fetch->error);
        source_failed(fetch, false);
}

static void begin_reading(struct fetch *fetch) {
        fetch->server = upstream_first_server(fetch->request.upstream);
        fetch->servers_tried = 0;
        ask_server(fetch);
}

static void try_token_auth(struct fetch *fetch) {
        struct upstream *upstream = fetch->request.upstream;

        (void)upstream_read_credentials(upstream);
        if (!upstream->token) {
                fetch->error = upstream->credential_error;
                add_attempt(fetch, NULL, &fetch->error);
                source_failed(fetch, false);
                return;
        }
        fetch->access_token = secret_ref(upstream->token);
        begin_reading(fetch);
}

static void on_login_ended(struct waiter *waiter) {
        struct fetch *fetch =
            (struct fetch *)(void *)((char *)waiter - offsetof(struct fetch, waiter));

        schedule(fetch);
}

static void try_universal_auth(struct fetch *fetch) {
        struct login *login = fetch->request.login;
        struct error error;
        int r;

        /* The login that this fetch waited for failed: that is its answer, no other login is made
         * for it. */
        if (fetch->login_awaited && !login->access_token && login->error.code != DIAG_NONE) {
                error = login->error;
                r = -(int)error.code;
        } else {
                r = login_get(login, &fetch->waiter, &fetch->access_token, &error);
        }
        fetch->login_awaited = true;
        if (r == LOGIN_WAIT)
                return;
        if (r == LOGIN_READY) {
                begin_reading(fetch);
                return;
        }
        fetch->error = error;
        add_attempt(fetch, NULL, &error);
        source_failed(fetch, login->refused);
}

static void try_direct_env(struct fetch *fetch) {
        _cleanup_(secret_unrefp) struct secret *value = NULL;
        struct error error = { 0 };

        /* A value from Infisical that is stale but not refused comes before a direct one. */
        if (fetch->request.holds_usable && !fetch->result.authoritative) {
                finish(fetch, &fetch->error);
                return;
        }
        if (direct_env_get(fetch->request.direct_env, fetch->request.token, clock_realtime(),
                           &value, &error) < 0) {
                add_attempt(fetch, NULL, &error);
                finish(fetch, fetch->error.code != DIAG_NONE ? &fetch->error : &error);
                return;
        }
        add_attempt(fetch, NULL, &error);
        fetch->result.token = value;
        fetch->result.source = SOURCE_DIRECT_ENV_FALLBACK;
        fetch->result.reason = fetch->error;
        finish(fetch, &error);
}

/* Begins with the source that fetch->source says, or ends the fetch behind the last one. */
static int step(sd_event_source *source, void *userdata) {
        struct fetch *fetch = userdata;

        (void)source;
        while (fetch->source < SOURCE_COUNT &&
               !source_configured(fetch->request.token, fetch->source))
                fetch->source++;
        switch (fetch->source) {
        case SOURCE_INFISICAL_TOKEN_AUTH:
                try_token_auth(fetch);
                break;
        case SOURCE_INFISICAL_UNIVERSAL_AUTH:
                try_universal_auth(fetch);
                break;
        case SOURCE_DIRECT_ENV_FALLBACK:
                try_direct_env(fetch);
                break;
        case SOURCE_COUNT:
                if (fetch->error.code == DIAG_NONE)
                        (void)error_set(&fetch->error, DIAG_FALLBACK_DISABLED,
                                        "no source is configured");
                finish(fetch, &fetch->error);
                break;
        }
        return 0;
}

int fetch_start(sd_event *event, const struct fetch_request *request, fetch_done done,
                void *userdata, struct fetch **ret, struct error *err) {
        struct fetch *fetch = calloc(1, sizeof(*fetch));

        if (!fetch)
                return error_oom(err);
        fetch->request = *request;
        fetch->result.attempts = &fetch->attempts;
        fetch->done = done;
        fetch->userdata = userdata;
        fetch->refused = true;
        fetch->waiter.wake = on_login_ended;
        if (request->held)
                fetch->held = *request->held;
        if (sd_event_add_defer(event, &fetch->defer, step, fetch) < 0) {
                (void)fetch_cancel(fetch);
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot queue a fetch");
        }
        *ret = fetch;
        return 0;
}
