#include "job/commands.h"

#include <stdio.h>
#include <string.h>

#include "job/output.h"
#include "job/token_list.h"

#define COLUMNS 7

static void fields(const struct token_item *item, const char *ret[static COLUMNS]) {
        ret[0] = item->name;
        ret[1] = item->forge;
        ret[2] = item->forge_type;
        ret[3] = item->forge_url;
        ret[4] = item->targets;
        ret[5] = item->state;
        ret[6] = item->source;
}

static int print_row(const char *const row[static COLUMNS], const int widths[static COLUMNS],
                     struct failure *failure) {
        char line[1024];

        (void)snprintf(line, sizeof(line), "%-*s  %-*s  %-*s  %-*s  %-*s  %-*s  %s", widths[0],
                       row[0], widths[1], row[1], widths[2], row[2], widths[3], row[3], widths[4],
                       row[4], widths[5], row[5], row[6]);
        return output_line(line, strlen(line), failure);
}

static int print(const struct token_list *list, struct failure *failure) {
        static const char *const titles[COLUMNS] = { "NAME", "FORGE", "TYPE",  "URL",
                                                     "FOR",  "STATE", "SOURCE" };
        int widths[COLUMNS] = { 0 };
        const char *row[COLUMNS] = { 0 };
        struct json position = { 0 };
        struct token_item item;
        int r;

        for (size_t i = 0; i < COLUMNS; i++)
                widths[i] = (int)strlen(titles[i]);
        while (token_list_next(list, &position, &item)) {
                fields(&item, row);
                for (size_t i = 0; i < COLUMNS; i++)
                        if ((int)strlen(row[i]) > widths[i])
                                widths[i] = (int)strlen(row[i]);
        }
        r = print_row(titles, widths, failure);
        position = (struct json){ 0 };
        while (r == 0 && token_list_next(list, &position, &item)) {
                fields(&item, row);
                r = print_row(row, widths, failure);
        }
        return r;
}

int command_list(struct arguments *arguments, char **argv, struct failure *failure) {
        _cleanup_(token_list_done) struct token_list list = { 0 };
        static const struct option options[] = { { 0 } };
        struct client client;
        int r;

        r = arguments_parse(arguments, "list", argv, options, /* only_leading= */ false, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        r = arguments_none(arguments, "list", failure);
        if (r < 0)
                return r;
        client_init(&client, arguments->socket, arguments->timeout);
        r = token_list_get(&client, &list, failure);
        return r < 0 ? r : print(&list, failure);
}
