#include "ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Nothing of the caller's environment decides what runs, or in which language it speaks. */
static char *const environment[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
                                     (char[]){ "LC_ALL=C" }, (char[]){ "SYSTEMD_COLORS=0" },
                                     (char[]){ "SYSTEMD_PAGER=" }, NULL };

static int start(const char *const *argv, int in, int out, pid_t *ret) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        char path[64];
        sigset_t none;
        int r;

        (void)snprintf(path, sizeof(path), "/usr/bin/%s", argv[0]);
        if (access(path, X_OK) < 0)
                (void)snprintf(path, sizeof(path), "/bin/%s", argv[0]);
        if (posix_spawn_file_actions_init(&actions) != 0)
                return -ENOMEM;
        if (posix_spawnattr_init(&attributes) != 0) {
                (void)posix_spawn_file_actions_destroy(&actions);
                return -ENOMEM;
        }
        (void)sigemptyset(&none);
        if (in >= 0)
                r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        else
                r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
                                                     0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawnattr_setsigmask(&attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawn(ret, path, &actions, &attributes,
                                (char *const *)(void *)(size_t)argv, environment);
        (void)posix_spawn_file_actions_destroy(&actions);
        (void)posix_spawnattr_destroy(&attributes);
        return -r;
}

/* Reads to the end.  Return: 0, -EMSGSIZE, -ETIMEDOUT, or another negative errno. */
static int drain(int fd, struct secret *output, usec_t deadline) {
        char bytes[4096];
        int r = 0;

        while (r == 0) {
                usec_t left = usec_sub(deadline, clock_monotonic());
                struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
                ssize_t n;

                if (left == 0 || poll(&poll_fd, 1, (int)(left / USEC_PER_MSEC) + 1) == 0)
                        return -ETIMEDOUT;
                n = read(fd, bytes, sizeof(bytes));
                if (n == 0)
                        break;
                if (n < 0)
                        r = errno == EINTR ? 0 : -errno;
                else if (!secret_append(output, bytes, (size_t)n))
                        r = -EMSGSIZE;
        }
        explicit_bzero(bytes, sizeof(bytes));
        return r;
}

/* A pipe with the input in it, and its end.  Return: the descriptor to read from, or a negative
 * errno. */
static int fill_pipe(const struct secret *input) {
        int ends[2], r = 0;

        if (secret_length(input) > PROGRAM_INPUT_MAX)
                return -EMSGSIZE;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        if (write(ends[1], secret_bytes(input), secret_length(input)) !=
            (ssize_t)secret_length(input))
                r = -EIO;
        (void)close(ends[1]);
        if (r == 0)
                return ends[0];
        (void)close(ends[0]);
        return r;
}

int program_run(const char *const *argv, const struct secret *input, struct secret *output,
                usec_t timeout, int *ret_status, struct error *err) {
        usec_t deadline = clock_monotonic() + timeout;
        _cleanup_(closep) int in = -1;
        int pipe_fds[2], status = 0, r;
        pid_t pid = -1;

        secret_truncate(output, 0);
        if (input) {
                in = fill_pipe(input);
                if (in < 0)
                        return error_set(err, DIAG_INTERNAL_ERROR, "%s: its input: %s", argv[0],
                                         strerror(-in));
        }
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: %s", argv[0], strerror(errno));
        r = start(argv, in, pipe_fds[1], &pid);
        (void)close(pipe_fds[1]);
        if (r == 0)
                r = drain(pipe_fds[0], output, deadline);
        (void)close(pipe_fds[0]);
        if (pid > 0 && r < 0)
                (void)kill(pid, SIGKILL);
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: %s", argv[0], strerror(-r));
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return 0;
}
