#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define PROBLEM_TEXT_MAX 512
#define FILE_TEXT_MAX    1024
#define ITEMS_AT_FIRST   16

static char *clean_copy(const char *text, size_t max_bytes) {
        char clean[FILE_TEXT_MAX];

        return strdup(text_clean(clean, max_bytes, text, strlen(text)));
}

static bool make_room(struct config_problems *problems) {
        struct config_problem *items;
        size_t room;

        /* The list is full whenever its size is a power of two from ITEMS_AT_FIRST on. */
        if (problems->count != 0 &&
            (problems->count < ITEMS_AT_FIRST || (problems->count & (problems->count - 1)) != 0))
                return true;
        room = problems->count == 0 ? ITEMS_AT_FIRST : 2 * problems->count;
        items = reallocarray(problems->items, room, sizeof(*items));
        if (!items)
                return false;
        problems->items = items;
        return true;
}

void config_problem_add(struct config_problems *problems, const char *file, unsigned line,
                        const char *format, ...) {
        _cleanup_(freep) char *file_copy = NULL, *text_copy = NULL;
        struct config_problem *item;
        char text[PROBLEM_TEXT_MAX];
        va_list args;

        if (problems->count >= CONFIG_PROBLEMS_MAX) {
                problems->dropped++;
                return;
        }
        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);

        file_copy = clean_copy(file, FILE_TEXT_MAX);
        text_copy = clean_copy(text, PROBLEM_TEXT_MAX);
        if (!file_copy || !text_copy || !make_room(problems)) {
                problems->dropped++;
                return;
        }
        item = &problems->items[problems->count++];
        item->file = take(file_copy);
        item->line = line;
        item->text = take(text_copy);
}

bool config_problems_any(const struct config_problems *problems) {
        return problems->count > 0 || problems->dropped > 0;
}

void config_problems_done(struct config_problems *problems) {
        for (size_t i = 0; i < problems->count; i++) {
                free(problems->items[i].file);
                free(problems->items[i].text);
        }
        free(problems->items);
        *problems = (struct config_problems){ 0 };
}
