#include "job/commands.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "job/client.h"
#include "job/output.h"
#include "job/problem.h"
#include "job/token_list.h"

#define PAUSE_FIRST (50 * USEC_PER_MSEC)
#define PAUSE_MAX   (2 * USEC_PER_SEC)

/* Asks once.  0: usable; -EXIT_*: why not (failure->lasting: and that will not change). */
static int check(const struct client *client, const char *name, struct locked_buffer *buffer,
                 struct failure *failure) {
        struct http_answer answer;
        char path[128] = "";
        size_t used = 0;
        int r;

        (void)text_append(path, sizeof(path), &used, "/readyz/%s", name);
        r = client_ask(client, path, buffer, &answer, failure);
        if (r < 0)
                return r;
        return answer.status == 200 ? 0 : problem_read(&answer, failure);
}

static void pause_for(usec_t span) {
        struct timespec ts = { .tv_sec = (time_t)(span / USEC_PER_SEC),
                               .tv_nsec = (long)(span % USEC_PER_SEC * 1000) };

        (void)nanosleep(&ts, NULL);
}

/*
 * Until it is usable, it never will be, or time is over.  The last reason stays in @failure: what the broker said is kept
 * over a later attempt that merely ran out of time.
 */
static int wait_usable(const struct client *client, const char *name, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer buffer = { 0 };
        usec_t pause = PAUSE_FIRST;
        bool has_reason = false;

        for (;;) {
                struct failure reason;
                usec_t left;
                int r;

                r = check(client, name, &buffer, &reason);
                if (r == 0)
                        return 0;
                left = usec_sub(client->deadline.at, clock_monotonic());
                if (!has_reason || left > 0 || reason.lasting)
                        *failure = reason;
                has_reason = true;
                if (failure->lasting || left == 0)
                        return -failure->exit_code;
                pause_for(pause < left ? pause : left);
                pause = pause * 3 / 2 < PAUSE_MAX ? pause * 3 / 2 : PAUSE_MAX;
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
                output_note("%s is usable (waited %s)", name, clock_format_span(clock_monotonic() - start, span));
        return 0;
}
