/*
 * Another program, with what it reads and what it prints, bounded in size and time.
 */
#pragma once

#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

/* What a pipe holds without a reader: it is written before the program begins. */
#define PROGRAM_INPUT_MAX 16384

/**
 * program_run() - runs argv[0], found in the system's own directories, and waits for it
 * @input:      what it reads from its standard input, at most PROGRAM_INPUT_MAX bytes; NULL:
 *              nothing
 * @output:     its standard output, replaced; more than fits is an error.  It may hold secrets:
 *              systemctl shows Environment=
 * @timeout:    then it is killed
 * @ret_status: its exit status; 128 and the signal that ended it
 *
 * Standard error is this program's own.
 * Return: 0, or -DIAG_INTERNAL_ERROR: it could not be run, or had to be killed.
 */
int program_run(const char *const *argv, const struct secret *input, struct secret *output,
                usec_t timeout, int *ret_status, struct error *err);
