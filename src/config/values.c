#include "config/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "config/config.h"

/* A value that is no longer than this may be quoted where its type is harmless: a token is
 * longer. */
#define QUOTED_MAX_BYTES 20

/*
 * Numbers, and words that stand for one.  *ret_why stays NULL: there is nothing better to say than
 * the value itself and what was expected.
 */

static bool read_duration(const struct key *key, const char *text, struct value_read *ret,
                          const char **ret_why) {
        (void)ret_why;
        if (!clock_parse_span(text, &ret->number))
                return false;
        return ret->number >= key->least && ret->number <= key->most;
}

const struct value_type value_duration = { .read = read_duration,
                                           .expected =
                                               "a duration such as 500ms, 10s, 5m, 1h or 2d",
                                           .quotable = true };

static bool read_number(const struct key *key, const char *text, struct value_read *ret,
                        const char **ret_why) {
        uint64_t number = 0;

        (void)ret_why;
        if (*text == '\0' || strlen(text) > 9 || text[strspn(text, "0123456789")] != '\0')
                return false;
        for (; *text; text++)
                number = number * 10 + (uint64_t)(*text - '0');
        ret->number = number;
        return number >= key->least && number <= key->most;
}

const struct value_type value_number = { .read = read_number,
                                         .expected = "a number",
                                         .quotable = true };

static bool find_word(const char *const *words, size_t count, const char *text,
                      struct value_read *ret) {
        for (size_t i = 0; i < count; i++) {
                if (strcmp(words[i], text) != 0)
                        continue;
                ret->number = i;
                return true;
        }
        return false;
}

static bool read_flag(const struct key *key, const char *text, struct value_read *ret,
                      const char **ret_why) {
        static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

        (void)key;
        (void)ret_why;
        if (!find_word(words, ELEMENTS(words), text, ret))
                return false;
        ret->number %= 2;
        return true;
}

const struct value_type value_flag = { .read = read_flag,
                                       .expected = "yes or no",
                                       .quotable = true };

static bool read_day(const struct key *key, const char *text, struct value_read *ret,
                     const char **ret_why) {
        (void)key;
        (void)ret_why;
        return clock_parse_day(text, &ret->number);
}

const struct value_type value_day = { .read = read_day,
                                      .expected = "a day such as 2026-12-31",
                                      .quotable = true };

static const char *const log_targets[] = {
        [LOG_TARGET_AUTO] = "auto", [LOG_TARGET_JOURNAL] = "journal", [LOG_TARGET_STDERR] = "stderr"
};

static bool read_log_target(const struct key *key, const char *text, struct value_read *ret,
                            const char **ret_why) {
        (void)key;
        (void)ret_why;
        return find_word(log_targets, ELEMENTS(log_targets), text, ret);
}

const struct value_type value_log_target = { .read = read_log_target,
                                             .expected = "auto, journal or stderr",
                                             .quotable = true };

static bool read_forge_type(const struct key *key, const char *text, struct value_read *ret,
                            const char **ret_why) {
        const char *words[FORGE_TYPE_COUNT];

        (void)key;
        (void)ret_why;
        for (size_t i = 0; i < ELEMENTS(words); i++)
                words[i] = forge_type_name((enum forge_type)i);
        return find_word(words, ELEMENTS(words), text, ret);
}

const struct value_type value_forge_type = { .read = read_forge_type,
                                             .expected = "forgejo, gitea, github, gitlab or other",
                                             .quotable = true };

static bool read_source(const struct key *key, const char *text, struct value_read *ret,
                        const char **ret_why) {
        enum source source;

        (void)key;
        (void)ret_why;
        if (!source_find(text, &source))
                return false;
        ret->number = (uint64_t)source;
        return true;
}

const struct value_type value_source = {
        .read = read_source,
        .expected = "infisical-token-auth, infisical-universal-auth or direct-env-fallback",
        .commas = true
};

static const char *const requirements[] = { "none", "required" };

