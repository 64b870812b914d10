#include "credentials/consumer.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "credentials/credentials_internal.h"

/* systemd takes at most 1 MiB of credentials per unit, and fails a unit that would get more
 * (243/CREDENTIALS). */
#define REFUSAL_BYTES ((size_t)1024 * 1024 + 4096)

/* How long a value may take that is not usable yet, be it the first fetch or the next one after a
 * failure.  Nobody asks again for a unit, so it is longer than the 20 s in which the daemon itself
 * is ready at the latest; shorter than the 30 s after which a refusal of Infisical's own is asked
 * about again, so that nobody waits for that; and well within systemd's default limit for a unit's
 * start, 90 s, past which the reason would be on nobody's record. */
#define PATIENCE (25 * USEC_PER_SEC)

/* Who does not read the refusal keeps it for so long: by then systemd has given up the start of a
 * unit of its own. */
#define ANSWER_TIMEOUT (120 * USEC_PER_SEC)

/* Starts of one unit at once: each of its commands asks anew, for every credential. */
#define STARTS_BURST 1000

static struct consumer *consumer_of(struct waiter *waiter) {
        return (struct consumer *)(void *)((char *)waiter - offsetof(struct consumer, ask.waiter));
}

static void arm(struct consumer *consumer, usec_t timeout) {
        /* These fail only for arguments out of range. */
        (void)sd_event_source_set_time_relative(consumer->timer, timeout);
        (void)sd_event_source_set_enabled(consumer->timer, SD_EVENT_ONESHOT);
}

/* May be called from inside the very call that is about to answer ASK_WAIT. */
static void on_wake(struct waiter *waiter) {
        (void)sd_event_source_set_enabled(consumer_of(waiter)->soon, SD_EVENT_ONESHOT);
}

static int check_unit(const struct consumer *consumer, struct error *err) {
        const char *unit = consumer->peer.cgroup.unit;

        if (strcmp(consumer->name.unit, unit) == 0)
                return 0;
        (void)error_set(err, DIAG_PEER_REFUSED,
                        "'%.64s' was asked for in the name of %.64s by a process of %.64s",
                        consumer->name.id, consumer->name.unit,
                        unit[0] ? unit : "no unit that is known");
        error_remedy_set(err, "Only systemd, starting the unit itself, may load a credential for "
                              "it: name this socket in "
                              "LoadCredential= of the unit.");
        return -(int)err->code;
}

/* What is decided before the token's own rules; each refusal is on record. */
static int admit(struct consumer *consumer, struct error *err) {
        struct credentials *credentials = consumer->credentials;
        unsigned per_second = broker_config(credentials->broker)->requests_per_second;
        char origin[CGROUP_PATH_MAX];
        int r;

        if (!peer_is_root(&consumer->peer))
                r = error_set(err, DIAG_PEER_REFUSED, "uid %u is not 0",
                              (unsigned)consumer->peer.uid);
        else if (!rate_take(credentials->rate, &consumer->peer, per_second, STARTS_BURST,
                            clock_monotonic()))
                r = error_set(err, DIAG_TOO_MANY_REQUESTS,
                              "the processes of %.128s ask more often than %u times per second",
                              rate_origin(&consumer->peer, origin), per_second);
        else
                r = bound_name_read(consumer->fd, &consumer->name, err);
        if (r >= 0)
                r = check_unit(consumer, err);
        if (r < 0)
                broker_record_refusal(credentials->broker, &consumer->peer, err);
        return r;
}

/* Return: ASK_DONE and consumer->value, ASK_WAIT, or a negated diagnosis that is on record. */
static int decide(struct consumer *consumer, struct error *err) {
        struct issuance issuance;
        int r;

        if (!consumer->name.unit[0]) {
                r = admit(consumer, err);
                if (r < 0)
                        return r;
        }
        r = broker_issue(consumer->credentials->broker, &consumer->ask, &issuance, err);
        if (r != ASK_DONE)
                return r;
        consumer->value = secret_ref(issuance.token);
        issuance_done(&issuance);
        return ASK_DONE;
}

