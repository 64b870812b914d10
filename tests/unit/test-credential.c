/* A credential file: what is taken, and what each other file is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "infisical/credential.h"

#define TOKEN "eyJhbGciOiJIUzI1NiJ9.e30.abc_DEF-123"

static char directory[] = "/tmp/test-credential-XXXXXX";

static const char *make_file(const char *name, const void *bytes, size_t length, mode_t mode) {
        static char path[128];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        (void)unlink(path);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(path, mode), 0);
        return path;
}

static void content_decides(void **state) {
        static const struct {
                const char *bytes;
                size_t length; /* 0: a text */
                enum diagnosis code;
                const char *word; /* of the remedy */
        } rows[] = {
                { TOKEN, 0, DIAG_NONE, NULL },
                { TOKEN "\n", 0, DIAG_NONE, NULL },
                { " \t" TOKEN "\r\n\n", 0, DIAG_NONE, NULL },
                { "", 0, DIAG_CREDENTIAL_MISSING, "Put the credential" },
                { " \n\n", 0, DIAG_CREDENTIAL_MISSING, "Put the credential" },
                { "two words", 0, DIAG_CREDENTIAL_MISSING, "one line" },
                { "two\nlines", 0, DIAG_CREDENTIAL_MISSING, "one line" },
                { "caf\xc3\xa9", 0, DIAG_CREDENTIAL_MISSING, "one line" },
                { "a\0b", 3, DIAG_CREDENTIAL_MISSING, "one line" },
                { "\x7f", 0, DIAG_CREDENTIAL_MISSING, "one line" },
                { "Whxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAADZXASE\ncomM2s0vfoc0BjnD0eHojq=\n", 0,
                  DIAG_CREDENTIAL_MISSING, "LoadCredentialEncrypted= in place of" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                size_t length = rows[i].length > 0 ? rows[i].length : strlen(rows[i].bytes);
                const char *path = make_file("content", rows[i].bytes, length, 0600);
                struct secret *secret = NULL;
                struct error err = { 0 };

                assert_int_equal(credential_read("token_file", path, &secret, &err),
                                 -(int)rows[i].code);
                if (rows[i].code == DIAG_NONE) {
                        assert_string_equal(secret_bytes(secret), TOKEN);
                        (void)secret_unref(secret);
                        continue;
                }
                assert_null(secret);
                assert_non_null(strstr(err.detail, path));
                assert_non_null(strstr(err.detail, "token_file"));
                assert_non_null(strstr(error_remedy(&err), rows[i].word));
                assert_null(strstr(err.detail, "two"));
        }
}

static void size_is_bounded(void **state) {
        static char text[CREDENTIAL_MAX_BYTES + 2];
        struct secret *secret = NULL;
        struct error err = { 0 };

        (void)state;
        memset(text, 'x', sizeof(text));
        assert_int_equal(credential_read("token_file",
                                         make_file("large", text, CREDENTIAL_MAX_BYTES, 0600),
                                         &secret, &err),
                         0);
        assert_int_equal(secret_length(secret), CREDENTIAL_MAX_BYTES);
        secret = secret_unref(secret);
        assert_int_equal(credential_read("token_file",
                                         make_file("large", text, CREDENTIAL_MAX_BYTES + 1, 0600),
                                         &secret, &err),
                         -(int)DIAG_CREDENTIAL_MISSING);
        assert_null(secret);
        /* One that never ends is a device, not a file. */
        assert_int_equal(credential_read("token_file", "/dev/zero", &secret, &err),
                         -(int)DIAG_CREDENTIAL_PERMISSIONS);
}

static void mode_and_owner_decide(void **state) {
        static const struct {
                mode_t mode;
                uid_t uid;
                gid_t gid; /* 0: the process' own */
                bool good;
        } rows[] = {
                { 0600, 0, 0, true },    { 0400, 0, 0, true },     { 0640, 0, 0, true },
                { 0440, 0, 0, true },    { 0644, 0, 0, false },    { 0604, 0, 0, false },
                { 0660, 0, 0, false },   { 0700, 0, 0, false },    { 0601, 0, 0, false },
                { 0620, 0, 0, false },   { 04600, 0, 0, false },   { 0640, 0, 4711, false },
                { 0600, 0, 4711, true }, { 0600, 4711, 0, false }, { 0640, 4711, 4711, false },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const char *path = make_file("mode", TOKEN, strlen(TOKEN), rows[i].mode);
                struct secret *secret = NULL;
                struct error err = { 0 };

                if ((rows[i].uid > 0 || rows[i].gid > 0) &&
                    (chown(path, rows[i].uid > 0 ? rows[i].uid : geteuid(),
                           rows[i].gid > 0 ? rows[i].gid : getegid()) < 0 ||
                     chmod(path, rows[i].mode) < 0))
                        continue; /* only root can give files away */
                assert_int_equal(credential_read("token_file", path, &secret, &err),
                                 rows[i].good ? 0 : -(int)DIAG_CREDENTIAL_PERMISSIONS);
                (void)secret_unref(secret);
                if (!rows[i].good) {
                        char mode[8];

                        (void)snprintf(mode, sizeof(mode), "%04o", (unsigned)rows[i].mode);
                        assert_non_null(strstr(err.detail, mode));
                        assert_non_null(strstr(err.remedy, "chown"));
                        assert_non_null(strstr(err.remedy, "LoadCredential="));
                }
        }
}

