#include "ctl/credential.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "infisical/credential.h"

void new_credential_done(struct new_credential *credential) {
        credential->token = secret_unref(credential->token);
        credential->client_id = secret_unref(credential->client_id);
        credential->client_secret = secret_unref(credential->client_secret);
}

/* Set by a signal while a terminal is asked: it must get its echo back before this process goes. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
        interrupted = number;
}

static const int fatal_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* @kept: what was done on them before */
static void catch_signals(struct sigaction kept[static ELEMENTS(fatal_signals)], bool restore) {
        /* without SA_RESTART: read() ends */
        const struct sigaction action = { .sa_handler = on_signal };

        for (size_t i = 0; i < ELEMENTS(fatal_signals); i++)
                (void)sigaction(fatal_signals[i], restore ? &kept[i] : &action,
                                restore ? NULL : &kept[i]);
}

/* A byte at a time: what stands behind the line belongs to the next one. */
static int read_bytes(struct secret *line, const char *what, struct error *err) {
        for (;;) {
                char byte;
                ssize_t n = read(STDIN_FILENO, &byte, 1);

                if (n < 0 && errno == EINTR && interrupted)
                        return error_set(err, DIAG_CREDENTIAL_MISSING, "interrupted");
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(err, DIAG_CREDENTIAL_MISSING, "cannot read the %s: %s",
                                         what, strerror(errno));
                if (n == 0 || byte == '\n')
                        return 0;
                if (!secret_append(line, &byte, 1))
                        return error_set(err, DIAG_CREDENTIAL_MISSING,
                                         "the %s is longer than %d bytes", what,
                                         CREDENTIAL_MAX_BYTES);
        }
}

/* The rules of a credential's file. */
static int check(struct secret *line, const char *what, struct error *err) {
        char *bytes = secret_buffer(line);
        size_t length = secret_length(line), stripped = length;
        const char *begin = text_strip(bytes, &stripped);

        memmove(bytes, begin, stripped);
        secret_truncate(line, stripped);
        if (stripped == 0)
                return error_set(err, DIAG_CREDENTIAL_MISSING, "there is no %s on standard input",
                                 what);
        for (size_t i = 0; i < stripped; i++)
                if (bytes[i] <= 0x20 || bytes[i] >= 0x7f)
                        return error_set(err, DIAG_CREDENTIAL_MISSING,
                                         "the %s has blanks or characters that no credential has",
                                         what);
        return 0;
}

static int read_line(const char *what, struct secret **ret, struct error *err) {
        _cleanup_(secret_unrefp) struct secret *line = secret_new(CREDENTIAL_MAX_BYTES);
        bool terminal = isatty(STDIN_FILENO);
        struct sigaction kept[ELEMENTS(fatal_signals)];
        struct termios before, quiet;
        int r;

        if (!line)
                return error_oom(err);
        terminal = terminal && tcgetattr(STDIN_FILENO, &before) == 0;
        if (terminal) {
                catch_signals(kept, /* restore= */ false);
                quiet = before;
                quiet.c_lflag &= ~(tcflag_t)ECHO;
                quiet.c_lflag |= ECHONL;
                (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
                (void)fprintf(stderr, "%s (is not shown): ", what);
        }
        r = read_bytes(line, what, err);
        if (terminal) {
                (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
                catch_signals(kept, /* restore= */ true);
        }
        if (r == 0)
                r = check(line, what, err);
        if (r == 0)
                *ret = take(line);
        if (r < 0)
                error_remedy_set(err, "Give it on standard input, alone on its line.");
        return r;
}

int credential_input(struct new_credential *credential, struct error *err) {
        int r;

        if (!credential->universal)
                return read_line("access token", &credential->token, err);
        r = read_line("client id", &credential->client_id, err);
        return r < 0 ? r : read_line("client secret", &credential->client_secret, err);
}
