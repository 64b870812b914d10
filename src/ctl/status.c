#include <stdio.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/status_table.h"

int command_status(struct options *options, int argc, char **argv) {
        struct control_answer answer;
        struct error err = { 0 };
        int status;

        if (!options_words(options, argc, argv, 0, 0))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (control_request(options->socket, "GET", "/v1/status", &answer, &err) != CONTROL_ANSWERED) {
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
