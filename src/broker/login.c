#include "broker/login.h"

#include <string.h>

#include "infisical/credential.h"

/* A budget for logins whatever the demand: sessions that die at once must not become a login per
 * request. */
#define LOGIN_INTERVAL (10 * USEC_PER_SEC)
/* After a failure that says nothing about the pair (network, rate limit): as reads do. */
#define RETRY_FIRST (2 * USEC_PER_SEC)
#define RETRY_LAST  (60 * USEC_PER_SEC)

static const struct identity_config *identity(const struct login *login) {
        return login->upstream->config;
}

static int store(const struct login *login, struct error *err) {
        return lockout_store(&login->lockout, login->state_directory, identity(login)->name, err);
}

void login_init(struct login *login, struct upstream *upstream, const struct fingerprint_key *key,
                const char *state_directory, struct http_client *http) {
        *login = (struct login){
                .upstream = upstream, .key = key, .state_directory = state_directory, .http = http
        };
        if (upstream->config->client_id_file)
                lockout_load(&login->lockout, state_directory, upstream->config->name);
}

static void drop_session(struct login *login) {
        login->access_token = secret_unref(login->access_token);
        login->renew_at = login->expires_at = 0;
}

static void drop_pair(struct login *login) {
        login->client_id = secret_unref(login->client_id);
        login->client_secret = secret_unref(login->client_secret);
}

/* A login that is dropped in order says nothing about a pair that has worked; of any other it may
 * have been the answer. */
static void abandon(struct login *login) {
        if (!login->call)
                return;
        login->call = infisical_login_cancel(login->call);
        if (login->proven && login->lockout.rejections > 0) {
                lockout_undo(&login->lockout);
                (void)store(login, NULL);
        }
}

void login_done(struct login *login) {
        abandon(login);
        drop_pair(login);
        waiter_wake_all(&login->waiters);
        drop_session(login);
}

void login_adopt(struct login *login, struct login *from) {
        abandon(from);
        login->access_token = take(from->access_token);
        login->renew_at = from->renew_at;
        login->expires_at = from->expires_at;
        login->error = from->error;
        login->not_before = from->not_before;
        login->failures = from->failures;
        login->last_login_at = from->last_login_at;
        login->logins = from->logins;
        login->lockout = from->lockout;
        login->proven = from->proven;
        login->refused = from->refused;
}

void login_drop(struct login *login, const struct secret *access_token) {
        if (login->access_token && secret_equal(login->access_token, access_token))
                drop_session(login);
}

static usec_t retry_pause(unsigned failures) {
        usec_t pause = RETRY_FIRST;

        while (failures-- > 1 && pause < RETRY_LAST)
                pause *= 2;
        return pause < RETRY_LAST ? pause : RETRY_LAST;
}

/* True if the answer is about the pair itself: only that counts towards a lockout. */
static bool is_verdict_on_pair(enum diagnosis code) {
        return code == DIAG_CREDENTIAL_REJECTED || code == DIAG_CREDENTIAL_EXPIRED ||
               code == DIAG_CREDENTIAL_USES_EXHAUSTED || code == DIAG_CREDENTIAL_LOCKED_OUT;
}

static void on_login(void *userdata, const struct infisical_session *session,
                     const struct error *err);

static int send_login(struct login *login, struct error *err) {
        struct server *server = &login->upstream->servers[login->server];
        usec_t now = clock_boottime();
        char span[CLOCK_TEXT_MAX];

        if (now < server->paused_until)
                return error_set(err, DIAG_UPSTREAM_RATE_LIMITED,
                                 "%s asked for a pause, %s of it are left", server->infisical.url,
                                 clock_format_span(server->paused_until - now, span));
        login->logins++;
        return infisical_login(login->http, &server->infisical, login->client_id,
                               login->client_secret, on_login, login, &login->call, err);
}

static void start_session(struct login *login, const struct infisical_session *session) {
        usec_t now = clock_boottime();

        drop_session(login);
        login->access_token = secret_ref(session->access_token);
        login->expires_at =
            session->lifetime > 0 ? usec_add(now, session->lifetime) : USEC_INFINITY;
        /* Ahead of the end, so that no read is made with a token that dies under way. */
        login->renew_at =
            session->lifetime > 0 ? usec_add(now, session->lifetime / 10 * 8) : USEC_INFINITY;
        login->failures = 0;
        login->not_before = 0;
        login->proven = true;
        upstream_worked(login->upstream, login->server);
        if (login->lockout.rejections > 0) {
                lockout_worked(&login->lockout);
                (void)store(login, NULL);
        }
}

/* The network, the server, a limit: it says nothing about the pair. */
static void note_failure(struct login *login, usec_t pause) {
        login->failures++;
        login->not_before =
            usec_add(clock_boottime(), pause > 0 ? pause : retry_pause(login->failures));
        if (login->lockout.rejections > 0) {
                lockout_undo(&login->lockout);
                (void)store(login, NULL);
        }
}

static bool next_server(struct login *login) {
        login->servers_tried++;
        login->server = (login->server + 1) % login->upstream->n_servers;
        return login->servers_tried < login->upstream->n_servers;
}

static void on_login(void *userdata, const struct infisical_session *session,
                     const struct error *err) {
        struct login *login = userdata;

        login->call = NULL;
        login->error = *err;
        login->refused = session->verdict.authoritative;
        upstream_note(login->upstream, &login->upstream->servers[login->server], err,
                      session->verdict.pause);
        if (upstream_failure_is_route(err->code) && next_server(login) &&
            send_login(login, &login->error) >= 0)
                return;
        drop_pair(login);
        if (err->code == DIAG_NONE)
                start_session(login, session);
        else if (is_verdict_on_pair(err->code))
                login->proven = false;
        else
                note_failure(login, session->verdict.pause);
        waiter_wake_all(&login->waiters);
}

