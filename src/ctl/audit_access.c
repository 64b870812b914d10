#include "ctl/audit_access.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "base/text.h"

static int refuse(const char *path, int error, struct error *err) {
        char clean[128];

        (void)text_clean(clean, sizeof(clean), path, strlen(path));
        (void)error_set(err, DIAG_INTERNAL_ERROR, "%s cannot be read: %s", clean, strerror(error));
        if (error == EACCES || error == EPERM)
                error_remedy_set(err,
                                 "Run it as root or as a member of the group systemd-journal (this "
                                 "is uid %u): what "
                                 "cannot be read would be missing from the audit.",
                                 (unsigned)geteuid());
        else
                error_remedy_set(
                    err, "Name a journal's directory with --directory, or its files with --file.");
        return -DIAG_INTERNAL_ERROR;
}

static int check_file(const char *path, struct error *err) {
        return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 ? 0 : refuse(path, errno, err);
}

/* All that match must be readable, but for one that was rotated away meanwhile.  Return: how many
 * there are, or a negated diagnosis. */
static int check_pattern(const char *directory, const char *pattern, struct error *err) {
        char path[4096];
        glob_t found;
        int count = 0, r = 0;

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, pattern) >= sizeof(path))
                return refuse(directory, ENAMETOOLONG, err);
        if (glob(path, GLOB_NOSORT, NULL, &found) != 0)
                return 0;
        for (size_t i = 0; i < found.gl_pathc && r >= 0; i++, count++)
                if (faccessat(AT_FDCWD, found.gl_pathv[i], R_OK, AT_EACCESS) < 0 && errno != ENOENT)
                        r = refuse(found.gl_pathv[i], errno, err);
        globfree(&found);
        return r < 0 ? r : count;
}

/* A directory of journals, or one with a directory for each machine.  Directories that are closed
 * hide their files. */
static int check_directory(const char *directory, struct error *err) {
        static const char *const patterns[] = { "*.journal", "*.journal~", "*/", "*/*.journal",
                                                "*/*.journal~" };

        for (size_t i = 0; i < ELEMENTS(patterns); i++) {
                int r = check_pattern(directory, patterns[i], err);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_local(struct error *err) {
        static const char *const places[] = { "/var/log/journal", "/run/log/journal" };
        char id[SD_ID128_STRING_MAX], path[128];
        sd_id128_t machine;
        int found = 0, r;

        r = sd_id128_get_machine(&machine);
        if (r < 0)
                return refuse("/etc/machine-id", -r, err);
        for (size_t i = 0; i < ELEMENTS(places); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", places[i],
                               sd_id128_to_string(machine, id));
                r = check_pattern(path, "system*.journal", err);
                if (r < 0)
                        return r;
                found += r;
                if (r == 0 && faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) < 0 &&
                    errno != ENOENT)
                        return refuse(path, errno, err);
        }
        if (found > 0)
                return 0;
        (void)error_set(
            err, DIAG_INTERNAL_ERROR,
            "there is no journal of this machine in /var/log/journal or /run/log/journal");
        error_remedy_set(err, "Run it where forge-brokerd runs, with a systemd-journald, or name a "
                              "journal with --directory.");
        return -DIAG_INTERNAL_ERROR;
}

int audit_access_check(const struct audit_place *place, struct error *err) {
        int r = 0;

        for (size_t i = 0; place->files && place->files[i] && r == 0; i++)
                r = check_file(place->files[i], err);
        if (r < 0 || place->files)
                return r;
        if (place->directory) {
                if (faccessat(AT_FDCWD, place->directory, R_OK | X_OK, AT_EACCESS) < 0)
                        return refuse(place->directory, errno, err);
                return check_directory(place->directory, err);
        }
        return place->merge ? check_directory("/var/log/journal", err) : check_local(err);
}
