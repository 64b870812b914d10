#include "base/process.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int process_harden(struct error *err) {
        const struct rlimit none = { 0, 0 };

        if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_GET_DUMPABLE) != 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot forbid core dumps: %s",
                                 strerror(errno));
        if (setrlimit(RLIMIT_CORE, &none) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot forbid core dumps: %s",
                                 strerror(errno));
        return 0;
}

/* Tables for the worst case lie on pages of their own, which are there once they are touched; in
 * the heap they would come to lie where other things were. */
#define OWN_PAGES_BYTES (24 * 1024)

void process_spare_memory(void) {
        (void)mallopt(M_MMAP_THRESHOLD, OWN_PAGES_BYTES);
        (void)mallopt(M_ARENA_MAX, 1); /* resolver threads have no heap of their own */
}

void process_allow_descriptors(unsigned count) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= count)
                return;
        limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
}

bool process_has_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
               fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

const char *process_state_directory(void) {
        const char *directory = getenv("STATE_DIRECTORY");

        return directory && *directory ? directory : "/var/lib/forge-broker";
}
