#include "job/commands.h"

#include "job/issuance.h"
#include "job/output.h"

static int print(const struct issuance *issuance, bool json, struct failure *failure) {
        if (json)
                return output_line(issuance->json.text, issuance->json.length, failure);
        return output_line(issuance->token.bytes, issuance->token.used, failure);
}

int command_get(struct arguments *arguments, char **argv, struct failure *failure) {
        _cleanup_(issuance_done) struct issuance issuance = { 0 };
        bool json = false, mask = false;
        const struct option options[] = {
                { .name = "--json", .flag = &json },
                { .name = "--mask", .flag = &mask },
                { 0 },
        };
        struct client client;
        const char *name;
        int r;

        r = arguments_parse(arguments, "get", argv, options, /* only_leading= */ false, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        r = arguments_name(arguments, "get", &name, failure);
        if (r < 0)
                return r;

        client_init(&client, arguments->socket, arguments->timeout);
        r = issuance_get(&client, name, &issuance, failure);
        if (r < 0)
                return r;
        if (!arguments->quiet)
                issuance_note(&issuance);
        if (mask) {
                r = issuance_mask(&issuance, failure);
                if (r < 0)
                        return r;
        }
        return print(&issuance, json, failure);
}
