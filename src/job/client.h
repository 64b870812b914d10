/*
 * Asking the broker: one HTTP/1.1 request per connection, with the job's claims, within the
 * command's deadline.
 *
 *      client_init() -> client_get()* : connect, send, read to the end, check status and JSON
 *
 * An answer that asks for proof is not the last one where the job has some (job/proof.h): the
 * request is sent again with it. A connection that ends before the first byte of its answer is
 * repeated once: that is a broker that was restarted, and the socket's queue leads to the next one.
 */
#pragma once

#include "job/connection.h"
#include "job/failure.h"
#include "job/http_answer.h"
#include "job/json_reader.h"
#include "job/locked_buffer.h"

struct client {
        const char *socket;       /* borrowed */
        struct deadline deadline; /* of the whole command */
};

/** client_init() - the deadline runs from here */
void client_init(struct client *client, const char *socket, usec_t timeout);

/**
 * client_ask() - gets an answer of any status
 * @buffer: holds the answer; what was in it is wiped
 * @ret: borrowed from @buffer
 *
 * Return: 0, or -EXIT_UNREACHABLE.
 */
int client_ask(const struct client *client, const char *path, struct locked_buffer *buffer,
               struct http_answer *ret, struct failure *failure);

/**
 * client_get() - as client_ask(), and only an answer with status 200 that is a JSON object is one
 * @ret: borrowed from @buffer
 *
 * Return: 0, or the negated exit code that the broker's problem or the lack of an answer stands
 * for.
 */
int client_get(const struct client *client, const char *path, struct locked_buffer *buffer,
               struct json *ret, struct failure *failure);

/**
 * client_post() - as client_get(), for a POST
 * @body: JSON text of @length bytes, which are sent from locked memory; the broker takes 16 KiB
 */
int client_post(const struct client *client, const char *path, const char *body, size_t length,
                struct locked_buffer *buffer, struct json *ret, struct failure *failure);
