/*
 * The lines of header_file: extra request headers for an access proxy in front of Infisical.  Pure.
 */
#pragma once

#include "base/secret.h"

#define HEADER_LINES_MAX 16

/**
 * header_lines_check() - checks and normalises "Name: value" lines
 * @ret:      the lines, each ended by one '\n'; comments ('#') and blank lines are left out
 * @ret_line: where it is wrong
 *
 * A name is a token of RFC 9110 and none that the broker sends itself; a value is printable ASCII.
 * Return: 0, -EINVAL with the line (0 for no header at all, or too many), -ENOMEM.
 */
int header_lines_check(const char *text, size_t length, struct secret **ret, unsigned *ret_line);
