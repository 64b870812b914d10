#include "job/commands.h"

#include "job/client.h"
#include "job/output.h"
#include "job/ready.h"
#include "job/token_list.h"

/*
 * Until it is usable, it never will be, or time is over.  The last reason stays in @failure: what
 * the broker said is kept over a later attempt that merely ran out of time.
 */
static int wait_usable(const struct client *client, const char *name, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer buffer = { 0 };
        usec_t pause = 0;
        bool has_reason = false;

        for (;;) {
                struct failure reason;
                usec_t left;
                int r;

                r = ready_check(client, name, &buffer, &reason);
                if (r == READY)
                        return 0;
                left = usec_sub(client->deadline.at, clock_monotonic());
                if (!has_reason || left > 0 || reason.lasting)
                        *failure = reason;
                has_reason = true;
                if (failure->lasting || left == 0)
                        return -failure->exit_code;
                ready_pause(client, &pause);
        }
}

int command_wait(struct arguments *arguments, char **argv, struct failure *failure) {
        static const struct option options[] = { { 0 } };
        char span[CLOCK_TEXT_MAX];
        struct client client;
        const char *name;
        usec_t start;
        int r;

        r = arguments_parse(arguments, "wait", argv, options, /* only_leading= */ false, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        r = arguments_name(arguments, "wait", &name, failure);
        if (r < 0)
                return r;

        start = clock_monotonic();
        client_init(&client, arguments->socket, arguments->timeout);
        r = wait_usable(&client, name, failure);
        if (r == -EXIT_UNKNOWN_TOKEN)
                token_list_add_known(&client, failure);
        if (r < 0)
                return r;
        if (!arguments->quiet)
                output_note("%s is usable (waited %s)", name,
                            clock_format_span(clock_monotonic() - start, span));
        return 0;
}
