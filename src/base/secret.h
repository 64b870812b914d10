/*
 * Bytes that must not be seen: tokens, credentials, and every buffer one passes through.
 *
 * They live in one region of memory that is locked, left out of core dumps, not inherited by a
 * child, and that the kernel does not map for anyone else where it knows memfd_secret(2).  A block
 * is wiped when it is released.  The region has a fixed size: running out of it is an error of the
 * one request that asked, never of the daemon.
 *
 *      secret_new() -> secret_append()* -> [published: secret_ref()/secret_unref(), immutable] -> wiped
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct secret;

/**
 * secret_init() - makes the region; call once, before any other call of this module
 * @use_memfd: false takes the path of kernels without memfd_secret(2)
 *
 * Return: 0, or -DIAG_INTERNAL_ERROR with the limit to raise.
 */
int secret_init(bool use_memfd, struct error *err);

/** secret_done() - wipes and unmaps the region; every secret must have been released */
void secret_done(void);

/**
 * secret_new() - an empty secret that can grow to @max_bytes
 *
 * Return: a new reference, or NULL when the region is full.
 */
struct secret *secret_new(size_t max_bytes);

/** secret_copy() - a new secret with these bytes, or NULL when the region is full */
struct secret *secret_copy(const void *bytes, size_t length);

/**
 * secret_append() - adds bytes; what grows out of a block leaves nothing behind there
 *
 * Only before the secret is shared.
 * Return: true, or false (nothing added) past @max_bytes or when the region is full.
 */
bool secret_append(struct secret *secret, const void *bytes, size_t length);

/** secret_truncate() - wipes what is behind the first @length bytes */
void secret_truncate(struct secret *secret, size_t length);

struct secret *secret_ref(struct secret *secret);

/** secret_unref() - NULL is fine; the last one wipes.  Return: NULL. */
struct secret *secret_unref(struct secret *secret);
DEFINE_CLEANUP(struct secret *, secret_unref);

/**
 * secret_bytes() - the bytes, with a NUL behind them; valid while the reference is held
 *
 * Each caller is an edge where the value leaves for a library or a peer: keep them few.
 */
const char *secret_bytes(const struct secret *secret);

/** secret_buffer() - as secret_bytes(), to be changed in place before the secret is shared */
char *secret_buffer(struct secret *secret);

size_t secret_length(const struct secret *secret);

/** secret_equal() - compares in constant time; only the lengths may be learned */
bool secret_equal(const struct secret *a, const struct secret *b);

/** secret_in_use() - bytes of the region that are handed out, for status and tests */
size_t secret_in_use(void);

/** secret_capacity() - bytes that the region has in all */
size_t secret_capacity(void);

/* Blocks of the region without a reference count, for libraries that want malloc's shape; NULL
 * when it is full. */
void *secret_alloc(size_t bytes);
void secret_free(void *block);
