#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/output.h"

static const char *shown(const json_t *token, const char *key) {
        const char *text = json_member_string(token, key);

        return text ? text : "-";
}

/* The new state in one line; what is wrong with it, and what to do. */
static int print(const json_t *token) {
        const char *code = json_member_string(token, "code");

        (void)printf("%s: %s from %s, fingerprint %s\n", shown(token, "name"),
                     shown(token, "state"), shown(token, "source"), shown(token, "fingerprint"));
        if (!code)
                return EXIT_DONE;
        (void)fprintf(stderr, "forge-brokerctl: %s: %s\nremedy: %s\n", code, shown(token, "detail"),
                      shown(token, "remedy"));
        return STATUS_DEGRADED;
}

int command_refresh(struct options *options, int argc, char **argv) {
        struct control_answer answer;
        struct error err = { 0 };
        char path[128];
        int status;

        if (!options_words(options, argc, argv, 1, 1))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (!options_name(options))
                return EXIT_USAGE;
        (void)snprintf(path, sizeof(path), "/v1/tokens/%s/refresh", options->words[0]);
        if (control_request(options->socket, "POST", path, &answer, &err) != CONTROL_ANSWERED) {
                output_error(&err);
                return EXIT_UNREACHABLE;
        }
        if (answer.status != 200 || !json_is_object(answer.body)) {
                status = output_unexpected(&answer);
        } else if (options->json) {
                output_json(answer.body);
                status = json_member_string(answer.body, "code") ? STATUS_DEGRADED : EXIT_DONE;
        } else {
                status = print(answer.body);
        }
        json_decref(answer.body);
        return status;
}
