/*
 * Base64 (RFC 4648, section 4), as HTTP Basic authentication has it.
 */
#pragma once

#include "job/locked_buffer.h"

/** base64_append() - appends the encoded bytes; false for lack of memory.  Leaves nothing of them on the stack. */
bool base64_append(struct locked_buffer *buffer, const char *bytes, size_t length);
