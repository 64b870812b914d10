/*
 * Configuration files on disk: which are read, in which order, and which are refused; the shipped
 * example; the manual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

#include "config/draft.h"
#include "config/ini.h"
#include "config/keys.h"
#include "config/problems.h"
#include "test-config-harness.h"

#define PATH_SIZE 512

/* A directory of each test's own, with main.conf and perhaps conf.d in it. */
static int make_directory(void **state) {
        char *directory = strdup("/tmp/test-config-XXXXXX");

        *state = directory;
        return directory && mkdtemp(directory) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *position) {
        (void)st;
        (void)type;
        (void)position;
        return remove(path);
}

static int remove_directory(void **state) {
        int r = nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);

        free(*state);
        return r;
}

static const char *path_of(void **state, const char *name) {
        static char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "%s/%s", (const char *)*state, name);
        return path;
}

static void write_file(void **state, const char *name, const char *text) {
        _cleanup_(fclosep) FILE *file = fopen(path_of(state, name), "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
}

static void make_conf_d(void **state) {
        assert_int_equal(mkdir(path_of(state, "conf.d"), 0700), 0);
}

static struct loaded load_main(void **state) {
        struct loaded loaded = { 0 };

        if (config_load(path_of(state, MAIN), &loaded.config, &loaded.problems) < 0)
                assert_true(config_problems_any(&loaded.problems));
        return loaded;
}

/* Of a file in the test's directory. */
static void assert_file_problem(void **state, const struct loaded *loaded, const char *name,
                                unsigned line, const char *part) {
        assert_problem(loaded, path_of(state, name), line, part);
        assert_null(loaded->config);
}

static void a_main_file_alone_is_enough(void **state) {
        write_file(state, MAIN, LEAST);
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        assert_string_equal(assert_loads(&loaded)->file, path_of(state, MAIN));
}

static void a_main_file_in_the_working_directory_has_its_drop_ins(void **state) {
        char before[PATH_SIZE];

        write_file(state, MAIN, LEAST);
        make_conf_d(state);
        write_file(state, "conf.d/a.conf", "[token deploy]\nrefresh = 1m\n");
        assert_non_null(getcwd(before, sizeof(before)));
        assert_int_equal(chdir(*state), 0);
        _cleanup_(loaded_done) struct loaded loaded = { 0 };
        int r = config_load(MAIN, &loaded.config, &loaded.problems);
        assert_int_equal(chdir(before), 0);
        assert_int_equal(r, 0);
        assert_int_equal(assert_loads(&loaded)->tokens[0]->refresh, USEC_PER_MIN);
}

static void drop_ins_are_read_in_the_order_of_their_names(void **state) {
        write_file(state, MAIN, LEAST);
        make_conf_d(state);
        write_file(state, "conf.d/b.conf", "[token deploy]\nrefresh = 2m\nusername = b\n");
        write_file(state, "conf.d/10.conf", "[token deploy]\nrefresh = 1m\n");
        write_file(state, "conf.d/9.conf", "[token deploy]\nusername = nine\nrefresh = 9m\n");
        write_file(state, "conf.d/B.conf", "[token deploy]\nusername = B\n");
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        assert_int_equal(assert_loads(&loaded)->tokens[0]->refresh, 2 * USEC_PER_MIN);
        assert_string_equal(loaded.config->tokens[0]->username, "b");
}

static void other_files_in_conf_d_are_left_alone(void **state) {
        static const char *const names[] = { "README",  "a.conf.dpkg-dist", "b.conf~",
                                             ".c.conf", "d.CONF",           ".conf" };

        write_file(state, MAIN, LEAST);
        make_conf_d(state);
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                char name[64];

                (void)snprintf(name, sizeof(name), "conf.d/%s", names[i]);
                write_file(state, name, "not a configuration\n");
        }
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        (void)assert_loads(&loaded);
}