/* The pair's keyed fingerprint: tells a new pair from the rejected one, over restarts, and reveals
 * nothing. */
static int pair_print(const struct login *login, const struct secret *id,
                      const struct secret *secret, char print[static FINGERPRINT_MAX],
                      struct error *err) {
        _cleanup_(secret_unrefp) struct secret *pair = secret_new(2 * CREDENTIAL_MAX_BYTES + 1);

        if (!pair || !secret_append(pair, secret_bytes(id), secret_length(id)) ||
            !secret_append(pair, "\n", 1) ||
            !secret_append(pair, secret_bytes(secret), secret_length(secret)))
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a login");
        fingerprint(login->key, pair, print);
        return 0;
}

static int refuse_wait(const struct login *login, usec_t wait, struct error *err) {
        char span[CLOCK_TEXT_MAX];
        enum diagnosis code =
            is_verdict_on_pair(login->error.code) ? login->error.code : DIAG_CREDENTIAL_REJECTED;

        (void)error_set(err, code,
                        "the client secret was rejected %u times; the next try is in %s, so that "
                        "the identity is "
                        "not locked",
                        login->lockout.rejections, clock_format_span(wait, span));
        error_remedy_set(err,
                         "Replace client_id_file and client_secret_file of identity '%s': a new "
                         "pair is tried at once.",
                         identity(login)->name);
        return -(int)code;
}

/* Counts the attempt before it is made; a pair that worked in this process does not need the disk
 * for that. */
static int count_attempt(struct login *login, const char *print, struct error *err) {
        if (strcmp(login->lockout.print, print) != 0)
                login->proven = false;
        lockout_attempt(&login->lockout, print, clock_realtime());
        if (store(login, err) < 0 && !login->proven) {
                lockout_undo(&login->lockout);
                return -(int)err->code;
        }
        return 0;
}

static int begin(struct login *login, struct error *err) {
        _cleanup_(secret_unrefp) struct secret *id = NULL, *secret = NULL;
        char print[FINGERPRINT_MAX], span[CLOCK_TEXT_MAX];
        usec_t now = clock_boottime(), wait, budget;
        int r;

        r = credential_read("client_id_file", identity(login)->client_id_file, &id, err);
        if (r >= 0)
                r = credential_read("client_secret_file", identity(login)->client_secret_file,
                                    &secret, err);
        if (r >= 0)
                r = pair_print(login, id, secret, print, err);
        if (r < 0)
                return r;
        wait = lockout_wait(&login->lockout, print, clock_realtime());
        if (wait > 0)
                return refuse_wait(login, wait, err);
        budget = login->last_login_at > 0 ? usec_add(login->last_login_at, LOGIN_INTERVAL) : 0;
        if (strcmp(login->lockout.print, print) != 0)
                budget = 0; /* a new pair owes nothing to the old one */
        if (budget < login->not_before)
                budget = login->not_before;
        if (now < budget) {
                if (login->error.code != DIAG_NONE) {
                        *err = login->error;
                        return -(int)err->code;
                }
                return error_set(err, DIAG_UPSTREAM_RATE_LIMITED,
                                 "the last login was just now; the next may be made in %s",
                                 clock_format_span(budget - now, span));
        }
        r = count_attempt(login, print, err);
        if (r < 0)
                return r;
        login->client_id = take(id);
        login->client_secret = take(secret);
        login->server = upstream_first_server(login->upstream);
        login->servers_tried = 0;
        login->last_login_at = now;
        r = send_login(login, err);
        if (r < 0) {
                drop_pair(login);
                lockout_undo(&login->lockout);
                (void)store(login, NULL);
        }
        return r;
}

int login_get(struct login *login, struct waiter *waiter, struct secret **ret, struct error *err) {
        usec_t now = clock_boottime();
        int r = 0;

        if (login->stopping)
                return error_set(err, DIAG_CREDENTIAL_MISSING, "the daemon stops");
        if (login->access_token && now >= login->expires_at)
                drop_session(login);
        if (!login->call && (!login->access_token || now >= login->renew_at)) {
                r = begin(login, err);
                /* While the session lasts, a login that may not be made yet is no failure. */
                if (r < 0 && !login->access_token)
                        return r;
        }
        if (login->access_token) {
                *ret = secret_ref(login->access_token);
                return LOGIN_READY;
        }
        waiter_join(waiter, &login->waiters);
        return LOGIN_WAIT;
}

static void on_revoked(void *userdata, const struct infisical_session *session,
                       const struct error *err) {
        struct login *login = userdata;

        (void)session, (void)err;
        login->call = NULL;
        drop_session(login);
        login->revoked(login->revoked_userdata);
}

bool login_revoke(struct login *login, void (*done)(void *userdata), void *userdata) {
        const struct server *server = &login->upstream->servers[login->upstream->preferred];
        struct error err;

        abandon(login);
        login->stopping = true;
        if (!login->access_token)
                return false;
        login->revoked = done;
        login->revoked_userdata = userdata;
        return infisical_revoke(login->http, &server->infisical, login->access_token, on_revoked,
                                login, &login->call, &err) >= 0;
}

void login_pair_changed(struct login *login) {
        /* The session goes on until a login with the new pair has worked. */
        login->renew_at = 0;
        login->not_before = 0;
}
