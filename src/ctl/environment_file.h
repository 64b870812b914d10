/*
 * Assignments of environment variables as systemd writes and reads them: the lines of an
 * EnvironmentFile=, and the words of `systemctl show -p Environment`.  Pure.
 */
#pragma once

#include "base/secret.h"

#define ENVIRONMENT_NAME_MAX 128

/**
 * environment_found - one assignment
 * @name:  letters, digits and '_'
 * @value: borrowed; without its quotes
 */
typedef void (*environment_found)(void *userdata, const char *name, struct secret *value);

/**
 * environment_file_read() - the assignments of a file's content
 *
 * NAME=VALUE, a line each; comments begin with '#' or ';'; single and double quotes, backslashes,
 * and a backslash at a line's end as systemd.exec(5) has them.  What is no assignment is passed
 * over.
 */
void environment_file_read(const struct secret *content, environment_found found, void *userdata);

/** environment_words_read() - the assignments of words that blanks separate; a word may be
 * quoted */
void environment_words_read(const char *text, size_t length, environment_found found,
                            void *userdata);
