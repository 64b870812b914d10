#include "ctl/status_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "ctl/commands.h"
#include "ctl/control.h"
#include "ctl/status_table.h"

/* xterm and everything after it: the other screen, so that what was there comes back. */
static const char enter[] = "\033[?1049h\033[?25l", leave[] = "\033[?25h\033[?1049l";
static const char home[] = "\033[H", clear_line[] = "\033[K", clear_rest[] = "\033[J";

struct screen {
        unsigned short rows, columns;
};

static void put(const char *bytes, size_t length) {
        while (length > 0) {
                ssize_t n = write(STDOUT_FILENO, bytes, length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return;
                bytes += n;
                length -= (size_t)n;
        }
}

static struct screen screen_size(void) {
        struct winsize size = { 0 };

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
                return (struct screen){ 24, 80 };
        return (struct screen){ size.ws_row, size.ws_col };
}

/* How many bytes of a line fit: a UTF-8 sequence counts as one column. */
static size_t fitting(const char *line, size_t length, unsigned columns) {
        size_t used = 0;

        while (used < length) {
                size_t next = used + 1;

                while (next < length && ((unsigned char)line[next] & 0xc0) == 0x80)
                        next++;
                if (columns-- == 0)
                        break;
                used = next;
        }
        return used;
}

/* One write for all of it: each line is overwritten where it stands, and only what is behind it is
 * cleared. */
static void draw(const char *text, size_t length) {
        struct screen screen = screen_size();
        _cleanup_(freep) char *frame = NULL;
        const char *end = text + length;
        size_t size = 0;
        unsigned row = 0;
        FILE *out = open_memstream(&frame, &size);

        if (!out)
                return;
        (void)fputs(home, out);
        while (text < end && row < screen.rows) {
                const char *newline = memchr(text, '\n', (size_t)(end - text));
                size_t line = newline ? (size_t)(newline - text) : (size_t)(end - text);

                (void)fprintf(out, "%s%.*s%s", row > 0 ? "\r\n" : "",
                              (int)fitting(text, line, screen.columns), text, clear_line);
                text += line + 1;
                row++;
        }
        (void)fputs(clear_rest, out);
        if (fclose(out) == 0)
                put(frame, size);
}

static int look(const char *socket, usec_t interval) {
        _cleanup_(freep) char *text = NULL;
        char now[CLOCK_TEXT_MAX], span[CLOCK_TEXT_MAX];
        struct control_answer answer = { 0 };
        struct error err = { 0 };
        int status = STATUS_NOT_RUNNING;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return status;
        (void)fprintf(out, "%s, every %s; Ctrl-C ends this\n\n",
                      clock_format(clock_realtime(), now), clock_format_span(interval, span));
        if (control_request(socket, "GET", "/v1/status", &answer, &err) != CONTROL_ANSWERED) {
                (void)fprintf(out, "not running: %s\nremedy: %s\n", err.detail, error_remedy(&err));
        } else if (answer.status != 200 || !json_is_object(answer.body)) {
                (void)fprintf(out, "the daemon answered %ld\n", answer.status);
        } else {
                status_print(answer.body, out);
                status = status_is_degraded(answer.body) ? STATUS_DEGRADED : EXIT_DONE;
        }
        json_decref(answer.body);
        if (fclose(out) == 0)
                draw(text, size);
        return status;
}

/* False when a signal says that it is enough. */
static bool wait_for_next(int signals, usec_t interval) {
        struct pollfd ready = { .fd = signals, .events = POLLIN };
        struct signalfd_siginfo info;

        if (poll(&ready, 1, (int)(interval / USEC_PER_MSEC)) <= 0)
                return true;
        if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
                return true;
        return info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT;
}

int status_watch(const char *socket, usec_t interval) {
        _cleanup_(closep) int signals = -1;
        sigset_t mask, before;
        int status;

        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGINT);
        (void)sigaddset(&mask, SIGTERM);
        (void)sigaddset(&mask, SIGHUP);
        (void)sigaddset(&mask, SIGQUIT);
        (void)sigaddset(&mask, SIGWINCH);
        (void)sigaddset(&mask, SIGCONT);
        (void)sigprocmask(SIG_BLOCK, &mask, &before);
        signals = signalfd(-1, &mask, SFD_CLOEXEC);
        if (signals < 0) {
                perror("forge-brokerctl: signalfd");
                return STATUS_NOT_RUNNING;
        }
        put(enter, strlen(enter));
        do
                status = look(socket, interval);
        while (wait_for_next(signals, interval));
        put(leave, strlen(leave));
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return status;
}
