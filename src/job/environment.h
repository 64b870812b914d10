/*
 * An environment for another program: the caller's, with some variables set.  Their strings are
 * kept in locked pages.
 */
#pragma once

#include <stdbool.h>

#include "job/child.h"
#include "job/locked_buffer.h"

struct environment {
        char **strings;           /* NULL terminated; most are borrowed from environ */
        struct locked_buffer set; /* those that were set */
};

/**
 * environment_extend() - the caller's environment without the variables' old values, and with the
 * new ones
 * @ret: zeroed by the caller, released with environment_done() whatever the outcome
 *
 * Return: 0, or -EXIT_CANNOT_RUN for lack of memory.
 */
int environment_extend(struct environment *ret, const struct child_variable *variables,
                       size_t count, struct failure *failure);

/** environment_done() - wipes it.  For _cleanup_ too. */
void environment_done(struct environment *environment);

/** environment_is_name() - true for [A-Za-z_][A-Za-z0-9_]*: what shells take as a variable's
 * name */
bool environment_is_name(const char *name);
