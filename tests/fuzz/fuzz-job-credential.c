/*
 * git's credential protocol: whatever the bytes are, what is accepted names a place without control
 * characters, and what it borrows lies within the bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "job/credential_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(const char *text, size_t size) {
        assert(strlen(text) < size);
        for (; *text; text++)
                assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_inside(const char *bytes, size_t size, const char *value, size_t length) {
        if (value)
                assert(value >= bytes && length <= size && value + length <= bytes + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        /* A copy without a byte behind it, so that reading past the end is noticed. */
        char *bytes = malloc(size > 0 ? size : 1);
        struct credential_request request;
        struct failure failure;
        int r;

        assert(bytes);
        if (size > 0)
                memcpy(bytes, data, size);
        r = credential_request_parse(bytes, size, &request, &failure);
        assert(r == 0 || r == -EXIT_USAGE);
        if (r == 0) {
                check_place(request.protocol, sizeof(request.protocol));
                check_place(request.host, sizeof(request.host));
                check_place(request.path, sizeof(request.path));
                check_inside(bytes, size, request.password, request.password_length);
                check_inside(bytes, size, request.credential, request.credential_length);
        }
        free(bytes);
        return 0;
}
