#include "infisical/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "infisical/header_lines.h"

/* What `systemd-creds encrypt` writes begins with this: the base64 text of the header's 128-bit id
 * of the host key.  It arrives so when LoadCredential= was used in the place of
 * LoadCredentialEncrypted=. */
#define ENCRYPTED_PREFIX "Whxqht+dQJax1aZeCGLxm"

struct credential_file {
        const char *setting, *name;
        int (*accept)(const struct credential_file *file, char *text, size_t length,
                      struct secret **ret, struct error *err);
        char *path;
        bool from_systemd; /* in $CREDENTIALS_DIRECTORY */
        struct stat st;
};

static void advise_access(const struct credential_file *file, struct error *err) {
        if (file->from_systemd)
                error_remedy_set(err,
                                 "Let systemd place %s: name it in LoadCredential= or "
                                 "LoadCredentialEncrypted= of "
                                 "the unit and restart the service.",
                                 file->name);
        else
                error_remedy_set(err,
                                 "Either chown root:%u %s and chmod 0640 it (%u is the daemon's "
                                 "group), or leave it "
                                 "to root with mode 0600 and hand it over with "
                                 "LoadCredential=NAME:%s in the unit and "
                                 "%s = NAME.",
                                 (unsigned)getegid(), file->path, (unsigned)getegid(), file->path,
                                 file->setting);
}

static int refuse_open(struct credential_file *file, int error, struct error *err) {
        if (error == EACCES || error == EPERM) {
                if (stat(file->path, &file->st) == 0)
                        (void)error_set(err, DIAG_CREDENTIAL_PERMISSIONS,
                                        "%s: %s is not readable by uid %u: mode %04o, owner %u:%u",
                                        file->setting, file->path, (unsigned)geteuid(),
                                        (unsigned)file->st.st_mode & 07777,
                                        (unsigned)file->st.st_uid, (unsigned)file->st.st_gid);
                else
                        (void)error_set(err, DIAG_CREDENTIAL_PERMISSIONS,
                                        "%s: %s is not readable by uid %u: %s", file->setting,
                                        file->path, (unsigned)geteuid(), strerror(error));
                advise_access(file, err);
                return -(int)DIAG_CREDENTIAL_PERMISSIONS;
        }
        (void)error_set(err, DIAG_CREDENTIAL_MISSING, "%s: %s: %s", file->setting, file->path,
                        strerror(error));
        if (file->from_systemd)
                error_remedy_set(err,
                                 "Name %s in LoadCredential= or LoadCredentialEncrypted= of the "
                                 "unit and restart "
                                 "the service, or correct %s.",
                                 file->name, file->setting);
        else
                error_remedy_set(err, "Put the credential into %s, or correct %s.", file->path,
                                 file->setting);
        return -(int)DIAG_CREDENTIAL_MISSING;
}

/* The opened file decides: whoever could write it could choose the identity, whoever can read it
 * has the credential. */
static int check_access(struct credential_file *file, struct error *err) {
        const struct stat *st = &file->st;
        /* Newer systemd leaves its files to root:root and lets the service in by an ACL: its mask
         * shows as group bits. */
        bool group_fits = st->st_gid == getegid() || (file->from_systemd && st->st_gid == 0);

        if (!S_ISREG(st->st_mode)) {
                (void)error_set(err, DIAG_CREDENTIAL_PERMISSIONS, "%s: %s is not a regular file",
                                file->setting, file->path);
                error_remedy_set(err, "Make %s a regular file, or correct %s.", file->path,
                                 file->setting);
                return -(int)DIAG_CREDENTIAL_PERMISSIONS;
        }
        if ((st->st_uid == 0 || st->st_uid == geteuid()) &&
            (st->st_mode & 07777 & ~(mode_t)0640) == 0 && ((st->st_mode & 0040) == 0 || group_fits))
                return 0;
        (void)error_set(err, DIAG_CREDENTIAL_PERMISSIONS,
                        "%s: %s has mode %04o and owner %u:%u; it must be 0600, or 0640 with the "
                        "daemon's group %u, and "
                        "belong to root or to the daemon's user %u",
                        file->setting, file->path, (unsigned)st->st_mode & 07777,
                        (unsigned)st->st_uid, (unsigned)st->st_gid, (unsigned)getegid(),
                        (unsigned)geteuid());
        advise_access(file, err);
        return -(int)DIAG_CREDENTIAL_PERMISSIONS;
}

/* What no credential file may be: nothing, or still encrypted. */
static int check_plaintext(const struct credential_file *file, const char *text, size_t length,
                           struct error *err) {
        if (length == 0) {
                (void)error_set(err, DIAG_CREDENTIAL_MISSING, "%s: %s is empty", file->setting,
                                file->path);
                error_remedy_set(err, "Put the credential into %s.", file->path);
                return -(int)DIAG_CREDENTIAL_MISSING;
        }
        if (text_starts_with(text, ENCRYPTED_PREFIX)) {
                (void)error_set(err, DIAG_CREDENTIAL_MISSING,
                                "%s: %s is an encrypted credential that was not decrypted",
                                file->setting, file->path);
                error_remedy_set(
                    err, "Load %s with LoadCredentialEncrypted= in place of LoadCredential=.",
                    file->name);
                return -(int)DIAG_CREDENTIAL_MISSING;
        }
        return 0;
}

