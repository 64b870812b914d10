/*
 * Patterns of the configuration: '*' stands for any bytes, '/' among them, '?' for one.  Nothing
 * else is special.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * glob_matches() - true if all of @text is what @pattern describes
 * @length: of @text
 *
 * ASCII letters are the same in both cases: forges take names so.  Time grows with the product of
 * both lengths at most.
 */
bool glob_matches(const char *pattern, const char *text, size_t length);

/** glob_matches_exactly() - the same, but upper and lower case differ: units, refs */
bool glob_matches_exactly(const char *pattern, const char *text, size_t length);

/** glob_weight() - how exact a pattern is: more bytes that are no wildcards weigh more, and none at
 * all a little more */
unsigned glob_weight(const char *pattern);
