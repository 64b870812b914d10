#include "job/json_reader.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "job/json_character.h"

/* of one member that is to be printed, before it is cleaned and cut */
#define TEXT_MEMBER_MAX 2048

/* The state of the one checking pass. */
struct reader {
        const char *p, *end;
        int depth;
        const char *why; /* static text, once something is wrong */
};

static bool wrong(struct reader *r, const char *why) {
        if (!r->why)
                r->why = why;
        return false;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static const char *skip_space(const char *p, const char *end) {
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
                p++;
        return p;
}

static bool check_string(struct reader *r) {
        r->p++;
        while (r->p < r->end && *r->p != '"') {
                uint32_t point;

                if ((unsigned char)*r->p < 0x20)
                        return wrong(r, "a control character inside a string");
                if (!json_character_next(&r->p, r->end, &point))
                        return wrong(r, "an escape or a byte that no string may have");
        }
        if (r->p == r->end)
                return wrong(r, "a string that does not end");
        r->p++;
        return true;
}

static bool check_digits(struct reader *r) {
        if (r->p == r->end || !is_digit(*r->p))
                return wrong(r, "a number that is not one");
        while (r->p < r->end && is_digit(*r->p))
                r->p++;
        return true;
}

static bool check_number(struct reader *r) {
        if (*r->p == '-')
                r->p++;
        if (r->p < r->end && *r->p == '0')
                r->p++;
        else if (!check_digits(r))
                return false;
        if (r->p < r->end && *r->p == '.') {
                r->p++;
                if (!check_digits(r))
                        return false;
        }
        if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
                r->p++;
                if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
                        r->p++;
                if (!check_digits(r))
                        return false;
        }
        return true;
}

static bool check_literal(struct reader *r) {
        static const char *const literals[] = { "null", "true", "false" };

        for (size_t i = 0; i < ELEMENTS(literals); i++) {
                size_t length = strlen(literals[i]);

                if ((size_t)(r->end - r->p) >= length && memcmp(r->p, literals[i], length) == 0) {
                        r->p += length;
                        return true;
                }
        }
        return wrong(r, "something that is no value");
}

/* Compares two strings (with their quotes) by what they mean, so that "a" and "\u0061" are the
 * same name. */
static bool strings_equal(struct json a, struct json b) {
        const char *p = a.text + 1, *p_end = a.text + a.length - 1;
        const char *q = b.text + 1, *q_end = b.text + b.length - 1;

        while (p < p_end && q < q_end) {
                uint32_t one, other;

                if (!json_character_next(&p, p_end, &one) ||
                    !json_character_next(&q, q_end, &other) || one != other)
                        return false;
        }
        return p == p_end && q == q_end;
}

static bool check_value(struct reader *r);

/* The names that an object has so far; a hash of what they mean keeps large objects from being
 * compared name by name. */
struct names {
        struct json names[JSON_MEMBERS_MAX];
        uint32_t hashes[JSON_MEMBERS_MAX];
        size_t count;
};

static uint32_t hash_name(struct json name) {
        const char *p = name.text + 1, *end = name.text + name.length - 1;
        uint32_t hash = 2166136261U, point;

        while (p < end && json_character_next(&p, end, &point))
                hash = (hash ^ point) * 16777619U;
        return hash;
}

static bool check_name(struct reader *r, struct names *names) {
        struct json name = { .text = r->p };
        uint32_t hash;

        if (r->p == r->end || *r->p != '"')
                return wrong(r, "an object's member without a name");
        if (!check_string(r))
                return false;
        name.length = (size_t)(r->p - name.text);
        hash = hash_name(name);
        for (size_t i = 0; i < names->count; i++)
                if (names->hashes[i] == hash && strings_equal(names->names[i], name))
                        return wrong(r, "two members with the same name");
        if (names->count == JSON_MEMBERS_MAX)
                return wrong(r, "an object with too many members");
        names->hashes[names->count] = hash;
        names->names[names->count++] = name;
        r->p = skip_space(r->p, r->end);
        if (r->p == r->end || *r->p != ':')
                return wrong(r, "a member's name without a colon");
        r->p++;
        return true;
}

/* Between items: true and *ret_more, or false when neither a comma nor the end stands there. */
static bool check_separator(struct reader *r, char close, bool *ret_more) {
        r->p = skip_space(r->p, r->end);
        if (r->p == r->end || (*r->p != ',' && *r->p != close))
                return wrong(r, "neither a comma nor the end of an object or array");
        *ret_more = *r->p == ',';
        r->p++;
        return true;
}

static bool check_items(struct reader *r, char close) {
        struct names names;
        bool more = true;

        names.count = 0;

        r->p = skip_space(r->p + 1, r->end);
        if (r->p < r->end && *r->p == close) {
                r->p++;
                return true;
        }
        while (more) {
                r->p = skip_space(r->p, r->end);
                if (close == '}' && !check_name(r, &names))
                        return false;
                if (!check_value(r) || !check_separator(r, close, &more))
                        return false;
        }
        return true;
}

