/*
 * JSON that this program writes: strings.
 */
#pragma once

#include "job/locked_buffer.h"

/** json_append_string() - appends @bytes, valid UTF-8, with quotes and escapes; false for lack of
 * memory */
bool json_append_string(struct locked_buffer *buffer, const char *bytes, size_t length);
