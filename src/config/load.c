/*
 * The files of a configuration: the main one, then conf.d beside it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "config/draft.h"
#include "config/ini.h"
#include "config/problems.h"

/* More drop-ins than this are a directory that was mixed up. */
#define DROP_INS_MAX 256

static const char drop_in_suffix[] = ".conf";

static void closedirp(DIR **directory) {
        if (*directory)
                (void)closedir(*directory);
}

/* Who can change the configuration decides who is asked for tokens, and who gets them. */
static bool is_trustworthy(const char *path, const struct stat *st,
                           struct config_problems *problems) {
        if ((st->st_mode & S_IWOTH) == 0)
                return true;
        config_problem_add(
            problems, path, 0,
            "anyone may write it (mode %04o); expected write permission for its owner "
            "only: chmod o-w",
            st->st_mode & 07777);
        return false;
}

static bool read_bytes(int fd, char *bytes, size_t size, size_t *ret_length) {
        size_t length = 0;

        while (length < size) {
                ssize_t n = read(fd, bytes + length, size - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return false;
                if (n == 0)
                        break;
                length += (size_t)n;
        }
        *ret_length = length;
        return true;
}

/* False if the file's text is not in the draft. */
static bool read_file(struct draft *draft, int directory, const char *name, const char *path) {
        /* Without O_NONBLOCK a FIFO would hold the daemon up before it is seen that it is none. */
        _cleanup_(closep) int fd =
            openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        /* one more, so that the parser sees that it is too large */
        const size_t size = INI_FILE_MAX_BYTES + 1;
        _cleanup_(freep) char *bytes = NULL;
        struct stat st;
        size_t length;

        if (fd < 0 || fstat(fd, &st) < 0) {
                config_problem_add(draft->problems, path, 0,
                                   "cannot be opened: %s; expected a readable file",
                                   strerror(errno));
                return false;
        }
        if (!S_ISREG(st.st_mode)) {
                config_problem_add(draft->problems, path, 0, "is not a regular file; expected one");
                return false;
        }
        if (!is_trustworthy(path, &st, draft->problems))
                return false;
        bytes = malloc(size);
        if (!bytes || !read_bytes(fd, bytes, size, &length)) {
                config_problem_add(draft->problems, path, 0, "cannot be read: %s", strerror(errno));
                return false;
        }
        draft_read(draft, path, bytes, length);
        return true;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Hidden files are the leavings of editors; anything but *.conf is a README or a file switched off
 * by renaming. */
static bool is_drop_in(const char *name) {
        size_t length = strlen(name);

        return *name != '.' && length > sizeof(drop_in_suffix) - 1 &&
               strcmp(name + length - (sizeof(drop_in_suffix) - 1), drop_in_suffix) == 0;
}

/* Return: how many names were found; *ret_complete is false after reporting that there are more. */
static size_t list_drop_ins(DIR *directory, const char *path, struct config_problems *problems,
                            char *names[static DROP_INS_MAX], bool *ret_complete) {
        const struct dirent *entry;
        size_t count = 0;

        *ret_complete = true;
        for (errno = 0; (entry = readdir(directory)); errno = 0) {
                if (!is_drop_in(entry->d_name))
                        continue;
                if (count == DROP_INS_MAX) {
                        config_problem_add(problems, path, 0,
                                           "too many drop-ins; expected at most %d", DROP_INS_MAX);
                        *ret_complete = false;
                        return count;
                }
                names[count] = strdup(entry->d_name);
                if (!names[count])
                        break;
                count++;
        }
        if (errno != 0) {
                config_problem_add(problems, path, 0, "cannot be listed: %s", strerror(errno));
                *ret_complete = false;
        }
        return count;
}

/* False if there is a drop-in whose text is not in the draft. */
static bool read_drop_ins(struct draft *draft, const char *path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
        _cleanup_(closedirp) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        char *names[DROP_INS_MAX];
        struct stat st;
        size_t count;
        bool complete;

        if (!directory) {
                if (fd >= 0)
                        (void)close(fd);
                if (errno == ENOENT)
                        return true;
                config_problem_add(draft->problems, path, 0,
                                   "cannot be opened: %s; expected a readable directory, or none",
                                   strerror(errno));
                return false;
        }
        if (fstat(fd, &st) < 0 || !is_trustworthy(path, &st, draft->problems))
                return false;
        count = list_drop_ins(directory, path, draft->problems, names, &complete);
        qsort(names, count, sizeof(names[0]), compare_names);
        for (size_t i = 0; i < count; i++) {
                _cleanup_(freep) char *name = names[i], *file = NULL;

                if (asprintf(&file, "%s/%s", path, name) < 0)
                        file = NULL;
                if (!read_file(draft, fd, name, file ? file : path))
                        complete = false;
        }
        return complete;
}

/* A CA file that is missing would be noticed at the first request only, as a TLS error. */
static void check_ca_file(const struct draft *draft, const struct section *section,
                          enum key_id id) {
        const char *path = setting_text(section, id);
        _cleanup_(closep) int fd = -1;
        struct stat st;

        if (!path)
                return;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                return;
        config_problem_add(
            draft->problems, section->settings[id].origin.file, section->settings[id].origin.line,
            "'%s' names a file that cannot be used: %s; expected certificates in PEM form",
            key_get(id)->name, fd < 0 ? strerror(errno) : "not a regular file");
}

static void check_ca_files(const struct draft *draft) {
        for (size_t i = 0; i < draft->n_sections; i++) {
                const struct section *section = draft->sections[i];

                if (section->kind == SECTION_IDENTITY)
                        check_ca_file(draft, section, IDENTITY_CA_FILE);
                else if (section->kind == SECTION_FORGE)
                        check_ca_file(draft, section, FORGE_KEY_CA_FILE);
        }
}

/* Everything that is written, checked.  NULL for lack of memory; what is wrong is in the
 * problems. */
static struct draft *load(const char *file, struct config_problems *problems) {
        _cleanup_(draft_freep) struct draft *draft = draft_new(problems);
        _cleanup_(freep) char *drop_ins = NULL;
        const char *slash = strrchr(file, '/');
        bool complete;

        if (!draft ||
            asprintf(&drop_ins, "%.*sconf.d", slash ? (int)(slash - file + 1) : 0, file) < 0) {
                drop_ins = NULL;
                return NULL;
        }
        complete = read_file(draft, AT_FDCWD, file, file);
        complete = read_drop_ins(draft, drop_ins) && complete;
        draft_finish(draft);
        /* What is wrong between sections is known only when all of them are there. */
        if (complete) {
                draft_check(draft);
                check_ca_files(draft);
        }
        return take(draft);
}

static int out_of_memory(const char *file, struct config_problems *problems) {
        config_problem_add(problems, file, 0, "not enough memory to read the configuration");
        return -1;
}

int config_load(const char *file, struct config **ret, struct config_problems *problems) {
        _cleanup_(draft_freep) struct draft *draft = load(file, problems);
        struct config *config;

        if (config_problems_any(problems))
                return -1;
        config = draft ? draft_build(draft, file) : NULL;
        if (!config)
                return out_of_memory(file, problems);
        *ret = config;
        return 0;
}

int config_describe(const char *file, config_visitor visit, void *userdata,
                    struct config_problems *problems) {
        _cleanup_(draft_freep) struct draft *draft = load(file, problems);
        _cleanup_(config_unrefp) struct config *config = NULL;

        if (config_problems_any(problems))
                return -1;
        config = draft ? draft_build(draft, file) : NULL;
        if (!config)
                return out_of_memory(file, problems);
        draft_describe(draft, config, visit, userdata);
        return 0;
}
