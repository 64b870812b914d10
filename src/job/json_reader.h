/*
 * A strict, bounded JSON reader (RFC 8259) that copies nothing: a value is a span of the caller's
 * text.
 *
 *      json_parse() checks everything once -> json_member(), json_next(), json_string() look at what was checked
 *
 * Refused besides what the grammar refuses: invalid UTF-8, lone surrogates, NUL (raw or \u0000),
 * two members with the same name, deeper nesting than JSON_DEPTH_MAX, and more members in one
 * object than JSON_MEMBERS_MAX.  No allocation, no copies of a secret, nothing to release.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "job/failure.h"

#define JSON_DEPTH_MAX 16 /* the broker's answers need 4, a forge's events 7 */
/* of one object; GitHub describes a repository in about 100, the broker a token in 20 */
#define JSON_MEMBERS_MAX 256

enum json_type {
        JSON_NULL,
        JSON_FALSE,
        JSON_TRUE,
        JSON_NUMBER,
        JSON_STRING,
        JSON_ARRAY,
        JSON_OBJECT,
};

/* One value; borrowed from the text that json_parse() was given. */
struct json {
        const char *text;
        size_t length;
};

/**
 * json_read() - checks a whole text, which must be one value
 * @ret_why: static text, what is wrong with it (and never what stands there)
 * @ret_at:  at which byte
 */
bool json_read(const char *text, size_t length, struct json *ret, const char **ret_why,
               size_t *ret_at);

/**
 * json_parse() - as json_read(), for an answer of the broker's
 *
 * Return: 0, or -EXIT_UNREACHABLE with what is wrong and at which byte (and never what stands
 * there).
 */
int json_parse(const char *text, size_t length, struct json *ret, struct failure *failure);

enum json_type json_type(struct json value);

/** json_member() - true and the member of that name (ASCII); false for none, or when @object is not
 * one */
bool json_member(struct json object, const char *name, struct json *ret);

/** json_next() - the next item of an array; start with a zeroed @item.  False at the end, or when
 * it is no array. */
bool json_next(struct json array, struct json *item);

/**
 * json_string() - decodes a string
 * @size: of @buffer; json_parse()d text never needs more than @value.length bytes
 *
 * Return: true and the text with a NUL behind it, or false when @value is no string or does not
 * fit; then nothing of it stays in @buffer.
 */
bool json_string(struct json value, char *buffer, size_t size, size_t *ret_length);

/** json_text() - a member that is a string, cleaned for printing and cut to the buffer; "" and
 * false if there is none */
bool json_text(struct json object, const char *name, char *buffer, size_t size);
