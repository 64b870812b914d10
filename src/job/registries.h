/*
 * The container registries that the broker has tokens for, each once: from GET /v1/tokens.
 */
#pragma once

#include "job/client.h"

#define REGISTRIES_MAX 128

struct registry {
        char host[160];     /* with a port where it has one */
        char username[128]; /* of the first of its tokens */
};

struct registries {
        struct registry *items;
        size_t count;
};

/**
 * registries_get() - asks for them
 * @ret: zeroed by the caller, released with registries_done() whatever the outcome
 *
 * Return: 0, or the negated exit code.
 */
int registries_get(const struct client *client, struct registries *ret, struct failure *failure);

/** registries_done() - for _cleanup_ too */
void registries_done(struct registries *registries);
