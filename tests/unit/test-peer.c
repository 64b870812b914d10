/* What the kernel says about the other end of a socket, on this kernel and as on one without
 * SO_PEERPIDFD. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../faults/old-kernel.h"
#include "broker/peer.h"

static struct cgroup_root root;

static bool kernel_has_peerpidfd(void) {
        int fds[2], pidfd = -1;
        socklen_t size = sizeof(pidfd);
        bool has;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        has = getsockopt(fds[0], SOL_SOCKET, PEERPIDFD, &pidfd, &size) == 0;
        if (has)
                (void)close(pidfd);
        (void)close(fds[0]);
        (void)close(fds[1]);
        return has;
}

static int listen_here(struct sockaddr_un *address) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        (void)snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
                       "forge-broker-test-peer-%ld", (long)getpid());
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
        assert_int_equal(listen(fd, 8), 0);
        return fd;
}

static int connect_to(const struct sockaddr_un *address) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
        return fd;
}

static void own_cgroup(struct cgroup *ret) {
        char text[8192];
        int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, text, sizeof(text));

        assert_true(n > 0);
        /* one read gives all of it */
        assert_int_equal(read(fd, text + n, sizeof(text) - (size_t)n), 0);
        (void)close(fd);
        cgroup_parse(text, (size_t)n, &root, ret);
}

static void a_peer_that_lives_is_known_and_pinned(void **state) {
        struct sockaddr_un address;
        struct cgroup mine;
        struct peer peer;
        int listener = listen_here(&address), client = connect_to(&address),
            fd = accept(listener, NULL, NULL);

        (void)state;
        own_cgroup(&mine);
        assert_int_equal(peer_read(fd, &root, &peer, NULL), 0);
        assert_int_equal(peer.uid, getuid());
        assert_int_equal(peer.gid, getgid());
        assert_int_equal(peer.pid, getpid());
        assert_true(mine.path[0] == '/');
        assert_string_equal(peer.cgroup.path, mine.path);
        assert_string_equal(peer.cgroup.unit, mine.unit);
        assert_int_equal(peer.unit_pinned, kernel_has_peerpidfd());
        (void)close(client);
        (void)close(fd);
        (void)close(listener);
}

/* Its pid may be another process' by now, so nothing is said of a cgroup. */
static void a_peer_that_is_gone_has_no_cgroup(void **state) {
        struct sockaddr_un address;
        struct peer peer;
        int listener = listen_here(&address), fd;
        pid_t child = fork();

        (void)state;
        assert_true(child >= 0);
        if (child == 0) {
                (void)connect_to(&address);
                _exit(0);
        }
        fd = accept(listener, NULL, NULL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(peer_read(fd, &root, &peer, NULL), 0);
        assert_int_equal(peer.pid, child);
        assert_string_equal(peer.cgroup.path, "");
        assert_false(peer.unit_pinned);
        (void)close(fd);
        (void)close(listener);
}

/* Ended, but its parent has not asked yet: the pid is still taken, and the connection is not its
 * any more. */
static void a_peer_that_has_ended_and_lingers_has_no_cgroup(void **state) {
        struct sockaddr_un address;
        struct peer peer;
        siginfo_t info;
        int listener = listen_here(&address), fd;
        pid_t child = fork();

        (void)state;
        assert_true(child >= 0);
        if (child == 0) {
                (void)connect_to(&address);
                _exit(0);
        }
        fd = accept(listener, NULL, NULL);
        assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(peer_read(fd, &root, &peer, NULL), 0);
        assert_string_equal(peer.cgroup.path, "");
        assert_int_equal(waitpid(child, NULL, 0), child);
        (void)close(fd);
        (void)close(listener);
}

/* The steps of the two tests below, in a process of its own: 0 or the number of the step that went
 * wrong. */
static int as_on_an_old_kernel(bool leave) {
        const struct sock_fprog filter = { .len = sizeof(old_kernel) / sizeof(*old_kernel),
                                           .filter = old_kernel };
        struct sockaddr_un address;
        struct cgroup mine;
        struct peer peer;
        int listener, client, fd;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
                return 90;
        if (kernel_has_peerpidfd())
                return 1;
        own_cgroup(&mine);
        listener = listen_here(&address);
        client = connect_to(&address);
        fd = accept(listener, NULL, NULL);
        if (leave)
                (void)close(client);
        if (peer_read(fd, &root, &peer, NULL) < 0 || peer.pid != getpid())
                return 2;
        if (peer.unit_pinned)
                return 3;
        return strcmp(peer.cgroup.path, leave ? "" : mine.path) == 0 ? 0 : 4;
}

static int run_old_kernel(bool leave) {
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
                _exit(as_on_an_old_kernel(leave));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void an_old_kernel_knows_the_cgroup_but_pins_nothing(void **state) {
        (void)state;
        assert_int_equal(run_old_kernel(false), 0);
}

static void on_an_old_kernel_who_hung_up_has_no_cgroup(void **state) {
        (void)state;
        assert_int_equal(run_old_kernel(true), 0);
}

static int setup(void **state) {
        (void)state;
        peer_root_read(&root);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_peer_that_lives_is_known_and_pinned),
                cmocka_unit_test(a_peer_that_is_gone_has_no_cgroup),
                cmocka_unit_test(a_peer_that_has_ended_and_lingers_has_no_cgroup),
                cmocka_unit_test(an_old_kernel_knows_the_cgroup_but_pins_nothing),
                cmocka_unit_test(on_an_old_kernel_who_hung_up_has_no_cgroup),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