static void proceed(struct consumer *consumer) {
        struct error err;

        if (consumer->answering || decide(consumer, &err) == ASK_WAIT)
                return;
        ask_done(&consumer->ask);
        consumer->answering = true;
        arm(consumer, ANSWER_TIMEOUT);
        (void)sd_event_source_set_io_events(consumer->io, EPOLLOUT);
}

bool consumer_send(struct consumer *consumer) {
        char newlines[16 * 1024];
        const char *bytes = newlines;
        size_t length = sizeof(newlines);
        ssize_t n;

        if (consumer->value) {
                bytes = secret_bytes(consumer->value) + consumer->sent;
                length = secret_length(consumer->value) - consumer->sent;
        } else {
                memset(newlines, '\n', sizeof(newlines));
                if (length > REFUSAL_BYTES - consumer->sent)
                        length = REFUSAL_BYTES - consumer->sent;
        }
        n = send(consumer->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
                return errno != EAGAIN && errno != EINTR;
        consumer->sent += (size_t)n;
        return consumer->sent == (consumer->value ? secret_length(consumer->value) : REFUSAL_BYTES);
}

/* One piece per turn of the loop: others are served in between.  While nothing is to be sent it is
 * the hang-up. */
static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct consumer *consumer = userdata;

        (void)source;
        (void)fd;
        if (!consumer->answering || (events & (EPOLLHUP | EPOLLERR)) || consumer_send(consumer))
                (void)consumer_free(consumer);
        return 0;
}

void consumer_hurry(struct consumer *consumer) {
        consumer->ask.may_wait = false;
        proceed(consumer);
}

static int on_timer(sd_event_source *source, usec_t scheduled, void *userdata) {
        struct consumer *consumer = userdata;

        (void)source;
        (void)scheduled;
        if (consumer->answering)
                (void)consumer_free(consumer);
        else
                consumer_hurry(consumer);
        return 0;
}

static int on_soon(sd_event_source *source, void *userdata) {
        (void)source;
        proceed(userdata);
        return 0;
}

struct consumer *consumer_new(struct credentials *credentials) {
        struct consumer *consumer = calloc(1, sizeof(*consumer));

        if (!consumer)
                return NULL;
        consumer->credentials = credentials;
        consumer->fd = -1;
        if (sd_event_add_time_relative(credentials->event, &consumer->timer, CLOCK_MONOTONIC,
                                       PATIENCE, 0, on_timer, consumer) < 0 ||
            sd_event_add_defer(credentials->event, &consumer->soon, on_soon, consumer) < 0)
                return consumer_free(consumer);
        return consumer;
}

void consumer_start(struct consumer *consumer, int fd, const struct peer *peer) {
        struct credentials *credentials = consumer->credentials;
        int r;

        consumer->fd = fd;
        consumer->peer = *peer;
        consumer->ask = (struct ask){ .peer = &consumer->peer,
                                      .token = consumer->name.id,
                                      .may_wait = true,
                                      .cannot_prove = true,
                                      .patient_until = usec_add(clock_boottime(), PATIENCE),
                                      .waiter.wake = on_wake };
        credentials_add(credentials, consumer);
        r = sd_event_add_io(credentials->event, &consumer->io, fd, 0, on_io, consumer);
        if (r >= 0)
                return;
        /* Nothing can be sent as the socket takes it.  Kept open, it makes the unit's start time
         * out, which an end would not. */
        log_message(LOG_LEVEL_WARNING, "credential socket: a connection cannot be watched: %s",
                    strerror(-r));
        consumer->answering = true;
        arm(consumer, ANSWER_TIMEOUT);
}

struct consumer *consumer_free(struct consumer *consumer) {
        if (!consumer)
                return NULL;
        ask_done(&consumer->ask);
        (void)sd_event_source_disable_unref(consumer->io);
        (void)sd_event_source_disable_unref(consumer->timer);
        (void)sd_event_source_disable_unref(consumer->soon);
        (void)secret_unref(consumer->value);
        if (consumer->fd >= 0) {
                (void)close(consumer->fd);
                credentials_remove(consumer->credentials, consumer);
        }
        free(consumer);
        return NULL;
}
