/*
 * The public keys that a forge signs ID tokens with: its JWK set (RFC 7517, RFC 7518 section 6),
 * and where that is (OpenID Connect Discovery 4).  Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "forge/id_token.h"

/* Forges publish two to five keys, with certificates at most 8 KiB. */
#define KEY_SET_TEXT_MAX_BYTES ((size_t)16 * 1024)
#define KEY_SET_KEYS_MAX       32

struct key_set;

/**
 * key_set_read() - the keys of a JWK set that can check ID tokens
 *
 * RSA of 2048 to 8192 bits, and P-256; others, those without a kid, and those that are for
 * encryption, are left out.
 * Return: 0, or -DIAG_UPSTREAM_MALFORMED: no JWK set, or none of its keys is of use, or two that
 * are have the same kid.
 */
int key_set_read(const char *text, size_t length, struct key_set **ret, struct error *err);
struct key_set *key_set_free(struct key_set *set);
DEFINE_CLEANUP(struct key_set *, key_set_free);

enum { KEY_SET_SIGNED = 0, KEY_SET_UNKNOWN_KEY = 1 };

/**
 * key_set_verify() - whether one of these keys signed the token
 *
 * Return: KEY_SET_SIGNED; KEY_SET_UNKNOWN_KEY: none of them has the token's kid;
 * -DIAG_PROOF_REJECTED; -DIAG_INTERNAL_ERROR.
 */
int key_set_verify(const struct key_set *set, const struct id_token *token, struct error *err);

/**
 * discovery_read() - where the issuer says that its keys are
 * @ret: a new string
 *
 * Return: 0, or -DIAG_UPSTREAM_MALFORMED: no such document, or of another issuer, or the keys are
 * not at the issuer's own address.
 */
int discovery_read(const char *text, size_t length, const char *issuer, char **ret,
                   struct error *err);
