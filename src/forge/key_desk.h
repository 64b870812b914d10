/*
 * One forge's key set, fetched when a token needs it and kept: discovery document, then the keys it
 * names.
 *
 *      EMPTY -asked-> FETCHING -> KEPT -an unknown kid, or after an hour-> FETCHING
 *                        '-> EMPTY with the reason
 *
 * A forged kid costs nothing to write, so keys are fetched at most twice at once and then once per
 * minute, whatever is asked.  Both documents come from the issuer's own address, over verified TLS
 * (a plaintext issuer is one of the loopback: the configuration sees to that), without redirects,
 * and are at most 16 KiB.
 */
#pragma once

#include "base/budget.h"
#include "forge/key_set.h"
#include "net/http.h"

#define KEY_DESK_INTERVAL (60 * USEC_PER_SEC)
#define KEY_DESK_BURST    2
/* A key that a forge takes back is believed no longer than that. */
#define KEY_DESK_MAX_AGE USEC_PER_HOUR

struct key_waiter {
        struct key_waiter *next;
        /* called with the waiter already out of the list */
        void (*ready)(struct key_waiter *waiter);
        bool waited; /* private: for one fetch already; zero it */
};

/* Embedded. */
struct key_desk {
        struct http_client *client;
        const struct forge_config *forge;
        struct key_set *keys; /* NULL: none yet */
        usec_t read_at;       /* boottime */
        /* why the last fetch brought none; DIAG_NONE: it did, or there was none */
        struct error error;
        struct budget fetches;
        struct http_call *call; /* in flight */
        char *url;              /* what it asks for */
        bool has_discovered;    /* it asks for the keys, not for where they are */
        struct key_waiter *waiters;
};

/** key_desk_init() - @forge: borrowed; one with an issuer, or the desk is never used */
void key_desk_init(struct key_desk *desk, struct http_client *client,
                   const struct forge_config *forge);

/** key_desk_done() - drops what is in flight; who still waits is forgotten */
void key_desk_done(struct key_desk *desk);

enum { KEY_DESK_SIGNED = 0, KEY_DESK_READ = 0, KEY_DESK_WAIT = 1 };

/**
 * key_desk_verify() - whether the forge signed the token
 * @waiter: of the caller, for KEY_DESK_WAIT: call again with it once ready() was called
 * @now:    boottime
 *
 * Return: KEY_DESK_SIGNED, KEY_DESK_WAIT, -DIAG_PROOF_REJECTED, or why there are no keys: a negated
 * upstream code, -DIAG_INTERNAL_ERROR.
 */
int key_desk_verify(struct key_desk *desk, const struct id_token *token, struct key_waiter *waiter,
                    usec_t now, struct error *err);

/**
 * key_desk_read() - reads the keys, unless that was done less than KEY_DESK_INTERVAL ago: nobody's
 * token needs them yet
 * @waiter: as for key_desk_verify()
 *
 * Return: KEY_DESK_READ, KEY_DESK_WAIT, or why there are none, as above.
 */
int key_desk_read(struct key_desk *desk, struct key_waiter *waiter, usec_t now, struct error *err);

/** key_desk_leave() - no-op if it waits for nothing */
void key_desk_leave(struct key_desk *desk, struct key_waiter *waiter);
