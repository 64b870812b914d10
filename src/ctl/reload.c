#include <stdio.h>

#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/output.h"

static void print_problems(const json_t *body) {
        const json_t *problems = json_object_get(body, "problems"), *problem;
        size_t i;

        json_array_foreach(problems, i, problem) {
                json_int_t line = 0;

                (void)json_member_int(problem, "line", &line);
                (void)fprintf(stderr, "%s:%lld: %s\n", json_member_string(problem, "file"),
                              (long long)line, json_member_string(problem, "text"));
        }
        (void)fprintf(
            stderr,
            "forge-brokerctl: the configuration is rejected; the older one stays in force\n");
}

int command_reload(struct options *options, int argc, char **argv) {
        struct control_answer answer;
        struct error err = { 0 };
        int status = EXIT_DONE;

        if (!options_words(options, argc, argv, 0, 0))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (control_request(options->socket, "POST", "/v1/reload", &answer, &err) !=
            CONTROL_ANSWERED) {
                output_error(&err);
                return EXIT_UNREACHABLE;
        }
        if (options->json && answer.body)
                output_json(answer.body);
        if (answer.status == 422) {
                print_problems(answer.body);
                status = RELOAD_REJECTED;
        } else if (answer.status != 200) {
                status = output_unexpected(&answer);
        } else if (!options->json) {
                (void)puts("the configuration is loaded");
        }
        json_decref(answer.body);
        return status;
}