static void mistakes_in_drop_ins_have_the_drop_ins_name(void **state) {
        write_file(state, MAIN, LEAST);
        make_conf_d(state);
        write_file(state, "conf.d/a.conf", "\n[token deploy]\nrefresh = soon\n");
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        assert_file_problem(state, &loaded, "conf.d/a.conf", 3, "'refresh' is 'soon'");
        assert_int_equal(loaded.problems.count, 1);
}

static void a_missing_main_file_is_one_finding(void **state) {
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);

        assert_file_problem(state, &loaded, MAIN, 0, "cannot be opened: No such file or directory");
        assert_int_equal(loaded.problems.count, 1);
}

static void only_regular_files_are_read(void **state) {
        write_file(state, MAIN, LEAST);
        make_conf_d(state);
        assert_int_equal(mkfifo(path_of(state, "conf.d/fifo.conf"), 0600), 0);
        assert_int_equal(mkdir(path_of(state, "conf.d/directory.conf"), 0700), 0);
        assert_int_equal(symlink("nowhere", path_of(state, "conf.d/dangling.conf")), 0);
        assert_int_equal(symlink("/dev/zero", path_of(state, "conf.d/device.conf")), 0);
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        assert_file_problem(state, &loaded, "conf.d/fifo.conf", 0, "not a regular file");
        assert_file_problem(state, &loaded, "conf.d/directory.conf", 0, "not a regular file");
        assert_file_problem(state, &loaded, "conf.d/dangling.conf", 0,
                            "cannot be opened: No such file");
        assert_file_problem(state, &loaded, "conf.d/device.conf", 0, "not a regular file");
        assert_int_equal(loaded.problems.count, 4);
}

static void a_link_to_a_regular_file_is_followed(void **state) {
        write_file(state, "real", LEAST);
        assert_int_equal(symlink("real", path_of(state, MAIN)), 0);
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        (void)assert_loads(&loaded);
}

static void what_anyone_may_write_is_refused(void **state) {
        write_file(state, MAIN, LEAST);
        assert_int_equal(chmod(path_of(state, MAIN), 0646), 0);
        _cleanup_(loaded_done) struct loaded file = load_main(state);
        assert_file_problem(state, &file, MAIN, 0, "anyone may write it (mode 0646)");
        assert_int_equal(file.problems.count, 1);

        assert_int_equal(chmod(path_of(state, MAIN), 0644), 0);
        make_conf_d(state);
        assert_int_equal(chmod(path_of(state, "conf.d"), 01777), 0);
        _cleanup_(loaded_done) struct loaded directory = load_main(state);
        assert_file_problem(state, &directory, "conf.d", 0, "anyone may write it (mode 1777)");
}

static void a_conf_d_that_is_no_directory_is_refused(void **state) {
        write_file(state, MAIN, LEAST);
        write_file(state, "conf.d", "");
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        assert_file_problem(state, &loaded, "conf.d", 0, "cannot be opened: Not a directory");
}

static void a_file_that_is_too_large_is_refused(void **state) {
        write_file(state, MAIN, LEAST);
        assert_int_equal(truncate(path_of(state, MAIN), INI_FILE_MAX_BYTES + 1), 0);
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        assert_file_problem(state, &loaded, MAIN, 0, "too large; expected at most 1 MiB");
}

static void too_many_drop_ins_are_refused(void **state) {
        write_file(state, MAIN, LEAST);
        make_conf_d(state);
        for (unsigned i = 0; i < 257; i++) {
                char name[32];

                (void)snprintf(name, sizeof(name), "conf.d/%03u.conf", i);
                write_file(state, name, "");
        }
        _cleanup_(loaded_done) struct loaded loaded = load_main(state);
        assert_file_problem(state, &loaded, "conf.d", 0, "too many drop-ins; expected at most 256");
}

