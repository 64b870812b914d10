#include <string.h>

#include "standin.h"

/* Without a state file's word the stand-in is the recorded server: mid-2025, no v4, no lockout, no
 * limits. */
json_t *settings_defaults(void) {
        return json_pack(
            "{s:s, s:b, s:b, s:s, s:s, s:i, s:i, s:n, s:n, s:n, s:n, s:n, s:n, s:n,"
            " s:{s:n, s:f, s:f, s:f}, s:{s:i, s:i, s:i, s:f}}",
            "generation", "B", "v4", 0, "web_ui", 0, "auth_secret", "stand-in auth secret",
            "site_url", "http://127.0.0.1:18080", "expired_status", 403, "max_age_seconds", 7776000,
            "include_imports_default", "expand_references_default", "unknown_client_id_status",
            "error_req_id", "imports_parameter", "access_proxy", "project_error_name", "lockout",
            "enabled", "threshold", 3.0, "window_seconds", 30.0, "lock_seconds", 300.0,
            "rate_limit", "secret", 0, "read", 0, "write", 0, "window_seconds", 60.0);
}

enum generation settings_generation(const struct standin *s) {
        const char *name = settings_text(s, "generation");

        if (strcmp(name, "2024") == 0)
                return GENERATION_2024;
        if (strcmp(name, "A") == 0)
                return GENERATION_A;
        return strcmp(name, "C") == 0 ? GENERATION_C : GENERATION_B;
}

const char *settings_text(const struct standin *s, const char *key) {
        return member_text(s->settings, key, "");
}

double settings_number(const json_t *object, const char *key, double fallback) {
        const json_t *member = json_object_get(object, key);

        return json_is_number(member) ? json_number_value(member) : fallback;
}

bool settings_true(const struct standin *s, const char *key, bool fallback) {
        const json_t *member = json_object_get(s->settings, key);

        return json_is_boolean(member) ? json_is_true(member) : fallback;
}

static bool fits(const char *key, const json_t *value, const json_t *current) {
        if (strcmp(key, "generation") == 0)
                return json_is_string(value) && (strcmp(json_string_value(value), "2024") == 0 ||
                                                 strspn(json_string_value(value), "ABC") == 1);
        if (json_is_null(value) || json_is_null(current))
                return true;
        if (json_is_boolean(current))
                return json_is_boolean(value);
        if (json_is_number(current))
                return json_is_number(value);
        return json_typeof(current) == json_typeof(value);
}

const char *settings_change(struct standin *s, json_t *changes) {
        const char *key;
        json_t *value;

        json_object_foreach(changes, key, value) {
                json_t *current = json_object_get(s->settings, key);

                if (!current || !fits(key, value, current))
                        return key;
        }
        json_object_foreach(changes, key, value) {
                json_t *current = json_object_get(s->settings, key);

                if (json_is_object(value) && json_is_object(current))
                        (void)json_object_update(current, value);
                else
                        (void)json_object_set(s->settings, key, value);
        }
        return NULL;
}
