#include "infisical/lockout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SECOND_TRY (60 * USEC_PER_SEC)
#define LATER_TRY  (10 * USEC_PER_MIN)
#define FILE_MAX   128
#define PATH_BYTES 128

usec_t lockout_wait(const struct lockout *lockout, const char *print, usec_t now) {
        usec_t pause, left;

        if (lockout->rejections == 0 || strcmp(lockout->print, print) != 0)
                return 0;
        pause = lockout->rejections == 1 ? SECOND_TRY : LATER_TRY;
        left = usec_sub(usec_add(lockout->last_at, pause), now);
        /* a clock that was set back costs one pause, not a year */
        return left < pause ? left : pause;
}

void lockout_attempt(struct lockout *lockout, const char *print, usec_t now) {
        if (strcmp(lockout->print, print) != 0) {
                *lockout = (struct lockout){ 0 };
                (void)snprintf(lockout->print, sizeof(lockout->print), "%s", print);
        }
        if (lockout->rejections < 1000)
                lockout->rejections++;
        lockout->last_at = now;
}

void lockout_undo(struct lockout *lockout) {
        if (lockout->rejections > 0)
                lockout->rejections--;
}

void lockout_worked(struct lockout *lockout) {
        lockout->rejections = 0;
}

bool lockout_parse(struct lockout *lockout, const char *text) {
        char print[FINGERPRINT_MAX];
        unsigned rejections;
        uint64_t seconds;
        int end = 0;

        if (sscanf(text, "1 %8[0-9a-f] %4u %10" SCNu64 "\n%n", print, &rejections, &seconds,
                   &end) != 3 ||
            end == 0 || text[end - 1] != '\n' || text[end] != '\0' ||
            strlen(print) != FINGERPRINT_MAX - 1 || rejections > 1000)
                return false;
        memcpy(lockout->print, print, sizeof(print));
        lockout->rejections = rejections;
        lockout->last_at = seconds * USEC_PER_SEC;
        return true;
}

static void file_name(char path[static PATH_BYTES], const char *identity, const char *suffix) {
        (void)snprintf(path, PATH_BYTES, "login-%s.state%s", identity, suffix);
}

void lockout_load(struct lockout *lockout, const char *directory, const char *identity) {
        _cleanup_(closep) int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = -1;
        char path[PATH_BYTES], text[FILE_MAX];
        ssize_t n;

        *lockout = (struct lockout){ 0 };
        file_name(path, identity, "");
        if (dir >= 0)
                fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
        if (n <= 0)
                return;
        text[n] = '\0';
        (void)lockout_parse(lockout, text);
}

int lockout_store(const struct lockout *lockout, const char *directory, const char *identity,
                  struct error *err) {
        _cleanup_(closep) int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = -1;
        char path[PATH_BYTES], temporary[PATH_BYTES], text[FILE_MAX];
        int n;

        file_name(path, identity, "");
        file_name(temporary, identity, ".new");
        n = snprintf(text, sizeof(text), "1 %s %u %" PRIu64 "\n", lockout->print,
                     lockout->rejections, lockout->last_at / USEC_PER_SEC);
        if (dir >= 0)
                fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                            0600);
        /* No fsync(): what counts is a daemon that dies, not a host; a login must not wait for a
         * disk. */
        if (fd >= 0 && write(fd, text, (size_t)n) == n && renameat(dir, temporary, dir, path) == 0)
                return 0;
        (void)error_set(err, DIAG_INTERNAL_ERROR, "%s/%s: %s", directory, path, strerror(errno));
        error_remedy_set(err,
                         "Make room on the disk of %s and let the daemon's user write there: a "
                         "login is only tried when "
                         "its count can be kept.",
                         directory);
        return -(int)DIAG_INTERNAL_ERROR;
}
