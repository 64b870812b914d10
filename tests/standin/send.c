/*
 * How an answer leaves: ETag and 304, the application's headers, and the faults that damage a body
 * on its way.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "counters.h"

#define WHOLE_BLOCK_BYTES (16 * 1024)

/* A body that is sent by hand: slowly, or not to its end. */
struct slow_body {
        struct standin *standin;
        char *bytes;
        size_t length;
        size_t stop_at; /* bytes that are sent of those announced */
        int interval_ms;
        int fd;
};

static ssize_t slow_read(void *cls, uint64_t position, char *buffer, size_t max) {
        struct slow_body *body = cls;
        size_t count = body->interval_ms > 0 ? 1 : max;

        if (position >= body->stop_at)
                return MHD_CONTENT_READER_END_WITH_ERROR;
        if (count > body->stop_at - position)
                count = body->stop_at - position;
        if (body->interval_ms > 0 && !standin_wait(body->standin, body->fd, body->interval_ms))
                return MHD_CONTENT_READER_END_WITH_ERROR;
        memcpy(buffer, body->bytes + position, count);
        return (ssize_t)count;
}

static void slow_free(void *cls) {
        struct slow_body *body = cls;

        free(body->bytes);
        free(body);
}

static struct MHD_Response *slow_response(struct request *r, const json_t *fault, char *bytes,
                                          size_t length) {
        struct slow_body *body = calloc(1, sizeof *body);
        bool truncated = strcmp(member_text(fault, "kind", ""), "truncated") == 0;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        if (!body)
                abort();
        body->standin = r->standin;
        body->bytes = bytes;
        body->length = length;
        body->stop_at =
            truncated ? (size_t)settings_number(fault, "bytes", (double)(length / 2)) : length;
        if (truncated && body->stop_at >= length)
                body->stop_at = length > 0 ? length - 1 : 0;
        body->interval_ms = truncated ? 0 : (int)settings_number(fault, "ms", 50);
        body->fd = info ? info->connect_fd : -1;
        return MHD_create_response_from_callback(
            length, body->interval_ms > 0 ? 1 : WHOLE_BLOCK_BYTES, slow_read, body, slow_free);
}

static char *etag_of(const char *bytes, size_t length) {
        unsigned char digest[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
        unsigned size = 0;

        if (EVP_Digest(bytes, length, digest, &size, EVP_sha1(), NULL) != 1)
                abort();
        (void)EVP_EncodeBlock(text, digest, (int)size);
        return format_text("\"%s\"", (char *)text);
}

/* The plugin looks at any answer: the 404 of an unknown route becomes a 304 as well. */
static bool not_modified(const struct request *r, const char *etag) {
        const char *known = request_header(r, "if-none-match");

        if (!known || (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0))
                return false;
        return strcmp(known, etag) == 0 ||
               (strncmp(known, "W/", 2) == 0 && strcmp(known + 2, etag) == 0);
}

static void add_application_headers(const struct request *r, struct MHD_Response *response) {
        static const char *const headers[][2] = {
                { "Cross-Origin-Opener-Policy", "same-origin" },
                { "Cross-Origin-Resource-Policy", "same-origin" },
                { "Origin-Agent-Cluster", "?1" },
                { "Referrer-Policy", "no-referrer" },
                { "Strict-Transport-Security", "max-age=15552000; includeSubDomains" },
                { "X-Content-Type-Options", "nosniff" },
                { "X-DNS-Prefetch-Control", "off" },
                { "X-Download-Options", "noopen" },
                { "X-Frame-Options", "SAMEORIGIN" },
                { "X-Permitted-Cross-Domain-Policies", "none" },
                { "X-XSS-Protection", "0" },
                { "vary", "Origin" },
        };

        for (size_t i = 0; i < ELEMENTS(headers); i++)
                (void)MHD_add_response_header(response, headers[i][0], headers[i][1]);
        (void)MHD_add_response_header(response, "access-control-allow-origin",
                                      settings_text(r->standin, "site_url"));
        (void)MHD_add_response_header(response, "access-control-allow-credentials", "true");
}

static void add_headers(const struct request *r, struct MHD_Response *response, const char *etag) {
        const char *name;
        json_t *value;

        if (!r->answer.bare)
                add_application_headers(r, response);
        if (r->answer.content_type)
                (void)MHD_add_response_header(response, "content-type", r->answer.content_type);
        if (etag)
                (void)MHD_add_response_header(response, "etag", etag);
        json_object_foreach(r->answer.headers, name, value)(void)
            MHD_add_response_header(response, name, json_string_value(value));
        if (r->answer.close)
                (void)MHD_add_response_header(response, "Connection", "close");
}

/* {"a":1} becomes {"a":1,"a":1}, and a secret gets its value twice: parsers disagree on which one
 * counts. */
static char *with_duplicate_keys(char *text, size_t *length) {
        const char *value = strstr(text, "\"secretValue\":");
        char *twice;

        if (value)
                twice = format_text("%.*s\"secretValue\":\"duplicate\",%s", (int)(value - text),
                                    text, value);
        else if (*length > 2)
                twice = format_text("%.*s,%s", (int)(*length - 1), text, text + 1);
        else
                return text;
        *length = strlen(twice);
        free(text);
        return twice;
}

static char *take_body(struct request *r, const json_t *fault, size_t *ret_length) {
        const char *kind = member_text(fault, "kind", "");
        char *text =
            r->answer.body ? json_dumps(r->answer.body, JSON_COMPACT) : take(r->answer.text);

        if (!text)
                text = format_text("%s", "");
        *ret_length = strlen(text);
        if (strcmp(kind, "duplicate-keys") == 0)
                text = with_duplicate_keys(text, ret_length);
        if (strcmp(kind, "content-type") == 0)
                r->answer.content_type = member_text(fault, "content_type", "text/plain");
        return text;
}

enum MHD_Result answer_send(struct request *r, const json_t *fault) {
        const char *kind = member_text(fault, "kind", "");
        size_t length = 0;
        char *bytes = take_body(r, fault, &length);
        _cleanup_(freep) char *etag = r->answer.bare || length == 0 ? NULL : etag_of(bytes, length);
        struct MHD_Response *response;
        enum MHD_Result result;

        if (etag && not_modified(r, etag)) {
                r->answer.status = 304;
                length = 0;
                counters_add(r->standin, NULL, "not_modified", 1);
        }
        if (length > 0 && (strcmp(kind, "slow") == 0 || strcmp(kind, "truncated") == 0))
                response = slow_response(r, fault, bytes, length);
        else
                response = MHD_create_response_from_buffer_with_free_callback(length, bytes, free);
        if (!response)
                return MHD_NO;
        add_headers(r, response, etag);
        result = MHD_queue_response(r->connection, r->answer.status, response);
        MHD_destroy_response(response);
        return result;
}
