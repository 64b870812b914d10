#include "api/request.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "api/head.h"
#include "api/limits.h"
#include "api/reply.h"
#include "api/routes.h"
#include "base/wiping.h"

/* The slowest rate there is gives one request back in a second. */
#define RATE_RETRY_AFTER USEC_PER_SEC
/* When a request is turned away because too many are parked: about a fetch later there is room. */
#define PARKED_RETRY_AFTER USEC_PER_SEC

static struct listener *listener_of(const struct request *request) {
        return request->connection->listener;
}

static struct request *request_of(struct waiter *waiter) {
        return (struct request *)(void *)((char *)waiter - offsetof(struct request, ask.waiter));
}

static void unpark(struct request *request) {
        struct connection *connection = request->connection;
        struct listener *listener = listener_of(request);

        request->parked = false;
        request->hangup = sd_event_source_disable_unref(request->hangup);
        deadline_set(&connection->deadline, &listener->answers,
                     clock_monotonic() + broker_config(listener->broker)->request_timeout);
        MHD_resume_connection(connection->mhd);
        listener_turn_soon(listener);
}

/* May be called from inside the very call that is about to answer ASK_WAIT. */
static void on_wake(struct waiter *waiter) {
        struct request *request = request_of(waiter);

        request->woken = true;
        if (request->parked)
                unpark(request);
}

static int on_hangup(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct request *request = userdata;

        (void)source;
        (void)fd;
        (void)events;
        request->gone = true;
        ask_done(&request->ask);
        unpark(request);
        return 0;
}

void request_expired(struct deadline *deadline) {
        struct request *request = connection_of(deadline)->request;

        request->ask.may_wait = false;
        unpark(request);
}

void request_give_up(struct request *request) {
        unpark(request);
}

static struct request *request_new(struct connection *connection) {
        struct request *request = calloc(1, sizeof(*request));

        if (!request)
                return NULL;
        request->connection = connection;
        request->deadline =
            clock_monotonic() + broker_config(connection->listener->broker)->request_timeout;
        request->ask.peer = &connection->peer;
        request->ask.token = request->name;
        request->ask.may_wait = true;
        request->ask.waiter.wake = on_wake;
        return request;
}

struct request *request_free(struct request *request) {
        if (!request)
                return NULL;
        ask_done(&request->ask);
        request->hangup = sd_event_source_disable_unref(request->hangup);
        wiping_free(request->body);
        free(request->id_token_url);
        free(request);
        return NULL;
}

int request_refuse(struct request *request, struct error *err) {
        broker_record_refusal(listener_of(request)->broker, &request->connection->peer, err);
        return -(int)err->code;
}

static enum MHD_Result send_reply(struct request *request, struct reply *reply) {
        enum MHD_Result queued;

        /* A herd that was parked together must not become a herd of kept connections. */
        if (request->waited)
                (void)reply_header(reply, MHD_HTTP_HEADER_CONNECTION, "close", NULL);
        queued = MHD_queue_response(request->connection->mhd, reply->status, reply->response);
        reply_done(reply);
        return queued;
}

/* MHD_NO closes the connection without an answer: only for lack of memory. */
static enum MHD_Result send_problem(struct request *request, const struct error *problem,
                                    const char *allow, bool close) {
        struct reply reply = { 0 };

        if (reply_problem(&reply, problem, request->ask.attempts, request->ask.retry_after, NULL,
                          NULL) < 0)
                return MHD_NO;
        if ((allow && reply_header(&reply, MHD_HTTP_HEADER_ALLOW, allow, NULL) < 0) ||
            (close && reply_header(&reply, MHD_HTTP_HEADER_CONNECTION, "close", NULL) < 0)) {
                reply_done(&reply);
                return MHD_NO;
        }
        return send_reply(request, &reply);
}

/* Nobody is there to read an answer, or there can be none any more. */
static enum MHD_Result close_quietly(struct request *request) {
        listener_of(request)->closes_quietly = true;
        return MHD_NO;
}

