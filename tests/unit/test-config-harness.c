#include "test-config-harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/draft.h"
#include "config/problems.h"

void loaded_done(struct loaded *loaded) {
        (void)config_unref(loaded->config);
        config_problems_done(&loaded->problems);
}

struct loaded load_texts(const char *const *texts) {
        struct loaded loaded = { 0 };
        _cleanup_(draft_freep) struct draft *draft = draft_new(&loaded.problems);

        assert_non_null(draft);
        for (size_t i = 0; texts[i]; i++) {
                char name[32];

                (void)snprintf(name, sizeof(name), i == 0 ? MAIN : "%zu.conf", i);
                draft_read(draft, name, texts[i], strlen(texts[i]));
        }
        draft_finish(draft);
        draft_check(draft);
        if (!config_problems_any(&loaded.problems)) {
                loaded.config = draft_build(draft, MAIN);
                assert_non_null(loaded.config);
        }
        return loaded;
}

static void print_problems(const struct config_problems *problems) {
        for (size_t i = 0; i < problems->count; i++)
                print_message("# %s:%u: %s\n", problems->items[i].file, problems->items[i].line,
                              problems->items[i].text);
}

const struct config *assert_loads(const struct loaded *loaded) {
        print_problems(&loaded->problems);
        assert_non_null(loaded->config);
        return loaded->config;
}

static bool has_problem(const struct config_problems *problems, const char *file, unsigned line,
                        const char *part) {
        for (size_t i = 0; i < problems->count; i++) {
                const struct config_problem *problem = &problems->items[i];

                if (problem->line == line && strcmp(problem->file, file) == 0 &&
                    strstr(problem->text, part))
                        return true;
        }
        return false;
}

void assert_problem(const struct loaded *loaded, const char *file, unsigned line,
                    const char *part) {
        if (has_problem(&loaded->problems, file, line, part))
                return;
        print_problems(&loaded->problems);
        fail_msg("no problem at %s:%u with \"%s\"", file, line, part);
}

void assert_only_problem(const struct loaded *loaded, unsigned line, const char *part) {
        assert_problem(loaded, MAIN, line, part);
        if (loaded->problems.count != 1)
                print_problems(&loaded->problems);
        assert_int_equal(loaded->problems.count, 1);
        assert_null(loaded->config);
}

struct loaded load_with_line(const char *text, const char *line, unsigned *ret_number) {
        char whole[8192];
        unsigned number = 1;

        (void)snprintf(whole, sizeof(whole), "%s%s\n", text, line);
        for (const char *p = text; *p; p++)
                if (*p == '\n')
                        number++;
        *ret_number = number;
        return load(whole);
}

void assert_refused(const char *text, const char *line, const char *part) {
        unsigned number;
        _cleanup_(loaded_done) struct loaded loaded = load_with_line(text, line, &number);

        assert_only_problem(&loaded, number, part);
}

void assert_accepted(const char *text, const char *line) {
        unsigned number;
        _cleanup_(loaded_done) struct loaded loaded = load_with_line(text, line, &number);

        (void)assert_loads(&loaded);
}
