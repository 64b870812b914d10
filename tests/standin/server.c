#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "answer.h"
#include "counters.h"
#include "faults.h"
#include "limiter.h"
#include "routes.h"
#include "server.h"

#define CONNECTIONS_MAX      1024
#define CONNECTION_MEMORY    (256 * 1024)
#define THREAD_STACK_BYTES   (1024 * 1024)
#define HEADERS_MAX_BYTES    16384 /* the runtime's own limit */
#define IDLE_TIMEOUT_SECONDS 72

static enum MHD_Result add_header_size(void *cls, enum MHD_ValueKind kind, const char *name,
                                       const char *value) {
        size_t *total = cls;

        (void)kind;
        *total += strlen(name) + (value ? strlen(value) : 0) + 4;
        return MHD_YES;
}

static bool headers_too_large(struct request *r) {
        size_t total = strlen(r->target);

        (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, add_header_size, &total);
        return total > HEADERS_MAX_BYTES;
}

/* An access proxy in front: without its header everybody is sent to a login page. */
static bool stopped_by_access_proxy(struct request *r) {
        const json_t *proxy = json_object_get(r->standin->settings, "access_proxy");
        const char *value = proxy ? request_header(r, member_text(proxy, "header", "")) : NULL;

        if (!json_is_object(proxy) ||
            (value && strcmp(value, member_text(proxy, "value", "")) == 0))
                return false;
        answer_text(r, 302, "text/html", "", true);
        answer_header(r, "location", "https://login.example.test/start");
        return true;
}

static void answer_unrouted(struct request *r) {
        if (strncmp(r->path, "/api", 4) != 0 && strcmp(r->method, "GET") == 0 &&
            settings_true(r->standin, "web_ui", false))
                answer_text(r, 200, "text/html; charset=utf-8",
                            "<!DOCTYPE html><html><body><div id=\"root\"></div></body></html>",
                            false);
        else
                answer_unknown_route(r);
}

/* The order is the real server's: routing, who asks, rate limit, body, then the route's own
 * checks. */
static void answer_route(struct request *r) {
        if (!authenticate(r) || !limiter_pass(r))
                return;
        if (!r->route->identity && request_header(r, "authorization"))
                counters_add(r->standin, NULL, "authorization_on_public", 1);
        if (r->route->identity && !r->identity) {
                if (settings_generation(r->standin) == GENERATION_2024)
                        answer_error(r, 403, "Unauthorized access", "Token missing", NULL);
                else
                        answer_unauthorized(r, "Token missing");
                return;
        }
        if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0 ||
            request_parse_body(r))
                r->route->handle(r);
}

static void count(struct request *r) {
        struct standin *s = r->standin;
        _cleanup_(freep) char *route = r->route
                                           ? format_text("%s %s", r->route->method, r->route->path)
                                           : format_text("unknown");
        json_int_t in_flight;

        counters_add(s, NULL, "requests", 1);
        counters_add(s, NULL, "in_flight", 1);
        counters_add(s, "class", r->route ? r->route->class : "unknown", 1);
        counters_add(s, "route", route, 1);
        r->counted = true;
        in_flight = json_integer_value(json_object_get(s->counters, "in_flight"));
        if (in_flight > json_integer_value(json_object_get(s->counters, "max_in_flight")))
                (void)json_object_set_new(s->counters, "max_in_flight", json_integer(in_flight));
}

static bool answer_below_application(struct request *r, bool split) {
        _cleanup_(freep) char *text = NULL;

        if (headers_too_large(r)) {
                answer_text(
                    r, 431, "application/json",
                    "{\"error\":\"Request Header Fields Too Large\",\"message\":\"Exceeded maximum "
                    "allowed "
                    "HTTP header size\",\"statusCode\":431}",
                    true);
                r->answer.close = true;
                return true;
        }
        if (split)
                return stopped_by_access_proxy(r);
        text =
            format_text("{\"error\":\"Bad "
                        "Request\",\"code\":\"FST_ERR_BAD_URL\",\"message\":\"'%s' is not a valid "
                        "url component\",\"statusCode\":400}",
                        r->target);
        answer_text(r, 400, "application/json", text, true);
        return true;
}

static int connection_fd(const struct request *r) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        return info ? info->connect_fd : -1;
}