static bool read_proof(const struct key *key, const char *text, struct value_read *ret,
                       const char **ret_why) {
        (void)key;
        (void)ret_why;
        return find_word(requirements, ELEMENTS(requirements), text, ret);
}

const struct value_type value_proof = { .read = read_proof,
                                        .expected = "none or required",
                                        .quotable = true };

bool value_read(const struct key *key, const char *text, struct value_read *ret,
                char why[static VALUE_WHY_MAX]) {
        const char *reason = NULL;
        struct value_read result = { 0 };

        if (*text == '\0' && !key->type->may_be_empty) {
                (void)snprintf(why, VALUE_WHY_MAX, "is empty");
                return false;
        }
        if (key->type->read(key, text, &result, &reason)) {
                *ret = result;
                return true;
        }
        if (reason)
                (void)snprintf(why, VALUE_WHY_MAX, "%s", reason);
        else if (key->type->quotable && strlen(text) <= QUOTED_MAX_BYTES)
                (void)snprintf(why, VALUE_WHY_MAX, "is '%s'", text);
        else
                (void)snprintf(why, VALUE_WHY_MAX, "has a value that is none");
        return false;
}

/* The largest unit that needs no fraction. */
static void format_span(usec_t span, char text[static VALUE_TEXT_MAX]) {
        static const struct {
                usec_t unit;
                const char *name;
        } units[] = { { USEC_PER_DAY, "d" },
                      { USEC_PER_HOUR, "h" },
                      { USEC_PER_MIN, "m" },
                      { USEC_PER_SEC, "s" } };

        for (size_t i = 0; i < ELEMENTS(units); i++)
                if (span > 0 && span % units[i].unit == 0) {
                        (void)snprintf(text, VALUE_TEXT_MAX, "%" PRIu64 "%s", span / units[i].unit,
                                       units[i].name);
                        return;
                }
        (void)snprintf(text, VALUE_TEXT_MAX, "%" PRIu64 "ms", span / USEC_PER_MSEC);
}

static void format_day(usec_t end, char text[static VALUE_TEXT_MAX]) {
        char time[CLOCK_TEXT_MAX];

        /* The moment at which the day is over is the next one's first. */
        (void)snprintf(text, VALUE_TEXT_MAX, "%.10s", clock_format(usec_sub(end, 1), time));
}

const char *value_format(const struct key *key, uint64_t number, char text[static VALUE_TEXT_MAX]) {
        if (key->type == &value_duration)
                format_span(number, text);
        else if (key->type == &value_day)
                format_day(number, text);
        else if (key->type == &value_flag)
                return number ? "yes" : "no";
        else if (key->type == &value_log_target)
                return log_targets[number];
        else if (key->type == &value_proof)
                return requirements[number];
        else if (key->type == &value_forge_type)
                return forge_type_name((enum forge_type)number);
        else if (key->type == &value_source)
                return source_name((enum source)number);
        else
                (void)snprintf(text, VALUE_TEXT_MAX, "%" PRIu64, number);
        return text;
}

bool value_is_number(const struct key *key) {
        static const struct value_type *const types[] = { &value_duration,   &value_number,
                                                          &value_flag,       &value_day,
                                                          &value_log_target, &value_forge_type,
                                                          &value_source,     &value_proof };

        for (size_t i = 0; i < ELEMENTS(types); i++)
                if (key->type == types[i])
                        return true;
        return false;
}

const char *value_expected(const struct key *key, char text[static VALUE_EXPECTED_MAX]) {
        char least[CLOCK_TEXT_MAX], most[CLOCK_TEXT_MAX];

        if (key->type == &value_duration)
                (void)snprintf(text, VALUE_EXPECTED_MAX, "%s, from %s to %s", key->type->expected,
                               clock_format_span(key->least, least),
                               clock_format_span(key->most, most));
        else if (key->type == &value_number)
                (void)snprintf(text, VALUE_EXPECTED_MAX, "%s from %" PRIu64 " to %" PRIu64,
                               key->type->expected, key->least, key->most);
        else
                (void)snprintf(text, VALUE_EXPECTED_MAX, "%s", key->type->expected);
        return text;
}
