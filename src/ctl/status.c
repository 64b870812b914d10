#include <stdio.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/status_table.h"
#include "ctl/status_watch.h"

#define INTERVAL_DEFAULT (2 * USEC_PER_SEC)
#define INTERVAL_LEAST   (200 * USEC_PER_MSEC)
#define INTERVAL_MOST    (10 * 60 * USEC_PER_SEC)

enum { OPTION_WATCH = 256, OPTION_INTERVAL };

static int parse(struct options *options, int argc, char **argv, bool *watch, usec_t *interval) {
        static const struct option own[] = {
                { "watch", no_argument, NULL, OPTION_WATCH },
                { "interval", required_argument, NULL, OPTION_INTERVAL },
                { NULL, 0, NULL, 0 },
        };
        int option;

        while ((option = options_next(options, argc, argv, own)) != OPTIONS_END) {
                if (option == OPTIONS_WRONG)
                        return EXIT_USAGE;
                *watch = true;
                if (option == OPTION_INTERVAL &&
                    (!clock_parse_span(optarg, interval) || *interval < INTERVAL_LEAST ||
                     *interval > INTERVAL_MOST)) {
                        (void)fprintf(
                            stderr, "forge-brokerctl: --interval takes 200ms to 10m, not '%.40s'\n",
                            optarg);
                        return EXIT_USAGE;
                }
        }
        if (!options_count(options, argv[0], 0, 0))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (*watch && options->json) {
                (void)fprintf(stderr, "forge-brokerctl: --watch draws for people; for programs "
                                      "repeat 'status --json'\n");
                return EXIT_USAGE;
        }
        if (*watch && !isatty(STDOUT_FILENO)) {
                (void)fprintf(
                    stderr,
                    "forge-brokerctl: --watch needs a terminal; without one repeat 'status'\n");
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

int command_status(struct options *options, int argc, char **argv) {
        usec_t interval = INTERVAL_DEFAULT;
        struct control_answer answer;
        struct error err = { 0 };
        bool watch = false;
        int status = parse(options, argc, argv, &watch, &interval);

        if (status != EXIT_DONE)
                return status;
        if (watch)
                return status_watch(options->socket, interval);
        if (control_request(options->socket, "GET", "/v1/status", &answer, &err) !=
            CONTROL_ANSWERED) {
                output_error(&err);
                return STATUS_NOT_RUNNING;
        }
        if (answer.status != 200 || !json_is_object(answer.body)) {
                status = output_unexpected(&answer);
        } else {
                if (options->json)
                        output_json(answer.body);
                else
                        status_print(answer.body, stdout);
                status = status_is_degraded(answer.body) ? STATUS_DEGRADED : EXIT_DONE;
        }
        json_decref(answer.body);
        return status;
}
