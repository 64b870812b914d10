#include "config/ini.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct parser {
        const struct ini_handler *handler;
        void *context;
        unsigned line;
        bool in_section;
};

static void mistake(const struct parser *parser, const char *text) {
        parser->handler->mistake(parser->context, parser->line, text);
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static char *skip_blanks(char *p) {
        while (is_blank(*p))
                p++;
        return p;
}

static void cut_blanks(const char *begin, char *end) {
        while (end > begin && is_blank(end[-1]))
                end--;
        *end = '\0';
}

/* True at the end of a line and where a comment begins; @p is not the first byte of the line. */
static bool at_end(const char *p) {
        return *p == '\0' || ((*p == ';' || *p == '#') && is_blank(p[-1]));
}

/* Nothing but a comment may follow a section's ']' and a quoted value. */
static bool only_comment_follows(char *p) {
        return at_end(skip_blanks(p));
}

/* Text is looked at as a whole before it is taken apart, so that no byte escapes the check. */
static bool bytes_are_text(const struct parser *parser, const char *line, size_t length) {
        char text[INI_LINE_MAX_BYTES + 1] = "", clean[INI_LINE_MAX_BYTES + 1], what[80];

        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)line[i];

                text[i] = c == '\t' ? ' ' : (char)c;
                if ((c >= 0x20 && c != 0x7f) || c == '\t')
                        continue;
                (void)snprintf(what, sizeof(what), "%s (byte 0x%02x at column %zu); expected text",
                               c == '\0' ? "a NUL byte" : "a control character", c, i + 1);
                mistake(parser, what);
                return false;
        }
        text_clean(clean, sizeof(clean), text, length);
        if (strcmp(clean, text) == 0)
                return true;
        mistake(parser,
                "bytes that are not UTF-8, or invisible characters; expected visible UTF-8 text");
        return false;
}

static void parse_section(struct parser *parser, char *line) {
        char *end = strchr(line, ']'), *kind, *name;

        parser->in_section = true;
        if (!end || !only_comment_follows(end + 1))
                goto unreadable;
        kind = skip_blanks(line + 1);
        cut_blanks(kind, end);
        name = kind + strcspn(kind, " \t");
        if (*name != '\0') {
                *name++ = '\0';
                name = skip_blanks(name);
        }
        if (*kind == '\0' || strpbrk(name, " \t"))
                goto unreadable;
        parser->handler->section(parser->context, parser->line, kind, *name != '\0' ? name : NULL);
        return;

unreadable:
        mistake(parser, "a section that cannot be read; expected '[kind name]' alone on its line");
        parser->handler->section(parser->context, parser->line, NULL, NULL);
}

/* Takes quotes and escapes away in place; NULL after reporting what is wrong. */
static char *unquote(const struct parser *parser, char *value) {
        char *from = value + 1, *to = value;

        while (*from != '"') {
                if (*from == '\\' && from[1] != '"' && from[1] != '\\') {
                        mistake(parser, "a backslash inside quotes; expected \\\" or \\\\ there, "
                                        "and no other escape");
                        return NULL;
                }
                if (*from == '\\')
                        from++;
                if (*from == '\0') {
                        mistake(parser, "a quoted value without its closing quote; expected it on "
                                        "the same line");
                        return NULL;
                }
                *to++ = *from++;
        }
        if (!only_comment_follows(from + 1)) {
                mistake(parser, "text after a quoted value; expected the end of the line or a "
                                "comment after a blank");
                return NULL;
        }
        *to = '\0';
        return value;
}

static char *plain_value(const struct parser *parser, char *value) {
        char *end = value;

        while (!at_end(end))
                end++;
        cut_blanks(value, end);
        if (strchr(value, '"')) {
                mistake(parser, "a quote inside a value; expected the whole value in quotes, with "
                                "\\\" for a quote in it");
                return NULL;
        }
        return value;
}

static void parse_setting(const struct parser *parser, char *line) {
        char *equals = strchr(line, '='), *value;

        if (!equals) {
                mistake(parser, "a line that is neither a section, a setting nor a comment; "
                                "expected 'key = value'");
                return;
        }
        value = skip_blanks(equals + 1);
        cut_blanks(line, equals);
        if (*line == '\0' || strlen(line) > INI_KEY_MAX_BYTES ||
            line[strspn(line,
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] !=
                '\0') {
                mistake(parser, "a setting whose key cannot be read; expected 'key = value', the "
                                "key of letters and '_'");
                return;
        }
        value = *value == '"' ? unquote(parser, value) : plain_value(parser, value);
        if (!value)
                return;
        if (parser->in_section)
                parser->handler->setting(parser->context, parser->line, line, value);
        else
                mistake(parser, "a setting before the first section; expected a line such as "
                                "'[broker]' above it");
}

static void parse_line(struct parser *parser, const char *bytes, size_t length) {
        char buffer[INI_LINE_MAX_BYTES + 1], *line;

        if (length > 0 && bytes[length - 1] == '\r')
                length--;
        if (length > INI_LINE_MAX_BYTES) {
                mistake(parser, "a line that is too long; expected at most 4096 bytes");
                return;
        }
        if (!bytes_are_text(parser, bytes, length))
                return;
        memcpy(buffer, bytes, length);
        buffer[length] = '\0';
        line = skip_blanks(buffer);
        if (*line == '[')
                parse_section(parser, line);
        else if (*line != '\0' && *line != ';' && *line != '#')
                parse_setting(parser, line);
}

void ini_parse(const char *bytes, size_t length, const struct ini_handler *handler, void *context) {
        struct parser parser = { .handler = handler, .context = context };
        const size_t mark = sizeof(BYTE_ORDER_MARK) - 1;

        if (length > INI_FILE_MAX_BYTES) {
                mistake(&parser, "a file that is too large; expected at most 1 MiB");
                return;
        }
        parser.line = 1;
        if (length >= mark && memcmp(bytes, BYTE_ORDER_MARK, mark) == 0) {
                mistake(&parser, "a byte order mark; expected UTF-8 without one");
                bytes += mark;
                length -= mark;
        }
        while (length > 0) {
                const char *newline = memchr(bytes, '\n', length);
                size_t bytes_here = newline ? (size_t)(newline - bytes) : length;

                parse_line(&parser, bytes, bytes_here);
                bytes_here += newline ? 1 : 0;
                bytes += bytes_here;
                length -= bytes_here;
                parser.line++;
        }
}
