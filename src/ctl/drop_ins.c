#include "ctl/drop_ins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct error *err, const char *path) {
        (void)error_set(err, DIAG_INTERNAL_ERROR, "%.180s: %s", path, strerror(errno));
        error_remedy_set(err, "Remove what is in the way there.");
        return -(int)DIAG_INTERNAL_ERROR;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static bool links_to(int directory, const char *name, const char *path) {
        char target[PATH_MAX];
        ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);

        if (length < 0)
                return false;
        target[length] = '\0';
        return strcmp(target, path) == 0;
}

static int link_one(int directory, const char *path, struct error *err) {
        const char *name = base_name(path);

        if (links_to(directory, name, path))
                return 0;
        if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
                return fail(err, name);
        return symlinkat(path, directory, name) < 0 ? fail(err, path) : 0;
}

/* True if @paths, words, has one that ends in this name. */
static bool is_wanted(const char *paths, const char *name) {
        size_t length = strlen(name);

        for (const char *word = paths; *word; word += strspn(word, " ")) {
                size_t word_length = strcspn(word, " ");

                if (word_length > length && word[word_length - length - 1] == '/' &&
                    memcmp(word + word_length - length, name, length) == 0)
                        return true;
                word += word_length;
        }
        return false;
}

/* Only links: what an operator puts there is a file. */
static void remove_old(int fd, const char *paths) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        DIR *directory = copy >= 0 ? fdopendir(copy) : NULL;
        const struct dirent *entry;
        struct stat st;

        if (!directory) {
                closep(&copy);
                return;
        }
        while ((entry = readdir(directory)))
                if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISLNK(st.st_mode) && !is_wanted(paths, entry->d_name))
                        (void)unlinkat(fd, entry->d_name, 0);
        (void)closedir(directory);
}

int drop_ins_mirror(const char *paths, const char *directory, struct error *err) {
        _cleanup_(freep) char *words = strdup(paths);
        _cleanup_(closep) int fd = -1;
        char *rest = NULL;

        if (!words)
                return error_oom(err);
        if (*paths && mkdir(directory, 0755) < 0 && errno != EEXIST)
                return fail(err, directory);
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return *paths || errno != ENOENT ? fail(err, directory) : 0;
        remove_old(fd, paths);
        for (const char *path = strtok_r(words, " ", &rest); path;
             path = strtok_r(NULL, " ", &rest)) {
                int r = *path == '/' ? link_one(fd, path, err) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}
