#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "ctl/commands.h"
#include "ctl/output.h"

enum { OPTION_TEXTFILE = 256 };

static const char up[] = "# HELP forge_broker_up 1 if the daemon answered when this was written\n"
                         "# TYPE forge_broker_up gauge\n"
                         "forge_broker_up %d\n";

static int complain(const char *what, const char *file) {
        (void)fprintf(stderr, "forge-brokerctl: %s %s: %s\n", what, file, strerror(errno));
        return STATUS_DEGRADED;
}

static bool write_text(int fd, const char *text, bool is_up) {
        return dprintf(fd, up, is_up) > 0 &&
               (!text || dprintf(fd, "%s", text) == (int)strlen(text)) && fchmod(fd, 0644) == 0;
}

/* A reader never sees half of it: it is written beside and renamed.  The collector takes files
 * that end in ".prom" only. */
static int write_file(const char *file, const char *text, bool is_up) {
        _cleanup_(closep) int fd = -1;
        char beside[PATH_MAX];

        if (snprintf(beside, sizeof(beside), "%s.XXXXXX", file) >= (int)sizeof(beside)) {
                errno = ENAMETOOLONG;
                return complain("cannot write", file);
        }
        fd = mkostemp(beside, O_CLOEXEC);
        if (fd < 0)
                return complain("cannot write beside", file);
        if (!write_text(fd, text, is_up) || rename(beside, file) < 0) {
                int status = complain("cannot write", file);

                (void)unlink(beside);
                return status;
        }
        return EXIT_DONE;
}

static int parse(struct options *options, int argc, char **argv, const char **file) {
        static const struct option own[] = {
                { "textfile", required_argument, NULL, OPTION_TEXTFILE }, { NULL, 0, NULL, 0 }
        };
        int option;

        while ((option = options_next(options, argc, argv, own)) != OPTIONS_END) {
                if (option == OPTIONS_WRONG)
                        return EXIT_USAGE;
                *file = optarg;
        }
        if (!options_count(options, argv[0], 0, 0))
                return EXIT_USAGE;
        return options->help ? COMMAND_HELP : EXIT_DONE;
}

int command_metrics(struct options *options, int argc, char **argv) {
        _cleanup_(freep) char *text = NULL;
        const char *file = NULL;
        struct error err = { 0 };
        long answered = 0;
        int status = parse(options, argc, argv, &file);
        bool is_up;

        if (status != EXIT_DONE)
                return status;
        is_up = control_text(options->socket, "GET", "/metrics", &answered, &text, &err) ==
                    CONTROL_ANSWERED &&
                answered == 200;
        if (file) {
                /* A stale file would say for ever that all is well. */
                status = write_file(file, is_up ? text : NULL, is_up);
                if (status != EXIT_DONE || is_up)
                        return status;
        }
        if (is_up) {
                (void)fputs(text, stdout);
                return EXIT_DONE;
        }
        if (answered > 0)
                (void)error_set(&err, DIAG_INTERNAL_ERROR, "the daemon answered %ld", answered);
        output_error(&err);
        return EXIT_UNREACHABLE;
}
