#include "forge/key_desk.h"

#include <stdio.h>
#include <string.h>

#include "forge/answer.h"

#define CONNECT_TIMEOUT (2 * USEC_PER_SEC)
#define TIMEOUT         (4 * USEC_PER_SEC)

void key_desk_init(struct key_desk *desk, struct http_client *client,
                   const struct forge_config *forge) {
        *desk = (struct key_desk){ .client = client, .forge = forge };
}

void key_desk_done(struct key_desk *desk) {
        desk->call = http_cancel(desk->call);
        desk->keys = key_set_free(desk->keys);
        free(desk->url);
        *desk = (struct key_desk){ 0 };
}

void key_desk_leave(struct key_desk *desk, struct key_waiter *waiter) {
        for (struct key_waiter **place = &desk->waiters; *place; place = &(*place)->next)
                if (*place == waiter) {
                        *place = waiter->next;
                        waiter->next = NULL;
                        return;
                }
}

static void finish(struct key_desk *desk, const struct error *err) {
        struct key_waiter *waiters = take(desk->waiters);

        desk->error = *err;
        desk->has_discovered = false;
        free(desk->url);
        desk->url = NULL;
        while (waiters) {
                struct key_waiter *waiter = waiters;

                waiters = take(waiter->next);
                waiter->ready(waiter);
        }
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err);

/* Asks for desk->url. */
static int fetch(struct key_desk *desk, struct error *err) {
        const struct http_request request = {
                .method = "GET",
                .url = desk->url,
                .ca_file = desk->forge->ca_file,
                .connect_timeout = CONNECT_TIMEOUT,
                .timeout = TIMEOUT,
                .max_body_bytes = KEY_SET_TEXT_MAX_BYTES,
        };

        return http_start(desk->client, &request, on_answer, desk, &desk->call, err);
}

static int read_discovery(struct key_desk *desk, const struct secret *body, struct error *err) {
        char *url = NULL;
        int r = discovery_read(secret_bytes(body), secret_length(body), desk->forge->oidc_issuer,
                               &url, err);

        if (r < 0)
                return r;
        free(desk->url);
        desk->url = url;
        desk->has_discovered = true;
        return fetch(desk, err);
}

static int read_keys(struct key_desk *desk, const struct secret *body, struct error *err) {
        struct key_set *keys;
        int r = key_set_read(secret_bytes(body), secret_length(body), &keys, err);

        if (r < 0)
                return r;
        (void)key_set_free(desk->keys);
        desk->keys = keys;
        desk->read_at = clock_boottime();
        return 0;
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err) {
        struct key_desk *desk = userdata;
        struct error error = *err;
        int r;

        desk->call = NULL;
        if (!response)
                r = error_prefix(&error, "forge '%s'", desk->forge->name);
        else if (response->status != 200)
                r = forge_answer_foreign(desk->forge, desk->url, response, &error);
        else
                r = desk->has_discovered ? read_keys(desk, response->body, &error)
                                         : read_discovery(desk, response->body, &error);
        if (r < 0 && response && response->status == 200)
                (void)error_prefix(&error, "forge '%s': %.96s", desk->forge->name, desk->url);
        if (r < 0)
                error_remedy_set(&error,
                                 "Check url, oidc_issuer and ca_file of [forge %s]: its keys are "
                                 "read from the issuer's "
                                 "own address.",
                                 desk->forge->name);
        if (!desk->call)
                finish(desk, &error);
}

static int start(struct key_desk *desk, struct error *err) {
        int r;

        if (asprintf(&desk->url, "%s/.well-known/openid-configuration", desk->forge->oidc_issuer) <
            0) {
                desk->url = NULL;
                return error_oom(err);
        }
        r = fetch(desk, err);
        if (r < 0) {
                free(desk->url);
                desk->url = NULL;
        }
        return r;
}

/* The keys there are do not do, and others cannot be had now. */
static int cannot_verify(const struct key_desk *desk, bool is_fresh, struct error *err) {
        if (is_fresh) {
                (void)error_set(
                    err, DIAG_PROOF_REJECTED,
                    "the ID token is signed with a key that the forge does not publish");
                error_remedy_set(err, "Request a new ID token in this very job; if the forge has "
                                      "just changed its keys, ask again in "
                                      "a minute: they are read at most once a minute.");
                return -(int)DIAG_PROOF_REJECTED;
        }
        if (desk->error.code == DIAG_NONE)
                return error_set(err, DIAG_UPSTREAM_UNREACHABLE,
                                 "the keys of forge '%s' are too old, and not read again yet",
                                 desk->forge->name);
        *err = desk->error;
        return -(int)err->code;
}

/* Return: KEY_DESK_WAIT; 0: for this waiter they are not read again now; or a negated diagnosis. */
static int await_keys(struct key_desk *desk, struct key_waiter *waiter, usec_t now,
                      struct error *err) {
        int r;

        if (!desk->call) {
                if (waiter->waited ||
                    !budget_take(&desk->fetches, now, KEY_DESK_INTERVAL, KEY_DESK_BURST))
                        return 0;
                r = start(desk, err);
                if (r < 0)
                        return r;
        }
        waiter->waited = true;
        waiter->next = desk->waiters;
        desk->waiters = waiter;
        return KEY_DESK_WAIT;
}

int key_desk_verify(struct key_desk *desk, const struct id_token *token, struct key_waiter *waiter,
                    usec_t now, struct error *err) {
        bool is_fresh = desk->keys && now - desk->read_at < KEY_DESK_MAX_AGE;
        int r = is_fresh ? key_set_verify(desk->keys, token, err) : KEY_SET_UNKNOWN_KEY;

        if (r != KEY_SET_UNKNOWN_KEY)
                return r;
        r = await_keys(desk, waiter, now, err);
        return r == 0 ? cannot_verify(desk, is_fresh, err) : r;
}

int key_desk_read(struct key_desk *desk, struct key_waiter *waiter, usec_t now, struct error *err) {
        bool is_new =
            desk->keys && desk->error.code == DIAG_NONE && now - desk->read_at < KEY_DESK_INTERVAL;
        int r = is_new ? 0 : await_keys(desk, waiter, now, err);

        if (r != 0)
                return r;
        return is_new ? KEY_DESK_READ : cannot_verify(desk, false, err);
}
