#include <string.h>
#include <strings.h>

#include "net/http_call.h"

/* An answer's head: Infisical's is about 20 lines and 1 KiB, an access proxy adds cookies. */
#define HEAD_LINES_MAX 100
#define HEAD_BYTES_MAX ((size_t)32 * 1024)

#define RETRY_AFTER_MAX USEC_PER_HOUR

const char *http_header_value(const char *line, size_t length, const char *name,
                              size_t *ret_length) {
        size_t name_length = strlen(name);
        const char *value;

        if (length <= name_length || strncasecmp(line, name, name_length) != 0 ||
            line[name_length] != ':')
                return NULL;
        value = line + name_length + 1;
        length -= name_length + 1;
        while (length > 0 && (*value == ' ' || *value == '\t')) {
                value++;
                length--;
        }
        while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t' ||
                              value[length - 1] == '\r' || value[length - 1] == '\n'))
                length--;
        *ret_length = length;
        return value;
}

/* Visible ASCII only, whole or not at all: both values are compared or sent back. */
static void copy_value(char *buffer, size_t size, const char *value, size_t length) {
        buffer[0] = '\0';
        if (length >= size)
                return;
        for (size_t i = 0; i < length; i++)
                if (value[i] < 0x21 || value[i] > 0x7e)
                        return;
        memcpy(buffer, value, length);
        buffer[length] = '\0';
}

const char *http_header(const struct http_response *response, const char *name) {
        const char *p = response->kept;

        while (*p) {
                const char *value = p + strlen(p) + 1;

                if (strcasecmp(p, name) == 0)
                        return value;
                p = value + strlen(value) + 1;
        }
        return NULL;
}

void http_header_keep(struct http_response *response, const char *name, const char *value,
                      size_t length) {
        char *p = response->kept;
        size_t name_size = strlen(name) + 1;

        for (size_t i = 0; i < length; i++)
                if ((value[i] < 0x20 || value[i] > 0x7e) && value[i] != '\t')
                        return;
        while (*p) {
                if (strcasecmp(p, name) == 0)
                        return;
                p += strlen(p) + 1;
                p += strlen(p) + 1;
        }
        /* With the two ends: of the value, and of the list. */
        if (length > HTTP_KEPT_MAX ||
            name_size + length + 2 > sizeof(response->kept) - (size_t)(p - response->kept))
                return;
        memcpy(p, name, name_size);
        memcpy(p + name_size, value, length);
        memset(p + name_size + length, 0, 2);
}

static void copy_content_type(char buffer[static HTTP_CONTENT_TYPE_MAX], const char *value,
                              size_t length) {
        const char *end = memchr(value, ';', length);

        if (end)
                length = (size_t)(end - value);
        while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
                length--;
        copy_value(buffer, HTTP_CONTENT_TYPE_MAX, value, length);
        for (char *p = buffer; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char)(*p - 'A' + 'a');
}

/* Seconds or a date (RFC 9110, 10.2.3), never more than an hour: nobody may put the broker to
 * sleep for good. */
static usec_t parse_retry_after(const char *value, size_t length) {
        char text[64];
        usec_t at, now = clock_realtime();
        uint64_t seconds = 0;
        size_t digits = 0;
        time_t date;

        if (length == 0 || length >= sizeof(text))
                return 0;
        memcpy(text, value, length);
        text[length] = '\0';

        digits = strspn(text, "0123456789");
        if (digits == length) {
                for (size_t i = 0; i < length && seconds <= RETRY_AFTER_MAX / USEC_PER_SEC; i++)
                        seconds = seconds * 10 + (uint64_t)(text[i] - '0');
                return seconds * USEC_PER_SEC < RETRY_AFTER_MAX ? seconds * USEC_PER_SEC
                                                                : RETRY_AFTER_MAX;
        }
        date = curl_getdate(text, NULL);
        if (date <= 0)
                return 0;
        at = (usec_t)date * USEC_PER_SEC;
        if (at <= now)
                return 0;
        return at - now < RETRY_AFTER_MAX ? at - now : RETRY_AFTER_MAX;
}

static void read_header(struct http_call *call, const char *line, size_t length) {
        struct http_response *response = &call->response;
        const char *value;
        size_t bytes;

        if ((value = http_header_value(line, length, "content-type", &bytes)))
                copy_content_type(response->content_type, value, bytes);
        else if ((value = http_header_value(line, length, "etag", &bytes)))
                copy_value(response->etag, sizeof(response->etag), value, bytes);
        else if ((value = http_header_value(line, length, "retry-after", &bytes)))
                response->retry_after = parse_retry_after(value, bytes);
        for (const char *const *name = call->request.keep; name && *name; name++)
                if ((value = http_header_value(line, length, *name, &bytes)))
                        http_header_keep(response, *name, value, bytes);
}

size_t http_on_head(char *line, size_t size, size_t count, void *userdata) {
        struct http_call *call = userdata;
        size_t length = size * count;

        call->head_bytes += length;
        if (++call->head_lines > HEAD_LINES_MAX || call->head_bytes > HEAD_BYTES_MAX) {
                call->stop = STOP_HEAD;
                return 0;
        }
        if (length >= 5 && strncmp(line, "HTTP/", 5) == 0) {
                /* The final head after an interim one starts anew. */
                call->in_head = true;
                call->response.content_type[0] = '\0';
                call->response.etag[0] = '\0';
                call->response.retry_after = 0;
                call->response.kept[0] = '\0';
        } else if (length <= 2 && (line[0] == '\r' || line[0] == '\n')) {
                call->in_head = false;
        } else if (call->in_head) {
                read_header(call, line, length);
        }
        return length;
}

size_t http_on_body(char *bytes, size_t size, size_t count, void *userdata) {
        struct http_call *call = userdata;
        size_t length = size * count,
               room = call->request.max_body_bytes - secret_length(call->response.body);
        bool fits = length <= room;

        if (!fits && !call->request.first_bytes_only) {
                call->stop = STOP_BODY;
                return 0;
        }
        if (!secret_append(call->response.body, bytes, fits ? length : room)) {
                call->stop = STOP_MEMORY;
                return 0;
        }
        if (!fits)
                call->stop = STOP_ENOUGH;
        return fits ? length : 0;
}
