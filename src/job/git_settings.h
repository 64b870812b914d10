/*
 * What makes one of the broker's tokens the identity that git uses, as entries of GIT_CONFIG_COUNT
 * (git-config(1)): behind those that are there already, stronger than all files.  Nothing of a
 * token is in them.
 */
#pragma once

#include "job/git_remotes.h"

#define GIT_SETTINGS_MAX 512

struct git_settings {
        struct locked_buffer strings;
        struct child_variable variables[2 * GIT_SETTINGS_MAX + 8];
        size_t variable_count;
        size_t first; /* GIT_CONFIG_COUNT of the caller */
        size_t count; /* entries of ours */
};

/** git_settings_begin() - reads the caller's GIT_CONFIG_COUNT.  Return: 0, or -EXIT_USAGE where git
 * would not take it either. */
int git_settings_begin(struct git_settings *settings, struct failure *failure);

/** git_settings_add() - one entry.  Return: 0, or -EXIT_CANNOT_RUN when there are too many. */
int git_settings_add(struct git_settings *settings, const char *key, const char *value,
                     struct failure *failure);

/** git_settings_set() - one variable beside them */
int git_settings_set(struct git_settings *settings, const char *name, const char *value,
                     struct failure *failure);

/** git_settings_end() - GIT_CONFIG_COUNT itself */
int git_settings_end(struct git_settings *settings, struct failure *failure);

/** git_settings_done() - wipes them.  For _cleanup_ too. */
void git_settings_done(struct git_settings *settings);
