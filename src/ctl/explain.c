#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "ctl/commands.h"
#include "ctl/output.h"

/* Within the daemon's limit of a request's head. */
#define QUERY_MAX_BYTES 4096

enum {
        CASE_UNIT = 256,
        CASE_CONTAINER,
        CASE_REPOSITORY,
        CASE_EVENT,
        CASE_REF,
        CASE_PROOF,
        CASE_FORK
};

static const struct option own[] = {
        { "unit", required_argument, NULL, CASE_UNIT },
        { "container", required_argument, NULL, CASE_CONTAINER },
        { "repo", required_argument, NULL, CASE_REPOSITORY },
        { "event", required_argument, NULL, CASE_EVENT },
        { "ref", required_argument, NULL, CASE_REF },
        { "proof", required_argument, NULL, CASE_PROOF },
        { "fork", no_argument, NULL, CASE_FORK },
        { NULL, 0, NULL, 0 },
};

/* The route's names of them. */
static const char *const parameters[] = { "unit", "container", "repository", "event",
                                          "ref",  "proof",     "fork" };

/* Appends "?unit=..."; false for a value that does not fit, or lack of memory. */
static bool append(char query[static QUERY_MAX_BYTES], size_t *used, int option,
                   const char *value) {
        _cleanup_(freep) char *encoded = text_percent_encode(value);

        return encoded &&
               text_append(query, QUERY_MAX_BYTES, used, "%c%s=%s", *used > 0 ? '&' : '?',
                           parameters[option - CASE_UNIT], encoded);
}

/* Return: as options_next(); OPTIONS_WRONG after a mistake was printed. */
static int read_case(struct options *options, int argc, char **argv,
                     char query[static QUERY_MAX_BYTES]) {
        bool given[ELEMENTS(parameters)] = { false };
        size_t used = 0;
        int option;

        while ((option = options_next(options, argc, argv, own)) >= CASE_UNIT) {
                if (given[option - CASE_UNIT]) {
                        (void)fprintf(stderr, "forge-brokerctl: --%s is there twice\n",
                                      own[option - CASE_UNIT].name);
                        return OPTIONS_WRONG;
                }
                given[option - CASE_UNIT] = true;
                if (append(query, &used, option, option == CASE_FORK ? "yes" : optarg))
                        continue;
                (void)fprintf(stderr, "forge-brokerctl: --%s is too long\n",
                              own[option - CASE_UNIT].name);
                return OPTIONS_WRONG;
        }
        return option;
}

static int print(const struct options *options, const json_t *answer) {
        const json_t *allowed = json_object_get(answer, "allowed");
        const char *sentence = json_member_string(answer, "sentence"),
                   *remedy = json_member_string(answer, "remedy");

        if (options->json) {
                output_json(answer);
        } else {
                (void)puts(sentence ? sentence : "?");
                if (remedy)
                        (void)printf("remedy: %s\n", remedy);
        }
        return json_is_false(allowed) ? EXIT_REFUSED : EXIT_DONE;
}

int command_explain(struct options *options, int argc, char **argv) {
        char path[QUERY_MAX_BYTES + 128], query[QUERY_MAX_BYTES] = "";
        const char *command = argv[0];
        struct control_answer answer;
        struct error err = { 0 };
        int status;

        if (read_case(options, argc, argv, query) != OPTIONS_END ||
            !options_count(options, command, 1, 1))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (!options_name(options))
                return EXIT_USAGE;
        (void)snprintf(path, sizeof(path), "/v1/tokens/%s/explain%s", options->words[0], query);
        if (control_request(options->socket, "GET", path, &answer, &err) != CONTROL_ANSWERED) {
                output_error(&err);
                return EXIT_UNREACHABLE;
        }
        status = answer.status == 200 && json_is_object(answer.body) ? print(options, answer.body)
                                                                     : output_unexpected(&answer);
        json_decref(answer.body);
        return status;
}
