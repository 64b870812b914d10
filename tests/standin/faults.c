#include <string.h>

#include "answer.h"
#include "counters.h"
#include "faults.h"

/* Those in the first row replace the answer, those in the second spoil it, those in the third
 * leave none. */
static const char *const kinds[] = {
        "garbage",    "html-403",       "html-502",     "html-200", "redirect",
        "rate-limit", "error-500",      "answer",       "delay",    "slow",
        "truncated",  "duplicate-keys", "content-type", "drop",     "hang",
};

static const char *const classes[] = { "any",    "secret", "list", "login", "renew",
                                       "revoke", "status", "read", "write", "unknown" };

static const char page_403[] = "<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head>\n"
                               "<body><center><h1>403 Forbidden</h1></center><hr></body></html>\n";
static const char page_502[] =
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body><center><h1>502 Bad Gateway</h1></center><hr></body></html>\r\n";
static const char page_200[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Infisical</title></head>"
    "<body><div id=\"root\"></div></body></html>\n";

static bool listed(const char *const *names, size_t count, const char *name) {
        for (size_t i = 0; i < count; i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return false;
}

bool fault_is(const json_t *fault, const char *kind) {
        return fault && strcmp(member_text(fault, "kind", ""), kind) == 0;
}

const char *faults_add(struct standin *s, const json_t *fault) {
        json_t *copy;

        if (!listed(kinds, ELEMENTS(kinds), member_text(fault, "kind", "")))
                return "kind";
        if (!listed(classes, ELEMENTS(classes), member_text(fault, "class", "any")))
                return "class";
        copy = json_deep_copy(fault);
        if (!json_object_get(copy, "class"))
                (void)json_object_set_new(copy, "class", json_string("any"));
        (void)json_array_append_new(s->faults, copy);
        return NULL;
}

/* False while the fault is still to let requests pass ("skip"). */
static bool due(json_t *fault) {
        json_int_t skip = json_integer_value(json_object_get(fault, "skip"));

        if (skip > 0)
                (void)json_object_set_new(fault, "skip", json_integer(skip - 1));
        return skip <= 0;
}

/* True if that was the last time. */
static bool used_up(json_t *fault) {
        json_int_t count = json_integer_value(json_object_get(fault, "count"));

        if (!json_object_get(fault, "count"))
                return false;
        (void)json_object_set_new(fault, "count", json_integer(count - 1));
        return count <= 1;
}

json_t *faults_take(struct standin *s, const char *class, int *ret_delay) {
        json_t *taken = NULL;

        *ret_delay = 0;
        for (size_t i = 0; i < json_array_size(s->faults);) {
                json_t *fault = json_array_get(s->faults, i);
                const char *only = member_text(fault, "class", "any");
                bool delay = fault_is(fault, "delay"), last = false;

                if ((strcmp(only, "any") == 0 || strcmp(only, class) == 0) && (delay || !taken) &&
                    due(fault)) {
                        counters_add(s, "fault", member_text(fault, "kind", ""), 1);
                        if (delay)
                                *ret_delay += (int)settings_number(fault, "ms", 1000);
                        else
                                taken = json_incref(fault);
                        last = used_up(fault);
                }
                if (last)
                        (void)json_array_remove(s->faults, i);
                else
                        i++;
        }
        return taken;
}

static void answer_rate_limit(struct request *r, const json_t *fault) {
        int seconds = (int)settings_number(fault, "retry_after", 57);
        _cleanup_(freep) char *message =
            format_text("Rate limit exceeded. Please try again in %d seconds", seconds);
        _cleanup_(freep) char *header = format_text("%d", seconds);

        answer_error(r, 429, "RateLimitExceeded", message, NULL);
        if (!json_is_false(json_object_get(fault, "header")))
                answer_header(r, "retry-after", header);
}

/* Whatever the test wants: status, content_type, body, headers. */
static void answer_freely(struct request *r, const json_t *fault) {
        json_t *headers = json_object_get(fault, "headers");
        const char *name;
        json_t *value;

        answer_text(r, (unsigned)settings_number(fault, "status", 200),
                    member_text(fault, "content_type", "application/json; charset=utf-8"),
                    member_text(fault, "body", ""), true);
        json_object_foreach(headers, name, value) if (json_is_string(value))
            answer_header(r, name, json_string_value(value));
}

bool faults_answer(struct request *r, const json_t *fault) {
        if (fault_is(fault, "garbage")) {
                answer_text(r, 200, "application/json; charset=utf-8",
                            "{\"secret\":{\"secretValue\":\"unfin", true);
        } else if (fault_is(fault, "html-403")) {
                answer_text(r, 403, "text/html", page_403, true);
        } else if (fault_is(fault, "html-502")) {
                answer_text(r, 502, "text/html", page_502, true);
        } else if (fault_is(fault, "html-200")) {
                answer_text(r, 200, "text/html; charset=utf-8", page_200, true);
        } else if (fault_is(fault, "redirect")) {
                answer_text(r, 302, "text/html", "", true);
                answer_header(r, "location",
                              member_text(fault, "location", "https://login.example.test/start"));
        } else if (fault_is(fault, "rate-limit")) {
                answer_rate_limit(r, fault);
        } else if (fault_is(fault, "error-500")) {
                answer_error(r, 500, member_text(fault, "error", "InternalServerError"),
                             "Something went wrong", NULL);
        } else if (fault_is(fault, "answer")) {
                answer_freely(r, fault);
        } else {
                return false;
        }
        return true;
}
