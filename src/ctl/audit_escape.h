/*
 * Outside text in forms that have a syntax of their own.
 */
#pragma once

#include <stdio.h>

/** escape_html() - text for an element's content or a quoted attribute */
void escape_html(FILE *out, const char *text);

/**
 * escape_markdown() - text as a code span, which also stands in a table's cell
 *
 * In a code span nothing is a link, a mention, a reference or HTML.  What would end it or the cell
 * (a backtick, a pipe, a backslash before one) becomes a character that looks alike; the exact text
 * is in the JSON.
 */
void escape_markdown(FILE *out, const char *text);
