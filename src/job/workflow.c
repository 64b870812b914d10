#include "job/workflow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/text.h"
#include "job/locked_buffer.h"
#include "job/output.h"

#define KEY_MAX_BYTES    100
#define TEXT_MAX_BYTES   1536 /* of an annotation */
#define TITLE_MAX_BYTES  64
#define DELIMITER_RANDOM 16 /* bytes: nobody guesses a line that ends the value */

bool workflow_has_commands(enum forge_env env) {
        return env == FORGE_ENV_FORGEJO || env == FORGE_ENV_GITEA || env == FORGE_ENV_GITHUB;
}

/* In a property of a command ':' and ',' are the runner's as well. */
static void append_property(char *buffer, size_t size, size_t *used, const char *text) {
        for (; *text; text++) {
                if (strchr("%:,", *text))
                        (void)text_append(buffer, size, used, "%%%02X", (unsigned char)*text);
                else
                        (void)text_append(buffer, size, used, "%c", *text);
        }
}

void workflow_annotate(enum forge_env env, enum annotation level, const char *title,
                       const char *format, ...) {
        static const char *const levels[] = { "error", "warning", "notice" };
        char text[TEXT_MAX_BYTES], clean[TEXT_MAX_BYTES], clean_title[TITLE_MAX_BYTES];
        char head[64 + 3 * TITLE_MAX_BYTES] = "";
        struct failure unused;
        size_t used = 0;
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        (void)text_clean(clean, sizeof(clean), text, strlen(text));
        if (!workflow_has_commands(env)) {
                output_note("%s: %s", levels[level], clean);
                return;
        }
        (void)text_append(head, sizeof(head), &used, "::%s title=", levels[level]);
        append_property(head, sizeof(head), &used,
                        text_clean(clean_title, sizeof(clean_title), title, strlen(title)));
        (void)text_append(head, sizeof(head), &used, "::");
        (void)output_command(head, clean, strlen(clean), &unused);
}

bool workflow_is_key(const char *key) {
        static const char letters[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-0123456789";
        size_t length = strlen(key);

        return length > 0 && length <= KEY_MAX_BYTES && strspn(key, letters) == length &&
               !strchr("-0123456789", *key);
}

bool workflow_has_outputs(void) {
        return forge_env_get("OUTPUT") != NULL;
}

static int file_failed(const char *what, const char *path, const char *why,
                       struct failure *failure) {
        (void)failure_set(failure, EXIT_UNMET, "cannot write the %s: %s: %s", what, path, why);
        failure_remedy_set(
            failure,
            "The runner makes this file for each step and names it in the environment: leave both "
            "as they are, and pass them on to containers that a step starts.");
        return -EXIT_UNMET;
}

/* Opens a file of the runner's; *ret_cut: its last line has no end yet. */
static int open_file(const char *what, const char *path, int *ret_fd, off_t *ret_size,
                     bool *ret_cut, struct failure *failure) {
        _cleanup_(closep) int fd = -1;
        struct stat st;
        char last = '\n';

        /* Not waiting for whatever else may stand there, and following no link with a value in
         * hand. */
        fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return file_failed(what, path,
                                   errno == ELOOP ? "it is a symbolic link" : strerror(errno),
                                   failure);
        if (fstat(fd, &st) < 0)
                return file_failed(what, path, strerror(errno), failure);
        if (!S_ISREG(st.st_mode))
                return file_failed(what, path, "it is not a regular file", failure);
        if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
                return file_failed(what, path, "it cannot be read", failure);
        *ret_size = st.st_size;
        *ret_cut = last != '\n';
        *ret_fd = take_fd(&fd);
        return 0;
}

static int append_record(const char *what, const char *path, const struct locked_buffer *record,
                         struct failure *failure) {
        _cleanup_(closep) int fd = -1;
        bool cut = false;
        off_t size = 0;
        int r;

        r = open_file(what, path, &fd, &size, &cut, failure);
        if (r < 0)
                return r;
        /* The record begins with a line end, left out where the file has one: empty lines are
         * errors to some runners. */
        for (size_t done = cut ? 0 : 1; done < record->used;) {
                ssize_t n = write(fd, record->bytes + done, record->used - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        const char *why = n < 0 ? strerror(errno) : "it takes no more";

                        if (ftruncate(fd, size) < 0)
                                why = "it took only a part, which could not be taken back";
                        return file_failed(what, path, why, failure);
                }
                done += (size_t)n;
        }
        return 0;
}

/* "KEY=value", or between delimiters where the value has more than one line. */
static bool append_value(struct locked_buffer *record, const char *value, size_t length) {
        char delimiter[sizeof("forge_broker_") + 2 * DELIMITER_RANDOM] = "";
        unsigned char random[DELIMITER_RANDOM];
        size_t used = 0;

        if (!memchr(value, '\n', length) && !memchr(value, '\r', length))
                return locked_buffer_append(record, "=", 1) &&
                       locked_buffer_append(record, value, length) &&
                       locked_buffer_append(record, "\n", 1);
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return false;
        (void)text_append(delimiter, sizeof(delimiter), &used, "forge_broker_");
        for (size_t i = 0; i < sizeof(random); i++)
                (void)text_append(delimiter, sizeof(delimiter), &used, "%02x", random[i]);
        return locked_buffer_append(record, "<<", 2) &&
               locked_buffer_append(record, delimiter, used) &&
               locked_buffer_append(record, "\n", 1) &&
               locked_buffer_append(record, value, length) &&
               locked_buffer_append(record, "\n", 1) &&
               locked_buffer_append(record, delimiter, used) &&
               locked_buffer_append(record, "\n", 1);
}

static int no_output(struct failure *failure) {
        (void)failure_set(failure, EXIT_UNMET, "this job has no file for step outputs");
        failure_remedy_set(failure, "Forgejo, Gitea and GitHub name one in GITHUB_OUTPUT; GitLab "
                                    "has none that is fit for a "
                                    "secret: there use 'forge-broker exec', or 'forge-broker get' "
                                    "where the value is needed.");
        return -EXIT_UNMET;
}

int workflow_check_output(struct failure *failure) {
        const char *path = forge_env_get("OUTPUT");
        _cleanup_(closep) int fd = -1;
        off_t size;
        bool cut;

        return path ? open_file("step output", path, &fd, &size, &cut, failure)
                    : no_output(failure);
}

int workflow_output(const char *key, const char *value, size_t length, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer record = { 0 };
        const char *path = forge_env_get("OUTPUT");

        if (!path)
                return no_output(failure);
        if (!locked_buffer_append(&record, "\n", 1) ||
            !locked_buffer_append(&record, key, strlen(key)) ||
            !append_value(&record, value, length))
                return failure_set(failure, EXIT_UNMET, "out of memory");
        return append_record("step output", path, &record, failure);
}

int workflow_summary(const char *text, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer record = { 0 };
        const char *path = forge_env_get("STEP_SUMMARY");

        if (!path)
                return 0;
        if (!locked_buffer_append(&record, "\n", 1) ||
            !locked_buffer_append(&record, text, strlen(text)) ||
            !locked_buffer_append(&record, "\n", 1))
                return failure_set(failure, EXIT_UNMET, "out of memory");
        return append_record("step summary", path, &record, failure);
}
