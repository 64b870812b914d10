#include "job/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/text.h"

static int failed(const char *what, const char *path, const char *why, struct failure *failure) {
        return failure_set(failure, EXIT_UNMET, "cannot %s %s: %s", what, path, why);
}

static int read_all(int fd, const char *path, off_t size, struct locked_buffer *text,
                    struct failure *failure) {
        if (!locked_buffer_reserve(text, (size_t)size + 1))
                return failed("read", path, "out of memory", failure);
        for (;;) {
                ssize_t n = read(fd, text->bytes + text->used, (size_t)size + 1 - text->used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return failed("read", path, strerror(errno), failure);
                if (n == 0)
                        return 0;
                text->used += (size_t)n;
                if (text->used > (size_t)size)
                        return failed("read", path, "it is being written", failure);
        }
}

/* The file that a link leads to is the one to replace. */
static int resolve(const char *path, char resolved[static PRIVATE_PATH_MAX],
                   struct failure *failure) {
        _cleanup_(freep) char *real = realpath(path, NULL);
        size_t used = 0;

        if (!real && errno != ENOENT)
                return failed("read", path, strerror(errno), failure);
        resolved[0] = '\0';
        if (!text_append(resolved, PRIVATE_PATH_MAX, &used, "%s", real ? real : path))
                return failed("read", path, strerror(ENAMETOOLONG), failure);
        return 0;
}

int private_file_read(const char *path, struct private_file *ret, struct locked_buffer *text,
                      struct failure *failure) {
        _cleanup_(closep) int fd = -1;
        struct stat st;
        int r;

        *ret = (struct private_file){ 0 };
        r = resolve(path, ret->path, failure);
        if (r < 0)
                return r;
        fd = open(ret->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return failed("read", path, strerror(errno), failure);
        if (!S_ISREG(st.st_mode))
                return failed("read", path, "it is not a regular file", failure);
        if (st.st_size > PRIVATE_FILE_MAX)
                return failed("read", path, "it is larger than 1 MiB", failure);
        ret->exists = true;
        ret->mode = st.st_mode & 0777;
        ret->uid = st.st_uid;
        ret->gid = st.st_gid;
        return read_all(fd, path, st.st_size, text, failure);
}

static int write_all(int fd, const struct locked_buffer *text) {
        for (size_t done = 0; done < text->used;) {
                ssize_t n = write(fd, text->bytes + done, text->used - done);

                if (n < 0 && errno != EINTR)
                        return -1;
                done += n > 0 ? (size_t)n : 0;
        }
        return fsync(fd);
}

/* 0700, and only the last one: a home directory that is missing is somebody's mistake. */
static int make_directory(const char *path, struct failure *failure) {
        char directory[PRIVATE_PATH_MAX] = "", *slash;
        size_t used = 0;

        (void)text_append(directory, sizeof(directory), &used, "%s", path);
        slash = strrchr(directory, '/');
        if (!slash || slash == directory)
                return 0;
        *slash = '\0';
        if (mkdir(directory, 0700) < 0 && errno != EEXIST)
                return failed("make the directory", directory, strerror(errno), failure);
        return 0;
}

static int write_beside(const struct private_file *file, const char *beside,
                        const struct locked_buffer *text) {
        _cleanup_(closep) int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0)
                return -1;
        /* Another owner than ours can be kept by root alone; what is written is readable by nobody
         * else until then. */
        if (file->exists && (file->uid != geteuid() || file->gid != getegid()) &&
            fchown(fd, file->uid, file->gid) < 0 && geteuid() == 0)
                return -1;
        if (file->exists && fchmod(fd, file->mode) < 0)
                return -1;
        return write_all(fd, text);
}

int private_file_replace(const struct private_file *file, const struct locked_buffer *text,
                         struct failure *failure) {
        char beside[PRIVATE_PATH_MAX + 32] = "";
        size_t used = 0;
        uint64_t random;
        int r;

        r = make_directory(file->path, failure);
        if (r < 0)
                return r;
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return failed("write", file->path, strerror(errno), failure);
        (void)text_append(beside, sizeof(beside), &used, "%s.%016llx", file->path,
                          (unsigned long long)random);
        if (write_beside(file, beside, text) < 0 || rename(beside, file->path) < 0) {
                int saved = errno;

                (void)unlink(beside);
                return failed("write", file->path, strerror(saved), failure);
        }
        return 0;
}
