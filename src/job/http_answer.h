/*
 * Parser of one HTTP/1.x answer (RFC 9112), as strict as the one server behind it allows.  Does no
 * I/O.
 *
 * It looks at all that has arrived each time, so the outcome depends on the bytes alone and never
 * on how they were cut into reads.  Lengths in all three forms: Content-Length, chunked, until the
 * connection ends.  Refused: what is not HTTP/1, 1xx answers, folded or nameless header lines, bare
 * LF, control characters, both or doubled lengths, chunk extensions, trailers, and bytes behind the
 * end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "job/failure.h"

#define HTTP_HEAD_MAX   (16 * 1024)  /* the broker's heads have less than 1 KiB */
#define HTTP_ANSWER_MAX (256 * 1024) /* head and body: the list of a thousand tokens fits */

struct http_answer {
        int status;
        char content_type[64]; /* lower case, without parameters; "" if there is none */
        const char *body;      /* inside the caller's bytes */
        size_t body_length;
};

enum { HTTP_DONE, HTTP_MORE };

/**
 * http_answer_parse() - looks at what has arrived so far
 * @bytes: all of it, @length > 0; on HTTP_DONE the chunks of a chunked body have been joined in it
 * @ended: nothing more will come
 *
 * Return: HTTP_DONE and *ret, HTTP_MORE (never when @ended), or -EXIT_UNREACHABLE with what is odd.
 */
int http_answer_parse(char *bytes, size_t length, bool ended, struct http_answer *ret,
                      struct failure *failure);
