#include <stdio.h>

#include "ctl/commands.h"
#include "ctl/output.h"

static json_t *render(const struct config_problems *problems) {
        json_t *list = json_array();

        for (size_t i = 0; i < problems->count; i++)
                (void)json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "file",
                                                            problems->items[i].file, "line",
                                                            (json_int_t)problems->items[i].line,
                                                            "text", problems->items[i].text));
        return json_pack("{s:b, s:o, s:I}", "valid", problems->count + problems->dropped == 0,
                         "problems", list, "dropped", (json_int_t)problems->dropped);
}

/* The daemon's own rules, without the daemon: what passes here is what a reload accepts. */
int command_check_config(struct options *options, int argc, char **argv) {
        struct config_problems problems = { 0 };
        _cleanup_(config_unrefp) struct config *config = NULL;
        const char *file;
        int status;

        if (!options_words(options, argc, argv, 0, 1))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        file = options->count > 0 ? options->words[0] : CONFIG_FILE;
        status = config_load(file, &config, &problems) < 0 ? CONFIG_REJECTED : EXIT_DONE;
        if (options->json) {
                json_t *body = render(&problems);

                output_json(body);
                json_decref(body);
        } else if (status == EXIT_DONE) {
                (void)printf("%s: %zu tokens, %zu identities, %zu forges, nothing wrong\n", file,
                             config->n_tokens, config->n_identities, config->n_forges);
        } else {
                output_problems(&problems);
        }
        config_problems_done(&problems);
        return status;
}
