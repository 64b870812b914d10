#include "job/netrc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "job/locked_buffer.h"

#define NETRC_MAX (128 * 1024)

struct word {
        const char *text;
        size_t length;
        unsigned line;
};

/* Words are separated by white space; comments begin with '#' where a word may begin. */
static bool next_word(const char **at, const char *end, unsigned *line, struct word *ret) {
        while (*at < end) {
                const char *begin;

                if (**at == '\n')
                        ++*line;
                if (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n') {
                        ++*at;
                        continue;
                }
                if (**at == '#') {
                        while (*at < end && **at != '\n')
                                ++*at;
                        continue;
                }
                begin = *at;
                while (*at < end && !strchr(" \t\r\n", **at) && **at)
                        ++*at;
                if (*at < end && **at == '\0')
                        ++*at;
                *ret = (struct word){ begin, (size_t)(*at - begin), *line };
                return true;
        }
        return false;
}

static bool is_word(const struct word *word, const char *text) {
        return word->length == strlen(text) && strncasecmp(word->text, text, word->length) == 0;
}

bool netrc_parse(const char *text, size_t length, const char *host, struct netrc_entry *ret) {
        const char *at = text, *end = text + length;
        bool inside = false;
        unsigned line = 1;
        struct word word;

        *ret = (struct netrc_entry){ 0 };
        while (next_word(&at, end, &line, &word)) {
                if (is_word(&word, "machine") || is_word(&word, "default")) {
                        bool is_default = is_word(&word, "default");

                        if (inside)
                                return true; /* the first that fits is the one */
                        ret->line = word.line;
                        inside = is_default ||
                                 (next_word(&at, end, &line, &word) && is_word(&word, host));
                } else if (is_word(&word, "login")) {
                        if (next_word(&at, end, &line, &word) && inside)
                                (void)text_clean(ret->login, sizeof(ret->login), word.text,
                                                 word.length);
                } else if (is_word(&word, "password") || is_word(&word, "account")) {
                        (void)next_word(&at, end, &line, &word);
                }
        }
        return inside;
}

bool netrc_find(const char *host, struct netrc_entry *ret) {
        _cleanup_(locked_buffer_done) struct locked_buffer text = { 0 };
        _cleanup_(closep) int fd = -1;
        const char *home = getenv("HOME");
        char path[PATH_MAX];

        if (!home || !*home || snprintf(path, sizeof(path), "%s/.netrc", home) >= (int)sizeof(path))
                return false;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || !locked_buffer_reserve(&text, NETRC_MAX))
                return false;
        while (text.used < text.size) {
                ssize_t n = read(fd, text.bytes + text.used, text.size - text.used);

                if (n <= 0)
                        break;
                text.used += (size_t)n;
        }
        if (!netrc_parse(text.bytes, text.used, host, ret))
                return false;
        (void)text_clean(ret->path, sizeof(ret->path), path, strlen(path));
        return true;
}