static void what_is_not_there_is_missing(void **state) {
        struct secret *secret = NULL;
        struct error err = { 0 };
        char path[128];

        (void)state;
        assert_int_equal(credential_read("token_file", "/nonexistent/x", &secret, &err),
                         -(int)DIAG_CREDENTIAL_MISSING);
        assert_non_null(strstr(err.remedy, "/nonexistent/x"));

        (void)snprintf(path, sizeof(path), "%s/loop", directory);
        assert_int_equal(symlink(path, path), 0);
        assert_int_equal(credential_read("token_file", path, &secret, &err),
                         -(int)DIAG_CREDENTIAL_MISSING);
        (void)unlink(path);
}

static void links_are_followed_and_the_file_behind_is_checked(void **state) {
        struct secret *secret = NULL;
        struct error err = { 0 };
        char link[128];

        (void)state;
        (void)snprintf(link, sizeof(link), "%s/link", directory);
        assert_int_equal(symlink(make_file("target", TOKEN, strlen(TOKEN), 0600), link), 0);
        assert_int_equal(credential_read("token_file", link, &secret, &err), 0);
        secret = secret_unref(secret);
        (void)make_file("target", TOKEN, strlen(TOKEN), 0644);
        assert_int_equal(credential_read("token_file", link, &secret, &err),
                         -(int)DIAG_CREDENTIAL_PERMISSIONS);
        (void)unlink(link);
}

static void what_is_no_file_is_refused_at_once(void **state) {
        struct secret *secret = NULL;
        struct error err = { 0 };
        char path[128];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/fifo", directory);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(credential_read("token_file", path, &secret, &err),
                         -(int)DIAG_CREDENTIAL_PERMISSIONS);
        assert_int_equal(credential_read("token_file", directory, &secret, &err),
                         -(int)DIAG_CREDENTIAL_PERMISSIONS);
        (void)unlink(path);
}

static void a_relative_name_is_one_of_systemds(void **state) {
        struct secret *secret = NULL;
        struct error err = { 0 };

        (void)state;
        (void)unsetenv("CREDENTIALS_DIRECTORY");
        assert_int_equal(credential_read("token_file", "content", &secret, &err),
                         -(int)DIAG_CREDENTIAL_MISSING);
        assert_non_null(strstr(err.remedy, "LoadCredential=content:"));

        (void)make_file("content", TOKEN, strlen(TOKEN), 0400);
        (void)setenv("CREDENTIALS_DIRECTORY", directory, 1);
        assert_int_equal(credential_read("token_file", "content", &secret, &err), 0);
        secret = secret_unref(secret);
        assert_int_equal(credential_read("token_file", "absent", &secret, &err),
                         -(int)DIAG_CREDENTIAL_MISSING);
        assert_non_null(strstr(err.remedy, "LoadCredentialEncrypted="));
        (void)unsetenv("CREDENTIALS_DIRECTORY");
}

/* The daemon is nobody special: a file of root's own tells both ways out. */
static void what_the_daemon_may_not_open_names_both_remedies(void **state) {
        const char *path = make_file("roots-own", TOKEN, strlen(TOKEN), 0600);
        int status;
        pid_t pid;

        (void)state;
        if (geteuid() != 0)
                return;
        assert_int_equal(chmod(directory, 0711), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct secret *secret = NULL;
                struct error err = { 0 };

                /* The region does not survive a fork; this path does not touch it. */
                if (setgid(65534) < 0 || setuid(65534) < 0)
                        _exit(1);
                if (credential_read("token_file", path, &secret, &err) !=
                    -(int)DIAG_CREDENTIAL_PERMISSIONS)
                        _exit(2);
                if (!strstr(err.detail, "mode 0600, owner 0:0") ||
                    !strstr(err.remedy, "chown root:65534") ||
                    !strstr(err.remedy, "LoadCredential="))
                        _exit(3);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static int set_up(void **state) {
        (void)state;
        return mkdtemp(directory) ? secret_init(true, NULL) : -1;
}

static int tear_down(void **state) {
        static const char *const names[] = { "content", "large", "mode", "target", "roots-own" };
        char path[128];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
                (void)unlink(path);
        }
        (void)rmdir(directory);
        assert_int_equal(secret_in_use(), 0);
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(content_decides),
                cmocka_unit_test(size_is_bounded),
                cmocka_unit_test(mode_and_owner_decide),
                cmocka_unit_test(what_is_not_there_is_missing),
                cmocka_unit_test(links_are_followed_and_the_file_behind_is_checked),
                cmocka_unit_test(what_is_no_file_is_refused_at_once),
                cmocka_unit_test(a_relative_name_is_one_of_systemds),
                cmocka_unit_test(what_the_daemon_may_not_open_names_both_remedies),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
