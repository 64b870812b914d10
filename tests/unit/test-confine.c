/*
 * What is given up is gone, and what is kept goes on.  Each in a process of its own: it is for
 * good.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/confine.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#define HAS_NO_LANDLOCK 77

static char directory[] = "/tmp/test-confine.XXXXXX";

static int in_child(int (*what)(void)) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(what());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int changes_nothing(void) {
        char new[64], old[64], *arguments[] = { old, NULL };
        int open_before, pair[2];

        (void)snprintf(new, sizeof(new), "%s/new", directory);
        (void)snprintf(old, sizeof(old), "%s/old", directory);
        if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
                return HAS_NO_LANDLOCK;
        open_before = open(old, O_WRONLY | O_APPEND | O_CLOEXEC);
        confine_to_asking();
        if (open(new, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EACCES)
                return 1;
        if (open(old, O_WRONLY | O_CLOEXEC) >= 0 || errno != EACCES)
                return 2;
        if (unlink(old) == 0 || mkdir(new, 0700) == 0 || symlink("x", new) == 0 ||
            mkfifo(new, 0600) == 0)
                return 3;
        (void)execv(old, arguments);
        if (errno != EACCES)
                return 4;
        if (write(open_before, "x", 1) != 1 || open(old, O_RDONLY | O_CLOEXEC) < 0 ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return 5;
        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 6;
}

static int is_no_longer_almighty(void) {
        char path[64];

        (void)snprintf(path, sizeof(path), "%s/others", directory);
        if (open(path, O_RDONLY | O_CLOEXEC) < 0)
                return 1;
        confine_drop_capabilities();
        return open(path, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES && setuid(65534) < 0 ? 0 : 2;
}

static void no_file_is_changed_and_no_program_run(void **state) {
        int status = in_child(changes_nothing);

        (void)state;
        if (status == HAS_NO_LANDLOCK)
                skip();
        assert_int_equal(status, 0);
}

static void root_is_a_user_like_any(void **state) {
        (void)state;
        if (geteuid() != 0)
                skip();
        assert_int_equal(in_child(is_no_longer_almighty), 0);
}

static void make(const char *name, mode_t mode, uid_t owner) {
        char path[64];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
        assert_true(fd >= 0);
        if (geteuid() == 0)
                assert_int_equal(fchown(fd, owner, (gid_t)owner), 0);
        (void)close(fd);
}

static int set_up(void **state) {
        (void)state;
        assert_non_null(mkdtemp(directory));
        make("old", 0700, geteuid());
        make("others", 0600, 65534);
        return 0;
}

static int tear_down(void **state) {
        static const char *const names[] = { "old", "others" };
        char path[64];

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
                (void)unlink(path);
        }
        return rmdir(directory);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_file_is_changed_and_no_program_run),
                cmocka_unit_test(root_is_a_user_like_any),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
