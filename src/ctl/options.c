#include "ctl/options.h"

#include <assert.h>
#include <stdio.h>

#include "base/text.h"

#define COMMON_COUNT 4

static const struct option common[COMMON_COUNT + 1] = {
        { "json", no_argument, NULL, 'j' },
        { "socket", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
};

int options_next(struct options *options, int argc, char **argv, const struct option *own) {
        struct option all[OPTIONS_OWN_MAX + COMMON_COUNT + 1];
        size_t count = 0;

        while (own[count].name) {
                assert(count < OPTIONS_OWN_MAX);
                all[count] = own[count];
                count++;
        }
        for (size_t i = 0; i <= COMMON_COUNT; i++)
                all[count + i] = common[i];
        for (;;) {
                int option = getopt_long(argc, argv, "h", all, NULL);

                switch (option) {
                case 'j':
                        options->json = true;
                        break;
                case 's':
                        options->socket = optarg;
                        break;
                case 'h':
                        options->help = true;
                        break;
                case -1:
                        options->words = argv + optind;
                        options->count = argc - optind;
                        return OPTIONS_END;
                default:
                        return option;
                }
        }
}

bool options_count(const struct options *options, const char *command, int least, int most) {
        if (options->help || (options->count >= least && options->count <= most))
                return true;
        if (options->count < least)
                (void)fprintf(stderr, "forge-brokerctl: %s needs a word more\n", command);
        else
                (void)fprintf(stderr, "forge-brokerctl: '%s' is too much for %s\n",
                              options->words[most], command);
        return false;
}

bool options_name(const struct options *options) {
        if (text_is_name(options->words[0]))
                return true;
        (void)fprintf(stderr, "forge-brokerctl: '%.80s' cannot be a token's name\n",
                      options->words[0]);
        return false;
}

bool options_words(struct options *options, int argc, char **argv, int least, int most) {
        static const struct option none[] = { { NULL, 0, NULL, 0 } };
        const char *command = argv[0];

        return options_next(options, argc, argv, none) == OPTIONS_END &&
               options_count(options, command, least, most);
}
