/*
 * The jobs' HTTP answer parser and what reads a problem out of an answer: any bytes, in any
 * fragments.  The outcome must not depend on how the bytes were cut into reads.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "job/http_answer.h"
#include "job/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *copy(const uint8_t *data, size_t size) {
        char *bytes = malloc(size);

        assert(bytes);
        memcpy(bytes, data, size);
        return bytes;
}

/* Feeds the first @length bytes, as after a read. */
static int parse(const uint8_t *data, size_t length, bool ended, char **ret_bytes,
                 struct http_answer *ret, struct failure *failure) {
        int r;

        *ret_bytes = copy(data, length);
        r = http_answer_parse(*ret_bytes, length, ended, ret, failure);
        assert(r == HTTP_DONE || r == -EXIT_UNREACHABLE || (r == HTTP_MORE && !ended));
        if (r == HTTP_DONE) {
                assert(ret->body >= *ret_bytes &&
                       ret->body + ret->body_length <= *ret_bytes + length);
                assert(ret->status >= 200 && ret->status <= 599);
        }
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct http_answer whole = { 0 }, part;
        struct failure failure, other;
        char *bytes, *bytes_part;
        int r;

        if (size == 0)
                return 0;
        r = parse(data, size, true, &bytes, &whole, &failure);
        if (r == HTTP_DONE && whole.status != 200)
                (void)problem_read(&whole, &failure);

        /* Every way to cut ends the same: an early verdict may only come where more bytes cannot
         * change it. */
        for (size_t length = 1; length < size && size <= 2048; length++) {
                int early = parse(data, length, false, &bytes_part, &part, &other);

                if (early == HTTP_DONE && r == HTTP_DONE)
                        /* what is whole already cannot be whole with more bytes */
                        assert(false);
                if (early < 0)
                        assert(r < 0);
                free(bytes_part);
        }
        free(bytes);
        return 0;
}
