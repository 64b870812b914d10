#include "api/listener.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "api/connection.h"
#include "api/request.h"
#include "base/log.h"
#include "base/text.h"

/* libmicrohttpd remarks on every client that breaks off; more often than this it is only
 * counted. */
#define LOG_INTERVAL (10 * USEC_PER_SEC)

/* Without a descriptor for the first connection either: until it is tried again. */
#define STARVED_PAUSE (100 * USEC_PER_MSEC)

/* A stop waits for no client: what its socket takes at once is sent, the rest is dropped. */
#define STOP_TURNS 16

/* But whoever was accepted a moment ago may be between connect() and its first write: closed then,
 * a plain client would take a restart for a failure. */
#define STOP_GRACE (100 * USEC_PER_MSEC)

static _printf_(2, 0) void on_log(void *cls, const char *format, va_list args) {
        struct listener *listener = cls;
        char text[256], clean[256];
        usec_t now = clock_monotonic();
        size_t length;

        if (listener->closes_quietly) {
                listener->closes_quietly = false;
                return;
        }
        /* Whatever it remarks upon: one turn more costs less than to know its texts. */
        listener->starved = true;
        if (now < listener->quiet_until) {
                listener->unlogged++;
                return;
        }
        (void)vsnprintf(text, sizeof(text), format, args);
        length = strlen(text);
        while (length > 0 && text[length - 1] == '\n')
                length--;
        (void)text_clean(clean, sizeof(clean), text, length);
        if (listener->unlogged > 0)
                log_message(LOG_LEVEL_NOTICE, "http: %s (%u like it left out)", clean,
                            listener->unlogged);
        else
                log_message(LOG_LEVEL_NOTICE, "http: %s", clean);
        listener->unlogged = 0;
        listener->quiet_until = now + LOG_INTERVAL;
}

static unsigned connections(const struct listener *listener) {
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

        return info ? info->num_connections : 0;
}

static void turn_at(struct listener *listener, usec_t when) {
        (void)sd_event_source_set_time(listener->timer, when);
        (void)sd_event_source_set_enabled(listener->timer, SD_EVENT_ONESHOT);
}

/* At its own limit, and without a descriptor for one more, libmicrohttpd stops to listen.  It
 * begins again at the start of the first turn after a connection went, for which there may be no
 * other reason.  Without a connection that could go it does not stop, and would be run again at
 * once. */
static void resume_listening(struct listener *listener, unsigned before, uint64_t closed_before) {
        bool limited = listener->starved || before >= CONNECTIONS_HARD_MAX;

        if (limited && listener->closed != closed_before) {
                listener->starved = false;
                listener_turn_soon(listener);
        }
        if (listener->starved && connections(listener) == 0) {
                listener->starved = false;
                (void)sd_event_source_set_enabled(listener->readable, SD_EVENT_OFF);
                turn_at(listener, clock_monotonic() + STARVED_PAUSE);
        }
}

static void turn(struct listener *listener) {
        unsigned before = connections(listener);
        uint64_t closed_before = listener->closed;
        MHD_UNSIGNED_LONG_LONG milliseconds;

        listener->turns++;
        (void)MHD_run(listener->daemon);
        if (connections_enforce(listener))
                listener_turn_soon(listener);
        if (MHD_get_timeout(listener->daemon, &milliseconds) == MHD_YES)
                turn_at(listener, clock_monotonic() + milliseconds * USEC_PER_MSEC);
        resume_listening(listener, before, closed_before);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void)source;
        (void)fd;
        (void)events;
        turn(userdata);
        return 0;
}

static int on_timer(sd_event_source *source, usec_t scheduled, void *userdata) {
        struct listener *listener = userdata;

        (void)source;
        (void)scheduled;
        (void)sd_event_source_set_enabled(listener->readable, SD_EVENT_ON);
        turn(listener);
        return 0;
}

static int on_soon(sd_event_source *source, void *userdata) {
        (void)source;
        turn(userdata);
        return 0;
}

void listener_turn_soon(struct listener *listener) {
        (void)sd_event_source_set_enabled(listener->soon, SD_EVENT_ONESHOT);
}

