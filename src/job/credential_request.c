#include "job/credential_request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static int malformed(const char *what, struct failure *failure) {
        return failure_set(failure, EXIT_USAGE, "this is not git's credential protocol: %s", what);
}

/* One value that names a place. */
static int set_place(char *buffer, size_t size, const char *value, size_t length,
                     struct failure *failure) {
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
                        return malformed("a control character in protocol, host or path", failure);
        if (length >= size)
                return malformed("protocol, host or path is too long", failure);
        memcpy(buffer, value, length);
        buffer[length] = '\0';
        return 0;
}

static bool is_key(const char *line, size_t key_length, const char *key) {
        return strlen(key) == key_length && memcmp(line, key, key_length) == 0;
}

static int hex_value(char c) {
        static const char digits[] = "0123456789abcdef";
        const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

        return at ? (int)(at - digits) : -1;
}

/* Percent-decoded, as git decodes the parts of a URL. */
static int set_decoded(char *buffer, size_t size, const char *value, size_t length,
                       struct failure *failure) {
        char decoded[sizeof(((struct credential_request *)NULL)->path)];
        size_t used = 0;

        for (size_t i = 0; i < length; i++) {
                int high = value[i] == '%' && i + 2 < length ? hex_value(value[i + 1]) : -1;
                int low = high >= 0 ? hex_value(value[i + 2]) : -1;

                if (used == sizeof(decoded))
                        return malformed("protocol, host or path is too long", failure);
                if (low >= 0)
                        i += 2;
                decoded[used++] = low >= 0 ? (char)(high << 4 | low) : value[i];
        }
        return set_place(buffer, size, decoded, used, failure);
}

/* "url=https://user:password@host:port/path" stands for its parts, and empties those that it does
 * not have. */
static int set_url(struct credential_request *request, const char *url, size_t length,
                   struct failure *failure) {
        const char *end = url + length, *colon = memmem(url, length, "://", 3), *authority, *slash,
                   *at;
        int r;

        if (!colon)
                return malformed("a url without '://'", failure);
        authority = colon + 3;
        slash = memchr(authority, '/', (size_t)(end - authority));
        if (!slash)
                slash = end;
        at = memrchr(authority, '@', (size_t)(slash - authority));
        request->password = NULL;
        r = set_place(request->protocol, sizeof(request->protocol), url, (size_t)(colon - url),
                      failure);
        if (r == 0)
                r = set_decoded(request->host, sizeof(request->host), at ? at + 1 : authority,
                                (size_t)(slash - (at ? at + 1 : authority)), failure);
        while (slash < end && *slash == '/')
                slash++;
        if (r == 0)
                r = set_decoded(request->path, sizeof(request->path), slash, (size_t)(end - slash),
                                failure);
        return r;
}

static int read_line(struct credential_request *request, const char *line, size_t length,
                     struct failure *failure) {
        const char *equals = memchr(line, '=', length), *value;
        size_t key_length, value_length;

        if (!equals)
                return malformed("a line without '='", failure);
        key_length = (size_t)(equals - line);
        value = equals + 1;
        value_length = length - key_length - 1;
        if (is_key(line, key_length, "protocol"))
                return set_place(request->protocol, sizeof(request->protocol), value, value_length,
                                 failure);
        if (is_key(line, key_length, "host"))
                return set_place(request->host, sizeof(request->host), value, value_length,
                                 failure);
        if (is_key(line, key_length, "path"))
                return set_place(request->path, sizeof(request->path), value, value_length,
                                 failure);
        if (is_key(line, key_length, "url"))
                return set_url(request, value, value_length, failure);
        if (is_key(line, key_length, "password")) {
                request->password = value;
                request->password_length = value_length;
        } else if (is_key(line, key_length, "credential")) {
                request->credential = value;
                request->credential_length = value_length;
        } else if (is_key(line, key_length, "capability[]")) {
                if (value_length == 0)
                        request->knows_authtype = false;
                else if (is_key(value, value_length, "authtype"))
                        request->knows_authtype = true;
        }
        return 0;
}

int credential_request_parse(const char *bytes, size_t length, struct credential_request *ret,
                             struct failure *failure) {
        *ret = (struct credential_request){ 0 };
        if (length > 0 && memchr(bytes, '\0', length))
                return malformed("a NUL", failure);
        while (length > 0) {
                const char *newline = memchr(bytes, '\n', length);
                size_t line = newline ? (size_t)(newline - bytes) : length,
                       taken = line + (newline ? 1 : 0);
                int r;

                if (line == 0)
                        break;
                if (line > CREDENTIAL_LINE_MAX)
                        return malformed("a line is longer than 65535 bytes", failure);
                r = read_line(ret, bytes, line, failure);
                if (r < 0)
                        return r;
                bytes += taken;
                length -= taken;
        }
        return 0;
}

/* The empty line may be followed by nothing: git waits for the answer with its end still open. */
static bool is_complete(const struct locked_buffer *buffer) {
        return buffer->used > 0 &&
               (buffer->bytes[0] == '\n' || memmem(buffer->bytes, buffer->used, "\n\n", 2));
}

int credential_request_read(struct locked_buffer *buffer, struct credential_request *ret,
                            struct failure *failure) {
        if (!locked_buffer_reserve(buffer, CREDENTIAL_REQUEST_MAX))
                return failure_set(failure, EXIT_USAGE, "out of memory");
        while (!is_complete(buffer)) {
                ssize_t n;

                if (buffer->used == buffer->size)
                        return malformed("there is no end to it", failure);
                n = read(STDIN_FILENO, buffer->bytes + buffer->used, buffer->size - buffer->used);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return failure_set(failure, EXIT_USAGE, "cannot read standard input: %s",
                                           strerror(errno));
                if (n == 0)
                        break;
                buffer->used += (size_t)n;
        }
        return credential_request_parse(buffer->bytes, buffer->used, ret, failure);
}
