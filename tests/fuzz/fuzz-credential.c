/* A credential file's content: what is accepted is one line of visible ASCII, what is not says why
 * without quoting it. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "infisical/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static int fd = -1;
        static char path[32];
        struct secret *secret = NULL;
        struct error err = { 0 };
        int r;

        if (fd < 0) {
                assert(secret_init(false, NULL) == 0);
                fd = memfd_create("credential", MFD_CLOEXEC);
                assert(fd >= 0 && fchmod(fd, 0600) == 0);
                (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        }
        if (size > CREDENTIAL_MAX_BYTES + 100)
                return 0;
        assert(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
        r = credential_read("token_file", path, &secret, &err);
        assert(r == 0 || r == -(int)DIAG_CREDENTIAL_MISSING);
        assert((r == 0) == (secret != NULL));
        if (r == 0) {
                const char *bytes = secret_bytes(secret);

                assert(strlen(bytes) == secret_length(secret) && secret_length(secret) > 0);
                for (const char *p = bytes; *p; p++)
                        assert(*p >= 0x21 && *p <= 0x7e);
        } else {
                assert(err.detail[0] && strlen(err.remedy) > 20);
        }
        (void)secret_unref(secret);
        assert(secret_in_use() == 0);
        return 0;
}
