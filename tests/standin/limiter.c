#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "limiter.h"

#define WINDOWS_MAX 256

/* Login, renew and revoke count as writing; the status is exempt. */
static const char *limit_class(const char *class) {
        if (strcmp(class, "secret") == 0 || strcmp(class, "list") == 0)
                return "secret";
        if (strcmp(class, "status") == 0)
                return NULL;
        return strcmp(class, "read") == 0 ? "read" : "write";
}

static json_t *window_of(struct standin *s, const char *key, double now, double seconds) {
        json_t *window = json_object_get(s->limiter, key);

        if (window && settings_number(window, "end", 0) > now)
                return window;
        if (json_object_size(s->limiter) >= WINDOWS_MAX)
                (void)json_object_clear(s->limiter);
        window = json_pack("{s:i, s:f}", "count", 0, "end", now + seconds);
        (void)json_object_set_new(s->limiter, key, window);
        return window;
}

static void header_number(struct request *r, const char *name, double value) {
        _cleanup_(freep) char *text = format_text("%.0f", value);

        answer_header(r, name, text);
}

bool limiter_pass(struct request *r) {
        const json_t *rules = json_object_get(r->standin->settings, "rate_limit");
        const char *class = limit_class(r->route->class);
        double limit = class ? settings_number(rules, class, 0) : 0, now = standin_now(r->standin),
               count, reset;
        _cleanup_(freep) char *key = format_text("%s %s", r->address, class ? class : ""),
                              *message = NULL;
        json_t *window;

        if (limit == 0)
                return true;
        window = window_of(r->standin, key, now, settings_number(rules, "window_seconds", 60));
        count = settings_number(window, "count", 0) + 1;
        reset = ceil(settings_number(window, "end", 0) - now);
        (void)json_object_set_new(window, "count", json_integer((json_int_t)count));
        header_number(r, "x-ratelimit-limit", limit);
        header_number(r, "x-ratelimit-remaining", count < limit ? limit - count : 0);
        header_number(r, "x-ratelimit-reset", reset);
        if (count <= limit)
                return true;
        message = format_text("Rate limit exceeded. Please try again in %.0f seconds", reset);
        answer_error(r, 429, "RateLimitExceeded", message, NULL);
        header_number(r, "retry-after", reset);
        return false;
}
