#include "base/json.h"

#include <stdint.h>

json_t *json_parse(const char *text, size_t length) {
        if (length > JSON_TEXT_MAX_BYTES)
                return NULL;
        /* Without JSON_ALLOW_NUL a \u0000 is refused; without JSON_DISABLE_EOF_CHECK so are
         * trailing bytes. */
        return json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
}

const char *json_member_string(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

size_t json_member_string_length(const json_t *object, const char *key) {
        return json_string_length(json_object_get(object, key));
}

bool json_member_int(const json_t *object, const char *key, json_int_t *ret) {
        const json_t *member = json_object_get(object, key);

        if (!json_is_integer(member))
                return false;
        *ret = json_integer_value(member);
        return true;
}

bool json_member_true(const json_t *object, const char *key) {
        return json_is_true(json_object_get(object, key));
}

bool json_depth_is_within(const json_t *value, unsigned max) {
        const char *key;
        json_t *member;
        size_t i;

        if ((json_is_array(value) || json_is_object(value)) && max == 0)
                return false;
        json_array_foreach(value, i,
                           member) if (!json_depth_is_within(member, max - 1)) return false;
        json_object_foreach((json_t *)(uintptr_t)value, key,
                            member) if (!json_depth_is_within(member, max - 1)) return false;
        return true;
}
