/*
 * pretend WHAT COMMAND [ARGUMENT...] - runs a program in a world that is not this one, by a filter
 * of its system calls.  WHAT:
 *
 *      old-kernel  no memfd_secret(2) (ENOSYS) and no SO_PEERPIDFD (ENOPROTOOPT), as Debian 12's own 6.1
 *      dumpable    the program cannot keep the kernel from dumping its core, and believes that it did
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "old-kernel.h"

/* Error 0 is success without the call. */
static struct sock_filter dumpable[] = {
        LOAD(nr),      UNLESS(SYS_prctl, 5),       LOAD(args[0]), UNLESS(PR_SET_DUMPABLE, 1),
        ANSWER(0),     UNLESS(PR_GET_DUMPABLE, 5), ANSWER(0),     UNLESS(SYS_prlimit64, 3),
        LOAD(args[1]), UNLESS(RLIMIT_CORE, 1),     ANSWER(0),     ALLOW,
};

int main(int argc, char **argv) {
        struct sock_fprog filter = { 0 };
        struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };

        if (argc > 2 && strcmp(argv[1], "old-kernel") == 0) {
                filter.filter = old_kernel;
                filter.len = sizeof(old_kernel) / sizeof(*old_kernel);
        } else if (argc > 2 && strcmp(argv[1], "dumpable") == 0) {
                filter.filter = dumpable;
                filter.len = sizeof(dumpable) / sizeof(*dumpable);
                if (setrlimit(RLIMIT_CORE, &core) < 0)
                        return 1;
        } else {
                (void)fprintf(stderr, "usage: pretend old-kernel|dumpable COMMAND [ARGUMENT...]\n");
                return 2;
        }
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
                perror("pretend");
                return 1;
        }
        (void)execvp(argv[2], argv + 2);
        perror(argv[2]);
        return 127;
}
