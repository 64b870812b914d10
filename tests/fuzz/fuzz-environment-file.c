/*
 * What stands in an EnvironmentFile=, and what `systemctl show -p Environment` prints.  Whatever
 * comes: a name is a name, a value is no longer than what it was read from, and nothing stays in
 * memory.  A first byte 'w' means the words.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "ctl/environment_file.h"

#define INPUT_MAX_BYTES ((size_t)64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_found(void *userdata, const char *name, struct secret *value) {
        const size_t *size = userdata;
        size_t length = strlen(name);

        assert(length > 0 && length < ENVIRONMENT_NAME_MAX);
        assert(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
               length);
        assert(name[0] < '0' || name[0] > '9');
        assert(length + secret_length(value) < *size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static bool ready;
        struct secret *content;

        if (!ready) {
                assert(secret_init(false, NULL) == 0);
                ready = true;
        }
        if (size < 1 || size > INPUT_MAX_BYTES)
                return 0;
        if (data[0] == 'w') {
                environment_words_read((const char *)data + 1, size - 1, on_found, &size);
        } else {
                content = secret_copy(data + 1, size - 1);
                assert(content);
                environment_file_read(content, on_found, &size);
                (void)secret_unref(content);
        }
        assert(secret_in_use() == 0);
        return 0;
}
