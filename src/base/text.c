#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 64

/* Decodes one UTF-8 sequence; 0 bytes for a sequence that is not valid (overlong and surrogates
 * included). */
static size_t decode_utf8(const unsigned char *p, size_t left, uint32_t *ret) {
        static const struct {
                unsigned char mask, lead;
                size_t bytes;
                uint32_t least;
        } forms[] = { { 0x80, 0x00, 1, 0 },
                      { 0xe0, 0xc0, 2, 0x80 },
                      { 0xf0, 0xe0, 3, 0x800 },
                      { 0xf8, 0xf0, 4, 0x10000 } };

        for (size_t i = 0; i < ELEMENTS(forms); i++) {
                uint32_t point = p[0] & (unsigned char)~forms[i].mask;

                if ((p[0] & forms[i].mask) != forms[i].lead)
                        continue;
                if (forms[i].bytes > left)
                        return 0;
                for (size_t k = 1; k < forms[i].bytes; k++) {
                        if ((p[k] & 0xc0) != 0x80)
                                return 0;
                        point = point << 6 | (p[k] & 0x3f);
                }
                if (point < forms[i].least || point > 0x10ffff ||
                    (point >= 0xd800 && point <= 0xdfff))
                        return 0;
                *ret = point;
                return forms[i].bytes;
        }
        return 0;
}

static bool is_printable(uint32_t point) {
        return point >= 0x20 && !(point >= 0x7f && point <= 0x9f) &&
               !(point >= 0x200b && point <= 0x200f) && !(point >= 0x2028 && point <= 0x202e) &&
               !(point >= 0x2060 && point <= 0x206f) && point != 0xfeff;
}

/* "##[command]data" is one to GitHub's runner wherever it stands in a line
 * (docs/upstream/forges.md, "Workflow commands"). */
static bool begins_command(const char *buffer, size_t used, uint32_t point) {
        return point == '[' && used >= 2 && memcmp(buffer + used - 2, "##", 2) == 0;
}

static bool is_ascii(unsigned char c) {
        return c >= 0x20 && c < 0x7f;
}

char *text_clean(char *buffer, size_t size, const char *text, size_t length) {
        const unsigned char *p = (const unsigned char *)text;
        size_t used = 0, keep = 0; /* keep: where "..." still fits */

        for (size_t i = 0; i < length;) {
                uint32_t point = p[i];
                /* Nearly all that comes. */
                size_t bytes = is_ascii(p[i]) ? 1 : decode_utf8(p + i, length - i, &point);
                bool is_shown =
                    bytes > 0 && is_printable(point) && !begins_command(buffer, used, point);
                size_t width = is_shown ? bytes : 1;

                if (used + width >= size) {
                        memcpy(buffer + keep, "...", 4);
                        return buffer;
                }
                if (is_shown)
                        memcpy(buffer + used, p + i, width);
                else
                        buffer[used] = '?';
                i += bytes > 0 ? bytes : 1;
                used += width;
                if (used + 4 <= size)
                        keep = used;
        }
        buffer[used] = '\0';
        return buffer;
}

static bool is_plain(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= ':') ||
               c == '_' || c == '@' || c == '+';
}

bool text_is_plain(const char *text) {
        const char *p = text;

        while (is_plain(*p))
                p++;
        return p > text && *p == '\0';
}

bool text_append(char *buffer, size_t size, size_t *used, const char *format, ...) {
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(buffer + *used, size - *used, format, args);
        va_end(args);
        if (n < 0 || (size_t)n >= size - *used) {
                *used = size - 1;
                return false;
        }
        *used += (size_t)n;
        return true;
}

bool text_append_string(char *buffer, size_t size, size_t *used, const char *text) {
        size_t length = strlen(text);

        if (length >= size - *used)
                return false;
        memcpy(buffer + *used, text, length + 1);
        *used += length;
        return true;
}

static bool append_quoted(char *buffer, size_t size, size_t *used, const char *value) {
        if (!text_append_string(buffer, size, used, "\""))
                return false;
        for (const char *p = value; *p; p++) {
                const char escaped[] = { '\\', *p, '\0' };

                if (!text_append_string(buffer, size, used,
                                        *p == '"' || *p == '\\' ? escaped : escaped + 1))
                        return false;
        }
        return text_append_string(buffer, size, used, "\"");
}

bool text_append_field(char *buffer, size_t size, size_t *used, const char *key,
                       const char *value) {
        size_t before = *used;
        bool fits;

        if (!value)
                return true;
        fits =
            text_append_string(buffer, size, used, before > 0 ? " " : "") &&
            text_append_string(buffer, size, used, key) &&
            text_append_string(buffer, size, used, "=") &&
            (text_is_plain(value) ? text_append_string : append_quoted)(buffer, size, used, value);
        if (!fits) {
                *used = before;
                buffer[before] = '\0';
        }
        return fits;
}

bool text_is_name(const char *text) {
        size_t length = strlen(text);

        return length > 0 && length <= NAME_MAX_BYTES && *text != '.' && *text != '_' &&
               *text != '-' &&
               text[strspn(text,
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] ==
                   '\0';
}

bool text_starts_with(const char *text, const char *prefix) {
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

char *text_percent_encode(const char *text) {
        static const char hex[] = "0123456789ABCDEF";
        size_t length = strlen(text), used = 0;
        char *encoded = malloc(length * 3 + 1);

        if (!encoded)
                return NULL;
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)text[i];

                if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.' || c == '_' || c == '~') {
                        encoded[used++] = (char)c;
                } else {
                        encoded[used++] = '%';
                        encoded[used++] = hex[c >> 4];
                        encoded[used++] = hex[c & 15];
                }
        }
        encoded[used] = '\0';
        return encoded;
}

static bool is_space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

char *text_strip(char *text, size_t *length) {
        while (*length > 0 && is_space(*text)) {
                text++;
                (*length)--;
        }
        while (*length > 0 && is_space(text[*length - 1]))
                (*length)--;
        return text;
}
