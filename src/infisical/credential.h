/*
 * A credential file: the identity's access token, client id or client secret, read into locked
 * memory.
 */
#pragma once

#include "base/error.h"
#include "base/secret.h"

/* An access token is at most about 900 bytes, OIDC ones are larger; docs/upstream/infisical.md,
 * "What the token is". */
#define CREDENTIAL_MAX_BYTES 8192

/**
 * credential_read() - reads, checks and strips one credential file
 * @setting: the key that named it, for the messages ("token_file")
 * @file:    absolute, or relative to $CREDENTIALS_DIRECTORY
 * @ret:     a new reference
 *
 * Links are followed, the opened file is what is checked: a regular file, owned by root or by the
 * process' user, mode 0600 or 0640 with the process' group (or stricter), not empty, at most
 * CREDENTIAL_MAX_BYTES, printable ASCII without blanks after white space at both ends is stripped.
 * Never blocks on a FIFO.
 * Return: 0, -DIAG_CREDENTIAL_MISSING or -DIAG_CREDENTIAL_PERMISSIONS; a content that cannot be a
 * credential (empty, binary, ciphertext that was not decrypted) is credential-missing with its own
 * remedy.
 */
int credential_read(const char *setting, const char *file, struct secret **ret, struct error *err);

/**
 * credential_read_headers() - reads the header lines of header_file, "Name: value" each
 * @ret: the lines, each ended by one '\n', as http_request.headers wants them
 *
 * Checked like any credential file.  Blank lines and lines that begin with '#' are left out.  A
 * name is a token of RFC 9110, a value printable ASCII; names that this program sends itself (Host,
 * Authorization, Content-Length, Content-Type, Accept, User-Agent, If-None-Match, Connection,
 * Transfer-Encoding, Proxy-*) are refused; at most 16 lines.
 * Return: as credential_read(); a line that is not a header is credential-missing with its number
 * and never its text.
 */
int credential_read_headers(const char *setting, const char *file, struct secret **ret,
                            struct error *err);
