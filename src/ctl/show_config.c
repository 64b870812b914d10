#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/commands.h"
#include "ctl/output.h"

#define COMMENT_COLUMN 48

/* What was printed last, so that a section's header is printed once. */
struct shown {
        const char *kind, *name;
        json_t *list; /* NULL: text */
};

static bool needs_quotes(const char *value) {
        return strpbrk(value, ";#\"") || value[0] == ' ' || value[0] == '\t' ||
               (value[0] && strchr(" \t", value[strlen(value) - 1]));
}

/* "key = value", so that what is printed could be read again. */
static int print_assignment(const char *key, const char *value) {
        int width = printf("%s = ", key);

        if (!needs_quotes(value))
                return width + printf("%s", value);
        width += printf("\"");
        for (; *value; value++)
                width += printf(*value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
        return width + printf("\"");
}

static void print_setting(const struct config_setting *setting, void *userdata) {
        struct shown *shown = userdata;
        int width;

        if (setting->kind != shown->kind || setting->name != shown->name) {
                (void)printf("%s[%s%s%s]\n", shown->kind ? "\n" : "", setting->kind,
                             setting->name ? " " : "", setting->name ? setting->name : "");
                shown->kind = setting->kind;
                shown->name = setting->name;
        }
        if (!setting->value && !setting->file) {
                (void)printf("; %s is not set\n", setting->key);
                return;
        }
        width = print_assignment(setting->key, setting->value ? setting->value : "");
        (void)printf("%*s; ", width < COMMENT_COLUMN ? COMMENT_COLUMN - width : 1, "");
        if (setting->file)
                (void)printf("%s:%u\n", setting->file, setting->line);
        else
                (void)puts("default");
}

static void add_setting(const struct config_setting *setting, void *userdata) {
        struct shown *shown = userdata;
        json_t *line = setting->file ? json_integer(setting->line) : json_null();

        (void)json_array_append_new(
            shown->list, json_pack("{s:s, s:s?, s:s, s:s?, s:s?, s:o}", "section", setting->kind,
                                   "name", setting->name, "key", setting->key, "value",
                                   setting->value, "file", setting->file, "line", line));
}

int command_show_config(struct options *options, int argc, char **argv) {
        struct config_problems problems = { 0 };
        struct shown shown = { 0 };
        int status = EXIT_DONE;

        if (!options_words(options, argc, argv, 0, 1))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (options->json)
                shown.list = json_array();
        if (config_describe(options->count > 0 ? options->words[0] : CONFIG_FILE,
                            options->json ? add_setting : print_setting, &shown, &problems) < 0) {
                output_problems(&problems);
                status = CONFIG_REJECTED;
        } else if (options->json) {
                output_json(shown.list);
        }
        json_decref(shown.list);
        config_problems_done(&problems);
        return status;
}
