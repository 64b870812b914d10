/*
 * forge-broker/relay: for jobs that run on the host itself, as their runner's user.  sudo runs it
 * as root.
 *
 * It copies one request of a job from its standard input to the broker's socket, and the answer to
 * its standard output. It takes no argument, reads no file, no setting and of its environment only
 * SUDO_UID, and runs nothing.  Being root is needed for one connect(); once that is done, and
 * before the first byte from outside is read, the kernel holds it to read(), write() and its end
 * (seccomp's strict mode).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "relay/job_request.h"

#define SOCKET "/run/forge-broker/broker.sock"
/* of everything: the broker answers within its request_timeout, 10 s by default */
#define DEADLINE_SECONDS 60
/* what the client takes; an issuance has less than 2 KiB */
#define ANSWER_MAX (256 * 1024)

#ifndef SECCOMP_MODE_STRICT
#define SECCOMP_MODE_STRICT 1 /* of linux/seccomp.h, which musl's compiler does not find */
#endif

/* 1 is what sudo says when it does not run this program. */
enum { RELAY_DONE = 0, RELAY_FAILED = 3, RELAY_NO_ANSWER = 4 };

/* Requests carry proofs and answers tokens: in locked pages that no core dump has. */
static struct {
        char request[JOB_REQUEST_MAX], head[JOB_REQUEST_HEAD_MAX + 256], answer[16 * 1024];
} pages __attribute__((aligned(4096)));

/* exit_group() and what exit() does before are no longer allowed. */
__attribute__((noreturn)) static void finish(int status) {
        explicit_bzero(&pages, sizeof(pages));
        for (;;)
                (void)syscall(SYS_exit, status);
}

static bool write_all(int fd, const char *bytes, size_t length) {
        while (length > 0) {
                ssize_t n = write(fd, bytes, length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                bytes += n;
                length -= (size_t)n;
        }
        return true;
}

static int complain(const char *what, const char *why) {
        char line[256] = "";
        size_t used = 0;

        (void)text_append(line, sizeof(line) - 1, &used, "forge-broker-relay: %s%s", what, why);
        line[used] = '\n';
        (void)write_all(STDERR_FILENO, line, used + 1);
        return RELAY_FAILED;
}

static void on_deadline(int number) {
        (void)number;
        finish(complain("the request and its answer took more than a minute", ""));
}

static bool read_uid(const char *text, unsigned *ret) {
        unsigned long long number = 0;

        if (!text || !*text || strlen(text) > 10)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                number = number * 10 + (unsigned)(*text - '0');
        }
        *ret = (unsigned)number;
        return number < 0xffffffff; /* (uid_t)-1 is nobody at all */
}

/* With the first three closed the socket would take the place of one of them. */
static bool prepare(void) {
        static const struct rlimit none = { 0, 0 };
        const struct sigaction ignore = { .sa_handler = SIG_IGN },
                               deadline = { .sa_handler = on_deadline };
        sigset_t nothing;

        (void)sigemptyset(&nothing);
        if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) < 0 ||
            sigaction(SIGPIPE, &ignore, NULL) < 0 || sigaction(SIGALRM, &deadline, NULL) < 0 ||
            sigprocmask(SIG_SETMASK, &nothing, NULL) < 0)
                return false;
        (void)alarm(DEADLINE_SECONDS);
        (void)mlock(&pages, sizeof(pages));
        (void)madvise(&pages, sizeof(pages), MADV_DONTDUMP);
        return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
               prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

/* The socket, or -1 and errno. */
static int connect_broker(void) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
                (void)close(fd);
                fd = -1;
        }
        return fd;
}

/* Return: RELAY_DONE, or RELAY_FAILED after a word on why. */
static int read_request(struct job_request *ret) {
        const char *why = NULL;
        size_t used = 0;

        for (;;) {
                ssize_t n = read(STDIN_FILENO, pages.request + used, sizeof(pages.request) - used);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return complain("the request is cut off", "");
                used += (size_t)n;
                r = job_request_parse(pages.request, used, ret, &why);
                if (r == JOB_REQUEST_DONE)
                        return RELAY_DONE;
                if (r < 0)
                        return complain("this request is not passed on: ", why);
        }
}

static int copy_answer(int fd) {
        size_t total = 0;

        for (;;) {
                ssize_t n = read(fd, pages.answer, sizeof(pages.answer));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0 && total == 0)
                        return RELAY_NO_ANSWER;
                if (n < 0)
                        return complain(
                            "the connection to the broker broke in the middle of its answer", "");
                if (n == 0)
                        return RELAY_DONE;
                total += (size_t)n;
                if (total > ANSWER_MAX)
                        return complain("the broker's answer is too large", "");
                if (!write_all(STDOUT_FILENO, pages.answer, (size_t)n))
                        return RELAY_FAILED;
        }
}

static int relay(int fd, unsigned uid) {
        struct job_request request;
        size_t length = 0;
        int r;

        r = read_request(&request);
        if (r != RELAY_DONE)
                return r;
        if (!job_request_write_head(pages.request, &request, uid, pages.head, sizeof(pages.head),
                                    &length))
                return complain("this request is not passed on: its head is too large", "");
        /* A broker that does not want the rest of it may have answered all the same. */
        if (write_all(fd, pages.head, length))
                (void)write_all(fd, pages.request + request.head, request.body);
        return copy_answer(fd);
}

int main(int argc, char **argv) {
        unsigned uid;
        int fd;

        (void)argv;
        if (argc != 1)
                return complain("it takes no arguments", "");
        if (!read_uid(getenv("SUDO_UID"), &uid))
                return complain("sudo runs this, and says in SUDO_UID for whom", "");
        for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
                if (fcntl(standard, F_GETFD) < 0)
                        return RELAY_FAILED;
        if (!prepare())
                return complain("cannot shut itself in: ", strerror(errno));
        fd = connect_broker();
        if (fd < 0)
                return complain("cannot connect to " SOCKET ": ", strerror(errno));
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) < 0)
                return complain("cannot shut itself in: ", strerror(errno));
        finish(relay(fd, uid));
}
