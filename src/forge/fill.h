/*
 * Templates of addresses, bodies and sentences: "{name}" stands for a value that somebody knows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The text that stands for "{name}"; NULL: there is none, and the template cannot be filled. */
typedef const char *(*fill_value)(void *userdata, const char *name);

enum fill_for {
        FILL_SENTENCE, /* values are cleaned as text_clean() does */
        FILL_URL,      /* values are percent-encoded, all but '/'; "{name%}" encodes that as well */
        /* inside a string: a value with a character that JSON would escape cannot be filled in */
        FILL_JSON,
};

/**
 * fill_template() - @template with its values
 * @size: of @buffer; a sentence that is longer is cut, everything else then fails
 *
 * Return: true, or false with an empty @buffer.
 */
bool fill_template(char *buffer, size_t size, const char *template, enum fill_for what,
                   fill_value value, void *userdata);
