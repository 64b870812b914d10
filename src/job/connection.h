/*
 * One connection to the broker's socket, each step within a deadline.  What goes wrong is told
 * apart here: in a job, "not mounted", "not root in this image" and "not running" need different
 * hands.
 */
#pragma once

#include <stddef.h>

#include "base/clock.h"
#include "job/failure.h"

/* Until when, and how long that was from the start (for the message). */
struct deadline {
        usec_t at; /* CLOCK_MONOTONIC */
        usec_t span;
};

enum { CONNECTION_OK, CONNECTION_ENDED, CONNECTION_RESET, CONNECTION_DENIED };

/**
 * connection_open() - connects
 * @ret_fd: CLOEXEC and never one of the three standard descriptors, even where those are closed
 *
 * Return: CONNECTION_OK; CONNECTION_DENIED, with @failure filled, when this user may not: there may
 * be another way (job/relay.h); or -EXIT_UNREACHABLE with the cause and its remedy.
 */
int connection_open(const char *path, const struct deadline *deadline, int *ret_fd,
                    struct failure *failure);

/**
 * connection_above_standard() - moves a descriptor away from the three standard ones
 *
 * One that took the place of a closed standard output would get the value written to it.
 * Return: the descriptor, CLOEXEC, or -1 and errno; @fd is closed then.
 */
int connection_above_standard(int fd);

/** connection_send() - sends all of it.  Return: CONNECTION_OK, CONNECTION_ENDED, or
 * -EXIT_UNREACHABLE. */
int connection_send(int fd, const char *bytes, size_t length, const struct deadline *deadline,
                    struct failure *failure);

/**
 * connection_receive() - waits for the next bytes
 *
 * Return: CONNECTION_OK and *ret_length > 0, CONNECTION_ENDED, CONNECTION_RESET (something may be
 * missing), or -EXIT_UNREACHABLE.
 */
int connection_receive(int fd, char *buffer, size_t size, const struct deadline *deadline,
                       size_t *ret_length, struct failure *failure);
