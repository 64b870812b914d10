#include "job/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "job/arguments.h"

#define MESSAGES_MAX 1024 /* one line of them is shown */
#define PARTING_TIME (2 * USEC_PER_SEC)
/* the relay's, when the broker closed the connection without a byte */
#define STATUS_NO_ANSWER 4

static const char relay_prefix[] = "forge-broker-relay: ";

/* sudo's own words for it come in many languages and forms; the kernel is asked before. */
static int no_new_privileges(struct failure *failure) {
        int r;

        r = failure_set(
            failure, EXIT_UNREACHABLE,
            "uid %u needs the relay, and sudo cannot run it: this job may get no new privileges",
            (unsigned)geteuid());
        failure_remedy_set(
            failure,
            "The runner's unit has NoNewPrivileges=yes, or a setting that implies it: put "
            "NoNewPrivileges=no into a drop-in (systemctl edit), or run the job in a container "
            "that is root's.");
        failure->lasting = true;
        return r;
}

static int no_sudo(struct failure *failure) {
        int r;

        r = failure_set(failure, EXIT_UNREACHABLE,
                        "uid %u needs the relay, and there is no " SUDO_PATH " to run it",
                        (unsigned)geteuid());
        failure_remedy_set(
            failure, "Install sudo on this host, with the rule of forge-broker's examples for the "
                     "runner's user.");
        failure->lasting = true;
        return r;
}

/* Nothing of the job's environment is for sudo; its messages should be in one language. */
__attribute__((noreturn)) static void run_sudo(int fd, int messages) {
        static char program[] = SUDO_PATH, without_asking[] = "-n", relay[] = RELAY_PATH;
        static char language[] = "LC_ALL=C", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        char *argv[] = { program, without_asking, relay, NULL },
             *environment[] = { language, path, NULL };

        (void)signal(SIGPIPE, SIG_DFL);
        if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0 &&
            dup2(messages, STDERR_FILENO) >= 0)
                (void)execve(SUDO_PATH, argv, environment);
        _exit(126);
}

/* Our ends are [0]. */
struct ends {
        int pair[2], messages[2];
};

static void close_ends(const struct ends *ends, int which) {
        if (ends->pair[which] >= 0)
                (void)close(ends->pair[which]);
        if (ends->messages[which] >= 0)
                (void)close(ends->messages[which]);
}

static bool make_ends(struct ends *ends) {
        *ends = (struct ends){ { -1, -1 }, { -1, -1 } };
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->pair) < 0 ||
            pipe2(ends->messages, O_CLOEXEC) < 0)
                return false;
        for (int i = 0; i < 2; i++) {
                ends->pair[i] = connection_above_standard(ends->pair[i]);
                ends->messages[i] = connection_above_standard(ends->messages[i]);
        }
        return ends->pair[0] >= 0 && ends->pair[1] >= 0 && ends->messages[0] >= 0 &&
               ends->messages[1] >= 0;
}

static int start(struct relay *relay, usec_t until, int *ret_fd, struct failure *failure) {
        struct ends ends;
        pid_t pid = -1;

        if (make_ends(&ends))
                pid = fork();
        if (pid == 0)
                run_sudo(ends.pair[1], ends.messages[1]);
        if (pid < 0) {
                (void)failure_set(failure, EXIT_UNREACHABLE, "cannot start the relay: %s",
                                  strerror(errno));
                close_ends(&ends, 0);
        } else {
                *relay = (struct relay){ .pid = pid, .messages = ends.messages[0], .until = until };
                *ret_fd = ends.pair[0];
        }
        close_ends(&ends, 1);
        return pid < 0 ? -EXIT_UNREACHABLE : 0;
}

int relay_open(struct relay *relay, const char *socket, const struct deadline *deadline,
               int *ret_fd, struct failure *failure) {
        if (geteuid() == 0 || strcmp(socket, DEFAULT_SOCKET) != 0 || access(RELAY_PATH, F_OK) < 0)
                return -EXIT_UNREACHABLE;
        if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
                return no_new_privileges(failure);
        if (access(SUDO_PATH, F_OK) < 0)
                return no_sudo(failure);
        return start(relay, deadline->at, ret_fd, failure);
}

/* Collects what they say until they have ended.  Return: false at the deadline. */
static bool read_messages(int fd, usec_t deadline, char text[static MESSAGES_MAX]) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };
        char rest[256] = "";
        size_t used = 0;

        for (;;) {
                usec_t left = usec_sub(deadline, clock_monotonic()) / USEC_PER_MSEC;
                bool full = used + 1 == MESSAGES_MAX;
                ssize_t n;

                if (poll(&pollfd, 1, left > INT_MAX ? INT_MAX : (int)left) <= 0)
                        return false;
                n = read(fd, full ? rest : text + used,
                         full ? sizeof(rest) : MESSAGES_MAX - 1 - used);
                if (n <= 0)
                        break;
                used += full ? 0 : (size_t)n;
        }
        text[used] = '\0';
        return true;
}

/* The exit status; -1 when it is not known: a job whose SIGCHLD is ignored has no statuses of its
 * children. */
static int reap(struct relay *relay) {
        int status = 0;
        pid_t pid;

        do
                pid = waitpid(relay->pid, &status, 0);
        while (pid < 0 && errno == EINTR);
        relay->pid = 0;
        (void)close(relay->messages);
        return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* sudo did not run the relay.  A password that it would ask for means that there is no rule. */
static int not_allowed(const char *words, struct failure *failure) {
        unsigned uid = (unsigned)geteuid();
        int r;

        r = failure_set(failure, EXIT_UNREACHABLE,
                        "uid %u needs the relay, and sudo does not run it: %s", uid,
                        *words ? words : "it does not say why");
        failure_remedy_set(
            failure,
            "On the host, in /etc/sudoers.d/forge-broker, with the name of the user with uid "
            "%u for 'runner': runner ALL=(root) NOPASSWD: " RELAY_PATH " \"\"",
            uid);
        failure->lasting = true;
        return r;
}

/* The relay's own line, else the last one: sudo warns first (of a host name that cannot be
 * resolved, say). */
static char *decisive_line(char *text) {
        char *decisive = text;

        for (char *line = text; *line;) {
                size_t length = strcspn(line, "\n");
                bool ends = line[length] == '\0';

                line[length] = '\0';
                if (*line)
                        decisive = line;
                if (ends || text_starts_with(line, relay_prefix))
                        break;
                line += length + 1;
        }
        return decisive;
}

int relay_explain(struct relay *relay, struct failure *failure) {
        char text[MESSAGES_MAX] = "";
        const char *line;
        int status, r;

        if (!read_messages(relay->messages, relay->until, text))
                return failure_set(failure, EXIT_UNREACHABLE,
                                   "neither the relay nor sudo said anything in time");
        line = decisive_line(text);
        status = reap(relay);
        if (text_starts_with(line, relay_prefix)) {
                r = failure_set(failure, EXIT_UNREACHABLE, "the relay: %s",
                                line + sizeof(relay_prefix) - 1);
                failure_remedy_set(failure, "On the host: systemctl status forge-brokerd.socket.");
                return r;
        }
        if (status == STATUS_NO_ANSWER || status == 0)
                return CONNECTION_ENDED;
        return not_allowed(line, failure);
}

void relay_done(struct relay *relay) {
        usec_t soon = usec_add(clock_monotonic(), PARTING_TIME);
        char text[MESSAGES_MAX];

        if (relay->pid > 0 &&
            read_messages(relay->messages, soon < relay->until ? soon : relay->until, text))
                (void)reap(relay);
}
