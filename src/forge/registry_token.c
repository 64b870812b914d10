#include "forge/registry_token.h"

#include <string.h>

#include "base/base64url.h"
#include "base/json.h"

/* GitLab's are below 1 KiB; what is longer lists more than was asked for. */
#define PAYLOAD_MAX_BYTES 8192

static bool lists(const json_t *actions, const char *action) {
        const json_t *one;
        size_t i;

        json_array_foreach(actions, i, one) {
                const char *text = json_string_value(one);

                if (text && strcmp(text, action) == 0)
                        return true;
        }
        return false;
}

int registry_token_grants(const char *jwt, const char *image, const char *action) {
        _cleanup_(secret_unrefp) struct secret *payload = secret_new(PAYLOAD_MAX_BYTES);
        const char *first = strchr(jwt, '.'), *second = first ? strchr(first + 1, '.') : NULL;
        const json_t *access, *entry;
        json_t *claims;
        size_t i;
        int r = 0;

        if (!payload || !second || strchr(second + 1, '.') ||
            !base64url_decode(first + 1, (size_t)(second - first - 1), payload))
                return -1;
        claims = json_parse(secret_bytes(payload), secret_length(payload));
        access = json_object_get(claims, "access");
        if (!json_is_array(access))
                r = -1;
        json_array_foreach(access, i, entry) {
                const char *type = json_member_string(entry, "type"),
                           *name = json_member_string(entry, "name");

                if (type && strcmp(type, "repository") == 0 && name && strcmp(name, image) == 0 &&
                    lists(json_object_get(entry, "actions"), action))
                        r = 1;
        }
        json_decref(claims);
        return r;
}
