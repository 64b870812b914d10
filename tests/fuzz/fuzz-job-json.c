/*
 * The jobs' JSON reader: whatever the bytes are, a text that is accepted can be walked and decoded
 * within its bounds, and says the same again when it is read a second time.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "job/json_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(struct json value) {
        size_t length = SIZE_MAX;
        char *buffer = malloc(value.length);

        assert(buffer);
        assert(json_string(value, buffer, value.length, &length));
        assert(length < value.length);
        assert(strlen(buffer) == length); /* no NUL inside */
        /* One byte less than the text and its NUL need is refused. */
        assert(!json_string(value, buffer, length, &length));
        free(buffer);
}

static void check_value(struct json value, int depth) {
        struct json item = { 0 }, again;
        struct failure failure;

        assert(value.length > 0 && depth <= JSON_DEPTH_MAX);
        assert(json_parse(value.text, value.length, &again, &failure) == 0);
        assert(again.text == value.text && again.length == value.length);
        switch (json_type(value)) {
        case JSON_STRING:
                check_string(value);
                break;
        case JSON_ARRAY:
                while (json_next(value, &item))
                        check_value(item, depth + 1);
                break;
        case JSON_OBJECT:
                if (json_member(value, "token", &item))
                        check_value(item, depth + 1);
                assert(!json_next(value, &item));
                break;
        default:
                assert(!json_member(value, "token", &item));
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        /* A copy without a byte behind it, so that reading past the end is noticed. */
        char *text = malloc(size > 0 ? size : 1);
        struct failure failure;
        struct json value;
        char clean[64];
        int r;

        assert(text);
        if (size > 0)
                memcpy(text, data, size);
        r = json_parse(text, size, &value, &failure);
        assert(r == 0 || r == -EXIT_UNREACHABLE);
        if (r == 0) {
                assert(value.text >= text && value.text + value.length <= text + size);
                check_value(value, 0);
                (void)json_text(value, "detail", clean, sizeof(clean));
        }
        free(text);
        return 0;
}
