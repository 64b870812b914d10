/*
 * One character of a JSON string at a time: plain UTF-8 or an escape, and back to UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * json_character_next() - decodes the character at **p, which is before @end and inside a string
 *
 * Return: true, *ret, and *p behind it; false for invalid UTF-8, an unknown escape, a lone
 * surrogate, or \u0000.
 */
bool json_character_next(const char **p, const char *end, uint32_t *ret);

/** json_character_encode() - writes a character as UTF-8.  Return: how many bytes. */
size_t json_character_encode(uint32_t point, char bytes[static 4]);
