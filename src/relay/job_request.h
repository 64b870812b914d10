/*
 * The one request that the relay lets through: HTTP/1.1 for a route that jobs may use, small, with
 * a length that is certain.  Does no I/O.
 *
 * What goes on to the broker is written anew from what was understood, and of the headers only
 * those that the broker reads: nothing that is doubtful here can be read in another way there.
 * Refused: other methods and routes, a Transfer-Encoding, a doubled Content-Length or proof,
 * headers that are too large, folded or nameless header lines, bare LF, control characters, and
 * bytes behind the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define JOB_REQUEST_HEAD_MAX (7 * 1024)  /* the broker takes 8 KiB, and a line is added */
#define JOB_REQUEST_BODY_MAX (16 * 1024) /* as the broker */
#define JOB_REQUEST_MAX      (JOB_REQUEST_HEAD_MAX + JOB_REQUEST_BODY_MAX)

struct job_request {
        size_t head; /* its bytes, with the empty line */
        size_t body; /* the bytes behind it */
};

enum { JOB_REQUEST_DONE, JOB_REQUEST_MORE };

/**
 * job_request_parse() - looks at all that has arrived so far
 * @ret_why: for a refusal, in words
 *
 * Return: JOB_REQUEST_DONE and *ret, JOB_REQUEST_MORE, or -1.
 */
int job_request_parse(const char *bytes, size_t length, struct job_request *ret,
                      const char **ret_why);

/**
 * job_request_write_head() - the head to send to the broker, in the name of a user
 * @bytes: a request that job_request_parse() took
 * @via_uid: goes into Forge-Broker-Via-Uid, which the request itself cannot set
 *
 * Return: false if it does not fit.
 */
bool job_request_write_head(const char *bytes, const struct job_request *request, unsigned via_uid,
                            char *buffer, size_t size, size_t *ret_length);
