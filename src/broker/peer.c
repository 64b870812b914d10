#include "broker/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

#ifndef SO_PEERPIDFD /* Linux 6.5; Debian 12 has 6.1, and its headers have no name for it */
#define SO_PEERPIDFD 77
#endif

/* A dozen hierarchies of v1 with container ids in them; cgroup v2 is one line. */
#define PROC_CGROUP_MAX 8192

static ssize_t read_proc_cgroup(pid_t pid, char buffer[static PROC_CGROUP_MAX]) {
        _cleanup_(closep) int fd = -1;
        char path[32];

        (void)snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        /* The kernel makes the text in one piece, at the first read: what that one gives is all,
         * or all that fits. */
        return fd < 0 ? -1 : read(fd, buffer, PROC_CGROUP_MAX);
}

/* Ready for reading is a pidfd whose process has ended, and hung up a socket that nobody holds at
 * the other end. */
static bool is_over(int fd, short events) {
        struct pollfd ready = { .fd = fd, .events = events };

        return poll(&ready, 1, 0) != 0;
}

/*
 * A pid names a process only while that lives.  With the kernel's handle of the peer we know, after
 * the reading, that it still lived; without one (Debian 12's kernel) all that is known is that
 * somebody still holds the connection.
 */
static void read_cgroup(int fd, const struct cgroup_root *root, struct peer *ret) {
        _cleanup_(closep) int pidfd = -1;
        socklen_t size = sizeof(pidfd);
        char text[PROC_CGROUP_MAX];
        ssize_t length;
        bool pinned;

        pinned = getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0 && pidfd >= 0;
        if (!pinned && errno != ENOPROTOOPT)
                return;
        length = read_proc_cgroup(ret->pid, text);
        if (length < 0 || (pinned ? is_over(pidfd, POLLIN) : is_over(fd, 0)))
                return;
        cgroup_parse(text, (size_t)length, root, &ret->cgroup);
        ret->unit_pinned = pinned;
}

void peer_root_read(struct cgroup_root *ret) {
        char text[PROC_CGROUP_MAX];
        ssize_t length = read_proc_cgroup(1, text);

        cgroup_root_parse(text, length < 0 ? 0 : (size_t)length, ret);
}

int peer_read(int fd, const struct cgroup_root *root, struct peer *ret, struct error *err) {
        struct ucred credentials;
        socklen_t length = sizeof(credentials);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0 ||
            length != sizeof(credentials))
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "the kernel does not say who is asking: %s", strerror(errno));
        *ret =
            (struct peer){ .uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid };
        if (credentials.pid > 0)
                read_cgroup(fd, root, ret);
        return 0;
}

bool peer_same_origin(const struct peer *a, const struct peer *b) {
        return a->uid == b->uid && a->cgroup.own == b->cgroup.own &&
               memcmp(a->cgroup.path, b->cgroup.path, a->cgroup.own) == 0;
}

bool peer_is_root(const struct peer *peer) {
        return peer->uid == 0;
}

const char *claim_header(enum claim claim) {
        static const char *const headers[CLAIM_COUNT] = {
                [CLAIM_VIA_UID] = "Forge-Broker-Via-Uid",
                [CLAIM_REPOSITORY] = "Forge-Broker-Repository",
                [CLAIM_RUN_ID] = "Forge-Broker-Run-Id",
                [CLAIM_RUN_ATTEMPT] = "Forge-Broker-Run-Attempt",
                [CLAIM_JOB] = "Forge-Broker-Job",
                [CLAIM_WORKFLOW] = "Forge-Broker-Workflow",
                [CLAIM_EVENT] = "Forge-Broker-Event",
                [CLAIM_REF] = "Forge-Broker-Ref",
                [CLAIM_ACTOR] = "Forge-Broker-Actor",
        };

        return headers[claim];
}

/* As sudo and the kernel write it: no sign, no leading zero, and not the -1 that means nobody. */
static bool is_uid(const char *text, size_t length) {
        uint64_t value = 0;

        if (length == 0 || length > sizeof("4294967294") - 1 || (text[0] == '0' && length > 1))
                return false;
        for (size_t i = 0; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                value = value * 10 + (uint64_t)(text[i] - '0');
        }
        return value < UINT32_MAX;
}

void claims_set(struct claims *claims, enum claim claim, const char *text, size_t length) {
        if (claim == CLAIM_VIA_UID && !is_uid(text, length))
                return;
        (void)text_clean(claims->values[claim], sizeof(claims->values[claim]), text, length);
}