static bool check_container(struct reader *r, char close) {
        bool ok;

        if (r->depth == JSON_DEPTH_MAX)
                return wrong(r, "too deep nesting");
        r->depth++;
        ok = check_items(r, close);
        r->depth--;
        return ok;
}

static bool check_value(struct reader *r) {
        r->p = skip_space(r->p, r->end);
        if (r->p == r->end)
                return wrong(r, "an end where a value should be");
        switch (*r->p) {
        case '{':
                return check_container(r, '}');
        case '[':
                return check_container(r, ']');
        case '"':
                return check_string(r);
        case '-':
        case '0' ... '9':
                return check_number(r);
        default:
                return check_literal(r);
        }
}

bool json_read(const char *text, size_t length, struct json *ret, const char **ret_why,
               size_t *ret_at) {
        struct reader r = { .p = skip_space(text, text + length), .end = text + length };
        struct json value = { .text = r.p };

        if (check_value(&r)) {
                value.length = (size_t)(r.p - value.text);
                r.p = skip_space(r.p, r.end);
                if (r.p < r.end)
                        (void)wrong(&r, "more than one value");
        }
        *ret_why = r.why;
        *ret_at = (size_t)(r.p - text);
        if (r.why)
                return false;
        *ret = value;
        return true;
}

int json_parse(const char *text, size_t length, struct json *ret, struct failure *failure) {
        const char *why;
        size_t at;

        if (json_read(text, length, ret, &why, &at))
                return 0;
        return failure_set(failure, EXIT_UNREACHABLE,
                           "the broker's answer is not JSON: %s at byte %zu", why, at);
}

enum json_type json_type(struct json value) {
        switch (*value.text) {
        case '{':
                return JSON_OBJECT;
        case '[':
                return JSON_ARRAY;
        case '"':
                return JSON_STRING;
        case 'n':
                return JSON_NULL;
        case 't':
                return JSON_TRUE;
        case 'f':
                return JSON_FALSE;
        default:
                return JSON_NUMBER;
        }
}

static const char *skip_string(const char *p) {
        for (p++; *p != '"'; p++)
                if (*p == '\\')
                        p++;
        return p + 1;
}

/* Behind the value at @p, in text that was checked. */
static const char *skip_value(const char *p, const char *end) {
        int depth = 0;

        if (*p == '"')
                return skip_string(p);
        if (*p != '{' && *p != '[') {
                while (p < end && !strchr(",]} \t\r\n", *p))
                        p++;
                return p;
        }
        do {
                if (*p == '"') {
                        p = skip_string(p);
                        continue;
                }
                if (*p == '{' || *p == '[')
                        depth++;
                else if (*p == '}' || *p == ']')
                        depth--;
                p++;
        } while (depth > 0);
        return p;
}

static struct json value_at(const char *p, const char *end) {
        struct json value = { .text = skip_space(p, end) };

        value.length = (size_t)(skip_value(value.text, end) - value.text);
        return value;
}

static bool name_is(struct json name, const char *text) {
        const char *p = name.text + 1, *end = name.text + name.length - 1;

        for (; p < end && *text; text++) {
                uint32_t point;

                if (!json_character_next(&p, end, &point) || point != (unsigned char)*text)
                        return false;
        }
        return p == end && *text == '\0';
}

bool json_member(struct json object, const char *name, struct json *ret) {
        const char *end = object.text + object.length, *p;

        if (json_type(object) != JSON_OBJECT)
                return false;
        p = skip_space(object.text + 1, end);
        while (*p != '}') {
                struct json key = value_at(p, end);
                struct json value = value_at(skip_space(key.text + key.length, end) + 1, end);

                if (name_is(key, name)) {
                        *ret = value;
                        return true;
                }
                p = skip_space(value.text + value.length, end);
                if (*p == ',')
                        p = skip_space(p + 1, end);
        }
        return false;
}

bool json_next(struct json array, struct json *item) {
        const char *end = array.text + array.length, *p;

        if (json_type(array) != JSON_ARRAY)
                return false;
        p = skip_space(item->text ? item->text + item->length : array.text + 1, end);
        if (*p == ']')
                return false;
        *item = value_at(*p == ',' ? p + 1 : p, end);
        return true;
}

bool json_string(struct json value, char *buffer, size_t size, size_t *ret_length) {
        const char *p = value.text + 1, *end = value.text + value.length - 1;
        size_t used = 0;

        if (json_type(value) != JSON_STRING || size == 0)
                return false;
        while (p < end) {
                char bytes[4];
                uint32_t point = 0;
                size_t length;

                (void)json_character_next(&p, end, &point);
                length = json_character_encode(point, bytes);
                if (length >= size - used) {
                        explicit_bzero(buffer, used);
                        return false;
                }
                memcpy(buffer + used, bytes, length);
                used += length;
        }
        buffer[used] = '\0';
        *ret_length = used;
        return true;
}

bool json_text(struct json object, const char *name, char *buffer, size_t size) {
        char text[TEXT_MEMBER_MAX];
        struct json value;
        size_t length;

        buffer[0] = '\0';
        if (!json_member(object, name, &value) || !json_string(value, text, sizeof(text), &length))
                return false;
        (void)text_clean(buffer, size, text, length);
        return true;
}
