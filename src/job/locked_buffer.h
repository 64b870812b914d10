/*
 * Bytes that must not be seen: an answer that may hold a value, and the value itself.
 *
 * Pages of their own, locked where the limit allows it, left out of core dumps and wiped before
 * they go; what grows leaves nothing behind.  A buffer that is all zero is empty and needs no
 * initialisation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct locked_buffer {
        char *bytes;
        size_t used, size;
};

/** locked_buffer_reserve() - room for @size bytes in all, or false for lack of memory */
bool locked_buffer_reserve(struct locked_buffer *buffer, size_t size);

/** locked_buffer_append() - adds bytes, or false for lack of memory */
bool locked_buffer_append(struct locked_buffer *buffer, const void *bytes, size_t length);

/** locked_buffer_clear() - wipes what it holds and keeps the room */
void locked_buffer_clear(struct locked_buffer *buffer);

/** locked_buffer_done() - wipes it and gives it back; an empty one is fine.  For _cleanup_ too. */
void locked_buffer_done(struct locked_buffer *buffer);
