/*
 * Why a command ends without what was asked for.  The one idiom for failure in this program: a
 * function returns 0 (or a documented positive outcome), else the negated exit code, and fills the
 * caller's struct failure; main prints it once.
 *
 * The texts may hold words from outside: everything that goes in is cleaned here, so that printing
 * needs no care.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define FAILURE_LINES_MAX 24 /* twelve attempts with their remedies */

struct failure {
        int exit_code;
        bool lasting;  /* no waiting will help: `wait` ends at once */
        char code[48]; /* the diagnosis' wire name; "" when it was not the broker who said it */
        char detail[512];
        char remedy[512]; /* "" if there is none */
        char known[512];  /* the names that exist, for an unknown one; else "" */
        size_t line_count;
        /* what was tried, or what is wrong with which token */
        char lines[FAILURE_LINES_MAX][512];
};

/**
 * failure_set() - starts a new failure, without code, remedy and lines
 *
 * Return: -@exit_code, to be returned by the caller.
 */
int failure_set(struct failure *failure, int exit_code, const char *format, ...) _printf_(3, 4);

/** failure_remedy_set() - one sentence on what to do */
void failure_remedy_set(struct failure *failure, const char *format, ...) _printf_(2, 3);

/**
 * failure_line_add() - one more line between detail and remedy; those past the limit are dropped
 * @format: begins with words of our own, so that nothing from outside can look like a workflow
 *          command
 */
void failure_line_add(struct failure *failure, const char *format, ...) _printf_(2, 3);
