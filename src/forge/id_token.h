/*
 * An ID token: a JWT that a forge signed for one job (RFC 7515, RFC 7519; OpenID Connect Core 2).
 * Pure.
 *
 *      id_token_read() shape and header -> key_set_verify() signature -> id_token_check() issuer, audience, times -> claims
 *
 * Until the last of these nothing in it is true.  Refused outright: any algorithm but RS256 and
 * ES256, critical header parameters, duplicate members, anything that is not canonical, any length
 * over PROOF_MAX_BYTES.  A key that the token itself brings or names (jwk, jku, x5c, x5u) is never
 * looked at.
 */
#pragma once

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

enum id_token_algorithm { ID_TOKEN_RS256, ID_TOKEN_ES256 };

/* A proof, whatever its kind, is at most that long: the JWTs of the forges are about half of it. */
#define PROOF_MAX_BYTES ((size_t)4096)

/* Clocks may differ by so much. */
#define ID_TOKEN_LEEWAY (60 * USEC_PER_SEC)

#define KEY_ID_MAX 128

/* Zero it; release it with id_token_done(). */
struct id_token {
        struct secret *text; /* a reference: the whole of it */
        size_t signed_bytes; /* of it, from its beginning */
        struct secret *signature;
        enum id_token_algorithm algorithm;
        char key_id[KEY_ID_MAX];
        json_t *claims;
};

/** id_token_is_one() - three parts, the first of which begins as a JSON object does; else it is an
 * opaque token */
bool id_token_is_one(const struct secret *text);

/**
 * id_token_read() - takes it apart
 *
 * Return: 0, -DIAG_PROOF_REJECTED with what is wrong, -DIAG_INTERNAL_ERROR.
 */
int id_token_read(struct secret *text, struct id_token *ret, struct error *err);
void id_token_done(struct id_token *token);

/**
 * id_token_check() - whether it is from @issuer, for @audience, and of now
 * @now:        wall clock
 * @ret_expires: wall clock, its `exp`
 *
 * Return: 0, or -DIAG_PROOF_REJECTED.
 */
int id_token_check(const struct id_token *token, const char *issuer, const char *audience,
                   usec_t now, usec_t *ret_expires, struct error *err);