static void a_ca_file_must_be_there(void **state) {
        char text[2 * PATH_SIZE];

        write_file(state, "ca.pem", "");
        (void)snprintf(text, sizeof(text), IDENTITY "ca_file = %s\n" TOKEN FORGE,
                       path_of(state, "ca.pem"));
        write_file(state, MAIN, text);
        _cleanup_(loaded_done) struct loaded there = load_main(state);
        (void)assert_loads(&there);

        assert_int_equal(unlink(path_of(state, "ca.pem")), 0);
        _cleanup_(loaded_done) struct loaded missing = load_main(state);
        assert_file_problem(state, &missing, MAIN, 6,
                            "'ca_file' names a file that cannot be used: No such file");
        write_file(state, MAIN, LEAST "[forge home]\nca_file = /dev/null\n");
        _cleanup_(loaded_done) struct loaded device = load_main(state);
        assert_file_problem(state, &device, MAIN, 14, "not a regular file");
}

static const char *source_path(const char *name) {
        static char path[PATH_SIZE];
        const char *top = getenv("top_srcdir");

        (void)snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
        return path;
}

static void the_shipped_example_loads_as_it_is(void **state) {
        _cleanup_(loaded_done) struct loaded loaded = { 0 };

        (void)state;
        assert_int_equal(
            config_load(source_path("etc/forge-broker.conf"), &loaded.config, &loaded.problems), 0);
        assert_int_equal(assert_loads(&loaded)->n_tokens, 1);
}

/* The man page's text between the key's item and the next one. */
static bool man_page_documents(const char *page, const struct key *key) {
        char item[128];
        const char *begin, *end, *found;

        (void)snprintf(item, sizeof(item), "\n.Ss [%s", section_kind_name(key->section));
        begin = strstr(page, item);
        if (!begin)
                return false;
        (void)snprintf(item, sizeof(item), "\n.It Ic %s ", key->name);
        found = strstr(begin, item);
        end = strstr(begin + 1, "\n.Ss [");
        if (!found || (end && found > end))
                return false;
        begin = found;
        end = strstr(begin + 1, "\n.It ");
        (void)snprintf(item, sizeof(item), key->fallback ? "Default: %s." : "%s",
                       key->fallback ? key->fallback : "");
        found = strstr(begin, item);
        return found && (!end || found < end);
}

static void the_manual_has_every_key_with_its_default(void **state) {
        _cleanup_(fclosep) FILE *file = fopen(source_path("docs/man/forge-broker.conf.5"), "re");
        static char page[128 * 1024];
        bool complete = true;

        (void)state;
        assert_non_null(file);
        assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
        for (size_t i = 0; i < KEY_COUNT; i++) {
                const struct key *key = key_get((enum key_id)i);

                if (man_page_documents(page, key))
                        continue;
                print_message("# '%s' of [%s]: not documented, or not with its default\n",
                              key->name, section_kind_name(key->section));
                complete = false;
        }
        assert_true(complete);
}

#define test_in_directory(test)                                                                    \
        cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void) {
        const struct CMUnitTest tests[] = {
                test_in_directory(a_main_file_alone_is_enough),
                test_in_directory(a_main_file_in_the_working_directory_has_its_drop_ins),
                test_in_directory(drop_ins_are_read_in_the_order_of_their_names),
                test_in_directory(other_files_in_conf_d_are_left_alone),
                test_in_directory(mistakes_in_drop_ins_have_the_drop_ins_name),
                test_in_directory(a_missing_main_file_is_one_finding),
                test_in_directory(only_regular_files_are_read),
                test_in_directory(a_link_to_a_regular_file_is_followed),
                test_in_directory(what_anyone_may_write_is_refused),
                test_in_directory(a_conf_d_that_is_no_directory_is_refused),
                test_in_directory(a_file_that_is_too_large_is_refused),
                test_in_directory(too_many_drop_ins_are_refused),
                test_in_directory(a_ca_file_must_be_there),
                cmocka_unit_test(the_shipped_example_loads_as_it_is),
                cmocka_unit_test(the_manual_has_every_key_with_its_default),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
