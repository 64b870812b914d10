#include "job/commands.h"

#include <string.h>

#include "job/output.h"
#include "job/rejection.h"
#include "job/token_list.h"

#define FINGERPRINT_DIGITS 8

/* What the broker issues now, unless the caller knows which value it was. */
static int find_fingerprint(const struct client *client, const char *name,
                            char fingerprint[static 24], struct failure *failure) {
        _cleanup_(token_list_done) struct token_list list = { 0 };
        struct token_item item;
        struct json position;
        int r;

        r = token_list_get(client, &list, failure);
        if (r == 0)
                r = token_list_find(&list, name, &position, &item, failure);
        if (r < 0)
                return r;
        if (!json_text(position, "fingerprint", fingerprint, 24) || !fingerprint[0])
                return failure_set(failure, EXIT_NO_VALUE, "the broker has no value of '%s' now",
                                   name);
        return 0;
}

static int report(const struct arguments *arguments, const char *name, const char *given,
                  struct failure *failure) {
        struct rejection rejection;
        char fingerprint[24] = "";
        struct client client;
        int r = 0;

        if (given && (strlen(given) != FINGERPRINT_DIGITS ||
                      strspn(given, "0123456789abcdef") != FINGERPRINT_DIGITS))
                return failure_set(
                    failure, EXIT_USAGE,
                    "a fingerprint has 8 hexadecimal digits, as the evidence line shows it");
        client_init(&client, arguments->socket, arguments->timeout);
        if (given)
                memcpy(fingerprint, given, FINGERPRINT_DIGITS + 1);
        else
                r = find_fingerprint(&client, name, fingerprint, failure);
        if (r == 0)
                r = rejection_report(&client, name, fingerprint, &rejection, failure);
        if (r < 0)
                return r;
        if (!arguments->quiet)
                rejection_note(&rejection, name);
        r = output_line(rejection_name(rejection.verdict),
                        strlen(rejection_name(rejection.verdict)), failure);
        if (r < 0)
                return r;
        /* Told already: only the status is left. */
        if (rejection.verdict == VERDICT_REJECTED || rejection.verdict == VERDICT_NOT_OURS)
                return COMMAND_CHILD + EXIT_UNMET;
        return 0;
}

int command_rejected(struct arguments *arguments, char **argv, struct failure *failure) {
        const char *fingerprint = NULL, *name;
        const struct option options[] = { { .name = "--fingerprint", .text = &fingerprint },
                                          { 0 } };
        int r;

        r = arguments_parse(arguments, "rejected", argv, options, /* only_leading= */ false,
                            failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        r = arguments_name(arguments, "rejected", &name, failure);
        return r < 0 ? r : report(arguments, name, fingerprint, failure);
}
