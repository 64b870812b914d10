/*
 * One question while it runs, for the files that ask it: vouch.c has its life, vouch_answer.c reads
 * what forges say, vouch_id_token.c checks ID tokens.
 */
#pragma once

#include "forge/adapter.h"
#include "forge/vouch.h"

enum vouch_route {
        ROUTE_ID_TOKEN, /* a request token for an ID token */
        ROUTE_RUN,
        ROUTE_USER, /* whether the token is a job's at all */
        ROUTE_REPOSITORY,
        ROUTE_INSTALLATION,
        ROUTE_JOB,
        ROUTE_COUNT
};

struct vouch {
        struct key_desk *keys;
        const struct forge_config *forge;
        const struct forge_adapter *adapter;
        struct secret *proof;
        char *id_token_url;            /* NULL: the proof is no request token */
        char repository[JOB_TEXT_MAX]; /* as the job says; "": it does not */
        vouch_done done;
        void *userdata;
        bool delivering;

        enum vouch_route route; /* what is being asked */
        char *url;              /* where, as messages may show it */
        struct http_call *call;
        struct id_token token;
        struct key_waiter waiter;
};

/** vouch_send() - asks; what went wrong ends the question */
void vouch_send(struct vouch *vouch, enum vouch_route route);

/** vouch_read_answer() - goes on from an answer of any status (vouch_answer.c) */
void vouch_read_answer(struct vouch *vouch, const struct http_response *response);

/** vouch_check_id_token() - goes on with an ID token (vouch_id_token.c) */
void vouch_check_id_token(struct vouch *vouch, struct secret *text);

/** vouch_is_id_token_url() - true if a job's request token may be shown there (vouch_id_token.c) */
bool vouch_is_id_token_url(const struct forge_config *forge, const char *url);

/** vouch_id_token_request() - that address with our audience; a new string, or NULL for lack of
 * memory (vouch_id_token.c) */
char *vouch_id_token_request(const struct forge_config *forge, const char *url);

/* The ends.  The question is gone afterwards. */

/** vouch_prove() - @facts: without forge and expires_at; @expires_at: boottime */
void vouch_prove(struct vouch *vouch, struct job_facts *facts, usec_t expires_at);

/** vouch_fail() - @code: of @end; the detail gets the forge's name in front */
void vouch_fail(struct vouch *vouch, enum vouch_end end, const struct error *err);

/** vouch_undecided() - @err: an upstream code or forge-cannot-tell, named in the detail of
 * proof-insufficient */
void vouch_undecided(struct vouch *vouch, const struct error *err);
