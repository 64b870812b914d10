#include "test-http-server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct test_server_shared *test_server_shared;
static pid_t server = -1;

void test_server_send(int fd, const char *text) {
        size_t length = strlen(text);

        while (length > 0) {
                ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

                if (n <= 0)
                        _exit(0);
                text += n;
                length -= (size_t)n;
        }
}

static void serve(int fd, void (*answer)(int fd, const char *head)) {
        static char head[65536];
        size_t used = 0;

        while (!strstr(head, "\r\n\r\n")) {
                ssize_t n = recv(fd, head + used, sizeof(head) - 1 - used, 0);

                if (n <= 0)
                        _exit(0);
                used += (size_t)n;
                head[used] = '\0';
        }
        answer(fd, head);
        (void)shutdown(fd, SHUT_WR);
        while (recv(fd, head, sizeof(head), 0) > 0)
                ;
        _exit(0);
}

static void listen_forever(int listener, void (*answer)(int fd, const char *head)) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGCHLD, SIG_IGN);
        for (;;) {
                int fd = accept(listener, NULL, NULL);

                if (fd < 0)
                        _exit(1);
                if (fork() == 0) {
                        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                        (void)close(listener);
                        serve(fd, answer);
                }
                (void)close(fd);
        }
}

int test_server_start(void (*answer)(int fd, const char *head)) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        void *shared = mmap(NULL, sizeof(*test_server_shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (listener < 0 || shared == MAP_FAILED ||
            bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 64) < 0 ||
            getsockname(listener, (struct sockaddr *)&address, &length) < 0)
                return -1;
        test_server_shared = shared;
        server = fork();
        if (server == 0)
                listen_forever(listener, answer);
        (void)close(listener);
        return server < 0 ? -1 : ntohs(address.sin_port);
}

void test_server_stop(void) {
        if (server > 0) {
                (void)kill(server, SIGKILL);
                (void)waitpid(server, NULL, 0);
        }
        server = -1;
}
