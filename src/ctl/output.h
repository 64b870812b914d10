/*
 * What commands print: results on standard output, what went wrong on standard error.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "config/config.h"
#include "ctl/control.h"

/** output_error() - the detail and the remedy, on standard error */
void output_error(const struct error *err);

/** output_json() - indented, in the order of its making */
void output_json(const json_t *body);

/**
 * output_unexpected() - says what an answer that is not the wanted one is: a problem of the
 * daemon's, or not the daemon
 *
 * Return: the exit status that it stands for.
 */
int output_unexpected(const struct control_answer *answer);

/** output_problems() - each mistake of a configuration, "FILE:LINE: TEXT", on standard error */
void output_problems(const struct config_problems *problems);
