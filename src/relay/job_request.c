#include "relay/job_request.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"

#define NAME_MAX_BYTES 64
#define VIA_UID        "Forge-Broker-Via-Uid"

static const char letters_and_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* "*" stands for a token's name, a "?" at the end for a query. */
static const struct {
        const char *method, *target;
} routes[] = {
        { "GET", "/v1/tokens" },
        { "GET", "/v1/tokens/*" },
        { "POST", "/v1/tokens/*/rejected" },
        { "POST", "/v1/tokens/*/preflight" },
        { "GET", "/v1/match?" },
        { "GET", "/healthz" },
        { "GET", "/readyz" },
        { "GET", "/readyz/*" },
};

#define VALUE_MAX 2048 /* of a header: the URL where an ID token is asked for */
#define PROOF_MAX (sizeof("Bearer ") - 1 + 4096)

/* What the broker reads; any other header goes no further. */
static const struct {
        const char *name;
        size_t max;
        bool once; /* two are refused: which of them counts would be a guess */
} passed_on[] = {
        { "Accept", VALUE_MAX, false },
        { "Authorization", PROOF_MAX, true },
        { "Content-Length", VALUE_MAX, true },
        { "Content-Type", VALUE_MAX, false },
        { "User-Agent", VALUE_MAX, false },
        { "Forge-Broker-Actor", VALUE_MAX, false },
        { "Forge-Broker-Event", VALUE_MAX, false },
        { "Forge-Broker-Id-Token-Url", VALUE_MAX, true },
        { "Forge-Broker-Job", VALUE_MAX, false },
        { "Forge-Broker-Ref", VALUE_MAX, false },
        { "Forge-Broker-Repository", VALUE_MAX, false },
        { "Forge-Broker-Run-Attempt", VALUE_MAX, false },
        { "Forge-Broker-Run-Id", VALUE_MAX, false },
        { "Forge-Broker-Workflow", VALUE_MAX, false },
};

/* A piece of the request. */
struct span {
        const char *bytes;
        size_t length;
};

struct field {
        struct span name, value;
};

static bool has(const char *set, char c) {
        return c != '\0' && strchr(set, c);
}

static bool span_is(struct span span, const char *text) {
        return span.length == strlen(text) && strncasecmp(span.bytes, text, span.length) == 0;
}

/* Where the header stands in passed_on; its size for one that does not. */
static size_t find_passed_on(struct span name) {
        size_t i = 0;

        while (i < ELEMENTS(passed_on) && !span_is(name, passed_on[i].name))
                i++;
        return i;
}

/* Finds the end of the head; each byte on the way is looked at. */
static int find_head(const char *bytes, size_t length, size_t *ret, const char **why) {
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)bytes[i];

                if (i == JOB_REQUEST_HEAD_MAX)
                        return *why = "its head is too large", -1;
                if (c == '\n' && i > 0 && bytes[i - 1] == '\r') {
                        if (i < 3 || bytes[i - 2] != '\n')
                                continue;
                        *ret = i + 1;
                        return JOB_REQUEST_DONE;
                }
                if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f ||
                    (i > 0 && bytes[i - 1] == '\r'))
                        return *why = "there is a control character in its head", -1;
        }
        return JOB_REQUEST_MORE;
}

/* The next line, without its end, from a head that find_head() took. */
static struct span next_line(const char **p, const char *end) {
        const char *line = *p, *line_end = memchr(line, '\r', (size_t)(end - line));

        *p = line_end + 2;
        return (struct span){ line, (size_t)(line_end - line) };
}

static size_t name_length(const char *p, const char *end) {
        size_t length = 0;

        while (p + length < end &&
               (has(letters_and_digits, p[length]) || (length > 0 && has("._-", p[length]))))
                length++;
        return length;
}

static bool target_matches(const char *pattern, struct span target) {
        const char *p = target.bytes, *end = p + target.length;

        for (; *pattern; pattern++) {
                if (*pattern == '*') {
                        size_t length = name_length(p, end);

                        if (length == 0 || length > NAME_MAX_BYTES)
                                return false;
                        p += length;
                } else if (p == end || *p++ != *pattern) {
                        return false;
                } else if (*pattern == '?') {
                        while (p < end && (has(letters_and_digits, *p) || has("%&+-./:=@_~", *p)))
                                p++;
                }
        }
        return p == end;
}

