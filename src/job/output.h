/*
 * What the program prints.  Standard output by write(2) itself, so that no stdio buffer keeps a
 * value; every error of it is an error of the command.  On standard error one write per line; no
 * line begins with "::" but our own workflow commands, and none holds a control character.
 */
#pragma once

#include "job/failure.h"
#include "job/locked_buffer.h"

/**
 * output_line() - writes bytes and a newline to standard output
 *
 * Return: 0, or -EXIT_UNMET.
 */
int output_line(const char *bytes, size_t length, struct failure *failure);

/** output_text() - writes text as it is to standard output.  Return: 0, or -EXIT_UNMET. */
int output_text(const char *text, struct failure *failure);

/** output_note() - "forge-broker: ..." on standard error; nobody may be listening there, so this
 * cannot fail */
void output_note(const char *format, ...) _printf_(1, 2);

/** output_failure() - the failure with its lines and its remedy, on standard error */
void output_failure(const struct failure *failure);

/**
 * output_command() - a workflow command, on standard error
 * @head: "::error title=...::", complete
 * @data: what follows, escaped here
 *
 * Return: 0, or -EXIT_UNMET.
 */
int output_command(const char *head, const char *data, size_t length, struct failure *failure);

/**
 * output_mask() - the workflow command that makes a runner hide @value in the job's log, on
 * standard error
 *
 * Return: 0, or -EXIT_UNMET: then the value must not be printed.
 */
int output_mask(const char *value, size_t length, struct failure *failure);
