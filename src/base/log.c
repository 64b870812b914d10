#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One write of at most this many bytes into a pipe is whole or not at all, and poll() says when it
 * fits. */
#define LINE_MAX_BYTES 2048

static bool to_journal;

void log_use_journal(bool journal) {
        to_journal = journal;
}

static void write_stderr(const char *line, size_t length) {
        struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

        if (poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT))
                (void)!write(STDERR_FILENO, line, length);
}

/* The journal's native protocol: sd_journal_send() would block the loop while journald is
 * stopped. */
static void write_journal(enum log_level level, const char *text) {
        struct sockaddr_un address = { .sun_family = AF_UNIX,
                                       .sun_path = "/run/systemd/journal/socket" };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        char entry[LINE_MAX_BYTES + 128];
        int n = snprintf(entry, sizeof(entry),
                         "PRIORITY=%d\nSYSLOG_IDENTIFIER=forge-brokerd\nMESSAGE=%s\n", (int)level,
                         text);

        if (fd >= 0 && n > 0 && (size_t)n < sizeof(entry))
                (void)sendto(fd, entry, (size_t)n, MSG_NOSIGNAL, (const struct sockaddr *)&address,
                             sizeof(address));
}

void log_message(enum log_level level, const char *format, ...) {
        char line[LINE_MAX_BYTES];
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(line, sizeof(line) - 1, format, args);
        va_end(args);
        if (n < 0)
                return;
        if ((size_t)n > sizeof(line) - 2)
                n = (int)sizeof(line) - 2;
        if (to_journal) {
                write_journal(level, line);
                return;
        }
        line[n] = '\n';
        write_stderr(line, (size_t)n + 1);
}
