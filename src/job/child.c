#include "job/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "job/environment.h"

#define SIGNAL_STATUS 128

/* What a job's runner, or a person with kill(1), sends to the process that it started. */
static const int passed_on[] = { SIGTERM, SIGINT,  SIGHUP,   SIGQUIT,
                                 SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT };

static int cannot_run(const char *program, int error, struct failure *failure) {
        bool missing = error == ENOENT || error == ENOTDIR;
        int r;

        r = failure_set(failure, missing ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "cannot run '%s': %s",
                        program, strerror(error));
        if (missing)
                failure_remedy_set(failure, "Install it in this image, or correct PATH.");
        return r;
}

/* The last step on the way to the program.  Returns only if that fails, with errno. */
static void become(const struct inherited *inherited, char *const argv[],
                   char *const environment[]) {
        (void)sigaction(SIGPIPE, &inherited->sigpipe, NULL);
        (void)sigaction(SIGCHLD, &inherited->sigchld, NULL);
        (void)setrlimit(RLIMIT_CORE, &inherited->core);
        (void)execvpe(argv[0], argv, environment);
}

int child_exec(const struct inherited *inherited, char *const argv[],
               const struct child_variable *variables, size_t count, struct failure *failure) {
        _cleanup_(environment_done) struct environment environment = { 0 };
        int r, error;

        r = environment_extend(&environment, variables, count, failure);
        if (r < 0)
                return r;
        become(inherited, argv, environment.strings);
        error = errno;
        (void)signal(SIGPIPE, SIG_IGN);
        return cannot_run(argv[0], error, failure);
}

/* What the new process does until it is the program.  The reason why it cannot be goes through
 * @report. */
__attribute__((noreturn)) static void run_child(const struct inherited *inherited,
                                                char *const argv[], char *const environment[],
                                                const sigset_t *mask, int output, int report) {
        int error;

        if (output >= 0) {
                int null = open("/dev/null", O_RDWR | O_CLOEXEC);

                if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
                    dup2(output, STDOUT_FILENO) < 0)
                        goto failed;
        }
        (void)sigprocmask(SIG_SETMASK, mask, NULL);
        become(inherited, argv, environment);
failed:
        error = errno;
        (void)!write(report, &error, sizeof(error));
        _exit(EXIT_CANNOT_RUN);
}

/* 0 once it is the program, or the errno that it said before it ended. */
static int read_report(int fd) {
        int error = 0;
        ssize_t n;

        do
                n = read(fd, &error, sizeof(error));
        while (n < 0 && errno == EINTR);
        return n == (ssize_t)sizeof(error) ? error : 0;
}

/* @mask: of the caller, for the child.  Return: 0 and the pid, or a negated exit code. */
static int start(const struct inherited *inherited, char *const argv[], char *const environment[],
                 const sigset_t *mask, int output, pid_t *ret, struct failure *failure) {
        int report[2], error;
        pid_t pid;

        if (pipe2(report, O_CLOEXEC) < 0)
                return cannot_run(argv[0], errno, failure);
        pid = fork();
        if (pid == 0)
                run_child(inherited, argv, environment, mask, output, report[1]);
        error = pid < 0 ? errno : 0;
        (void)close(report[1]);
        if (pid > 0) {
                error = read_report(report[0]);
                if (error != 0)
                        (void)waitpid(pid, NULL, 0);
        }
        (void)close(report[0]);
        if (error != 0)
                return cannot_run(argv[0], error, failure);
        *ret = pid;
        return 0;
}

static int status_of(int status) {
        return WIFSIGNALED(status) ? SIGNAL_STATUS + WTERMSIG(status) : WEXITSTATUS(status);
}

/* True once it has ended. */
static bool has_ended(pid_t pid, int *status) {
        pid_t r;

        do
                r = waitpid(pid, status, WNOHANG);
        while (r < 0 && errno == EINTR);
        return r != 0;
}

static void block_signals(sigset_t *watched, sigset_t *ret_before) {
        (void)sigemptyset(watched);
        (void)sigaddset(watched, SIGCHLD);
        for (size_t i = 0; i < ELEMENTS(passed_on); i++)
                (void)sigaddset(watched, passed_on[i]);
        (void)sigprocmask(SIG_BLOCK, watched, ret_before);
}

/* Signals are blocked and waited for, so that none comes between the look at the child and the
 * wait. */
static int wait_and_pass_on(pid_t pid, const sigset_t *watched) {
        int status = 0;

        while (!has_ended(pid, &status)) {
                siginfo_t info;
                int number = sigwaitinfo(watched, &info);

                /* The terminal's own reach the whole group; once is enough. */
                if (number > 0 && number != SIGCHLD && info.si_code != SI_KERNEL)
                        (void)kill(pid, number);
        }
        return status_of(status);
}

int child_run(const struct inherited *inherited, char *const argv[],
              const struct child_variable *variables, size_t count, struct failure *failure) {
        _cleanup_(environment_done) struct environment environment = { 0 };
        sigset_t watched, before;
        pid_t pid = -1;
        int r;

        r = environment_extend(&environment, variables, count, failure);
        if (r < 0)
                return r;
        block_signals(&watched, &before);
        r = start(inherited, argv, environment.strings, &before, -1, &pid, failure);
        if (r == 0)
                r = wait_and_pass_on(pid, &watched);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return r;
}

/* Return: true if all of it fitted; what does not fit is read and dropped, so that the writer ends
 * by itself. */
static bool read_all(int fd, char *buffer, size_t size, size_t *ret_length) {
        char rest[4096] = "";
        size_t used = 0;
        bool fits = true;

        for (;;) {
                bool full = used + 1 >= size;
                ssize_t n =
                    read(fd, full ? rest : buffer + used, full ? sizeof(rest) : size - 1 - used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                if (full)
                        fits = false;
                else
                        used += (size_t)n;
        }
        buffer[used] = '\0';
        *ret_length = used;
        return fits;
}

int child_capture(const struct inherited *inherited, char *const argv[],
                  const struct child_variable *variables, size_t count, char *buffer, size_t size,
                  size_t *ret_length, struct failure *failure) {
        _cleanup_(environment_done) struct environment environment = { 0 };
        int output[2], status = 0, r;
        sigset_t mask;
        bool fits;
        pid_t pid = -1;

        r = environment_extend(&environment, variables, count, failure);
        if (r < 0)
                return r;
        if (pipe2(output, O_CLOEXEC) < 0)
                return cannot_run(argv[0], errno, failure);
        (void)sigprocmask(SIG_SETMASK, NULL, &mask);
        r = start(inherited, argv, environment.strings, &mask, output[1], &pid, failure);
        (void)close(output[1]);
        if (r < 0) {
                (void)close(output[0]);
                return r;
        }
        fits = read_all(output[0], buffer, size, ret_length);
        (void)close(output[0]);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (!fits)
                return failure_set(failure, EXIT_CANNOT_RUN, "'%s %s' prints more than %zu bytes",
                                   argv[0], argv[1] ? argv[1] : "", size - 1);
        return status_of(status);
}
