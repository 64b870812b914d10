/*
 * Bounded, clean text.  Everything from outside passes through here before it is logged or printed.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/**
 * text_clean() - copies outside text without control characters, cut to the buffer
 * @size: of @buffer, at least 4; a text that does not fit ends in "..."
 *
 * Control characters (C0, DEL, C1), bytes that are not valid UTF-8, and the Unicode line separators
 * and direction overrides become '?', and so does the bracket of "##[", with which a command to
 * GitHub's runner begins.  Never cuts through a UTF-8 sequence.
 * Return: @buffer.
 */
char *text_clean(char *buffer, size_t size, const char *text, size_t length);

/**
 * text_is_plain() - true if a value needs no quotes in a record: only [A-Za-z0-9._/@:+-], and not
 * empty
 */
bool text_is_plain(const char *text);

/**
 * text_append() - appends formatted text to a fixed buffer
 * @used: bytes used so far, without the NUL; never passes @size - 1
 *
 * Return: true, or false when it did not fit (then the text is cut).
 */
bool text_append(char *buffer, size_t size, size_t *used, const char *format, ...) _printf_(4, 5);

/**
 * text_append_string() - appends @text as it is: "%s" of text_append(), for what is done for each
 * request
 *
 * Return: true, or false when it did not fit (then nothing is appended).
 */
bool text_append_string(char *buffer, size_t size, size_t *used, const char *text);

/**
 * text_append_field() - appends " key=value", quoted where the value is not plain
 *
 * Inside quotes '"' and '\' are escaped with a backslash, so that no value can look like another
 * field.  @value must be clean (text_clean()).  Nothing is appended for a NULL value.
 * Return: true, or false when it did not fit (then nothing is appended).
 */
bool text_append_field(char *buffer, size_t size, size_t *used, const char *key, const char *value);

/** text_is_name() - true for [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes: names of tokens, forges,
 * identities */
bool text_is_name(const char *text);

/** text_starts_with() - true if @text begins with @prefix */
bool text_starts_with(const char *text, const char *prefix);

/**
 * text_percent_encode() - encodes every byte outside A-Za-z0-9-._~ as %XX (RFC 3986, unreserved)
 *
 * Return: a new string, to be freed, or NULL for lack of memory.
 */
char *text_percent_encode(const char *text);

/**
 * text_strip() - removes white space at both ends, in place
 * @length: in: bytes; out: bytes left
 *
 * Return: where the text begins now (inside @text).  No NUL is written.
 */
char *text_strip(char *text, size_t *length);
