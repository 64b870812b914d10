#include "job/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int timed_out(const char *what, const struct deadline *deadline, struct failure *failure) {
        char span[CLOCK_TEXT_MAX];
        int r;

        r = failure_set(failure, EXIT_UNREACHABLE, "%s within %s", what,
                        clock_format_span(deadline->span, span));
        failure_remedy_set(
            failure,
            "The broker may be starting, or may wait for an upstream that hangs: look at "
            "'systemctl "
            "status forge-brokerd' and 'forge-brokerctl status' on the host, or wait longer with "
            "--timeout.");
        return r;
}

static int failed(const char *what, struct failure *failure) {
        return failure_set(failure, EXIT_UNREACHABLE, "%s: %s", what, strerror(errno));
}

/* True when the directory that should hold the socket does not exist. */
static bool directory_is_missing(const char *path) {
        char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
        const char *slash = strrchr(path, '/');
        struct stat st;

        if (!slash || slash == path)
                return false;
        (void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
        return stat(directory, &st) < 0;
}

static int explain_missing(const char *path, struct failure *failure) {
        int r;

        if (directory_is_missing(path)) {
                r = failure_set(failure, EXIT_UNREACHABLE,
                                "there is no %s, and no directory for it either: it is not mounted "
                                "into this container",
                                path);
                failure_remedy_set(
                    failure,
                    "Mount the socket's directory of the host into the job; where this is the "
                    "host itself: systemctl start forge-brokerd.socket.");
                return r;
        }
        r = failure_set(failure, EXIT_UNREACHABLE,
                        "there is no %s: the broker is not running, or it is not the "
                        "socket's directory that is mounted there",
                        path);
        failure_remedy_set(failure, "On the host: systemctl start forge-brokerd.socket.");
        return r;
}

static int explain_refused(const char *path, struct failure *failure) {
        struct stat st;
        int r;

        /* connect() says ECONNREFUSED for a plain file too. */
        if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
                r = failure_set(failure, EXIT_UNREACHABLE, "%s is not a socket", path);
                failure_remedy_set(
                    failure, "Give the broker's socket with --socket or FORGE_BROKER_SOCKET.");
                return r;
        }
        r = failure_set(failure, EXIT_UNREACHABLE,
                        "%s is stale: the broker that made it does not listen any more", path);
        failure_remedy_set(
            failure, "On the host: systemctl restart forge-brokerd.socket; and mount the socket's "
                     "directory into jobs, never the socket itself, which goes stale.");
        return r;
}

static int explain_denied(const char *path, struct failure *failure) {
        unsigned uid = (unsigned)geteuid();

        if (uid == 0) {
                (void)failure_set(
                    failure, EXIT_UNREACHABLE,
                    "uid 0 of this container may not use %s: it is not root on the host", path);
                failure_remedy_set(
                    failure,
                    "Run the job in a container without a user namespace of its own, and look "
                    "for a refusal by AppArmor or SELinux on the host.");
        } else {
                (void)failure_set(failure, EXIT_UNREACHABLE,
                                  "this image, or this step, runs as uid %u and may not use %s: "
                                  "the broker serves root "
                                  "only",
                                  uid, path);
                failure_remedy_set(
                    failure,
                    "In a container use an image that runs as root; on the host itself the "
                    "operator can allow the relay to the runner's user. Never sudo on "
                    "forge-broker itself: it runs programs.");
        }
        failure->lasting = true;
        return CONNECTION_DENIED;
}

static int explain_connect(const char *path, const struct deadline *deadline,
                           struct failure *failure) {
        switch (errno) {
        case ENOENT:
        case ENOTDIR:
                return explain_missing(path, failure);
        case ECONNREFUSED:
                return explain_refused(path, failure);
        case EACCES:
        case EPERM:
                return explain_denied(path, failure);
        case EAGAIN:
                return timed_out("the broker did not accept the connection", deadline, failure);
        default:
                return failure_set(failure, EXIT_UNREACHABLE, "cannot connect to %s: %s", path,
                                   strerror(errno));
        }
}

/* The rest of the time for a blocking connect(): a full backlog is waited for by the kernel,
 * without a polling loop. */
static int set_connect_timeout(int fd, const struct deadline *deadline) {
        usec_t left = usec_sub(deadline->at, clock_monotonic());
        struct timeval tv = { .tv_sec = (time_t)(left / USEC_PER_SEC),
                              .tv_usec = (suseconds_t)(left % USEC_PER_SEC) };

        if (left == 0)
                tv.tv_usec = 1; /* 0 would mean forever */
        return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int connection_above_standard(int fd) {
        int moved;

        if (fd > STDERR_FILENO)
                return fd;
        moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        (void)close(fd);
        return moved;
}

int connection_open(const char *path, const struct deadline *deadline, int *ret_fd,
                    struct failure *failure) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t length = strlen(path);
        _cleanup_(closep) int fd = -1;
        int r;

        if (length >= sizeof(address.sun_path))
                return failure_set(failure, EXIT_USAGE,
                                   "the socket's path is longer than %zu bytes",
                                   sizeof(address.sun_path) - 1);
        memcpy(address.sun_path, path, length + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0)
                fd = connection_above_standard(fd);
        if (fd < 0)
                return failed("cannot make a socket", failure);
        do {
                if (set_connect_timeout(fd, deadline) < 0)
                        return failed("cannot set the socket's timeout", failure);
                r = connect(fd, (const struct sockaddr *)&address, sizeof(address));
        } while (r < 0 && errno == EINTR);
        if (r < 0)
                return explain_connect(path, deadline, failure);
        *ret_fd = take_fd(&fd);
        return 0;
}

static int wait_for(int fd, short events, const struct deadline *deadline,
                    struct failure *failure) {
        struct pollfd pollfd = { .fd = fd, .events = events };

        for (;;) {
                usec_t now = clock_monotonic(), left = usec_sub(deadline->at, now);
                usec_t msec = (left + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
                int n;

                if (left == 0)
                        return timed_out("the broker did not answer", deadline, failure);
                n = poll(&pollfd, 1, msec > INT_MAX ? INT_MAX : (int)msec);
                if (n > 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return failed("cannot wait for the broker", failure);
        }
}

int connection_send(int fd, const char *bytes, size_t length, const struct deadline *deadline,
                    struct failure *failure) {
        while (length > 0) {
                ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n >= 0) {
                        bytes += n;
                        length -= (size_t)n;
                } else if (errno == EAGAIN) {
                        int r = wait_for(fd, POLLOUT, deadline, failure);

                        if (r < 0)
                                return r;
                } else if (errno == EPIPE || errno == ECONNRESET) {
                        return CONNECTION_ENDED;
                } else if (errno != EINTR) {
                        return failed("cannot send to the broker", failure);
                }
        }
        return CONNECTION_OK;
}

int connection_receive(int fd, char *buffer, size_t size, const struct deadline *deadline,
                       size_t *ret_length, struct failure *failure) {
        for (;;) {
                ssize_t n = recv(fd, buffer, size, MSG_DONTWAIT);

                if (n > 0) {
                        *ret_length = (size_t)n;
                        return CONNECTION_OK;
                }
                if (n == 0)
                        return CONNECTION_ENDED;
                if (errno == ECONNRESET)
                        return CONNECTION_RESET;
                if (errno == EAGAIN) {
                        int r = wait_for(fd, POLLIN, deadline, failure);

                        if (r < 0)
                                return r;
                } else if (errno != EINTR) {
                        return failed("cannot read from the broker", failure);
                }
        }
}
