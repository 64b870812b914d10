#include "job/git_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define STRINGS_MAX (1024 * 1024)
#define COUNT_MAX   100000

int git_settings_begin(struct git_settings *settings, struct failure *failure) {
        const char *text = getenv("GIT_CONFIG_COUNT");
        char *end;

        if (!locked_buffer_reserve(&settings->strings, STRINGS_MAX))
                return failure_set(failure, EXIT_CANNOT_RUN, "out of memory");
        if (!text || !*text)
                return 0;
        settings->first = strtoul(text, &end, 10);
        if (*end || text[0] < '0' || text[0] > '9' || settings->first > COUNT_MAX)
                return failure_set(
                    failure, EXIT_USAGE,
                    "GIT_CONFIG_COUNT is '%.40s' and not a number: git would not run "
                    "with that",
                    text);
        return 0;
}

static const char *keep(struct git_settings *settings, const char *text) {
        const char *kept = settings->strings.bytes + settings->strings.used;
        size_t length = strlen(text) + 1;

        if (settings->strings.used + length > STRINGS_MAX)
                return NULL;
        (void)locked_buffer_append(&settings->strings, text, length);
        return kept;
}

int git_settings_set(struct git_settings *settings, const char *name, const char *value,
                     struct failure *failure) {
        const char *kept_name = keep(settings, name), *kept_value = keep(settings, value);

        if (!kept_name || !kept_value || settings->variable_count == ELEMENTS(settings->variables))
                return failure_set(failure, EXIT_CANNOT_RUN,
                                   "git's configuration has too many places to correct");
        settings->variables[settings->variable_count++] =
            (struct child_variable){ kept_name, kept_value, strlen(value) };
        return 0;
}

static int set_numbered(struct git_settings *settings, const char *prefix, const char *value,
                        struct failure *failure) {
        char name[48] = "";
        size_t used = 0;

        (void)text_append(name, sizeof(name), &used, "%s%zu", prefix,
                          settings->first + settings->count);
        return git_settings_set(settings, name, value, failure);
}

int git_settings_add(struct git_settings *settings, const char *key, const char *value,
                     struct failure *failure) {
        int r;

        if (settings->count == GIT_SETTINGS_MAX)
                return failure_set(failure, EXIT_CANNOT_RUN,
                                   "git's configuration has too many places to correct");
        r = set_numbered(settings, "GIT_CONFIG_KEY_", key, failure);
        if (r == 0)
                r = set_numbered(settings, "GIT_CONFIG_VALUE_", value, failure);
        if (r == 0)
                settings->count++;
        return r;
}

int git_settings_end(struct git_settings *settings, struct failure *failure) {
        char text[24] = "";
        size_t used = 0;

        (void)text_append(text, sizeof(text), &used, "%zu", settings->first + settings->count);
        return git_settings_set(settings, "GIT_CONFIG_COUNT", text, failure);
}

void git_settings_done(struct git_settings *settings) {
        locked_buffer_done(&settings->strings);
        settings->variable_count = 0;
}
