/*
 * Strict reading of outside JSON with jansson: bounded, no duplicate keys, wrong type is an error.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * json_parse() - reads one JSON document
 * @length: at most JSON_TEXT_MAX_BYTES
 *
 * Refuses duplicate keys, NUL characters in strings, trailing bytes and deep nesting (jansson's own
 * limit of 2048).
 * Return: a new reference, or NULL.
 */
json_t *json_parse(const char *text, size_t length);

#define JSON_TEXT_MAX_BYTES (512 * 1024)

/** json_member_string() - the string member's text, borrowed; NULL if absent, null or of another
 * type */
const char *json_member_string(const json_t *object, const char *key);

/** json_member_string_length() - its length in bytes, 0 if there is none */
size_t json_member_string_length(const json_t *object, const char *key);

/** json_member_int() - true and the number if the member is an integer */
bool json_member_int(const json_t *object, const char *key, json_int_t *ret);

/** json_member_true() - true if the member is the literal true */
bool json_member_true(const json_t *object, const char *key);

/** json_depth_is_within() - true if arrays and objects are not nested deeper than @max: a scalar is
 * 0, [] is 1 */
bool json_depth_is_within(const json_t *value, unsigned max);
