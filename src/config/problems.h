/*
 * The findings of one load: a list that only grows, up to a limit.
 */
#pragma once

#include "config/config.h"

/**
 * config_problem_add() - records a finding
 * @line: 0 where none applies
 *
 * The text is cleaned and bounded here.  What does not fit into the list, or into memory, is
 * counted as dropped.
 */
void config_problem_add(struct config_problems *problems, const char *file, unsigned line,
                        const char *format, ...) _printf_(4, 5);

/** config_problems_any() - true once there was a finding, kept or dropped */
bool config_problems_any(const struct config_problems *problems);
