/*
 * The limit: a server that reads a request's head and answers with fixed bytes, on epoll, one
 * thread, and nothing else.
 *
 *      raw-server SOCKET
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS 64

/* As long as an issuance of the broker's. */
static const char body[] = "{\"name\":\"deploy\",\"token\":\"fb-test-secret-"
                           "0123456789abcdef0123456789abcdef\",\"username\":\"deploy-bot\","
                           "\"forge\":\"home\",\"forge_type\":\"forgejo\",\"forge_url\":\"https://"
                           "git.example.org\",\"source\":"
                           "\"infisical-token-auth\",\"freshness\":\"fresh\",\"fetched_at\":\"2026-"
                           "01-01T00:00:00Z\",\"refresh_at\":"
                           "\"2026-01-01T00:05:00Z\",\"version\":7,\"fingerprint\":\"3f9a1c02\"}";

static char answer[2048];
static size_t answer_length;

static void serve(int fd) {
        char buffer[8192];
        ssize_t n = recv(fd, buffer, sizeof(buffer) - 1, 0);

        if (n <= 0) {
                (void)close(fd);
                return;
        }
        buffer[n] = '\0';
        (void)send(fd, answer, answer_length, MSG_NOSIGNAL);
        if (strstr(buffer, "Connection: close"))
                (void)close(fd);
}

int main(int argc, char **argv) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct epoll_event events[EVENTS], event = { .events = EPOLLIN };
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
            loop = epoll_create1(EPOLL_CLOEXEC);

        if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
                return 2;
        answer_length = (size_t)snprintf(
            answer, sizeof(answer),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\nContent-Length: %zu\r\n\r\n%s",
            sizeof(body) - 1, body);
        memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
        event.data.fd = listener;
        if (listener < 0 || loop < 0 ||
            bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(listener, 1024) < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event) < 0)
                return 1;
        for (;;) {
                int count = epoll_wait(loop, events, EVENTS, -1);

                for (int i = 0; i < count; i++) {
                        if (events[i].data.fd != listener) {
                                serve(events[i].data.fd);
                                continue;
                        }
                        for (int fd; (fd = accept4(listener, NULL, NULL,
                                                   SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
                                event.data.fd = fd;
                                (void)epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
                        }
                }
        }
}
