/*
 * An identity's Universal Auth session: one login for all its tokens, ahead of its expiry, and
 * never more often than its budget and the lockout rules allow.
 *
 *      NONE -login_get-> LOGGING IN -worked-> READY -renew time, or the token was rejected-> LOGGING IN ...
 *                                   -failed-> NONE (waits: lockout, backoff)
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/fingerprint.h"
#include "broker/upstream.h"
#include "broker/waiter.h"
#include "infisical/lockout.h"
#include "infisical/session.h"

struct login {
        struct upstream *upstream;
        const struct fingerprint_key *key;
        const char *state_directory;

        struct secret *access_token; /* NULL: none */
        usec_t renew_at;             /* boottime; USEC_INFINITY: does not expire */
        usec_t expires_at;

        struct http_client *http;
        struct infisical_login *call;             /* in flight */
        struct secret *client_id, *client_secret; /* only while it is in flight */
        size_t server, servers_tried;
        struct waiter_list waiters;

        struct error error; /* of the last login; DIAG_NONE: it worked */
        usec_t not_before;  /* boottime: a failure that was no verdict waits until then */
        unsigned failures;
        usec_t last_login_at; /* boottime */
        uint64_t logins;      /* sent */
        void (*revoked)(void *userdata);
        void *revoked_userdata;
        struct lockout lockout;
        bool stopping; /* no login any more: nobody would revoke it */
        bool refused;  /* the last login: Infisical itself does not know the pair (any more) */
        bool proven;   /* the pair that lockout.print names worked in this process */
};

/** login_init() - embedded; @upstream and @key outlive it */
void login_init(struct login *login, struct upstream *upstream, const struct fingerprint_key *key,
                const char *state_directory, struct http_client *http);
void login_done(struct login *login);

/** login_adopt() - takes over the session and the counts of an older generation with the same pair
 * and servers */
void login_adopt(struct login *login, struct login *from);

enum { LOGIN_READY = 0, LOGIN_WAIT = 1 };

/**
 * login_get() - the access token to use now
 * @ret: a new reference
 *
 * LOGIN_WAIT: a login is in flight, @waiter is woken at its end and asks again.
 * Return: LOGIN_READY, LOGIN_WAIT, or the negated diagnosis of why there is no session and none is
 * tried now.
 */
int login_get(struct login *login, struct waiter *waiter, struct secret **ret, struct error *err);

/**
 * login_revoke() - revokes the session at a clean stop
 * @done: called once if there was one, also when the server does not answer
 *
 * Return: true if @done will be called.
 */
bool login_revoke(struct login *login, void (*done)(void *userdata), void *userdata);

/** login_pair_changed() - one of the pair's files was replaced: the next login_get() logs in
 * anew */
void login_pair_changed(struct login *login);

/** login_drop() - the server does not take this access token any more: the next login_get() logs in
 * again */
void login_drop(struct login *login, const struct secret *access_token);
