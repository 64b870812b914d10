/*
 * What may be shown of a value: the first 8 hex digits of HMAC-SHA256 under a key of this host.
 * Equal values have equal fingerprints here, and nobody without the key can check a guess.
 */
#pragma once

#include "base/error.h"
#include "base/secret.h"

#define FINGERPRINT_MAX          9
#define FINGERPRINT_DIGEST_BYTES 32

struct fingerprint_key;

/**
 * fingerprint_key_load() - the key in @directory, made at the first start
 *
 * 32 random bytes in a file of mode 0600, written beside and renamed, so that no crash leaves half
 * a key.
 * Return: 0, or -DIAG_INTERNAL_ERROR naming the file and what to do.
 */
int fingerprint_key_load(const char *directory, struct fingerprint_key **ret, struct error *err);
struct fingerprint_key *fingerprint_key_free(struct fingerprint_key *key);

/** fingerprint() - of a value; 8 hex digits and a NUL */
void fingerprint(const struct fingerprint_key *key, const struct secret *value,
                 char ret[static FINGERPRINT_MAX]);

/**
 * fingerprint_digest() - all of the HMAC, where values are told apart by it: nobody finds two with
 * the same
 *
 * Return: false for lack of memory; then @ret says nothing of the value.
 */
bool fingerprint_digest(const struct fingerprint_key *key, const struct secret *value,
                        unsigned char ret[static FINGERPRINT_DIGEST_BYTES]);