static void make_answer(struct request *r, bool split, const json_t *fault) {
        char status[16];

        if (!faults_answer(r, fault) && !answer_below_application(r, split)) {
                if (r->route)
                        answer_route(r);
                else
                        answer_unrouted(r);
        }
        (void)snprintf(status, sizeof status, "%u", r->answer.status);
        counters_add(r->standin, "status", status, 1);
        if (r->token)
                counters_add(r->standin, "token", member_text(r->token, "name", ""), 1);
}

static enum MHD_Result finish(struct request *r) {
        struct standin *s = r->standin;
        _cleanup_(json_decrefp) json_t *fault = NULL;
        enum MHD_Result result = MHD_NO;
        bool split;
        int delay;

        request_address(r);
        (void)pthread_mutex_lock(&s->lock);
        split = request_split(r);
        r->route = split ? routes_find(r) : NULL;
        count(r);
        fault = faults_take(s, r->route ? r->route->class : "unknown", &delay);
        (void)pthread_mutex_unlock(&s->lock);

        if (delay > 0 && !standin_wait(s, connection_fd(r), delay))
                return MHD_NO;
        if (fault_is(fault, "drop"))
                return MHD_NO;
        if (fault_is(fault, "hang")) {
                (void)standin_wait(s, connection_fd(r), (int)settings_number(fault, "ms", -1));
                return MHD_NO;
        }
        (void)pthread_mutex_lock(&s->lock);
        make_answer(r, split, fault);
        result = answer_send(r, fault);
        (void)pthread_mutex_unlock(&s->lock);
        return result;
}

static void *begin(void *cls, const char *target, struct MHD_Connection *connection) {
        struct request *r = request_new(cls, target);

        r->connection = connection;
        return r;
}

/* Such a body is refused before it is read. */
static bool body_announced_too_large(const struct request *r) {
        const char *length = request_header(r, "content-length");

        return length && strtoull(length, NULL, 10) > BODY_MAX_BYTES;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **con_cls) {
        struct request *r = *con_cls;

        (void)cls, (void)connection, (void)url, (void)version;
        if (!r->started) {
                r->started = true;
                r->method = format_text("%s", method);
                r->body_too_large = body_announced_too_large(r);
                return r->body_too_large ? finish(r) : MHD_YES;
        }
        if (*upload_size > 0) {
                request_append(r, upload, *upload_size);
                *upload_size = 0;
                return MHD_YES;
        }
        return finish(r);
}

static void completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                      enum MHD_RequestTerminationCode code) {
        struct standin *s = cls;
        struct request *r = *con_cls;

        (void)connection, (void)code;
        if (!r)
                return;
        (void)pthread_mutex_lock(&s->lock);
        if (r->counted)
                counters_add(s, NULL, "in_flight", -1);
        request_free(r); /* shares JSON with the state */
        (void)pthread_mutex_unlock(&s->lock);
        *con_cls = NULL;
}

static void connected(void *cls, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code) {
        struct standin *s = cls;

        (void)connection, (void)socket_context;
        if (code != MHD_CONNECTION_NOTIFY_STARTED)
                return;
        (void)pthread_mutex_lock(&s->lock);
        counters_add(s, NULL, "connections", 1);
        (void)pthread_mutex_unlock(&s->lock);
}

/* Targets are decoded by request_split(), as the real server's router does it. */
static size_t keep_encoded(void *cls, struct MHD_Connection *connection, char *text) {
        (void)cls, (void)connection;
        return strlen(text);
}

struct MHD_Daemon *server_start(struct standin *s, unsigned port, const char *certificate,
                                const char *key) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)port),
                                       .sin_addr = { htonl(INADDR_LOOPBACK) } };
        struct MHD_OptionItem tls[] = { { MHD_OPTION_HTTPS_MEM_CERT, 0,
                                          (void *)(uintptr_t)certificate },
                                        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key },
                                        { MHD_OPTION_END, 0, NULL } };
        unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                         MHD_USE_POLL | (certificate ? MHD_USE_TLS : 0);

        return MHD_start_daemon(
            flags, (uint16_t)port, NULL, NULL, handle, s, MHD_OPTION_SOCK_ADDR, &address,
            MHD_OPTION_URI_LOG_CALLBACK, begin, s, MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL,
            MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_NOTIFY_CONNECTION, connected, s,
            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
            MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
            (unsigned)IDLE_TIMEOUT_SECONDS, MHD_OPTION_ARRAY, certificate ? tls : &tls[2],
            MHD_OPTION_END);
}

unsigned server_port(struct MHD_Daemon *daemon) {
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);

        return info ? info->port : 0;
}
