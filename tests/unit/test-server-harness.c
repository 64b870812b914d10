#include "test-server-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_true((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) <
                    sizeof(address.sun_path));
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 4096), 0);
        return fd;
}

struct harness *harness_start(const struct server_limits *limits, bool with_control) {
        struct harness *harness = calloc(1, sizeof(*harness));
        struct error err;

        assert_non_null(harness);
        assert_int_equal(secret_init(/* use_memfd= */ false, &err), 0);
        harness->broker.config.max_connections = 64;
        fake_fill(&harness->broker);
        harness->broker.config.request_timeout = 10 * USEC_PER_SEC;
        harness->broker.value = "s3cr3t-value";
        harness->broker.ready = true;
        (void)strcpy(harness->directory, "/tmp/test-server.XXXXXX");
        assert_non_null(mkdtemp(harness->directory));
        (void)snprintf(harness->path, sizeof(harness->path), "%s/jobs", harness->directory);
        (void)snprintf(harness->control_path, sizeof(harness->control_path), "%s/control",
                       harness->directory);
        assert_true(sd_event_new(&harness->event) >= 0);
        assert_int_equal(server_new_with_limits(
                             harness->event, &harness->broker,
                             limits ? limits : &server_limits_default, listen_at(harness->path),
                             with_control ? listen_at(harness->control_path) : -1, &harness->server,
                             &err),
                         0);
        return harness;
}

void harness_stop(struct harness *harness) {
        harness->server = server_free(harness->server);
        harness->event = sd_event_unref(harness->event);
        assert_null(harness->broker.waiters.first);
        assert_int_equal(secret_in_use(), 0);
        secret_done();
        (void)unlink(harness->path);
        (void)unlink(harness->control_path);
        (void)rmdir(harness->directory);
        free(harness);
}

void harness_turn(struct harness *harness, usec_t timeout) {
        int r;

        do {
                r = sd_event_run(harness->event, timeout);
                assert_true(r >= 0);
        } while (r > 0 && timeout == 0);
}

int harness_connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

int harness_connect(struct harness *harness) {
        return harness_connect_to(harness->path);
}

bool harness_send(struct harness *harness, int fd, const void *bytes, size_t length) {
        const char *p = bytes;
        usec_t end = clock_monotonic() + PATIENCE;

        while (length > 0) {
                ssize_t n = send(fd, p, length, MSG_NOSIGNAL);

                if (n < 0 && errno != EAGAIN)
                        return false;
                if (n < 0) {
                        assert_true(clock_monotonic() < end);
                        harness_turn(harness, USEC_PER_MSEC);
                        continue;
                }
                p += n;
                length -= (size_t)n;
        }
        return true;
}

int harness_send_text(struct harness *harness, const char *text) {
        int fd = harness_connect(harness);

        assert_true(harness_send(harness, fd, text, strlen(text)));
        return fd;
}

const char *answer_header(const struct answer *answer, const char *name) {
        static char value[1024];
        const char *line = answer->text;
        size_t length = strlen(name);

        while ((line = strstr(line, "\r\n")) && strncmp(line, "\r\n\r\n", 4) != 0) {
                line += 2;
                if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
                        (void)snprintf(value, sizeof(value), "%.*s",
                                       (int)strcspn(line + length + 2, "\r"), line + length + 2);
                        return value;
                }
        }
        return NULL;
}

static void parse(struct answer *answer) {
        char *end = strstr(answer->text, "\r\n\r\n");
        const char *length;
        size_t body;

        if (!end || sscanf(answer->text, "HTTP/1.%*d %d", &answer->status) != 1)
                return;
        length = answer_header(answer, "Content-Length");
        body = length ? strtoul(length, NULL, 10) : 0;
        answer->body = end + 4;
        answer->total = (size_t)(answer->body - answer->text) + body;
        if (answer->length < answer->total)
                answer->status = 0; /* not all of it yet */
}

void harness_receive(struct harness *harness, int fd, usec_t timeout, struct answer *ret) {
        usec_t end = clock_monotonic() + timeout;

        memset(ret, 0, offsetof(struct answer, text) + 1);
        ret->length = 0;
        ret->closed = false;
        ret->status = 0;
        ret->body = "";
        for (;;) {
                ssize_t n =
                    recv(fd, ret->text + ret->length, sizeof(ret->text) - 1 - ret->length, 0);

                if (n > 0) {
                        ret->length += (size_t)n;
                        ret->text[ret->length] = '\0';
                        parse(ret);
                        if (ret->status > 0)
                                return;
                        continue;
                }
                if (n == 0 || (n < 0 && errno != EAGAIN)) {
                        ret->closed = true;
                        return;
                }
                if (clock_monotonic() >= end)
                        return;
                harness_turn(harness, USEC_PER_MSEC);
        }
}

void harness_ask(struct harness *harness, const char *request, struct answer *ret) {
        char text[512];
        int fd = harness_connect(harness);

        if (strstr(request, "\r\n"))
                (void)harness_send(harness, fd, request, strlen(request));
        else
                (void)harness_send(harness, fd, text,
                                   (size_t)snprintf(text, sizeof(text),
                                                    "%s HTTP/1.1\r\nHost: x\r\n\r\n", request));
        harness_receive(harness, fd, PATIENCE, ret);
        (void)close(fd);
        harness_turn(harness, 0);
}

bool harness_wait_until(struct harness *harness, bool (*done)(struct harness *harness)) {
        usec_t end = clock_monotonic() + PATIENCE;

        while (!done(harness)) {
                if (clock_monotonic() >= end)
                        return false;
                harness_turn(harness, USEC_PER_MSEC);
        }
        return true;
}
