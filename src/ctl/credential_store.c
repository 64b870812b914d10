#include "ctl/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/program.h"
#include "infisical/credential.h"

#define ENCRYPTED_STORE "/etc/credstore.encrypted"
#define PLAIN_STORE     "/etc/credstore"
#define ENCRYPT_TIMEOUT (30 * USEC_PER_SEC)
#define NOISE_MAX       4096 /* what systemd-creds says on standard output */

static bool exists(const char *file) {
        struct stat st;

        return lstat(file, &st) == 0;
}

int credential_place_find(const char *setting, const char *name, struct credential_place *ret,
                          struct error *err) {
        char plain[sizeof(ret->file)];
        bool has_plain;

        *ret = (struct credential_place){ .setting = setting, .name = name };
        if (name[0] == '/') {
                (void)snprintf(ret->file, sizeof(ret->file), "%s", name);
                return 0;
        }
        (void)snprintf(plain, sizeof(plain), "%s/%s", PLAIN_STORE, name);
        (void)snprintf(ret->file, sizeof(ret->file), "%s/%s", ENCRYPTED_STORE, name);
        has_plain = exists(plain);
        if (has_plain && exists(ret->file)) {
                (void)error_set(err, DIAG_CREDENTIAL_MISSING, "there are both %s and %s", plain,
                                ret->file);
                error_remedy_set(err, "Remove the one that the unit does not load: 'systemctl show "
                                      "-p LoadCredential -p "
                                      "LoadCredentialEncrypted forge-brokerd' names it.");
                return -(int)err->code;
        }
        ret->encrypted = !has_plain;
        if (has_plain)
                memcpy(ret->file, plain, sizeof(plain));
        return 0;
}

static int failed(const char *what, const char *file, struct error *err) {
        return error_set(err, DIAG_INTERNAL_ERROR, "cannot %s %s: %s", what, file, strerror(errno));
}

/* systemd-creds writes the file itself, beside the final one: what it encrypts is never in a
 * file. */
static int encrypt(const struct credential_place *place, const struct secret *value,
                   const char *beside, struct error *err) {
        _cleanup_(secret_unrefp) struct secret *noise = secret_new(NOISE_MAX);
        char name[300];
        const char *const argv[] = { "systemd-creds", "encrypt", name, "-", beside, NULL };
        int status = 0, r;

        if (!noise)
                return error_oom(err);
        if (mkdir(ENCRYPTED_STORE, 0700) < 0 && errno != EEXIST)
                return failed("make", ENCRYPTED_STORE, err);
        (void)snprintf(name, sizeof(name), "--name=%s", place->name);
        r = program_run(argv, value, noise, ENCRYPT_TIMEOUT, &status, err);
        if (r >= 0 && status != 0)
                r = error_set(err, DIAG_INTERNAL_ERROR, "systemd-creds ended with %d", status);
        return r;
}

/* Owner, group and mode of the old file, for the daemon must be able to read it; else root's
 * alone. */
static int write_plain(const struct credential_place *place, const struct secret *value,
                       const char *beside, struct error *err) {
        _cleanup_(closep) int fd =
            open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct stat st;

        if (fd < 0)
                return failed("make", beside, err);
        if (stat(place->file, &st) == 0 &&
            (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 0640) < 0))
                return failed("set owner and mode of", beside, err);
        if (write(fd, secret_bytes(value), secret_length(value)) != (ssize_t)secret_length(value) ||
            fsync(fd) < 0)
                return failed("write", beside, err);
        return 0;
}

int credential_store_put(struct credential_place *place, const struct secret *value,
                         struct error *err) {
        char beside[sizeof(place->file) + 16];
        int r;

        (void)snprintf(beside, sizeof(beside), "%s.new", place->file);
        (void)snprintf(place->backup, sizeof(place->backup), "%s.before", place->file);
        (void)unlink(beside);
        (void)unlink(place->backup);
        r = place->encrypted ? encrypt(place, value, beside, err)
                             : write_plain(place, value, beside, err);
        if (r >= 0 && exists(place->file) && link(place->file, place->backup) < 0)
                r = failed("keep the old", place->file, err);
        if (r >= 0 && rename(beside, place->file) < 0)
                r = failed("replace", place->file, err);
        if (r < 0) {
                (void)unlink(beside);
                (void)unlink(place->backup);
                return r;
        }
        if (!exists(place->backup))
                place->backup[0] = '\0';
        place->replaced = true;
        return 0;
}

/* What systemd made of it for the unit; root may look. */
static struct secret *read_handed_over(const char *name) {
        _cleanup_(secret_unrefp) struct secret *bytes = secret_new(CREDENTIAL_MAX_BYTES);
        _cleanup_(closep) int fd = -1;
        char path[sizeof(((struct credential_place *)NULL)->file)], buffer[1024];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/run/credentials/forge-brokerd.service/%s", name);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (!bytes || fd < 0)
                return NULL;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                if (!secret_append(bytes, buffer, (size_t)n))
                        break;
        explicit_bzero(buffer, sizeof(buffer));
        return take(bytes);
}

int credential_store_check(const struct credential_place *place, const struct secret *value,
                           struct error *err) {
        _cleanup_(secret_unrefp) struct secret *handed_over = NULL;

        if (place->name[0] == '/')
                return 0;
        handed_over = read_handed_over(place->name);
        if (handed_over && secret_equal(handed_over, value))
                return 0;
        (void)error_set(err, DIAG_CREDENTIAL_MISSING, "the unit was not given what is in %s now",
                        place->file);
        error_remedy_set(err, "See which credential it loads: 'systemctl show -p LoadCredential -p "
                              "LoadCredentialEncrypted "
                              "forge-brokerd'; a drop-in may name another file.");
        return -(int)err->code;
}

void credential_store_undo(struct credential_place *place) {
        if (!place->replaced)
                return;
        if (place->backup[0] ? rename(place->backup, place->file) < 0 : unlink(place->file) < 0)
                (void)fprintf(stderr, "forge-brokerctl: cannot take %s back: %s\n", place->file,
                              strerror(errno));
        place->replaced = false;
}

void credential_store_keep(struct credential_place *place) {
        if (place->replaced && place->backup[0])
                (void)unlink(place->backup);
}
