/*
 * Whether the broker would issue a token now: GET /readyz/NAME.  Nothing is issued by asking.
 */
#pragma once

#include "job/client.h"

enum { READY };

/**
 * ready_check() - asks once
 * @buffer: holds the answer
 *
 * Return: READY, or the negated exit code; failure->lasting if that will not change.
 */
int ready_check(const struct client *client, const char *name, struct locked_buffer *buffer,
                struct failure *failure);

/**
 * ready_settle() - as ready_check(), with the token's own diagnosis
 *
 * Waits to the client's deadline for a token that was never fetched so far.
 */
int ready_settle(const struct client *client, const char *name, struct failure *failure);

/** ready_pause() - sleeps, longer each time and not past the deadline; start with *@pause = 0 */
void ready_pause(const struct client *client, usec_t *pause);
