#include "job/git.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"

#define CONFIG_FILE_MAX (1024 * 1024)

/* git(1): options whose value is the next word. */
static const char *const with_value[] = {
        "-C",          "-c",           "--git-dir",      "--work-tree",
        "--namespace", "--config-env", "--super-prefix", "--attr-source"
};

size_t git_leading_count(char *const words[]) {
        size_t i = 0;

        while (words[i] && words[i][0] == '-') {
                bool takes = false;

                for (size_t k = 0; k < ELEMENTS(with_value); k++)
                        takes = takes || strcmp(words[i], with_value[k]) == 0;
                i += takes && words[i + 1] ? 2 : 1;
        }
        return i;
}

int git_ask(const struct git *git, const char *const words[], struct locked_buffer *answer,
            struct failure *failure) {
        const char *argv[GIT_WORDS_MAX + 2] = { "git" };
        size_t count = 1, length = 0;
        int r;

        locked_buffer_clear(answer);
        if (!locked_buffer_reserve(answer, GIT_OUTPUT_MAX))
                return failure_set(failure, EXIT_CANNOT_RUN, "out of memory");
        for (size_t i = 0; i < git->leading_count && count <= GIT_WORDS_MAX; i++)
                argv[count++] = git->leading[i];
        for (size_t i = 0; words[i] && count <= GIT_WORDS_MAX; i++)
                argv[count++] = words[i];
        if (count > GIT_WORDS_MAX)
                return failure_set(failure, EXIT_USAGE, "too many options before git's command");
        argv[count] = NULL;
        /* execvp() takes words that it does not change. */
        r = child_capture(git->inherited, (char *const *)(void *)argv, git->variables,
                          git->variable_count, answer->bytes, GIT_OUTPUT_MAX, &length, failure);
        answer->used = length;
        return r;
}

int git_entries(const struct git *git, const char *pattern, struct locked_buffer *answer,
                struct failure *failure) {
        const char *const words[] = { "config", "-z", "--show-origin", "--includes", "--get-regexp",
                                      pattern,  NULL };
        int r = git_ask(git, words, answer, failure);

        if (r < 0)
                return r;
        if (r > 1) /* 1: no such entry */
                return failure_set(
                    failure, EXIT_CANNOT_RUN,
                    "git does not take its options or cannot read its configuration: "
                    "'git config' ended with %d",
                    r);
        return 0;
}

/* "ORIGIN\0KEY\nVALUE\0".  Those without a value ("true") and with a key that no URL of ours has
 * are skipped. */
bool git_entry_next(const struct locked_buffer *answer, size_t *position, struct git_entry *ret) {
        for (;;) {
                const char *origin = answer->bytes + *position, *end = answer->bytes + answer->used,
                           *key, *newline;
                size_t key_length;

                if (origin >= end)
                        return false;
                key = origin + strlen(origin) + 1; /* the answer ends with a NUL of its own */
                if (key >= end)
                        return false;
                *position = (size_t)(key + strlen(key) + 1 - answer->bytes);
                newline = strchr(key, '\n');
                key_length = newline ? (size_t)(newline - key) : 0;
                if (!newline || key_length >= GIT_KEY_MAX)
                        continue;
                ret->origin = origin;
                ret->value = newline + 1;
                memcpy(ret->key, key, key_length);
                ret->key[key_length] = '\0';
                return true;
        }
}

void git_entry_pattern(const struct git_entry *entry, char buffer[static GIT_KEY_MAX]) {
        const char *first = strchr(entry->key, '.'), *last = strrchr(entry->key, '.');

        if (first && last > first)
                (void)snprintf(buffer, GIT_KEY_MAX, "%.*s", (int)(last - first - 1), first + 1);
        else
                buffer[0] = '\0';
}

bool git_applies(const struct git *git, const char *pattern, const char *url) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        char probe[GIT_KEY_MAX + 32];
        struct failure unused;
        const char *const words[] = { "-c", probe, "config", "--get-urlmatch", "credential.fbprobe",
                                      url,  NULL };

        if (snprintf(probe, sizeof(probe), "credential.%s.fbprobe=1", pattern) >=
            (int)sizeof(probe))
                return false;
        return git_ask(git, words, &answer, &unused) == 0 && answer.bytes[0] == '1';
}

/* Relative origins are relative to where git went: the top of the work tree. */
static void absolute_path(const struct git *git, const char *path, char *buffer, size_t size) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        const char *const top[] = { "rev-parse", "--show-toplevel", NULL };
        struct failure unused;

        if (path[0] == '/' || git_ask(git, top, &answer, &unused) != 0 || answer.bytes[0] != '/') {
                (void)snprintf(buffer, size, "%s", path);
                return;
        }
        answer.bytes[strcspn(answer.bytes, "\n")] = '\0';
        (void)snprintf(buffer, size, "%s/%s", answer.bytes, path);
}

/* "  extraheader = ..." */
static bool line_sets(const char *line, size_t length, const char *name, const char *value) {
        size_t name_length = strlen(name);

        while (length > 0 && (*line == ' ' || *line == '\t')) {
                line++;
                length--;
        }
        if (length <= name_length || strncasecmp(line, name, name_length) != 0)
                return false;
        line += name_length;
        length -= name_length;
        while (length > 0 && (*line == ' ' || *line == '\t')) {
                line++;
                length--;
        }
        return length > 0 && *line == '=' && memmem(line, length, value, strlen(value));
}

static unsigned find_line(const char *text, size_t length, const char *name, const char *value) {
        unsigned number = 0, found = 0;

        while (length > 0) {
                const char *newline = memchr(text, '\n', length);
                size_t line = newline ? (size_t)(newline - text) : length,
                       taken = line + (newline ? 1 : 0);

                number++;
                if (line_sets(text, line, name, value))
                        found = number;
                text += taken;
                length -= taken;
        }
        return found;
}

static unsigned entry_line(const char *path, const struct git_entry *entry) {
        _cleanup_(locked_buffer_done) struct locked_buffer text = { 0 };
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        const char *dot = strrchr(entry->key, '.');

        if (fd < 0 || !locked_buffer_reserve(&text, CONFIG_FILE_MAX))
                return 0;
        while (text.used < text.size) {
                ssize_t n = read(fd, text.bytes + text.used, text.size - text.used);

                if (n <= 0)
                        break;
                text.used += (size_t)n;
        }
        return find_line(text.bytes, text.used, dot ? dot + 1 : entry->key, entry->value);
}

void git_entry_place(const struct git *git, const struct git_entry *entry, char *buffer,
                     size_t size) {
        char path[PATH_MAX];
        size_t used = 0;
        unsigned line;

        buffer[0] = '\0';
        if (!text_starts_with(entry->origin, "file:")) {
                (void)text_append(buffer, size, &used, "%s",
                                  text_starts_with(entry->origin, "command line:")
                                      ? "the command line or GIT_CONFIG_ variables"
                                      : entry->origin);
                return;
        }
        absolute_path(git, entry->origin + strlen("file:"), path, sizeof(path));
        line = entry_line(path, entry);
        if (line > 0)
                (void)text_append(buffer, size, &used, "%s:%u", path, line);
        else
                (void)text_append(buffer, size, &used, "%s", path);
}
