#include "base/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define KEY_BYTES 32
#define KEY_NAME  "fingerprint.key"

struct fingerprint_key {
        struct secret *bytes;
};

struct fingerprint_key *fingerprint_key_free(struct fingerprint_key *key) {
        if (key)
                (void)secret_unref(key->bytes);
        free(key);
        return NULL;
}
DEFINE_CLEANUP(struct fingerprint_key *, fingerprint_key_free);

static int fail(struct error *err, const char *directory, const char *what) {
        (void)error_set(err, DIAG_INTERNAL_ERROR, "%s/%s: %s", directory, KEY_NAME, what);
        error_remedy_set(
            err,
            "Make %s a directory of the daemon's user, mode 0700 (the unit's StateDirectory= "
            "does), or set "
            "STATE_DIRECTORY; a damaged key may be deleted: fingerprints then change once.",
            directory);
        return -(int)DIAG_INTERNAL_ERROR;
}

/* 0, -ENOENT if there is no key yet, or another negative errno. */
static int read_key(int directory, unsigned char key[static KEY_BYTES]) {
        _cleanup_(closep) int fd =
            openat(directory, KEY_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat st;
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size != KEY_BYTES)
                return -EBADMSG;
        if (st.st_mode & 077)
                return -EPERM;
        n = read(fd, key, KEY_BYTES);
        return n == KEY_BYTES ? 0 : -EIO;
}

static int write_key(int directory, unsigned char key[static KEY_BYTES]) {
        _cleanup_(closep) int fd = -1;

        if (getrandom(key, KEY_BYTES, 0) != KEY_BYTES)
                return -errno;
        (void)unlinkat(directory, KEY_NAME ".new", 0);
        fd = openat(directory, KEY_NAME ".new",
                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        if (write(fd, key, KEY_BYTES) != KEY_BYTES)
                return errno ? -errno : -EIO;
        if (fsync(fd) < 0 || renameat(directory, KEY_NAME ".new", directory, KEY_NAME) < 0 ||
            fsync(directory) < 0)
                return -errno;
        return 0;
}

int fingerprint_key_load(const char *directory, struct fingerprint_key **ret, struct error *err) {
        _cleanup_(closep) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(fingerprint_key_freep) struct fingerprint_key *key = calloc(1, sizeof(*key));
        unsigned char bytes[KEY_BYTES];
        int r;

        if (!key)
                return error_oom(err);
        if (fd < 0)
                return fail(err, directory, strerror(errno));
        r = read_key(fd, bytes);
        if (r == -ENOENT)
                r = write_key(fd, bytes);
        if (r == -EBADMSG)
                return fail(err, directory, "is not a regular file of 32 bytes");
        if (r == -EPERM)
                return fail(err, directory, "may be read by others");
        if (r < 0)
                return fail(err, directory, strerror(-r));
        key->bytes = secret_copy(bytes, sizeof(bytes));
        explicit_bzero(bytes, sizeof(bytes));
        if (!key->bytes)
                return error_oom(err);
        *ret = take(key);
        return 0;
}

bool fingerprint_digest(const struct fingerprint_key *key, const struct secret *value,
                        unsigned char ret[static FINGERPRINT_DIGEST_BYTES]) {
        unsigned length = FINGERPRINT_DIGEST_BYTES;

        return HMAC(EVP_sha256(), secret_bytes(key->bytes), (int)secret_length(key->bytes),
                    (const unsigned char *)secret_bytes(value), secret_length(value), ret, &length);
}

void fingerprint(const struct fingerprint_key *key, const struct secret *value,
                 char ret[static FINGERPRINT_MAX]) {
        unsigned char digest[FINGERPRINT_DIGEST_BYTES] = { 0 };

        (void)fingerprint_digest(key, value, digest);
        (void)snprintf(ret, FINGERPRINT_MAX, "%02x%02x%02x%02x", digest[0], digest[1], digest[2],
                       digest[3]);
        explicit_bzero(digest, sizeof(digest));
}
