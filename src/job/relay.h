/*
 * The way round for jobs that run on the host as their runner's user: sudo runs the relay, which
 * speaks for them on the broker's socket (src/relay).  The client takes it by itself where the
 * socket refuses it.
 *
 *      client --socketpair--> sudo -n relay --the socket--> broker
 *
 * What is sent and received is the same HTTP as on the socket.
 */
#pragma once

#include <sys/types.h>

#include "job/connection.h"

#define RELAY_PATH LIBEXECDIR "/forge-broker/relay"
#define SUDO_PATH  "/usr/bin/sudo"

/* One that was not opened is all zero. */
struct relay {
        pid_t pid;    /* of sudo; 0: there is none */
        int messages; /* sudo's standard error, and the relay's */
        usec_t until; /* the command's deadline */
};

/**
 * relay_open() - starts it
 * @socket: that refused; the relay knows only the default one
 * @failure: says that the socket refused; stays as it is where there is no relay for it
 *
 * Return: 0 and a descriptor to be used like the socket's, or -EXIT_UNREACHABLE.
 */
int relay_open(struct relay *relay, const char *socket, const struct deadline *deadline,
               int *ret_fd, struct failure *failure);

/**
 * relay_explain() - why the relay ended without an answer
 *
 * Return: CONNECTION_ENDED if it was the broker that closed the connection, else -EXIT_UNREACHABLE.
 */
int relay_explain(struct relay *relay, struct failure *failure);

/**
 * relay_done() - waits until it has ended, so that no command inherits it as a child; not past the
 * deadline, and not long
 *
 * For _cleanup_ too.
 */
void relay_done(struct relay *relay);
