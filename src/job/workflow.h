/*
 * What a step can tell its runner: annotations in the log, outputs for later steps, a summary.
 * Forgejo, Gitea and GitHub read the same commands and files; elsewhere an annotation is an
 * ordinary line and there are no outputs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "job/failure.h"
#include "job/forge_env.h"

enum annotation { ANNOTATION_ERROR, ANNOTATION_WARNING, ANNOTATION_NOTICE };

/** workflow_has_commands() - true if the runner of @env reads "::command::" lines */
bool workflow_has_commands(enum forge_env env);

/** workflow_annotate() - one line on standard error, cleaned and escaped; nobody may be listening,
 * so it cannot fail */
void workflow_annotate(enum forge_env env, enum annotation level, const char *title,
                       const char *format, ...) _printf_(4, 5);

/** workflow_is_key() - true for a name that an output can have in every runner:
 * [A-Za-z_][A-Za-z0-9_-]*, at most 100 bytes */
bool workflow_is_key(const char *key);

/** workflow_has_outputs() - true if this job's runner names a file for step outputs */
bool workflow_has_outputs(void);

/** workflow_check_output() - whether workflow_output() could write.  Return: as there. */
int workflow_check_output(struct failure *failure);

/**
 * workflow_output() - sets an output of this step
 * @key: checked with workflow_is_key()
 *
 * Appends one record to the runner's file, or nothing: what was written in part is taken back.
 * Return: 0, or -EXIT_UNMET with what is wrong with the file.
 */
int workflow_output(const char *key, const char *value, size_t length, struct failure *failure);

/** workflow_summary() - appends Markdown to the step's summary, and does nothing where there is
 * none.  Return: as above. */
int workflow_summary(const char *text, struct failure *failure);
