/*
 * What git asks a credential helper: lines "key=value", ended by an empty line or the end
 * (gitcredentials(7), git-credential(1), "INPUT/OUTPUT FORMAT").
 *
 * Unknown keys are skipped and the last of equal ones counts, as git has it.  Refused: a line
 * without '=' or longer than 65535 bytes, a NUL, and control characters in what names a place,
 * which could make one host look like another.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "job/failure.h"
#include "job/locked_buffer.h"

#define CREDENTIAL_LINE_MAX 65535
/* git sends less than 1 KiB, and the server's challenges */
#define CREDENTIAL_REQUEST_MAX (256 * 1024)

struct credential_request {
        char protocol[16];    /* "" where git does not say */
        char host[280];       /* with its port */
        char path[1024];      /* without the leading slash; only with credential.useHttpPath */
        const char *password; /* inside the caller's bytes; NULL if there is none */
        size_t password_length;
        const char *credential; /* the same, of a credential with an authtype (git 2.46) */
        size_t credential_length;
        bool knows_authtype; /* git said capability[]=authtype */
};

/**
 * credential_request_parse() - reads what git wrote
 * @bytes: all of it; must outlive @ret
 *
 * Return: 0, or -EXIT_USAGE with what is wrong (and never what stands there).
 */
int credential_request_parse(const char *bytes, size_t length, struct credential_request *ret,
                             struct failure *failure);

/** credential_request_read() - reads standard input to its end, or to the empty line.  Return: 0 or
 * -EXIT_USAGE. */
int credential_request_read(struct locked_buffer *buffer, struct credential_request *ret,
                            struct failure *failure);
