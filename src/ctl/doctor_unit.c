#include "ctl/doctor_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "ctl/drop_ins.h"
#include "ctl/program.h"

#define SHOW_TIMEOUT (20 * USEC_PER_SEC)
/* Longer than the unit's own limit. */
#define START_TIMEOUT (330 * USEC_PER_SEC)
#define SHOWN_MAX     4096

/* Where systemd looks, and what is gone after a restart of the host. */
#define DROP_IN_DIRECTORY "/run/systemd/system/" DOCTOR_UNIT ".d"

/* A property of a unit, or "". */
static void show(const char *unit, const char *property, char value[static SHOWN_MAX]) {
        const char *const argv[] = { "systemctl", "show", "--value", "--property",
                                     property,    "--",   unit,      NULL };
        _cleanup_(secret_unrefp) struct secret *output = secret_new(SHOWN_MAX - 1);
        int status;

        value[0] = '\0';
        if (!output || program_run(argv, NULL, output, SHOW_TIMEOUT, &status, NULL) < 0 ||
            status != 0)
                return;
        (void)text_clean(value, SHOWN_MAX, secret_bytes(output),
                         strcspn(secret_bytes(output), "\n"));
}

bool doctor_unit_usable(void) {
        char state[SHOWN_MAX];

        if (geteuid() != 0 || access("/run/systemd/system", F_OK) < 0)
                return false;
        show(DOCTOR_UNIT, "LoadState", state);
        return strcmp(state, "loaded") == 0;
}

bool doctor_daemon_runs(void) {
        char pid[SHOWN_MAX];

        show(DAEMON_UNIT, "MainPID", pid);
        return pid[0] && strcmp(pid, "0") != 0;
}

/* In a directory that only root writes to; no link is followed all the same. */
static int write_ask(const char *word) {
        _cleanup_(closep) int fd =
            open(DOCTOR_ASK_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0 || flock(fd, LOCK_EX) < 0 || ftruncate(fd, 0) < 0)
                return -1;
        if (write(fd, word, strlen(word)) != (ssize_t)strlen(word))
                return -1;
        return take_fd(&fd);
}

static json_t *read_answer(void) {
        _cleanup_(closep) int fd =
            open(DOCTOR_ANSWER_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        _cleanup_(freep) char *text = malloc(JSON_TEXT_MAX_BYTES + 1);
        struct stat st;
        size_t length = 0;
        ssize_t n = 1;

        if (fd < 0 || !text || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0)
                return NULL;
        while (n > 0 && length <= JSON_TEXT_MAX_BYTES) {
                n = read(fd, text + length, JSON_TEXT_MAX_BYTES + 1 - length);
                length += n > 0 ? (size_t)n : 0;
        }
        return n < 0 || length > JSON_TEXT_MAX_BYTES ? NULL : json_parse(text, length);
}

/* Why the unit did not do its work: 243/CREDENTIALS, a time limit, ... */
static int failed(struct error *err) {
        char result[SHOWN_MAX], status[SHOWN_MAX];

        show(DOCTOR_UNIT, "Result", result);
        show(DOCTOR_UNIT, "ExecMainStatus", status);
        (void)error_set(err, DIAG_INTERNAL_ERROR,
                        "%s did not do its work: result %.40s, status %.16s", DOCTOR_UNIT, result,
                        status);
        if (strcmp(status, "243") == 0)
                error_remedy_set(err,
                                 "A credential of the unit cannot be loaded, and the daemon's next "
                                 "start would fail likewise: "
                                 "see 'journalctl -u %s'.",
                                 DOCTOR_UNIT);
        else
                error_remedy_set(err, "See 'systemctl status %s' and 'journalctl -u %s'.",
                                 DOCTOR_UNIT, DOCTOR_UNIT);
        return -(int)DIAG_INTERNAL_ERROR;
}

/* The daemon's drop-ins hold for the unit too: one with an ExecStart= of its own would start a
 * second daemon. */
static int check_command(struct error *err) {
        char command[SHOWN_MAX];

        show(DOCTOR_UNIT, "ExecStart", command);
        if (strstr(command, "/forge-brokerctl ;"))
                return 0;
        (void)error_set(err, DIAG_INTERNAL_ERROR,
                        "a drop-in of %s replaces ExecStart=, for %s as well", DAEMON_UNIT,
                        DOCTOR_UNIT);
        error_remedy_set(
            err, "Take ExecStart= out of it, or give %s a later drop-in that sets its own again.",
            DOCTOR_UNIT);
        return -(int)DIAG_INTERNAL_ERROR;
}

/* A word to systemctl whose failure shows in what comes after it. */
static void tell(const char *verb, const char *unit) {
        const char *const argv[] = { "systemctl", verb, "--quiet", unit, NULL };
        _cleanup_(secret_unrefp) struct secret *output = secret_new(SHOWN_MAX);
        int status;

        if (output)
                (void)program_run(argv, NULL, output, SHOW_TIMEOUT, &status, NULL);
}

/*
 * systemd reads the unit anew each time it is started, unless a failed run keeps it loaded; then it
 * has to be told, and a whole daemon-reload is the last resort.
 */
static int take_drop_ins(struct error *err) {
        char paths[SHOWN_MAX], state[SHOWN_MAX], stale[SHOWN_MAX];
        int r;

        show(DOCTOR_UNIT, "ActiveState", state);
        if (strcmp(state, "failed") == 0)
                tell("reset-failed", DOCTOR_UNIT);
        show(DAEMON_UNIT, "DropInPaths", paths);
        r = drop_ins_mirror(paths, DROP_IN_DIRECTORY, err);
        if (r < 0)
                return r;
        show(DOCTOR_UNIT, "NeedDaemonReload", stale);
        if (strcmp(stale, "yes") == 0)
                tell("daemon-reload", NULL);
        return check_command(err);
}

int doctor_unit_run(bool files_only, json_t **ret, struct error *err) {
        static const char *const argv[] = { "systemctl", "start",     "--no-ask-password",
                                            "--",        DOCTOR_UNIT, NULL };
        _cleanup_(secret_unrefp) struct secret *output = secret_new(SHOWN_MAX);
        _cleanup_(closep) int lock = write_ask(files_only ? DOCTOR_ASK_FILES : DOCTOR_ASK_ALL);
        json_t *answer;
        int status, r;

        if (lock < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: %s", DOCTOR_ASK_FILE,
                                 strerror(errno));
        if (!output)
                return error_oom(err);
        r = take_drop_ins(err);
        if (r < 0)
                return r;
        /* What an earlier run left is not this one's answer. */
        if (unlink(DOCTOR_ANSWER_FILE) < 0 && errno != ENOENT)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: %s", DOCTOR_ANSWER_FILE,
                                 strerror(errno));
        r = program_run(argv, NULL, output, START_TIMEOUT, &status, err);
        /* Who starts the unit by hand asks for nothing: its logins would be counted by nobody. */
        (void)!ftruncate(lock, 0);
        if (r < 0)
                return r;
        answer = status == 0 ? read_answer() : NULL;
        if (!json_is_array(answer)) {
                json_decref(answer);
                return failed(err);
        }
        (void)unlink(DOCTOR_ANSWER_FILE);
        *ret = answer;
        return 0;
}
