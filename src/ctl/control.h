/*
 * One request to the running daemon over its control socket.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"

#define CONTROL_SOCKET "/run/forge-broker-control.sock"

struct control_answer {
        long status;  /* HTTP */
        json_t *body; /* a reference, to be released by the caller; NULL if it was not JSON */
};

/** control_setup() - process-wide set-up of libcurl; 0 or -DIAG_INTERNAL_ERROR */
int control_setup(struct error *err);

enum { CONTROL_ANSWERED = 0, CONTROL_NOT_RUNNING = 1, CONTROL_SILENT = 2 };

/**
 * control_request() - sends it and waits for the answer: of a GET for at most 30 s, of a POST as
 * long as any request_timeout
 *
 * Return: CONTROL_ANSWERED (whatever the status), with @err saying why CONTROL_NOT_RUNNING (nobody
 * is there) or CONTROL_SILENT (somebody is and does not answer), or a negated diagnosis.
 */
int control_request(const char *socket, const char *method, const char *path,
                    struct control_answer *ret, struct error *err);

/**
 * control_text() - the same for an answer that is not JSON
 * @ret_text: with a NUL behind it, to be freed
 */
int control_text(const char *socket, const char *method, const char *path, long *ret_status,
                 char **ret_text, struct error *err);
