#include "job/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void arguments_init(struct arguments *arguments) {
        const char *socket = getenv("FORGE_BROKER_SOCKET");

        *arguments = (struct arguments){ .socket = socket && *socket ? socket : DEFAULT_SOCKET };
}

static int usage(struct failure *failure, const char *command, int r) {
        failure_remedy_set(failure, "'forge-broker %s%s--help' says what it takes.", command,
                           *command ? " " : "");
        return r;
}

/* The value of an option: behind its '=', else the next word, which is taken out of the way. */
static const char *take_value(const char *equals, char ***next) {
        if (equals)
                return equals + 1;
        return **next ? *(*next)++ : NULL;
}

static const struct option *find_option(const struct option *options, const char *word,
                                        size_t length) {
        for (; options->name; options++)
                if (strlen(options->name) == length && strncmp(options->name, word, length) == 0)
                        return options;
        return NULL;
}

static int set_timeout(struct arguments *arguments, const char *value, const char *command,
                       struct failure *failure) {
        if (!clock_parse_span(value, &arguments->timeout) || arguments->timeout == 0)
                return usage(failure, command,
                             failure_set(failure, EXIT_USAGE,
                                         "--timeout takes a duration such as 500ms, 10s or 5m, "
                                         "not '%s'",
                                         value));
        return 0;
}

static int parse_option(struct arguments *arguments, const char *command, const char *word,
                        char ***next, const struct option *own, struct failure *failure) {
        const char *timeout = NULL;
        const struct option common[] = {
                { .name = "--help", .flag = &arguments->help },
                { .name = "-h", .flag = &arguments->help },
                { .name = "--quiet", .flag = &arguments->quiet },
                { .name = "-q", .flag = &arguments->quiet },
                { .name = "--socket", .text = &arguments->socket },
                { .name = "--timeout", .text = &timeout },
                { 0 },
        };
        const char *equals = text_starts_with(word, "--") ? strchr(word, '=') : NULL;
        size_t length = equals ? (size_t)(equals - word) : strlen(word);
        const struct option *option = find_option(common, word, length);
        const char *value;

        if (!option)
                option = find_option(own, word, length);
        if (!option)
                return usage(failure, command,
                             failure_set(failure, EXIT_USAGE, "there is no option '%.*s'",
                                         (int)length, word));
        if (option->flag && equals)
                return usage(failure, command,
                             failure_set(failure, EXIT_USAGE, "%s takes no value", option->name));
        if (option->flag) {
                *option->flag = true;
                return 0;
        }
        value = take_value(equals, next);
        if (!value || !*value)
                return usage(failure, command,
                             failure_set(failure, EXIT_USAGE, "%s needs a value", option->name));
        if (option->list && option->list->count == OPTION_LIST_MAX)
                return usage(
                    failure, command,
                    failure_set(failure, EXIT_USAGE, "%s is given too often", option->name));
        if (option->list)
                option->list->texts[option->list->count++] = value;
        else
                *option->text = value;
        return timeout ? set_timeout(arguments, timeout, command, failure) : 0;
}

int arguments_parse(struct arguments *arguments, const char *command, char **argv,
                    const struct option *options, bool only_leading, struct failure *failure) {
        bool ended = false;

        arguments->words = argv;
        arguments->count = 0;
        for (char **next = argv; *next;) {
                char *word = *next++;
                int r;

                if (!ended && strcmp(word, "--") == 0) {
                        if (arguments->takes_rest) {
                                arguments->rest = next;
                                return 0;
                        }
                        ended = true;
                } else if (!ended && word[0] == '-' && word[1] != '\0') {
                        r = parse_option(arguments, command, word, &next, options, failure);
                        if (r < 0)
                                return r;
                } else if (only_leading) {
                        arguments->words = next - 1;
                        while (arguments->words[arguments->count])
                                arguments->count++;
                        return 0;
                } else {
                        argv[arguments->count++] = word;
                }
        }
        return 0;
}

int arguments_name(const struct arguments *arguments, const char *command, const char **ret,
                   struct failure *failure) {
        const char *name =
            arguments->count > 0 ? arguments->words[0] : getenv("FORGE_BROKER_TOKEN");

        if (arguments->count > 1)
                return usage(failure, command,
                             failure_set(failure, EXIT_USAGE,
                                         "one NAME is enough, '%s' is too much",
                                         arguments->words[1]));
        if (!name || !*name)
                return usage(failure, command,
                             failure_set(failure, EXIT_USAGE,
                                         "which token? Give its NAME, or set FORGE_BROKER_TOKEN"));
        if (!text_is_name(name))
                return usage(failure, command,
                             failure_set(failure, EXIT_USAGE,
                                         "'%.80s' cannot be a token's name (letters, digits, "
                                         "'.', '_', '-'; at most 64)",
                                         name));
        *ret = name;
        return 0;
}

int arguments_none(const struct arguments *arguments, const char *command,
                   struct failure *failure) {
        if (arguments->count == 0)
                return 0;
        return usage(failure, command,
                     failure_set(failure, EXIT_USAGE, "'%s' is too much: no words are taken",
                                 arguments->words[0]));
}
