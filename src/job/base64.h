/*
 * Base64 (RFC 4648, section 4), as HTTP Basic authentication has it.
 */
#pragma once

#include "job/locked_buffer.h"

/** base64_append() - appends the encoded bytes; false for lack of memory.  Leaves nothing of them
 * on the stack. */
bool base64_append(struct locked_buffer *buffer, const char *bytes, size_t length);

/**
 * base64_user() - the user of "user:password" in base64, clean; what stands behind the colon is not
 * decoded
 *
 * Return: false if it is not base64, or has no colon.
 */
bool base64_user(const char *text, char *buffer, size_t size);
