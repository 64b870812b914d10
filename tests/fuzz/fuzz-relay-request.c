/*
 * The relay's request parser: any bytes, in any fragments.  What it lets through is looked at with
 * other eyes: the head that goes to the broker is one request with one length, names the user once,
 * and is stable when it is parsed again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "relay/job_request.h"

#define UID_LINE "Forge-Broker-Via-Uid: 1000\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const char *head, const char *name) {
        size_t count = 0;

        for (const char *line = head; line; line = strstr(line, "\r\n")) {
                line += line == head ? 0 : 2;
                count += strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':';
        }
        return count;
}

static void check_head(const char *bytes, const struct job_request *request) {
        char head[JOB_REQUEST_HEAD_MAX + 256] = "";
        struct job_request again = { 0 };
        const char *why = NULL;
        size_t length = 0;

        assert(job_request_write_head(bytes, request, 1000, head, sizeof(head), &length));
        assert(strlen(head) == length && memcmp(head + length - 4, "\r\n\r\n", 4) == 0);
        assert(strstr(head, "\r\n\r\n") == head + length - 4);
        assert(count_lines(head, "Forge-Broker-Via-Uid") == 1 && strstr(head, UID_LINE));
        assert(count_lines(head, "Content-Length") == 1 || request->body == 0);
        assert(count_lines(head, "Content-Length") <= 1 &&
               count_lines(head, "Transfer-Encoding") == 0);
        assert(count_lines(head, "Host") == 1 && count_lines(head, "Connection") == 1);
        if (length > JOB_REQUEST_HEAD_MAX)
                return;
        assert(job_request_parse(head, length, &again, &why) ==
               (request->body > 0 ? JOB_REQUEST_MORE : JOB_REQUEST_DONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct job_request request = { 0 }, part;
        const char *why = NULL;
        char *bytes;
        int r;

        if (size == 0 || size > JOB_REQUEST_MAX)
                return 0;
        bytes = malloc(size);
        assert(bytes);
        memcpy(bytes, data, size);
        r = job_request_parse(bytes, size, &request, &why);
        assert(r == JOB_REQUEST_DONE || r == JOB_REQUEST_MORE || (r == -1 && why));
        if (r == JOB_REQUEST_DONE) {
                assert(request.head + request.body == size && request.body <= JOB_REQUEST_BODY_MAX);
                check_head(bytes, &request);
        }

        /* A verdict on the beginning may only come where more bytes cannot change it to a better
         * one. */
        for (size_t length = 1; length < size && size <= 2048; length++) {
                int early = job_request_parse(bytes, length, &part, &why);

                assert(early == JOB_REQUEST_MORE || r < 0);
        }
        free(bytes);
        return 0;
}
