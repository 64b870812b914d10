/*
 * A file of the user's that may hold secrets: read whole, and replaced whole.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "job/failure.h"
#include "job/locked_buffer.h"

#define PRIVATE_FILE_MAX (1024 * 1024)
#define PRIVATE_PATH_MAX 4096

struct private_file {
        char path[PRIVATE_PATH_MAX]; /* without symbolic links */
        bool exists;
        mode_t mode; /* of the file that is there */
        uid_t uid;
        gid_t gid;
};

/**
 * private_file_read() - reads it
 * @path: may be a symbolic link, whose target is then meant; may be missing
 *
 * Return: 0, or -EXIT_UNMET: it is no regular file, cannot be read, or is larger than
 * PRIVATE_FILE_MAX.
 */
int private_file_read(const char *path, struct private_file *ret, struct locked_buffer *text,
                      struct failure *failure);

/**
 * private_file_replace() - writes it beside the old one and renames it into place
 *
 * Mode and owner stay; a new file is 0600, and its directory, if that is missing too, 0700.
 * Return: 0, or -EXIT_UNMET, and the old file is as before.
 */
int private_file_replace(const struct private_file *file, const struct locked_buffer *text,
                         struct failure *failure);
