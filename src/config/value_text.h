/*
 * What the types of text values have in common.  Private to them.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "config/values.h"

#define UPPER          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS_DIGITS UPPER "abcdefghijklmnopqrstuvwxyz0123456789"

static inline bool wrong(const char **ret_why, const char *why) {
        *ret_why = why;
        return false;
}

static inline bool keep(const char *text, struct value_read *ret, const char **ret_why) {
        ret->text = strdup(text);
        return ret->text ? true : wrong(ret_why, "could not be kept for lack of memory");
}

static inline bool consists_of(const char *text, const char *bytes) {
        return text[strspn(text, bytes)] == '\0';
}
