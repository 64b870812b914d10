/*
 * What the job says of itself, from the environment that its runner made: sent with each request,
 * for the record, and the default for what a command is about.  Nothing is decided by it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CLAIM_BYTES 256 /* of one claim, with its NUL: the broker keeps no more */

/**
 * claims_append() - appends the request header lines, one for each claim that the environment has
 * @used: bytes of @buffer used so far
 *
 * Return: false when they do not fit.
 */
bool claims_append(char *buffer, size_t size, size_t *used);

/** claims_repository() - this job's own, "owner/name"; NULL if the environment has none */
const char *claims_repository(void);

/** claims_ref() - this job's own, "refs/heads/main" or "refs/tags/v1"; false if it has neither, as
 * in a pull request */
bool claims_ref(char ref[static CLAIM_BYTES]);
