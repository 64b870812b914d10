/*
 * git itself, asked about its configuration: what it knows is read from what it prints, never from
 * files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "job/child.h"
#include "job/locked_buffer.h"

#define GIT_OUTPUT_MAX (512 * 1024) /* of one question; a configuration has a few KiB */
#define GIT_WORDS_MAX  64

struct git {
        const struct inherited *inherited;
        /* the caller's options before the subcommand: -C DIR, -c KEY=VALUE, ... */
        char *const *leading;
        size_t leading_count;
        const struct child_variable *variables; /* to ask under; NULL: as things are */
        size_t variable_count;
};

/**
 * git_ask() - runs git with the leading options and @words, without a terminal
 * @words:  NULL terminated, at most GIT_WORDS_MAX with the leading ones
 * @answer: what it printed, and a NUL; may hold others' secrets
 *
 * Return: its exit status, or a negated exit code if it could not be run.
 */
int git_ask(const struct git *git, const char *const words[], struct locked_buffer *answer,
            struct failure *failure);

#define GIT_KEY_MAX 4096

/* One entry of its configuration, in the order in which git reads them: a later one is stronger. */
struct git_entry {
        /* "file:.git/config", "command line:"; inside the answer, as the value */
        const char *origin;
        const char *value;
        char key[GIT_KEY_MAX]; /* section and last part in lower case */
};

/** git_entries() - all entries whose key the extended regular expression fits, includes followed,
 * into @answer */
int git_entries(const struct git *git, const char *pattern, struct locked_buffer *answer,
                struct failure *failure);

/** git_entry_next() - the next one with a value; start with *position = 0.  False at the end. */
bool git_entry_next(const struct locked_buffer *answer, size_t *position, struct git_entry *ret);

/** git_applies() - true if "SECTION.PATTERN.NAME" of a configuration is for @url, by git's own
 * rules */
bool git_applies(const struct git *git, const char *pattern, const char *url);

/**
 * git_entry_pattern() - what stands between section and name: the URL of "http.<URL>.extraheader",
 * "" without one
 */
void git_entry_pattern(const struct git_entry *entry, char buffer[static GIT_KEY_MAX]);

/**
 * git_entry_place() - "FILE:LINE" of an entry, or the origin as git says it
 *
 * The line is searched for in the file, for git does not tell it.
 */
void git_entry_place(const struct git *git, const struct git_entry *entry, char *buffer,
                     size_t size);

/** git_leading_count() - how many of git's words stand before the subcommand */
size_t git_leading_count(char *const words[]);
