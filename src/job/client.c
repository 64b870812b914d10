#include "job/client.h"

#include <string.h>

#include "base/text.h"
#include "job/claims.h"
#include "job/problem.h"
#include "job/proof.h"
#include "job/relay.h"

#define LINES_MAX  4096        /* line, fixed headers and eight claims */
#define HEAD_MAX   (7 * 1024)  /* with the proof: as the relay; the broker takes 8 KiB */
#define READ_BYTES (16 * 1024) /* an issuance has less than 2 KiB */

void client_init(struct client *client, const char *socket, usec_t timeout) {
        *client = (struct client){
                .socket = socket,
                .deadline = { .at = usec_add(clock_monotonic(), timeout), .span = timeout },
        };
}

/* What is sent besides the head; NULL bytes: a GET. */
struct body {
        const char *bytes;
        size_t length;
};

/* @proof: NULL for none.  @request is wiped by its owner: proof and body are secret. */
static int build_request(const char *path, struct body body, const struct proof *proof,
                         struct locked_buffer *request, struct failure *failure) {
        char head[LINES_MAX] = "";
        size_t used = 0;
        bool fits;

        fits = text_append(head, sizeof(head), &used,
                           "%s %s HTTP/1.1\r\n"
                           "Host: localhost\r\n"
                           "User-Agent: forge-broker/" PACKAGE_VERSION "\r\n"
                           "Accept: application/json\r\n"
                           "Connection: close\r\n",
                           body.bytes ? "POST" : "GET", path) &&
               claims_append(head, sizeof(head), &used);
        if (fits && body.bytes)
                fits = text_append(head, sizeof(head), &used,
                                   "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                                   body.length);
        if (!locked_buffer_append(request, head, used) ||
            (proof && !proof_append(proof, request)) || !locked_buffer_append(request, "\r\n", 2))
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        if (!fits || request->used > HEAD_MAX)
                return failure_set(failure, EXIT_USAGE, "the request is too large");
        if (!locked_buffer_append(request, body.bytes, body.length))
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        return 0;
}

/* Reads until the answer is whole.  CONNECTION_ENDED: it ended before the first byte. */
static int receive_answer(const struct client *client, int fd, struct locked_buffer *buffer,
                          struct http_answer *ret, struct failure *failure) {
        for (;;) {
                size_t length = 0;
                int r, ended;

                if (!locked_buffer_reserve(buffer, buffer->used + READ_BYTES))
                        return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
                ended = connection_receive(fd, buffer->bytes + buffer->used, READ_BYTES,
                                           &client->deadline, &length, failure);
                if (ended < 0)
                        return ended;
                buffer->used += length;
                if (buffer->used == 0)
                        return CONNECTION_ENDED;
                if (ended == CONNECTION_RESET)
                        return failure_set(failure, EXIT_UNREACHABLE,
                                           "the connection was reset in the middle of the answer");
                r = http_answer_parse(buffer->bytes, buffer->used, ended == CONNECTION_ENDED, ret,
                                      failure);
                if (r != HTTP_MORE)
                        return r;
        }
}

static int ask_once(const struct client *client, const struct locked_buffer *request,
                    struct locked_buffer *buffer, struct http_answer *ret,
                    struct failure *failure) {
        _cleanup_(relay_done) struct relay relay = { 0 };
        _cleanup_(closep) int fd = -1; /* closed before the relay is waited for */
        int r;

        locked_buffer_clear(buffer);
        r = connection_open(client->socket, &client->deadline, &fd, failure);
        if (r == CONNECTION_DENIED)
                r = relay_open(&relay, client->socket, &client->deadline, &fd, failure);
        if (r < 0)
                return r;
        /* A broker that does not want the rest of the request may have answered all the same: read
         * in any case. */
        r = connection_send(fd, request->bytes, request->used, &client->deadline, failure);
        if (r < 0)
                return r;
        r = receive_answer(client, fd, buffer, ret, failure);
        return r == CONNECTION_ENDED && relay.pid > 0 ? relay_explain(&relay, failure) : r;
}

/*
 * Repeating is safe for a POST as well: none of the job's routes does more when it is asked twice,
 * but for a write probe, and that takes away what it made.
 */
static int ask_with(const struct client *client, const char *path, struct body body,
                    const struct proof *proof, struct locked_buffer *buffer,
                    struct http_answer *ret, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer request = { 0 };
        int r;

        r = build_request(path, body, proof, &request, failure);
        if (r < 0)
                return r;
        r = ask_once(client, &request, buffer, ret, failure);
        if (r == CONNECTION_ENDED)
                r = ask_once(client, &request, buffer, ret, failure);
        if (r == CONNECTION_ENDED) {
                r = failure_set(failure, EXIT_UNREACHABLE,
                                "the broker closed the connection without an answer, twice");
                failure_remedy_set(
                    failure,
                    "Look at the broker's own log on the host: journalctl -u forge-brokerd.");
        }
        return r;
}

/* A job that has nothing to show keeps the first answer: it says what is asked for. */
static int ask(const struct client *client, const char *path, struct body body,
               struct locked_buffer *buffer, struct http_answer *ret, struct failure *failure) {
        struct proof proof;
        int r;

        r = ask_with(client, path, body, NULL, buffer, ret, failure);
        if (r < 0 || !problem_asks_for_proof(ret))
                return r;
        r = proof_find(&proof, failure);
        if (r == PROOF_NONE)
                return 0;
        return r < 0 ? r : ask_with(client, path, body, &proof, buffer, ret, failure);
}

int client_ask(const struct client *client, const char *path, struct locked_buffer *buffer,
               struct http_answer *ret, struct failure *failure) {
        return ask(client, path, (struct body){ 0 }, buffer, ret, failure);
}

/* What a good answer holds, or the problem that it is. */
static int read_object(const struct http_answer *answer, struct json *ret,
                       struct failure *failure) {
        struct json value;
        int r;

        if (answer->status != 200)
                return problem_read(answer, failure);
        if (strcmp(answer->content_type, "application/json") != 0)
                return failure_set(failure, EXIT_UNREACHABLE, "the answer is not JSON but '%s'",
                                   answer->content_type);
        r = json_parse(answer->body, answer->body_length, &value, failure);
        if (r < 0)
                return r;
        if (json_type(value) != JSON_OBJECT)
                return failure_set(failure, EXIT_UNREACHABLE, "the answer is JSON, but no object");
        *ret = value;
        return 0;
}

int client_get(const struct client *client, const char *path, struct locked_buffer *buffer,
               struct json *ret, struct failure *failure) {
        struct http_answer answer;
        int r = ask(client, path, (struct body){ 0 }, buffer, &answer, failure);

        return r < 0 ? r : read_object(&answer, ret, failure);
}

int client_post(const struct client *client, const char *path, const char *body, size_t length,
                struct locked_buffer *buffer, struct json *ret, struct failure *failure) {
        struct http_answer answer;
        int r = ask(client, path, (struct body){ body, length }, buffer, &answer, failure);

        return r < 0 ? r : read_object(&answer, ret, failure);
}
