/*
 * Prints the journal catalog: the template, with lines "@codes FIRST LAST@" replaced by what the table of diagnoses
 * (src/base/error.c) has from FIRST to LAST.  Runs when the package is built, and is not installed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define LINE_BYTES 1024
#define WIDTH      82
#define INDENT     4

/* Words, wrapped, each line behind INDENT blanks. */
static void print_text(const char *text) {
        size_t column = 0;

        while (*text) {
                size_t length = strcspn(text, " ");

                if (column > 0 && column + 1 + length > WIDTH) {
                        (void)putchar('\n');
                        column = 0;
                }
                column += (size_t)printf("%*s%.*s", column == 0 ? INDENT : 1, "", (int)length, text);
                text += length;
                text += strspn(text, " ");
        }
        (void)putchar('\n');
}

static void print_codes(enum diagnosis first, enum diagnosis last) {
        for (int code = (int)first; code <= (int)last; code++) {
                const struct diagnosis_info *info = diagnosis_info((enum diagnosis)code);

                (void)printf("%s: %s.\n", info->name, info->title);
                print_text(info->remedy);
        }
}

/* Return: false for a line that asks for codes that there are not. */
static bool print_line(const char *line) {
        char first[64], last[64];

        if (strncmp(line, "@codes", strlen("@codes")) != 0) {
                (void)fputs(line, stdout);
                return true;
        }
        if (sscanf(line, "@codes %63[a-z-] %63[a-z-]@", first, last) != 2 || diagnosis_find(first) == DIAG_NONE ||
            diagnosis_find(last) < diagnosis_find(first))
                return false;
        print_codes(diagnosis_find(first), diagnosis_find(last));
        return true;
}

static bool print_catalog(FILE *template) {
        char line[LINE_BYTES];

        while (fgets(line, sizeof(line), template)) {
                if (print_line(line))
                        continue;
                (void)fprintf(stderr, "print-catalog: no such codes: %s", line);
                return false;
        }
        return !ferror(template) && fflush(stdout) == 0;
}

int main(int argc, char **argv) {
        FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;
        bool good;

        if (!template) {
                (void)fprintf(stderr, "usage: print-catalog TEMPLATE\n");
                return EXIT_USAGE;
        }
        good = print_catalog(template);
        (void)fclose(template);
        return good ? 0 : 1;
}
