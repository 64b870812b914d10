/*
 * The real server on a real listening socket, a fake broker behind it, and clients in the same
 * thread.
 *
 * Everything waits by turning the loop until what is awaited is there, at most PATIENCE.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/server_internal.h"
#include "test-server-fake.h"

#define PATIENCE (10 * USEC_PER_SEC)

struct harness {
        sd_event *event;
        struct broker broker;
        struct server *server;
        char directory[64], path[96], control_path[96];
};

/** harness_start() - with a control socket beside the jobs' one if @with_control */
struct harness *harness_start(const struct server_limits *limits, bool with_control);
void harness_stop(struct harness *harness);

/** harness_turn() - lets the loop run for what is there now, or until @timeout */
void harness_turn(struct harness *harness, usec_t timeout);

int harness_connect(struct harness *harness);
int harness_connect_to(const char *path);

/** harness_send() - writes all of it, turning the loop; false if the server has closed */
bool harness_send(struct harness *harness, int fd, const void *bytes, size_t length);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/** harness_send_text() - on a connection of its own, which is returned */
int harness_send_text(struct harness *harness, const char *text);

struct answer {
        char text[256 * 1024]; /* head and body as received, NUL-terminated */
        size_t length;
        bool closed;      /* the server closed the connection */
        int status;       /* 0: there is no complete answer */
        const char *body; /* "" without one */
        size_t total;     /* bytes of the first answer, head and body */
};

/** harness_receive() - until one whole answer is there, the server closes, or @timeout has
 * passed */
void harness_receive(struct harness *harness, int fd, usec_t timeout, struct answer *ret);

/** harness_ask() - one request on a connection of its own; @request may be "GET /path" or a whole
 * request */
void harness_ask(struct harness *harness, const char *request, struct answer *ret);

/** answer_header() - the value of a header, in a static buffer, or NULL */
const char *answer_header(const struct answer *answer, const char *name);

/** harness_wait_until() - turns the loop until @done says so; false after PATIENCE */
bool harness_wait_until(struct harness *harness, bool (*done)(struct harness *harness));
