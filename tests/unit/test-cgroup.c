/* What a cgroup says about a process: every layout of tests/unit/data/cgroup-lines.txt, and what
 * is too long or torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/cgroup.h"

/* One case of the file. */
struct row {
        char title[160], root[2048], lines[4096];
};

static void append(char *text, size_t size, const char *line) {
        assert_true(strlen(text) + strlen(line) < size);
        (void)strcat(text, line);
}

static const char *expected_text(char **rest) {
        const char *field = strsep(rest, "\t\n");

        assert_non_null(field);
        return strcmp(field, "-") == 0 ? "" : field;
}

static bool check(const struct row *row, char *expected) {
        const char *unit = expected_text(&expected), *container = expected_text(&expected);
        const char *path = expected_text(&expected), *own = expected_text(&expected);
        struct cgroup_root root;
        struct cgroup cgroup;
        bool good;

        cgroup_root_parse(row->root, strlen(row->root), &root);
        cgroup_parse(row->lines, strlen(row->lines), &root, &cgroup);
        good = strcmp(cgroup.unit, unit) == 0 && strcmp(cgroup.container, container) == 0 &&
               strcmp(cgroup.path, path) == 0 && cgroup.own == strlen(own) &&
               memcmp(cgroup.path, own, cgroup.own) == 0;
        if (!good)
                print_error(
                    "%s: unit '%s', container '%s', path '%s' of which %zu bytes are its own\n",
                    row->title, cgroup.unit, cgroup.container, cgroup.path, cgroup.own);
        return good;
}

static void every_layout_gives_what_is_certain_and_no_more(void **state) {
        const char *top = getenv("top_srcdir");
        char path[4096], line[1024];
        struct row row = { 0 };
        unsigned rows = 0, bad = 0;
        FILE *file;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/tests/unit/data/cgroup-lines.txt", top ? top : ".");
        file = fopen(path, "re");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                if (line[0] == '#' || line[0] == '\n')
                        continue;
                if (line[0] == '=') {
                        row = (struct row){ 0 };
                        (void)snprintf(row.title, sizeof(row.title), "%.*s",
                                       (int)strcspn(line + 2, "\n"), line + 2);
                } else if (line[0] == '<') {
                        append(row.root, sizeof(row.root), line + 2);
                } else if (line[0] == '>') {
                        rows++;
                        bad += !check(&row, line + 2);
                } else {
                        append(row.lines, sizeof(row.lines), line);
                }
        }
        (void)fclose(file);
        assert_true(rows >= 70);
        assert_int_equal(bad, 0);
}

static const struct cgroup_root no_root;

static void parse(const char *text, struct cgroup *ret) {
        cgroup_parse(text, strlen(text), &no_root, ret);
}

static void a_torn_last_line_does_not_count(void **state) {
        static const char text[] =
            "1:name=systemd:/system.slice/x.service\n0::/system.slice/y.serv";
        struct cgroup cgroup;

        (void)state;
        for (size_t length = 0; length < sizeof(text); length++) {
                cgroup_parse(text, length, &no_root, &cgroup);
                assert_string_equal(cgroup.unit,
                                    length < strcspn(text, "\n") + 1 ? "" : "x.service");
        }
}

static void what_is_too_long_is_cut_or_unknown(void **state) {
        char text[8192], name[600];
        struct cgroup cgroup;

        (void)state;
        memset(name, 'a', sizeof(name));
        (void)snprintf(text, sizeof(text), "0::/system.slice/%.*s.service\n", 247, name);
        parse(text, &cgroup);
        assert_int_equal(strlen(cgroup.unit), 255);
        (void)snprintf(text, sizeof(text), "0::/system.slice/%.*s.service\n", 248, name);
        parse(text, &cgroup);
        assert_string_equal(cgroup.unit, "");
        (void)snprintf(text, sizeof(text), "0::/x/%.*s/system.slice/x.service\n", 500, name);
        parse(text, &cgroup);
        assert_int_equal(strlen(cgroup.path), CGROUP_PATH_MAX - 1);
        assert_string_equal(cgroup.path + CGROUP_PATH_MAX - 4, "...");
        (void)snprintf(text, sizeof(text), "0::/lxc.payload.%.*s\n", 80, name);
        parse(text, &cgroup);
        assert_int_equal(strlen(cgroup.container), 84);
        (void)snprintf(text, sizeof(text), "0::/lxc.payload.%.*s\n", 81, name);
        parse(text, &cgroup);
        assert_string_equal(cgroup.container, "");
}

static void a_path_below_more_directories_than_we_look_at_keeps_its_unit(void **state) {
        char text[4096] = "0::/system.slice/x.service";
        struct cgroup cgroup;

        (void)state;
        for (int i = 0; i < 60; i++)
                (void)strcat(text, "/a");
        (void)strcat(text, "\n");
        parse(text, &cgroup);
        assert_string_equal(cgroup.unit, "x.service");
        assert_int_equal(cgroup.own, strlen("/system.slice/x.service"));
}

static void a_hostile_name_is_clean_and_never_a_unit(void **state) {
        static const char *const names[] = { "\x1b[2J", "a\"b", "x\u202ey", "\xff\xfe", "a b" };
        char text[256];
        struct cgroup cgroup;

        (void)state;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                (void)snprintf(text, sizeof(text), "0::/system.slice/%s.service\n", names[i]);
                parse(text, &cgroup);
                assert_string_equal(cgroup.unit, "");
                assert_null(strpbrk(cgroup.path, "\x1b\xff\xfe"));
                /* What is below its own unit changes nothing of what the unit is. */
                (void)snprintf(text, sizeof(text), "0::/system.slice/x.service/%s\n", names[i]);
                parse(text, &cgroup);
                assert_string_equal(cgroup.unit, "x.service");
                assert_int_equal(cgroup.own, strlen("/system.slice/x.service"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_layout_gives_what_is_certain_and_no_more),
                cmocka_unit_test(a_torn_last_line_does_not_count),
                cmocka_unit_test(what_is_too_long_is_cut_or_unknown),
                cmocka_unit_test(a_path_below_more_directories_than_we_look_at_keeps_its_unit),
                cmocka_unit_test(a_hostile_name_is_clean_and_never_a_unit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
