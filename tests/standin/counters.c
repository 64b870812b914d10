#include "counters.h"

/* Names come from requests in part (unknown routes do not), so each group has an end. */
#define NAMES_MAX 512

void counters_reset(struct standin *s) {
        json_int_t in_flight = json_integer_value(json_object_get(s->counters, "in_flight"));

        json_decref(s->counters);
        s->counters = json_pack(
            "{s:i, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:{}, s:{}, s:{}, s:{}, s:{}, s:{}}",
            "requests", 0, "in_flight", in_flight, "max_in_flight", in_flight, "connections", 0,
            "logins_ok", 0, "logins_failed", 0, "not_modified", 0, "authorization_on_public", 0,
            "class", "route", "token", "secret", "status", "fault");
}

void counters_add(struct standin *s, const char *group, const char *name, int by) {
        json_t *object = group ? json_object_get(s->counters, group) : s->counters;
        json_int_t count = json_integer_value(json_object_get(object, name)) + by;

        if (json_object_get(object, name) || json_object_size(object) < NAMES_MAX)
                (void)json_object_set_new(object, name, json_integer(count));
}
