/*
 * Running another program with more in its environment, as this program's caller would have run it:
 * with the caller's signals and limits, and with none of our descriptors, which are all closed on
 * exec.
 *
 *      child_exec()    becomes it: signals, process group and exit status are its own
 *      child_run()     waits for it: where something must be said afterwards
 *      child_capture() waits for it and keeps what it printed
 */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

#include "job/failure.h"

#define EXIT_CANNOT_RUN 126 /* what shells say of a program that is there and cannot be run, */
#define EXIT_NOT_FOUND  127 /* and of one that is not there */

/* What main changed for this process alone, to be given back to those that it runs. */
struct inherited {
        struct sigaction sigpipe, sigchld;
        struct rlimit core;
};

/* To be set in the environment, in place of one of that name.  The value needs no NUL behind it. */
struct child_variable {
        const char *name;
        const char *value;
        size_t value_length;
};

/**
 * child_exec() - replaces this process by the program argv[0], found through PATH
 *
 * Return: only if that fails: -EXIT_NOT_FOUND or -EXIT_CANNOT_RUN.
 */
int child_exec(const struct inherited *inherited, char *const argv[],
               const struct child_variable *variables, size_t count, struct failure *failure);

/**
 * child_run() - runs it and waits for its end
 *
 * It stays in this process' group, so that the terminal's signals reach it by themselves; those
 * that were sent to this process alone are passed on.
 * Return: its exit status, 128 and the signal's number if one ended it, or as child_exec().
 */
int child_run(const struct inherited *inherited, char *const argv[],
              const struct child_variable *variables, size_t count, struct failure *failure);

/**
 * child_capture() - runs it without input, with its standard error dropped, and collects its
 * standard output
 * @buffer: gets a NUL behind it
 *
 * Return: as child_run(); -EXIT_CANNOT_RUN as well when it prints more than fits.
 */
int child_capture(const struct inherited *inherited, char *const argv[],
                  const struct child_variable *variables, size_t count, char *buffer, size_t size,
                  size_t *ret_length, struct failure *failure);