static enum MHD_Result refuse(struct request *request, struct error *err, const char *allow,
                              bool close) {
        (void)request_refuse(request, err);
        return send_problem(request, err, allow, close);
}

/* An answer queued now, before the body, ends the connection: where the body ends is in doubt, or
 * nobody reads it. */
static enum MHD_Result begin(struct request *request, const char *version) {
        struct listener *listener = listener_of(request);
        const struct peer *peer = &request->connection->peer;
        struct error err;

        request->too_often =
            !rate_take(listener->rate, peer, broker_config(listener->broker)->requests_per_second,
                       listener->limits.requests_burst, clock_monotonic());
        if (head_read(request, version, &err) < 0 && peer_is_root(peer))
                return refuse(request, &err, NULL, true);
        if (peer_is_root(peer))
                return MHD_YES;
        if (peer->uid == (uid_t)-1)
                (void)error_set(&err, DIAG_PEER_REFUSED,
                                "the kernel does not say which user is asking");
        else
                (void)error_set(&err, DIAG_PEER_REFUSED, "uid %u is not 0", (unsigned)peer->uid);
        return refuse(request, &err, NULL, true);
}

static int refuse_too_often(struct request *request, struct error *err) {
        unsigned per_second = broker_config(listener_of(request)->broker)->requests_per_second;
        char origin[CGROUP_PATH_MAX];

        request->ask.retry_after = RATE_RETRY_AFTER;
        (void)error_set(err, DIAG_TOO_MANY_REQUESTS,
                        "the processes of %.128s ask more often than %u times per second",
                        rate_origin(&request->connection->peer, origin), per_second);
        error_remedy_set(
            err,
            "Ask once per job and wait as long as Retry-After says, or raise requests_per_second.");
        return -(int)err->code;
}

/* Return: 0, or the negated diagnosis of a request whose end is known, so that the connection can
 * be kept. */
static int check(struct request *request, const char *method, const char *url, char *allow,
                 struct error *err) {
        const struct route *route;
        int r;

        if (request->too_often)
                return refuse_too_often(request, err);
        if (request->connection->bad_escape)
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "the path has a '%%' that is no byte's, or is NUL's");
        r = route_find(method, url, listener_of(request)->serves_all, &route, request->name, allow,
                       err);
        if (r < 0)
                return r;
        r = query_check(&request->query, route->parameters, err);
        if (r < 0)
                return r;
        if (request->body_bytes > 0 && strcmp(route->method, "POST") != 0)
                return error_set(err, DIAG_MALFORMED_REQUEST, "a %s of this path has no body",
                                 route->method);
        request->route = route;
        return 0;
}

static size_t count_of_origin(const struct deadlines *list, const struct peer *peer) {
        size_t count = 0;

        for (struct deadline *deadline = list->first; deadline; deadline = deadline->next)
                count += peer_same_origin(&connection_of(deadline)->peer, peer);
        return count;
}

/* One job's requests, however many wait, leave room for those of the others. */
static int check_room(struct request *request, struct error *err) {
        const struct listener *listener = listener_of(request);
        const struct peer *peer = &request->connection->peer;
        size_t waiting = listener->parked.count + listener->answers.count;
        char origin[CGROUP_PATH_MAX];

        if (waiting >= listener->limits.parked_max)
                (void)error_set(err, DIAG_TOO_MANY_REQUESTS,
                                "%zu requests are waiting for a value already", waiting);
        else if (waiting >= listener->limits.parked_of_origin_max &&
                 count_of_origin(&listener->parked, peer) +
                         count_of_origin(&listener->answers, peer) >=
                     listener->limits.parked_of_origin_max)
                (void)error_set(err, DIAG_TOO_MANY_REQUESTS,
                                "%zu requests of %.128s are waiting for a value already",
                                listener->limits.parked_of_origin_max, rate_origin(peer, origin));
        else
                return 0;
        request->ask.retry_after = PARKED_RETRY_AFTER;
        return request_refuse(request, err);
}

