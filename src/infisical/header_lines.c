#include "infisical/header_lines.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 60

/* One header is one line of a request that holds a credential already; net/http bounds the
 * whole. */
#define VALUE_MAX_BYTES 4096

static bool is_ours(const char *name, size_t length) {
        static const char *const ours[] = { "host",
                                            "authorization",
                                            "content-length",
                                            "content-type",
                                            "accept",
                                            "accept-encoding",
                                            "user-agent",
                                            "if-none-match",
                                            "connection",
                                            "transfer-encoding",
                                            "te",
                                            "trailer",
                                            "upgrade",
                                            "expect" };

        for (size_t i = 0; i < ELEMENTS(ours); i++)
                if (strlen(ours[i]) == length && strncasecmp(name, ours[i], length) == 0)
                        return true;
        return length >= 6 && strncasecmp(name, "proxy-", 6) == 0;
}

static bool is_token_byte(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

/* A line without the blanks at its ends. */
static bool check_line(const char *line, size_t length) {
        const char *colon = memchr(line, ':', length);
        size_t name, value;

        if (!colon)
                return false;
        name = (size_t)(colon - line);
        if (name == 0 || name > NAME_MAX_BYTES || is_ours(line, name))
                return false;
        for (size_t i = 0; i < name; i++)
                if (!is_token_byte(line[i]))
                        return false;
        value = name + 1;
        while (value < length && (line[value] == ' ' || line[value] == '\t'))
                value++;
        if (value == length || length - value > VALUE_MAX_BYTES)
                return false;
        for (size_t i = value; i < length; i++)
                if (line[i] < 0x20 || line[i] > 0x7e)
                        return false;
        return true;
}

int header_lines_check(const char *text, size_t length, struct secret **ret, unsigned *ret_line) {
        _cleanup_(secret_unrefp) struct secret *lines = secret_new(length + 1);
        const char *end = text + length;
        unsigned count = 0, number = 0;

        if (!lines)
                return -ENOMEM;
        while (text < end) {
                const char *stop = memchr(text, '\n', (size_t)(end - text)), *next;
                const char *first = text, *last;

                next = stop ? stop + 1 : end;
                last = stop ? stop : end;
                text = next;
                number++;
                while (first < last && is_blank(*first))
                        first++;
                while (last > first && is_blank(last[-1]))
                        last--;
                if (first == last || *first == '#')
                        continue;
                *ret_line = number;
                if (++count > HEADER_LINES_MAX || !check_line(first, (size_t)(last - first)))
                        return -EINVAL;
                if (!secret_append(lines, first, (size_t)(last - first)) ||
                    !secret_append(lines, "\n", 1))
                        return -ENOMEM;
        }
        *ret_line = 0;
        if (count == 0)
                return -EINVAL;
        *ret = take(lines);
        return 0;
}
