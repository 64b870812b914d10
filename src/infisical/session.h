/*
 * Universal Auth: a login that gives an access token, and its revocation; and what an access token
 * says of itself.
 *
 * No Authorization header is ever sent on these routes: a stale one makes a correct login fail.
 * Nothing is renewed: on some servers that destroys a valid token.  docs/upstream/infisical.md,
 * "Universal Auth", "Renew".
 */
#pragma once

#include <stdbool.h>

#include "infisical/infisical.h"

/* What a login gave. */
struct infisical_session {
        struct infisical_verdict verdict;
        struct secret *access_token; /* borrowed during done(); NULL unless the login worked */
        /* from now on; the shorter of the answer's expiresIn and the token's own exp; 0: it does
         * not expire */
        usec_t lifetime;
};

typedef void (*infisical_login_done)(void *userdata, const struct infisical_session *session,
                                     const struct error *err);

struct infisical_login;

/**
 * infisical_login() - POST /api/v1/auth/universal-auth/login
 * @done: once, from the loop, never from infisical_login()
 */
int infisical_login(struct http_client *http, const struct infisical_server *server,
                    struct secret *client_id, struct secret *client_secret,
                    infisical_login_done done, void *userdata, struct infisical_login **ret,
                    struct error *err);
struct infisical_login *infisical_login_cancel(struct infisical_login *login);

/**
 * infisical_classify_login() - what the answer means
 * @now: wall clock, for the token's own exp
 *
 * Pure.  access_token is a new reference here, to be released by the caller.
 * Return: 0 for a session, else -code: credential-rejected (wrong, unknown or revoked pair,
 * whatever the status), credential-expired, credential-uses-exhausted, credential-locked-out,
 * address-not-allowed, the upstream codes.
 */
int infisical_classify_login(const struct http_response *response, const char *url, usec_t now,
                             struct infisical_session *ret, struct error *err);

/**
 * infisical_revoke() - POST /api/v1/auth/token/revoke, for a token of infisical_login()
 *
 * @done gets the outcome for the log; nothing depends on it.
 */
int infisical_revoke(struct http_client *http, const struct infisical_server *server,
                     struct secret *access_token, infisical_login_done done, void *userdata,
                     struct infisical_login **ret, struct error *err);

#define TOKEN_NAME_MAX 64

/* The payload of an access token, read but not verified: only the server can. */
struct token_claims {
        usec_t expires_at;                  /* wall clock; 0: the token does not say */
        int64_t uses_limit;                 /* 0: none, or it does not say */
        char identity_name[TOKEN_NAME_MAX]; /* clean; "" if it does not say */
};

/**
 * token_claims_read() - decodes the middle part of a JWT
 *
 * Bounded, strict base64url and JSON; an access token that is no JWT simply says nothing.
 * Return: true if it was one.
 */
bool token_claims_read(const struct secret *token, struct token_claims *ret);
