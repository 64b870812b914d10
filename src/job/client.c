#include "job/client.h"

#include <string.h>

#include "base/text.h"
#include "job/claims.h"
#include "job/problem.h"

#define REQUEST_MAX 4096                /* line, fixed headers and eight claims; the broker takes 8 KiB */
#define READ_BYTES  (16 * 1024)         /* an issuance has less than 2 KiB */

void client_init(struct client *client, const char *socket, usec_t timeout) {
        *client = (struct client){
                .socket = socket,
                .deadline = { .at = usec_add(clock_monotonic(), timeout), .span = timeout },
        };
}

static int build_request(const char *path, char buffer[static REQUEST_MAX], size_t *ret_length,
                         struct failure *failure) {
        size_t used = 0;
        bool fits;

        fits = text_append(buffer, REQUEST_MAX, &used,
                           "GET %s HTTP/1.1\r\n"
                           "Host: localhost\r\n"
                           "User-Agent: forge-broker/" PACKAGE_VERSION "\r\n"
                           "Accept: application/json\r\n"
                           "Connection: close\r\n",
                           path) &&
               claims_append(buffer, REQUEST_MAX, &used) && text_append(buffer, REQUEST_MAX, &used, "\r\n");
        if (!fits)
                return failure_set(failure, EXIT_USAGE, "the request is too large");
        *ret_length = used;
        return 0;
}

/* Reads until the answer is whole.  CONNECTION_ENDED: it ended before the first byte. */
static int receive_answer(const struct client *client, int fd, struct locked_buffer *buffer, struct http_answer *ret,
                          struct failure *failure) {
        for (;;) {
                size_t length = 0;
                int r, ended;

                if (!locked_buffer_reserve(buffer, buffer->used + READ_BYTES))
                        return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
                ended = connection_receive(fd, buffer->bytes + buffer->used, READ_BYTES, &client->deadline, &length,
                                           failure);
                if (ended < 0)
                        return ended;
                buffer->used += length;
                if (buffer->used == 0)
                        return CONNECTION_ENDED;
                if (ended == CONNECTION_RESET)
                        return failure_set(failure, EXIT_UNREACHABLE,
                                           "the connection was reset in the middle of the answer");
                r = http_answer_parse(buffer->bytes, buffer->used, ended == CONNECTION_ENDED, ret, failure);
                if (r != HTTP_MORE)
                        return r;
        }
}

static int ask_once(const struct client *client, const char *request, size_t length, struct locked_buffer *buffer,
                    struct http_answer *ret, struct failure *failure) {
        _cleanup_(closep) int fd = -1;
        int r;

        locked_buffer_clear(buffer);
        r = connection_open(client->socket, &client->deadline, &fd, failure);
        if (r < 0)
                return r;
        /* A broker that does not want the rest of the request may have answered all the same: read in any case. */
        r = connection_send(fd, request, length, &client->deadline, failure);
        if (r < 0)
                return r;
        return receive_answer(client, fd, buffer, ret, failure);
}

int client_ask(const struct client *client, const char *path, struct locked_buffer *buffer, struct http_answer *ret,
               struct failure *failure) {
        char request[REQUEST_MAX] = "";
        size_t length = 0;
        int r;

        r = build_request(path, request, &length, failure);
        if (r < 0)
                return r;
        r = ask_once(client, request, length, buffer, ret, failure);
        if (r == CONNECTION_ENDED)
                r = ask_once(client, request, length, buffer, ret, failure);
        if (r == CONNECTION_ENDED) {
                r = failure_set(failure, EXIT_UNREACHABLE,
                                "the broker closed the connection without an answer, twice");
                failure_remedy_set(failure, "Look at the broker's own log on the host: journalctl -u forge-brokerd.");
        }
        return r;
}

int client_get(const struct client *client, const char *path, struct locked_buffer *buffer, struct json *ret,
               struct failure *failure) {
        struct http_answer answer;
        struct json value;
        int r;

        r = client_ask(client, path, buffer, &answer, failure);
        if (r < 0)
                return r;
        if (answer.status != 200)
                return problem_read(&answer, failure);
        if (strcmp(answer.content_type, "application/json") != 0)
                return failure_set(failure, EXIT_UNREACHABLE, "the answer is not JSON but '%s'", answer.content_type);
        r = json_parse(answer.body, answer.body_length, &value, failure);
        if (r < 0)
                return r;
        if (json_type(value) != JSON_OBJECT)
                return failure_set(failure, EXIT_UNREACHABLE, "the answer is JSON, but no object");
        *ret = value;
        return 0;
}
