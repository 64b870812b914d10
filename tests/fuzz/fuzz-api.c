/*
 * The bytes of a client against the real server with a fake broker.
 *
 * The first byte of an input chooses the socket, the fate of a parked request, and whether the
 * client closes its writing side; the second one where the bytes are split in two; the rest is
 * sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/server_internal.h"
/* A target is one object. */
#include "../unit/test-server-fake.c"

enum {
        USE_CONTROL = 1,    /* the control socket */
        COLD_HAS_VALUE = 2, /* a parked request is woken with a value, else with an error */
        CLOSE_WRITING = 4,
        LEAVE_PARKED = 8, /* the client goes away while it is parked */
};

#define VALUE "s3cr3t-value"
/* Nothing that an answer repeats of a request looks so: its quotes would be escaped. */
#define VALUE_IN_JSON "\"token\":\"" VALUE "\""

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sd_event *event;
static struct server *server;
static struct broker broker;
static struct sockaddr_un jobs, control;
static socklen_t jobs_length = sizeof(jobs), control_length = sizeof(control);

/* An address without a file: the kernel chooses it. */
static int listen_somewhere(struct sockaddr_un *address, socklen_t *length) {
        sa_family_t family = AF_UNIX;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&family, sizeof(family)) < 0 ||
            listen(fd, 64) < 0 || getsockname(fd, (struct sockaddr *)address, length) < 0)
                abort();
        return fd;
}

static void stop(void) {
        server = server_free(server);
        event = sd_event_unref(event);
        secret_done();
}

static void start(void) {
        struct error err;

        broker.config.max_connections = 64;
        fake_fill(&broker);
        broker.config.request_timeout = 10 * USEC_PER_SEC;
        broker.value = VALUE;
        if (secret_init(/* use_memfd= */ false, &err) < 0 || sd_event_new(&event) < 0 ||
            server_new(event, &broker, listen_somewhere(&jobs, &jobs_length),
                       listen_somewhere(&control, &control_length), &server, &err) < 0)
                abort();
        (void)atexit(stop);
}

static void turn(void) {
        for (int i = 0; i < 1000; i++) {
                int r = sd_event_run(event, 0);

                if (r < 0)
                        abort();
                if (r == 0)
                        return;
        }
}

static void send_all(int fd, const uint8_t *data, size_t size) {
        while (size > 0) {
                ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

                turn();
                if (n < 0)
                        return; /* closed, or it reads no more */
                data += n;
                size -= (size_t)n;
        }
}

/* What a client sees must have been issued, once each. */
static void receive_all(int fd, unsigned issued) {
        static char text[1024 * 1024];
        size_t used = 0;
        unsigned seen = 0;
        ssize_t n;

        while ((n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0) {
                used += (size_t)n;
                turn();
        }
        text[used] = '\0';
        for (const char *p = text; (p = strstr(p, VALUE_IN_JSON)); p++)
                seen++;
        if (seen > issued)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        unsigned issued;
        size_t half;
        int fd;

        if (size < 2)
                return 0;
        if (!server)
                start();
        issued = broker.issued;
        broker.cold = COLD_WAITS;
        broker.ready = data[1] % 2 == 0;
        half = 2 + (size - 2) * data[1] / 256;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)(data[0] & USE_CONTROL ? &control : &jobs),
                              data[0] & USE_CONTROL ? control_length : jobs_length) < 0)
                abort();
        send_all(fd, data + 2, half - 2);
        turn();
        send_all(fd, data + half, size - half);
        if (data[0] & CLOSE_WRITING)
                (void)shutdown(fd, SHUT_WR);
        turn();
        if (!(data[0] & LEAVE_PARKED)) {
                broker.cold = data[0] & COLD_HAS_VALUE ? COLD_VALUE : COLD_ERROR;
                waiter_wake_all(&broker.waiters);
                turn();
                receive_all(fd, broker.issued - issued);
        }
        (void)close(fd);
        turn();
        if (broker.waiters.first || secret_in_use() > 0)
                abort();
        return 0;
}