static int accept_credential(const struct credential_file *file, char *text, size_t length,
                             struct secret **ret, struct error *err) {
        for (size_t i = 0; i < length; i++) {
                if (text[i] >= 0x21 && text[i] <= 0x7e)
                        continue;
                (void)error_set(
                    err, DIAG_CREDENTIAL_MISSING,
                    "%s: %s looks encrypted or binary: byte %zu of %zu is in no credential",
                    file->setting, file->path, i + 1, length);
                error_remedy_set(
                    err,
                    "Put the bare credential as one line of text into %s; an encrypted one needs "
                    "LoadCredentialEncrypted=.",
                    file->path);
                return -(int)DIAG_CREDENTIAL_MISSING;
        }
        *ret = secret_copy(text, length);
        if (!*ret)
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "no locked memory left for a credential");
        return 0;
}

static int accept_headers(const struct credential_file *file, char *text, size_t length,
                          struct secret **ret, struct error *err) {
        unsigned line = 0;
        int r = header_lines_check(text, length, ret, &line);

        if (r == 0)
                return 0;
        if (r == -ENOMEM)
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for %s",
                                 file->setting);
        (void)error_set(err, DIAG_CREDENTIAL_MISSING,
                        "%s: line %u of %s is no header that may be added", file->setting, line,
                        file->path);
        error_remedy_set(err,
                         "Write one 'Name: value' a line into %s, at most %d, none that the broker "
                         "sends itself.",
                         file->path, HEADER_LINES_MAX);
        return -(int)DIAG_CREDENTIAL_MISSING;
}

/* Reads to the end of the file, at most @size bytes: straight into the region, never through a
 * buffer of stdio. */
static int read_all(int fd, char *buffer, size_t size, size_t *ret_length) {
        size_t length = 0;

        while (length < size) {
                ssize_t n = read(fd, buffer + length, size - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t)n;
        }
        *ret_length = length;
        return 0;
}

static int read_content(const struct credential_file *file, int fd, char *buffer,
                        struct secret **ret, struct error *err) {
        size_t length;
        char *text;
        int r = read_all(fd, buffer, CREDENTIAL_MAX_BYTES + 1, &length);

        if (r < 0)
                return error_set(err, DIAG_CREDENTIAL_MISSING, "%s: %s: %s", file->setting,
                                 file->path, strerror(-r));
        if (length > CREDENTIAL_MAX_BYTES) {
                (void)error_set(err, DIAG_CREDENTIAL_MISSING, "%s: %s is larger than %d bytes",
                                file->setting, file->path, CREDENTIAL_MAX_BYTES);
                error_remedy_set(err, "Put the bare credential as one line of text into %s.",
                                 file->path);
                return -(int)DIAG_CREDENTIAL_MISSING;
        }
        text = text_strip(buffer, &length);
        text[length] = '\0';
        r = check_plaintext(file, text, length, err);
        return r < 0 ? r : file->accept(file, text, length, ret, err);
}

static int find_file(struct credential_file *file, struct error *err) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");

        if (file->name[0] == '/') {
                file->from_systemd =
                    directory && directory[0] == '/' && text_starts_with(file->name, directory);
                file->path = strdup(file->name);
                return file->path ? 0 : error_oom(err);
        }
        if (!directory || directory[0] != '/') {
                (void)error_set(
                    err, DIAG_CREDENTIAL_MISSING,
                    "%s = %s is relative, but systemd passed no credentials to this process",
                    file->setting, file->name);
                error_remedy_set(err,
                                 "Start the daemon by its unit with LoadCredential=%s:PATH, or "
                                 "give %s an absolute "
                                 "path.",
                                 file->name, file->setting);
                return -(int)DIAG_CREDENTIAL_MISSING;
        }
        file->from_systemd = true;
        if (asprintf(&file->path, "%s/%s", directory, file->name) < 0) {
                file->path = NULL;
                return error_oom(err);
        }
        return 0;
}

static int open_file(struct credential_file *file, struct secret **ret, struct error *err) {
        _cleanup_(closep) int fd = -1;
        char *buffer;
        int r;

        /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
        fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return refuse_open(file, errno, err);
        if (fstat(fd, &file->st) < 0)
                return refuse_open(file, errno, err);
        r = check_access(file, err);
        if (r < 0)
                return r;
        buffer = secret_alloc(CREDENTIAL_MAX_BYTES + 2);
        if (!buffer)
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "no locked memory left for a credential");
        r = read_content(file, fd, buffer, ret, err);
        secret_free(buffer);
        return r;
}

static int read_file(struct credential_file *file, struct secret **ret, struct error *err) {
        int r = find_file(file, err);

        if (r == 0)
                r = open_file(file, ret, err);
        free(file->path);
        return r;
}

int credential_read(const char *setting, const char *file_name, struct secret **ret,
                    struct error *err) {
        struct credential_file file = { .setting = setting,
                                        .name = file_name,
                                        .accept = accept_credential };

        return read_file(&file, ret, err);
}

int credential_read_headers(const char *setting, const char *file_name, struct secret **ret,
                            struct error *err) {
        struct credential_file file = { .setting = setting,
                                        .name = file_name,
                                        .accept = accept_headers };

        return read_file(&file, ret, err);
}