static int park(struct request *request, struct error *err) {
        struct connection *connection = request->connection;
        struct listener *listener = listener_of(request);
        int r = request->waited ? 0 : check_room(request, err);

        if (r < 0)
                return r;
        /* No events: a client that only closed its writing side still waits for the answer.
         * EPOLLHUP comes anyway. */
        r = sd_event_add_io(listener->event, &request->hangup, connection->fd, 0, on_hangup,
                            request);
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot watch a parked request: %s",
                                 strerror(-r));
        MHD_suspend_connection(connection->mhd);
        deadline_set(&connection->deadline, &listener->parked, request->deadline);
        request->parked = true;
        request->waited = true;
        if (request->woken)
                unpark(request);
        return 0;
}

static enum MHD_Result answer(struct request *request) {
        struct reply reply = { 0 };
        struct error err;
        int r;

        if (listener_of(request)->stopping) {
                (void)error_set(&err, DIAG_NO_USABLE_VALUE,
                                "the broker is being stopped or restarted");
                error_remedy_set(&err, "Ask again: the next one answers as soon as it runs.");
                request->ask.retry_after = USEC_PER_SEC;
                return send_problem(request, &err, NULL, true);
        }
        assert(request->route); /* else check() has refused it */
        request->woken = false;
        r = request->route->handle(request, &reply, &err);
        if (r == ASK_WAIT && !request->ask.may_wait)
                r = error_set(&err, DIAG_INTERNAL_ERROR, "the broker did not answer in time");
        if (r == ASK_WAIT) {
                r = park(request, &err);
                if (r == 0)
                        return MHD_YES;
        }
        ask_done(&request->ask);
        return r == ASK_DONE ? send_reply(request, &reply)
                             : send_problem(request, &err, NULL, false);
}

/* The bytes are dropped unless a route wants them, and beyond the limit, where they only have to
 * be read. */
static bool keep_body(struct request *request, const char *url, const char *method,
                      const char *bytes, size_t length) {
        size_t before = request->body_bytes;
        char *body;

        request->body_bytes += length;
        if (request->body_bytes > BODY_MAX_BYTES || !route_takes_body(method, url))
                return true;
        body = wiping_realloc(request->body, request->body_bytes);
        if (!body)
                return false;
        memcpy(body + before, bytes, length);
        request->body = body;
        /* It may be a token; libmicrohttpd does not wipe what it read. */
        explicit_bzero((char *)(uintptr_t)bytes, length);
        return true;
}

static void body_too_large(struct error *err) {
        (void)error_set(err, DIAG_REQUEST_TOO_LARGE, "the request's body is larger than %zu bytes",
                        BODY_MAX_BYTES);
}

enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *upload_data,
                               size_t *upload_data_size, void **context) {
        struct connection *connection = *context;
        struct request *request;
        struct error err;
        char allow[ALLOW_MAX_BYTES] = "";

        (void)cls;
        (void)mhd;
        if (!connection)
                return MHD_NO;
        request = connection->request;
        if (!request) {
                connection_head_complete(connection);
                request = connection->request = request_new(connection);
                return request ? begin(request, version) : MHD_NO;
        }
        if (*upload_data_size > 0) {
                if (!keep_body(request, url, method, upload_data, *upload_data_size))
                        return MHD_NO;
                *upload_data_size = 0;
                if (request->body_bytes <= BODY_DRAIN_MAX_BYTES)
                        return MHD_YES;
                body_too_large(&err);
                (void)request_refuse(request, &err);
                return close_quietly(request);
        }
        if (request->gone)
                return close_quietly(request);
        if (request->route)
                return answer(request);
        if (request->body_bytes > BODY_MAX_BYTES) {
                body_too_large(&err);
                return refuse(request, &err, NULL, true);
        }
        if (check(request, method, url, allow, &err) < 0)
                return refuse(request, &err, allow[0] ? allow : NULL, false);
        return answer(request);
}
