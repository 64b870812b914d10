/*
 * What systemd says when it connects for LoadCredential=ID:/path/of/a/socket: nothing but the
 * address it has bound.
 *
 *      \0 adf9d86b6eda275e /unit/ foobar.service / ID          an abstract name; not terminated, no other NUL in it
 *
 * Any process may bind any such name: it is a question, and proves nothing about who asks.
 * docs/upstream/systemd.md.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* sun_path of the kernel: a name that does not fit cannot be bound. */
#define BOUND_NAME_MAX 108

struct bound_name {
        char unit[BOUND_NAME_MAX]; /* not empty, nothing in it that no unit's name has */
        /* the credential's name: not empty, no '/'; otherwise outside text */
        char id[BOUND_NAME_MAX];
};

/**
 * bound_name_parse() - from the bytes of sun_path as the kernel gives them
 *
 * Pure.  Return: 0, or -DIAG_MALFORMED_REQUEST.
 */
int bound_name_parse(const char *bytes, size_t length, struct bound_name *ret, struct error *err);

/** bound_name_read() - of the peer of a connected socket; -DIAG_MALFORMED_REQUEST also for a peer
 * that has bound none */
int bound_name_read(int fd, struct bound_name *ret, struct error *err);