static int start_daemon(struct listener *listener, int fd, struct error *err) {
        /* No MHD_OPTION_CONNECTION_TIMEOUT: it starts anew with each byte, and a deadline of ours
         * is always set. */
        listener->daemon = MHD_start_daemon(
            MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
            request_handle, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log, listener,
            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
            (unsigned)CONNECTIONS_HARD_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            CONNECTION_MEMORY_BYTES, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, listener,
            MHD_OPTION_NOTIFY_COMPLETED, connection_completed, listener,
            MHD_OPTION_URI_LOG_CALLBACK, connection_request_line, listener,
            MHD_OPTION_UNESCAPE_CALLBACK, connection_unescape, listener, MHD_OPTION_END);
        if (!listener->daemon)
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "libmicrohttpd does not start on the listening socket");
        return 0;
}

static int start_sources(struct listener *listener, struct error *err) {
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        int r;

        if (!info || info->epoll_fd < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "libmicrohttpd has no epoll descriptor");
        r = sd_event_add_io(listener->event, &listener->readable, info->epoll_fd, EPOLLIN,
                            on_readable, listener);
        if (r >= 0)
                r = sd_event_add_time(listener->event, &listener->timer, CLOCK_MONOTONIC, 0, 1,
                                      on_timer, listener);
        if (r >= 0)
                r = sd_event_add_defer(listener->event, &listener->soon, on_soon, listener);
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot watch the socket: %s",
                                 strerror(-r));
        /* What happened before this moment is looked at in the first turn, which the defer source
         * makes. */
        return 0;
}

static void done(struct listener *listener) {
        listener->rate = rate_free(listener->rate);
        listener->readable = sd_event_source_disable_unref(listener->readable);
        listener->timer = sd_event_source_disable_unref(listener->timer);
        listener->soon = sd_event_source_disable_unref(listener->soon);
        deadlines_done(&listener->heads);
        deadlines_done(&listener->exchanges);
        deadlines_done(&listener->idle);
        deadlines_done(&listener->parked);
        deadlines_done(&listener->answers);
}

int listener_start(struct listener *listener, sd_event *event, struct broker *broker,
                   const struct server_limits *limits, bool serves_all, int fd, struct error *err) {
        int r;

        *listener = (struct listener){
                .event = event, .broker = broker, .limits = *limits, .serves_all = serves_all
        };
        listener->rate = rate_new();
        if (!listener->rate)
                return error_oom(err);
        peer_root_read(&listener->cgroup_root);
        if ((r = deadlines_init(&listener->heads, event, connection_expired, err)) < 0 ||
            (r = deadlines_init(&listener->exchanges, event, connection_expired, err)) < 0 ||
            (r = deadlines_init(&listener->idle, event, connection_expired, err)) < 0 ||
            (r = deadlines_init(&listener->parked, event, request_expired, err)) < 0 ||
            (r = deadlines_init(&listener->answers, event, connection_expired, err)) < 0 ||
            (r = start_daemon(listener, fd, err)) < 0) {
                done(listener);
                return r;
        }
        r = start_sources(listener, err);
        if (r < 0) {
                /* The descriptor stays the caller's. */
                (void)MHD_quiesce_daemon(listener->daemon);
                MHD_stop_daemon(listener->daemon);
                listener->daemon = NULL;
                done(listener);
        }
        return r;
}

/* Lets heads that are on their way arrive and be answered, with the listening socket out of the
 * game already. */
static void await_heads(struct listener *listener) {
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        usec_t now = clock_monotonic(), end = now + STOP_GRACE;

        while (info && listener->heads.count + listener->exchanges.count > 0 && now < end) {
                struct pollfd ready = { .fd = info->epoll_fd, .events = POLLIN };

                (void)poll(&ready, 1, (int)((end - now) / USEC_PER_MSEC) + 1);
                turn(listener);
                now = clock_monotonic();
        }
}

int listener_stop(struct listener *listener) {
        int fd;

        if (!listener->daemon)
                return -1;
        /* Whose head is here already gets an answer still; libmicrohttpd aborts if one is
         * suspended at the end. */
        fd = MHD_quiesce_daemon(listener->daemon);
        turn(listener);
        await_heads(listener);
        listener->stopping = true;
        while (listener->parked.first)
                request_give_up(connection_of(listener->parked.first)->request);
        for (int i = 0; i < STOP_TURNS && (i == 0 || listener->answers.count > 0); i++)
                turn(listener);
        MHD_stop_daemon(listener->daemon);
        listener->daemon = NULL;
        done(listener);
        return fd;
}
