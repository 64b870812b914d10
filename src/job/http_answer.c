#include "job/http_answer.h"

#include <string.h>
#include <strings.h>

/* What the head says about the body. */
struct framing {
        size_t length;
        bool has_length, chunked;
};

static int odd(struct failure *failure, const char *why) {
        failure_set(failure, EXIT_UNREACHABLE,
                    "what answers on the socket does not speak the broker's HTTP: %s", why);
        return -EXIT_UNREACHABLE;
}

static int too_large(struct failure *failure) {
        return failure_set(failure, EXIT_UNREACHABLE, "the answer is larger than %d KiB",
                           HTTP_ANSWER_MAX / 1024);
}

static int ended_early(struct failure *failure) {
        return failure_set(failure, EXIT_UNREACHABLE,
                           "the connection ended in the middle of the answer");
}

/*
 * Finds the end of the head, the empty line included.  Looks at each byte on the way, so that
 * something else than HTTP is noticed before its (missing) end of head is waited for.
 */
static int find_head(const char *bytes, size_t length, size_t *ret_head, struct failure *failure) {
        static const char protocol[] = "HTTP/1.";

        if (memcmp(bytes, protocol,
                   length < sizeof(protocol) - 1 ? length : sizeof(protocol) - 1) != 0)
                return odd(failure, "the first line is no status line");
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)bytes[i];

                if (i == HTTP_HEAD_MAX)
                        return odd(failure, "the head is too large");
                if (c == '\n' && i > 0 && bytes[i - 1] == '\r') {
                        if (i < 3 || bytes[i - 2] != '\n')
                                continue;
                        *ret_head = i + 1;
                        return HTTP_DONE;
                }
                if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f ||
                    (i > 0 && bytes[i - 1] == '\r'))
                        return odd(failure, "a control character in the head");
        }
        return HTTP_MORE;
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static bool parse_status(const char *line, size_t length, int *ret) {
        const char *digits = line + 9;

        if (length < 12 || (line[7] != '0' && line[7] != '1') || line[8] != ' ' ||
            (length > 12 && line[12] != ' '))
                return false;
        for (int i = 0; i < 3; i++)
                if (digits[i] < '0' || digits[i] > '9')
                        return false;
        *ret = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
        return *ret >= 200 && *ret <= 599;
}

static bool is_token(const char *text, size_t length) {
        static const char others[] = "!#$%&'*+-.^_`|~";

        for (size_t i = 0; i < length; i++) {
                char c = text[i];

                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      (c != '\0' && strchr(others, c))))
                        return false;
        }
        return length > 0;
}

static bool is(const char *text, size_t length, const char *name) {
        return length == strlen(name) && strncasecmp(text, name, length) == 0;
}

static bool parse_length(const char *text, size_t length, size_t *ret) {
        size_t number = 0;

        if (length == 0 || length > 9)
                return false;
        for (size_t i = 0; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                number = number * 10 + (size_t)(text[i] - '0');
        }
        *ret = number;
        return true;
}

