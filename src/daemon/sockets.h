/*
 * The listening sockets: systemd's, or made here for use without it.
 */
#pragma once

#include "base/error.h"
#include "config/config.h"

struct sockets {
        int jobs, control, credentials; /* all but the first: -1 for none */
        bool from_systemd;
        char *made[3]; /* paths to remove at the end, NULL under systemd */
};

#define SOCKETS_NONE ((struct sockets){ .jobs = -1, .control = -1, .credentials = -1 })

/**
 * sockets_open() - takes what systemd passed (FileDescriptorName= jobs, control, credentials), else
 * makes what the configuration names
 *
 * A socket made here is root's or the daemon's own user's with mode 0600 from its first moment: the
 * umask is set before bind().  Whatever its origin, each socket is checked: a listening AF_UNIX
 * stream, and nobody but its owner may connect. A socket file that is in the way is removed only if
 * nobody listens on it.
 */
int sockets_open(const struct config *config, struct sockets *ret, struct error *err);

/** sockets_close() - closes what was not taken over and removes the files that were made */
void sockets_close(struct sockets *sockets);
