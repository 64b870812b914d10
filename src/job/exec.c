#include "job/commands.h"

#include "job/environment.h"
#include "job/issuance.h"
#include "job/output.h"

#define DEFAULT_VARIABLE "FORGE_TOKEN"

static int usage(struct failure *failure, int r) {
        failure_remedy_set(failure, "forge-broker exec NAME -- COMMAND [ARGUMENT...]");
        return r;
}

static int parse(struct arguments *arguments, char **argv, bool *mask, const char **variable,
                 struct failure *failure) {
        const struct option options[] = {
                { .name = "--env", .text = variable },
                { .name = "--mask", .flag = mask },
                { 0 },
        };
        int r;

        arguments->takes_rest = true;
        r = arguments_parse(arguments, "exec", argv, options, /* only_leading= */ false, failure);
        if (r < 0 || arguments->help)
                return r;
        if (!environment_is_name(*variable))
                return usage(failure,
                             failure_set(failure, EXIT_USAGE, "'%.80s' cannot be a variable's name",
                                         *variable));
        if (!arguments->rest || !arguments->rest[0])
                return usage(failure, failure_set(failure, EXIT_USAGE,
                                                  "which command? It stands behind '--'"));
        return 0;
}

/* This process becomes the command: nothing with the value is left beside it, and signals need no
 * passing on. */
int command_exec(struct arguments *arguments, char **argv, struct failure *failure) {
        _cleanup_(issuance_done) struct issuance issuance = { 0 };
        const char *variable = DEFAULT_VARIABLE, *name;
        struct child_variable set;
        struct client client;
        bool mask = false;
        int r;

        r = parse(arguments, argv, &mask, &variable, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        r = arguments_name(arguments, "exec", &name, failure);
        if (r < 0)
                return r;
        client_init(&client, arguments->socket, arguments->timeout);
        r = issuance_get(&client, name, &issuance, failure);
        if (r == 0 && mask)
                r = issuance_mask(&issuance, failure);
        if (r < 0)
                return r;
        if (!arguments->quiet)
                issuance_note(&issuance);
        set = (struct child_variable){ variable, issuance.token.bytes, issuance.token.used };
        return child_exec(arguments->inherited, arguments->rest, &set, 1, failure);
}
