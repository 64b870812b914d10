#include "credentials/credentials.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "credentials/credentials_internal.h"

/* Units that start at the same moment.  Further ones wait in the socket's queue, where they lose
 * nothing. */
#define CONSUMERS_MAX 64

/* systemd loads a unit's credentials one after the other, so a unit that asks for more at once is
 * no unit's start: its own oldest connection gives way, never another unit's. */
#define CONSUMERS_PER_UNIT 4

/* No descriptor or no memory for another connection: it waits in the queue meanwhile. */
#define ACCEPT_PAUSE (1 * USEC_PER_SEC)

/* The answers that a stop waits for are for readers that read: 1 MiB is a matter of
 * milliseconds. */
#define STOP_GRACE (1 * USEC_PER_SEC)

static void listen_again(struct credentials *credentials) {
        if (credentials->acceptable && credentials->count < CONSUMERS_MAX)
                (void)sd_event_source_set_enabled(credentials->acceptable, SD_EVENT_ON);
}

void credentials_add(struct credentials *credentials, struct consumer *consumer) {
        consumer->next = credentials->first;
        if (consumer->next)
                consumer->next->previous = consumer;
        credentials->first = consumer;
        credentials->count++;
}

void credentials_remove(struct credentials *credentials, struct consumer *consumer) {
        if (consumer->previous)
                consumer->previous->next = consumer->next;
        else
                credentials->first = consumer->next;
        if (consumer->next)
                consumer->next->previous = consumer->previous;
        credentials->count--;
        listen_again(credentials);
}

static void make_room(struct credentials *credentials, const struct peer *peer) {
        struct consumer *oldest = NULL;
        size_t same = 0;

        for (struct consumer *consumer = credentials->first; consumer; consumer = consumer->next) {
                if (!peer_same_origin(&consumer->peer, peer))
                        continue;
                oldest = consumer;
                same++;
        }
        if (same >= CONSUMERS_PER_UNIT)
                (void)consumer_free(oldest);
}

static void pause_accepting(struct credentials *credentials) {
        (void)sd_event_source_set_enabled(credentials->acceptable, SD_EVENT_OFF);
        (void)sd_event_source_set_time_relative(credentials->again, ACCEPT_PAUSE);
        (void)sd_event_source_set_enabled(credentials->again, SD_EVENT_ONESHOT);
}

static int on_again(sd_event_source *source, usec_t scheduled, void *userdata) {
        (void)source;
        (void)scheduled;
        listen_again(userdata);
        return 0;
}

static int on_acceptable(sd_event_source *source, int listening, uint32_t events, void *userdata) {
        struct credentials *credentials = userdata;
        struct consumer *consumer = consumer_new(credentials);
        struct peer peer;
        int fd, error;

        (void)events;
        if (!consumer) {
                log_message(LOG_LEVEL_WARNING,
                            "credential socket: no memory for a connection, which waits");
                pause_accepting(credentials);
                return 0;
        }
        /* cppcheck-suppress nullPointer ; the address is optional, and read by who needs it */
        fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        error = errno;
        if (fd < 0) {
                (void)consumer_free(consumer);
                if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
                        return 0;
                log_message(LOG_LEVEL_WARNING,
                            "credential socket: a connection cannot be accepted: %s",
                            strerror(error));
                pause_accepting(credentials);
                return 0;
        }
        if (peer_read(fd, &credentials->cgroup_root, &peer, NULL) < 0)
                peer = (struct peer){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
        make_room(credentials, &peer);
        consumer_start(consumer, fd, &peer);
        if (credentials->count >= CONSUMERS_MAX)
                (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

static int add_sources(struct credentials *credentials, struct error *err) {
        int r;

        r = sd_event_add_io(credentials->event, &credentials->acceptable, credentials->fd, EPOLLIN,
                            on_acceptable, credentials);
        if (r >= 0)
                r = sd_event_add_time(credentials->event, &credentials->again, CLOCK_MONOTONIC, 0,
                                      0, on_again, credentials);
        if (r >= 0)
                r = sd_event_source_set_enabled(credentials->again, SD_EVENT_OFF);
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot watch the credential socket: %s",
                                 strerror(-r));
        return 0;
}

int credentials_new(sd_event *event, struct broker *broker, int fd, struct credentials **ret,
                    struct error *err) {
        _cleanup_(credentials_freep) struct credentials *credentials =
            calloc(1, sizeof(*credentials));
        int r;

        if (!credentials)
                return error_oom(err);
        credentials->event = sd_event_ref(event);
        credentials->broker = broker;
        credentials->fd = -1;
        credentials->rate = rate_new();
        if (!credentials->rate)
                return error_oom(err);
        peer_root_read(&credentials->cgroup_root);
        credentials->fd = fd;
        r = add_sources(credentials, err);
        if (r < 0) {
                credentials->fd = -1; /* still the caller's */
                return r;
        }
        *ret = take(credentials);
        return 0;
}

/* Sends what is left of the answers; who does not read is left behind at the end. */
static void send_rest(struct credentials *credentials) {
        usec_t now = clock_monotonic(), end = now + STOP_GRACE;

        for (; credentials->first && now < end; now = clock_monotonic()) {
                struct pollfd ready[CONSUMERS_MAX];
                nfds_t n = 0;

                for (struct consumer *consumer = credentials->first; consumer;
                     consumer = consumer->next)
                        ready[n++] = (struct pollfd){ .fd = consumer->fd, .events = POLLOUT };
                (void)poll(ready, n, (int)((end - now) / USEC_PER_MSEC) + 1);
                for (struct consumer *consumer = credentials->first, *next; consumer;
                     consumer = next) {
                        next = consumer->next;
                        if (consumer_send(consumer))
                                (void)consumer_free(consumer);
                }
        }
}

struct credentials *credentials_free(struct credentials *credentials) {
        if (!credentials)
                return NULL;
        credentials->acceptable = sd_event_source_disable_unref(credentials->acceptable);
        credentials->again = sd_event_source_disable_unref(credentials->again);
        for (struct consumer *consumer = credentials->first; consumer; consumer = consumer->next)
                consumer_hurry(consumer);
        send_rest(credentials);
        while (credentials->first)
                (void)consumer_free(credentials->first);
        closep(&credentials->fd);
        (void)rate_free(credentials->rate);
        (void)sd_event_unref(credentials->event);
        free(credentials);
        return NULL;
}
