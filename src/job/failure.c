#include "job/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void set(char *buffer, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void set(char *buffer, size_t size, const char *format, va_list args) {
        char text[1024];

        (void)vsnprintf(text, sizeof(text), format, args);
        (void)text_clean(buffer, size, text, strlen(text));
}

int failure_set(struct failure *failure, int exit_code, const char *format, ...) {
        va_list args;

        failure->exit_code = exit_code;
        failure->lasting = false;
        failure->code[0] = failure->remedy[0] = failure->known[0] = '\0';
        failure->line_count = 0;
        va_start(args, format);
        set(failure->detail, sizeof(failure->detail), format, args);
        va_end(args);
        return -exit_code;
}

void failure_remedy_set(struct failure *failure, const char *format, ...) {
        va_list args;

        va_start(args, format);
        set(failure->remedy, sizeof(failure->remedy), format, args);
        va_end(args);
}

void failure_line_add(struct failure *failure, const char *format, ...) {
        va_list args;

        if (failure->line_count == FAILURE_LINES_MAX)
                return;
        va_start(args, format);
        set(failure->lines[failure->line_count++], sizeof(failure->lines[0]), format, args);
        va_end(args);
}
