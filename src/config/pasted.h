/*
 * Secrets that were pasted into the configuration by mistake.
 */
#pragma once

#include <stdbool.h>

/** pasted_secret() - true for text that has the shape of a token or a client secret and not of a
 * file's name */
bool pasted_secret(const char *text);

/**
 * pasted_may_be_quoted() - true if a word from the file may be repeated in a message
 *
 * A line that was pasted as it is can end up where a key or a section is expected.  Words are
 * letters, '_' and '-', and short: tokens have digits or are longer.
 */
bool pasted_may_be_quoted(const char *word);