/* The media type alone; one that does not fit is none that is known here. */
static void set_content_type(struct http_answer *answer, const char *text, size_t length) {
        size_t used = 0;

        while (used < length && text[used] != ';' && text[used] != ' ' && text[used] != '\t')
                used++;
        if (used >= sizeof(answer->content_type))
                used = 0;
        for (size_t i = 0; i < used; i++)
                answer->content_type[i] =
                    text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
        answer->content_type[used] = '\0';
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static int parse_field(const char *line, size_t length, struct http_answer *answer,
                       struct framing *framing, struct failure *failure) {
        const char *colon = memchr(line, ':', length), *value, *end = line + length;
        size_t name_length, value_length;

        if (!colon || !is_token(line, (size_t)(colon - line)))
                return odd(failure, "a header line without a proper name");
        name_length = (size_t)(colon - line);
        for (value = colon + 1; value < end && is_blank(*value);)
                value++;
        while (end > value && is_blank(end[-1]))
                end--;
        value_length = (size_t)(end - value);

        if (is(line, name_length, "Content-Length")) {
                if (framing->has_length || !parse_length(value, value_length, &framing->length))
                        return odd(failure, "a Content-Length that is not one number");
                framing->has_length = true;
        } else if (is(line, name_length, "Transfer-Encoding")) {
                if (framing->chunked || !is(value, value_length, "chunked"))
                        return odd(failure, "a Transfer-Encoding other than chunked");
                framing->chunked = true;
        } else if (is(line, name_length, "Content-Type")) {
                set_content_type(answer, value, value_length);
        }
        return 0;
}

static int parse_head(const char *bytes, size_t head, struct http_answer *answer,
                      struct framing *framing, struct failure *failure) {
        const char *line = bytes, *end = bytes + head - 2; /* without the empty line */

        while (line < end) {
                const char *line_end = memchr(line, '\r', (size_t)(end - line));
                size_t length = (size_t)(line_end - line);
                int r = 0;

                if (line == bytes && !parse_status(line, length, &answer->status))
                        return odd(failure, "the first line is no status line");
                if (line != bytes)
                        r = parse_field(line, length, answer, framing, failure);
                if (r < 0)
                        return r;
                line = line_end + 2;
        }
        if (framing->has_length && framing->chunked)
                return odd(failure, "both a Content-Length and a Transfer-Encoding");
        return 0;
}

/* "1a\r\n" at @p: 1 and the size, 0 if more is needed, -1 for anything else. */
static int parse_chunk_line(const char **p, const char *end, size_t *ret) {
        static const char digits[] = "0123456789abcdef";
        size_t size = 0;
        int count = 0;

        for (; *p < end && **p != '\r'; (*p)++, count++) {
                const char *digit =
                    **p != '\0' ? strchr(digits, **p >= 'A' && **p <= 'F' ? **p + 32 : **p) : NULL;

                if (!digit || count == 6)
                        return -1;
                size = size << 4 | (size_t)(digit - digits);
        }
        if (*p < end && count == 0)
                return -1;
        if (end - *p < 2)
                return 0;
        if ((*p)[1] != '\n')
                return -1;
        *p += 2;
        *ret = size;
        return 1;
}

static bool skip_line_end(const char **p) {
        if ((*p)[0] != '\r' || (*p)[1] != '\n')
                return false;
        *p += 2;
        return true;
}

/* Goes through the chunks of a body; with @join their bytes are moved together, at its
 * beginning. */
static int parse_chunks(char *body, size_t length, bool join, size_t *ret_length,
                        struct failure *failure) {
        const char *p = body, *end = body + length;
        size_t used = 0;

        for (;;) {
                size_t size;
                int r = parse_chunk_line(&p, end, &size);

                if (r < 0)
                        return odd(failure, "a chunk without a proper size");
                if (r == 0)
                        return HTTP_MORE;
                if (size > HTTP_ANSWER_MAX - used)
                        return too_large(failure);
                if ((size_t)(end - p) < size + 2)
                        return HTTP_MORE;
                if (join)
                        memmove(body + used, p, size);
                used += size;
                p += size;
                if (!skip_line_end(&p))
                        return odd(failure, size > 0 ? "a chunk that is not as long as it says"
                                                     : "something behind the last chunk");
                if (size == 0)
                        break;
        }
        if (p < end)
                return odd(failure, "more bytes than the answer has");
        *ret_length = used;
        return HTTP_DONE;
}

static int parse_body(char *body, size_t length, bool ended, const struct framing *framing,
                      size_t *ret_length, struct failure *failure) {
        int r;

        if (framing->chunked) {
                r = parse_chunks(body, length, /* join= */ false, ret_length, failure);
                return r == HTTP_DONE
                           ? parse_chunks(body, length, /* join= */ true, ret_length, failure)
                           : r;
        }
        if (framing->has_length) {
                if (framing->length > HTTP_ANSWER_MAX)
                        return too_large(failure);
                if (length > framing->length)
                        return odd(failure, "more bytes than the answer has");
                *ret_length = framing->length;
                return length == framing->length ? HTTP_DONE : HTTP_MORE;
        }
        *ret_length = length;
        return ended ? HTTP_DONE : HTTP_MORE;
}

int http_answer_parse(char *bytes, size_t length, bool ended, struct http_answer *ret,
                      struct failure *failure) {
        struct http_answer answer = { 0 };
        struct framing framing = { 0 };
        size_t head = 0;
        int r;

        if (length > HTTP_ANSWER_MAX)
                return too_large(failure);
        r = find_head(bytes, length, &head, failure);
        if (r == HTTP_DONE) {
                r = parse_head(bytes, head, &answer, &framing, failure);
                if (r < 0)
                        return r;
                /* These two never have a body, whatever their head says (RFC 9112, 6.3). */
                if (answer.status == 204 || answer.status == 304)
                        framing = (struct framing){ .has_length = true };
                answer.body = bytes + head;
                r = parse_body(bytes + head, length - head, ended, &framing, &answer.body_length,
                               failure);
        }
        if (r == HTTP_MORE && ended)
                return ended_early(failure);
        if (r == HTTP_DONE)
                *ret = answer;
        return r;
}
