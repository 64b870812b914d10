#include "job/output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/text.h"

#define LINE_MAX_BYTES 1536 /* the longest is a failure's line with its prefix */

/* Writes all of it; a descriptor that a parent made non-blocking is waited for.  0 or -1 and
 * errno. */
static int write_all(int fd, struct iovec *iov, int count) {
        while (count > 0) {
                ssize_t n = writev(fd, iov, count);

                if (n < 0) {
                        struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

                        if (errno == EAGAIN)
                                (void)poll(&pollfd, 1, -1);
                        else if (errno != EINTR)
                                return -1;
                        continue;
                }
                while (count > 0 && (size_t)n >= iov->iov_len) {
                        n -= (ssize_t)iov->iov_len;
                        iov++;
                        count--;
                }
                if (count > 0) {
                        iov->iov_base = (char *)iov->iov_base + n;
                        iov->iov_len -= (size_t)n;
                }
        }
        return 0;
}

/* writev() takes what it only reads as not const. */
static struct iovec part(const char *bytes, size_t length) {
        union {
                const char *in;
                void *out;
        } pointer = { .in = bytes };

        return (struct iovec){ .iov_base = pointer.out, .iov_len = length };
}

static int output_failed(const char *where, struct failure *failure) {
        return failure_set(failure, EXIT_UNMET, "cannot write to %s: %s", where, strerror(errno));
}

int output_line(const char *bytes, size_t length, struct failure *failure) {
        struct iovec iov[] = { part(bytes, length), part("\n", 1) };

        return write_all(STDOUT_FILENO, iov, ELEMENTS(iov)) < 0
                   ? output_failed("standard output", failure)
                   : 0;
}

int output_text(const char *text, struct failure *failure) {
        struct iovec iov = part(text, strlen(text));

        return write_all(STDOUT_FILENO, &iov, 1) < 0 ? output_failed("standard output", failure)
                                                     : 0;
}

static void write_note(const char *prefix, const char *text) {
        char clean[LINE_MAX_BYTES];
        struct iovec iov[] = { part(prefix, strlen(prefix)), part(clean, 0), part("\n", 1) };

        (void)text_clean(clean, sizeof(clean), text, strlen(text));
        iov[1].iov_len = strlen(clean);
        (void)write_all(STDERR_FILENO, iov, ELEMENTS(iov));
}

void output_note(const char *format, ...) {
        char text[LINE_MAX_BYTES];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        write_note("forge-broker: ", text);
}

void output_failure(const struct failure *failure) {
        if (failure->code[0])
                output_note("%s: %s", failure->code, failure->detail);
        else
                output_note("%s", failure->detail);
        for (size_t i = 0; i < failure->line_count; i++)
                write_note("  ", failure->lines[i]);
        if (failure->known[0])
                write_note("known tokens: ", failure->known);
        if (failure->remedy[0])
                write_note("remedy: ", failure->remedy);
}

/* Escapes data of a workflow command: a runner undoes it, and a line break would end the
 * command. */
static bool append_escaped(struct locked_buffer *buffer, const char *value, size_t length) {
        for (size_t i = 0; i < length; i++) {
                const char *piece = value[i] == '%'    ? "%25"
                                    : value[i] == '\r' ? "%0D"
                                    : value[i] == '\n' ? "%0A"
                                                       : NULL;

                if (!locked_buffer_append(buffer, piece ? piece : &value[i], piece ? 3 : 1))
                        return false;
        }
        return true;
}

int output_command(const char *head, const char *data, size_t length, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer line = { 0 };
        struct iovec iov;

        if (!locked_buffer_append(&line, head, strlen(head)) ||
            !append_escaped(&line, data, length) || !locked_buffer_append(&line, "\n", 1))
                return failure_set(failure, EXIT_UNMET, "out of memory");
        iov = part(line.bytes, line.used);
        return write_all(STDERR_FILENO, &iov, 1) < 0 ? output_failed("standard error", failure) : 0;
}

int output_mask(const char *value, size_t length, struct failure *failure) {
        return output_command("::add-mask::", value, length, failure);
}
