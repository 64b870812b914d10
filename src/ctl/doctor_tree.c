#include "ctl/doctor_tree.h"

#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"

#define WIDTH_MIN 40
#define WIDTH     80

static const struct mark {
        const char *state, *sign, *ascii, *color;
} marks[] = {
        { "ok", "✓", "ok", "\033[32m" },
        { "broken", "✗", "XX", "\033[31m" },
        { "note", "•", "--", "\033[36m" },
        { "not-checked", "?", "??", "\033[33m" },
};

struct tree {
        FILE *out;
        bool utf8, color;
        size_t width;
};

static const struct mark *mark_of(const json_t *finding) {
        const char *state = json_member_string(finding, "state");

        for (size_t i = 0; state && i < ELEMENTS(marks); i++)
                if (strcmp(marks[i].state, state) == 0)
                        return &marks[i];
        return &marks[ELEMENTS(marks) - 1];
}

/* Words, broken at blanks, further lines indented; a word longer than a line stands alone. */
static void print_wrapped(const struct tree *tree, const char *text, size_t column, size_t indent) {
        bool first = true;

        while (*text) {
                size_t length = strcspn(text, " ");

                if (column + !first + length > tree->width && column > indent) {
                        (void)fprintf(tree->out, "\n%*s", (int)indent, "");
                        column = indent;
                } else if (!first) {
                        (void)fputc(' ', tree->out);
                        column++;
                }
                (void)fwrite(text, 1, length, tree->out);
                column += length;
                text += length;
                text += strspn(text, " ");
                first = false;
        }
        (void)fputc('\n', tree->out);
}

static void print_finding(const struct tree *tree, const json_t *finding, size_t depth) {
        const char *name = json_member_string(finding, "name"),
                   *detail = json_member_string(finding, "detail");
        const char *code = json_member_string(finding, "code"),
                   *remedy = json_member_string(finding, "remedy");
        const json_t *steps = json_object_get(finding, "steps"), *step;
        const struct mark *mark = mark_of(finding);
        bool unchecked = strcmp(mark->state, "not-checked") == 0 && json_array_size(steps) == 0;
        size_t indent = 2 * depth + (tree->utf8 ? 2 : 3), i;

        (void)fprintf(tree->out, "%*s%s%s%s %s", (int)(2 * depth), "",
                      tree->color ? mark->color : "", tree->utf8 ? mark->sign : mark->ascii,
                      tree->color ? "\033[0m" : "", name ? name : "?");
        if (unchecked)
                (void)fputs(": not checked", tree->out);
        if (strcmp(mark->state, "broken") == 0 && json_array_size(steps) == 0) {
                (void)fprintf(tree->out, "%s%s\n%*s", code ? ": " : "", code ? code : "",
                              (int)indent + 2, "");
                print_wrapped(tree, detail ? detail : "", indent + 2, indent + 2);
        } else if (detail) {
                (void)fputs(": ", tree->out);
                print_wrapped(tree, detail,
                              indent + (name ? strlen(name) : 1) + (unchecked ? 15 : 2),
                              indent + 2);
        } else {
                (void)fputc('\n', tree->out);
        }
        if (remedy) {
                (void)fprintf(tree->out, "%*sremedy: ", (int)indent + 2, "");
                print_wrapped(tree, remedy, indent + 10, indent + 4);
        }
        json_array_foreach(steps, i, step) print_finding(tree, step, depth + 1);
}

static size_t terminal_width(void) {
        struct winsize size = { 0 };

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return WIDTH;
        return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

void doctor_tree_print(const json_t *steps, FILE *out) {
        const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
        struct tree tree = { .out = out, .width = terminal_width() };
        const json_t *step;
        size_t i;

        (void)setlocale(LC_CTYPE, "");
        tree.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
        tree.color = isatty(fileno(out)) && !(no_color && *no_color) && terminal &&
                     strcmp(terminal, "dumb") != 0;
        json_array_foreach(steps, i, step) print_finding(&tree, step, 0);
}
