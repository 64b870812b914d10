#include "job/commands.h"

#include "job/confine.h"
#include "job/issuance.h"
#include "job/output.h"
#include "job/workflow.h"

struct wanted {
        bool json, mask;
        const char *output; /* a step output's key; NULL: standard output */
};

static int usage(struct failure *failure, int r) {
        failure_remedy_set(failure, "'forge-broker get --help' says what it takes.");
        return r;
}

static int parse(struct arguments *arguments, char **argv, struct wanted *wanted,
                 struct failure *failure) {
        const struct option options[] = {
                { .name = "--json", .flag = &wanted->json },
                { .name = "--mask", .flag = &wanted->mask },
                { .name = "--output", .text = &wanted->output },
                { 0 },
        };
        int r;

        r = arguments_parse(arguments, "get", argv, options, /* only_leading= */ false, failure);
        if (r < 0 || !wanted->output)
                return r;
        if (wanted->json)
                return usage(failure, failure_set(failure, EXIT_USAGE,
                                                  "--output takes the value alone, not --json"));
        if (!workflow_is_key(wanted->output))
                return usage(failure, failure_set(failure, EXIT_USAGE,
                                                  "'%.100s' cannot be the name of a step output "
                                                  "(letters, digits, '_', '-'; at most 100)",
                                                  wanted->output));
        return 0;
}

static int deliver(const struct issuance *issuance, const struct wanted *wanted,
                   struct failure *failure) {
        int r;

        /* An output is shown wherever the workflow puts it: it is masked before it exists. */
        if (wanted->mask || wanted->output) {
                r = issuance_mask(issuance, failure);
                if (r < 0)
                        return r;
        }
        if (wanted->output)
                return workflow_output(wanted->output, issuance->token.bytes, issuance->token.used,
                                       failure);
        if (wanted->json)
                return output_line(issuance->json.text, issuance->json.length, failure);
        return output_line(issuance->token.bytes, issuance->token.used, failure);
}

int command_get(struct arguments *arguments, char **argv, struct failure *failure) {
        _cleanup_(issuance_done) struct issuance issuance = { 0 };
        struct wanted wanted = { 0 };
        struct client client;
        const char *name;
        int r;

        r = parse(arguments, argv, &wanted, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        r = arguments_name(arguments, "get", &name, failure);
        if (r == 0 && wanted.output)
                /* nothing is issued that could not be handed on */
                r = workflow_check_output(failure);
        if (r < 0)
                return r;

        if (!wanted.output)
                confine();
        client_init(&client, arguments->socket, arguments->timeout);
        r = issuance_get(&client, name, &issuance, failure);
        if (r < 0)
                return r;
        if (!arguments->quiet)
                issuance_note(&issuance);
        return deliver(&issuance, &wanted, failure);
}