/* "GET /v1/tokens/deploy HTTP/1.1" */
static bool line_is_allowed(struct span line, bool *ret_body) {
        static const char version[] = " HTTP/1.1";

        for (size_t i = 0; i < ELEMENTS(routes); i++) {
                size_t method = strlen(routes[i].method), others = method + 1 + strlen(version);
                struct span target = { line.bytes + method + 1, line.length - others };

                if (line.length <= others || memcmp(line.bytes, routes[i].method, method) != 0 ||
                    line.bytes[method] != ' ' ||
                    memcmp(line.bytes + line.length - strlen(version), version, strlen(version)) !=
                        0 ||
                    !target_matches(routes[i].target, target))
                        continue;
                *ret_body = routes[i].method[0] == 'P';
                return true;
        }
        return false;
}

static bool split_field(struct span line, struct field *ret) {
        const char *end = line.bytes + line.length, *p = line.bytes;

        while (p < end && (has(letters_and_digits, *p) || has("-_", *p)))
                p++;
        if (p == line.bytes || p == end || *p != ':')
                return false;
        ret->name = (struct span){ line.bytes, (size_t)(p - line.bytes) };
        for (p++; p < end && (*p == ' ' || *p == '\t');)
                p++;
        while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
        ret->value = (struct span){ p, (size_t)(end - p) };
        return true;
}

static bool read_length(struct span text, size_t *ret) {
        size_t number = 0;

        if (text.length == 0 || text.length > 5)
                return false;
        for (size_t i = 0; i < text.length; i++) {
                if (text.bytes[i] < '0' || text.bytes[i] > '9')
                        return false;
                number = number * 10 + (size_t)(text.bytes[i] - '0');
        }
        *ret = number;
        return number <= JOB_REQUEST_BODY_MAX;
}

static int parse_fields(const char *p, const char *end, size_t *ret_body, const char **why) {
        bool seen[ELEMENTS(passed_on)] = { false };

        while (p < end) {
                struct field field;
                size_t i;

                if (!split_field(next_line(&p, end), &field))
                        return *why = "a header line has no proper name", -1;
                if (span_is(field.name, "Transfer-Encoding"))
                        return *why = "it has a Transfer-Encoding", -1;
                i = find_passed_on(field.name);
                if (i == ELEMENTS(passed_on))
                        continue;
                if (field.value.length > passed_on[i].max)
                        return *why = "one of its headers is too large", -1;
                if (seen[i] && passed_on[i].once)
                        return *why = "one of its headers is there twice", -1;
                seen[i] = true;
                if (span_is(field.name, "Content-Length") && !read_length(field.value, ret_body))
                        return *why = "its Content-Length is not a number of at most 16 KiB", -1;
        }
        return 0;
}

int job_request_parse(const char *bytes, size_t length, struct job_request *ret,
                      const char **ret_why) {
        struct job_request request = { 0 };
        const char *p = bytes, *end;
        bool may_have_body = false;
        int r;

        r = find_head(bytes, length, &request.head, ret_why);
        if (r != JOB_REQUEST_DONE)
                return r;
        end = bytes + request.head - 2; /* without the empty line */
        if (!line_is_allowed(next_line(&p, end), &may_have_body))
                return *ret_why = "it is for nothing that jobs may ask for", -1;
        if (parse_fields(p, end, &request.body, ret_why) < 0)
                return -1;
        if (request.body > 0 && !may_have_body)
                return *ret_why = "it has a body", -1;
        if (length > request.head + request.body)
                return *ret_why = "something follows it", -1;
        if (length < request.head + request.body)
                return JOB_REQUEST_MORE;
        *ret = request;
        return JOB_REQUEST_DONE;
}

bool job_request_write_head(const char *bytes, const struct job_request *request, unsigned via_uid,
                            char *buffer, size_t size, size_t *ret_length) {
        const char *p = bytes, *end = bytes + request->head - 2;
        struct span line = next_line(&p, end);
        size_t used = 0;
        bool fits;

        fits = text_append(buffer, size, &used,
                           "%.*s\r\nHost: localhost\r\nConnection: close\r\n" VIA_UID ": %u\r\n",
                           (int)line.length, line.bytes, via_uid);
        while (p < end) {
                struct field field;

                if (!split_field(next_line(&p, end), &field))
                        return false;
                if (find_passed_on(field.name) < ELEMENTS(passed_on))
                        fits = fits && text_append(buffer, size, &used, "%.*s: %.*s\r\n",
                                                   (int)field.name.length, field.name.bytes,
                                                   (int)field.value.length, field.value.bytes);
        }
        fits = fits && text_append(buffer, size, &used, "\r\n");
        *ret_length = used;
        return fits;
}
