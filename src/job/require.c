#include "job/commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/event.h"
#include "job/output.h"
#include "job/ready.h"
#include "job/token_list.h"
#include "job/workflow.h"

#define OUTPUT_KEY "available"
#define TITLE      "forge-broker require"

static int usage(struct failure *failure, int r) {
        failure_remedy_set(failure, "'forge-broker require --help' says what it takes.");
        return r;
}

/* The words, or the one NAME of the environment; *one is room for that. */
static int read_names(const struct arguments *arguments, char *one[static 2], char ***ret,
                      struct failure *failure) {
        *ret = arguments->words;
        if (arguments->count == 0) {
                one[0] = getenv("FORGE_BROKER_TOKEN");
                *ret = one;
        }
        if (!(*ret)[0] || !*(*ret)[0])
                return usage(failure, failure_set(failure, EXIT_USAGE,
                                                  "which tokens? Give their NAMEs, or set "
                                                  "FORGE_BROKER_TOKEN"));
        for (char **name = *ret; name < *ret + (arguments->count > 0 ? arguments->count : 1);
             name++)
                if (!text_is_name(*name))
                        return usage(failure,
                                     failure_set(failure, EXIT_USAGE,
                                                 "'%.80s' cannot be a token's name (letters, "
                                                 "digits, '.', '_', '-'; at most 64)",
                                                 *name));
        return 0;
}

/* How the gate takes the event.  What may be issued is another question, and not answered here. */
static const char *verdict(const struct event *event) {
        switch (event->trust) {
        case EVENT_TRUSTED:
                return "trusted by this gate";
        case EVENT_OUTSIDER:
                return "not trusted, but missing tokens are errors";
        case EVENT_UNTRUSTED:
                return "not trusted, and no token is as it should be";
        default:
                return "unknown, so missing tokens are errors";
        }
}

static void note_event(enum forge_env env, const struct event *event) {
        output_note("event %s of %s: %s: %s", event->name[0] ? event->name : "(none)",
                    forge_env_name(env), verdict(event), event->reason);
}

static void report_missing(enum forge_env env, const struct event *event, const char *name,
                           struct failure *why) {
        bool error = event->trust != EVENT_UNTRUSTED;

        workflow_annotate(env, error ? ANNOTATION_ERROR : ANNOTATION_WARNING, TITLE,
                          "token '%s' is not available: %s%s%s; event '%s' is %s: %s.%s%s", name,
                          why->code, why->code[0] ? ": " : "", why->detail, event->name,
                          verdict(event), event->reason, error && why->remedy[0] ? " Remedy: " : "",
                          error ? why->remedy : "");
        /* In full below it, with every attempt. */
        output_failure(why);
}

static void report_available(const struct arguments *arguments, const struct event *event,
                             const char *name) {
        if (event->trust == EVENT_UNTRUSTED)
                output_note("%s is available even so: what is issued is for the broker's own rules "
                            "to say (proof, job_events)",
                            name);
        else if (!arguments->quiet)
                output_note("%s is available", name);
}

static int conclude(bool available, struct failure *failure) {
        const char *value = available ? "true" : "false";

        return workflow_has_outputs() ? workflow_output(OUTPUT_KEY, value, strlen(value), failure)
                                      : 0;
}

static int run(const struct arguments *arguments, char **names, size_t count,
               struct failure *failure) {
        enum forge_env env = forge_env_detect();
        struct failure why;
        struct client client;
        struct event event;
        size_t missing = 0;
        int r;

        event_read(env, &event);
        client_init(&client, arguments->socket, arguments->timeout);
        for (size_t i = 0; i < count; i++) {
                r = ready_settle(&client, names[i], &why);
                if (r == READY) {
                        report_available(arguments, &event, names[i]);
                        continue;
                }
                if (r == -EXIT_UNKNOWN_TOKEN)
                        token_list_add_known(&client, &why);
                report_missing(env, &event, names[i], &why);
                missing++;
        }
        if (!arguments->quiet || missing > 0)
                note_event(env, &event);
        r = conclude(missing == 0, failure);
        if (r < 0 || missing == 0 || event.trust == EVENT_UNTRUSTED)
                return r;
        return failure_set(failure, EXIT_UNMET, "the gate stays shut: %zu of %zu tokens missing",
                           missing, count);
}

int command_require(struct arguments *arguments, char **argv, struct failure *failure) {
        static const struct option options[] = { { 0 } };
        char *one[2] = { NULL, NULL }, **names;
        int r;

        r = arguments_parse(arguments, "require", argv, options, /* only_leading= */ false,
                            failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        r = read_names(arguments, one, &names, failure);
        if (r < 0)
                return r;
        return run(arguments, names, arguments->count > 0 ? (size_t)arguments->count : 1, failure);
}
