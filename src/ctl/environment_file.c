#include "ctl/environment_file.h"

#include <ctype.h>
#include <string.h>

/* Where reading stands: at the next byte, with what the caller's limits leave. */
struct cursor {
        const char *at, *end;
        struct secret *value; /* collected */
        char name[ENVIRONMENT_NAME_MAX];
};

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name(char c, bool first) {
        return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (!first && c >= '0' && c <= '9');
}

/* "NAME=", in a file also "NAME ="; false, and somewhere in the line, if it is not. */
static bool read_name(struct cursor *cursor, bool in_file) {
        size_t length = 0;

        while (cursor->at < cursor->end && is_name(*cursor->at, length == 0)) {
                if (length + 1 == sizeof(cursor->name))
                        return false;
                cursor->name[length++] = *cursor->at++;
        }
        cursor->name[length] = '\0';
        while (in_file && cursor->at < cursor->end && is_blank(*cursor->at))
                cursor->at++;
        if (length == 0 || cursor->at == cursor->end || *cursor->at != '=')
                return false;
        cursor->at++;
        return true;
}

/* What does not fit is no token: the value is cut. */
static void keep(struct cursor *cursor, char c) {
        (void)secret_append(cursor->value, &c, 1);
}

/* Inside quotes, up to their end. */
static void read_quoted(struct cursor *cursor, char quote) {
        for (; cursor->at < cursor->end; cursor->at++) {
                if (*cursor->at == quote) {
                        cursor->at++;
                        return;
                }
                if (quote == '"' && *cursor->at == '\\' && cursor->at + 1 < cursor->end) {
                        cursor->at++;
                        if (*cursor->at == '\n')
                                continue;
                }
                keep(cursor, *cursor->at);
        }
}

/* Blanks at the end of what is not quoted do not belong to it. */
static void strip_end(struct cursor *cursor, size_t from) {
        size_t length = secret_length(cursor->value);

        while (length > from && is_blank(secret_bytes(cursor->value)[length - 1]))
                length--;
        secret_truncate(cursor->value, length);
}

/* Up to @stop or a line's end; blanks end a word of a list and are part of a file's line. */
static void read_value(struct cursor *cursor, bool in_file) {
        size_t quoted_to = 0;

        while (in_file && cursor->at < cursor->end && is_blank(*cursor->at))
                cursor->at++;
        while (cursor->at < cursor->end && *cursor->at != '\n' &&
               (in_file || !is_blank(*cursor->at))) {
                char c = *cursor->at++;

                if (c == '"' || c == '\'') {
                        read_quoted(cursor, c);
                        quoted_to = secret_length(cursor->value);
                } else if (c == '\\' && cursor->at < cursor->end) {
                        if (*cursor->at != '\n')
                                keep(cursor, *cursor->at);
                        cursor->at++;
                } else {
                        keep(cursor, c);
                }
        }
        if (in_file)
                strip_end(cursor, quoted_to);
}

static void skip_line(struct cursor *cursor) {
        while (cursor->at < cursor->end && *cursor->at != '\n')
                cursor->at++;
}

void environment_file_read(const struct secret *content, environment_found found, void *userdata) {
        struct cursor cursor = { .at = secret_bytes(content),
                                 .end = secret_bytes(content) + secret_length(content),
                                 .value = secret_new(secret_length(content) + 1) };

        while (cursor.value && cursor.at < cursor.end) {
                while (cursor.at < cursor.end && (is_blank(*cursor.at) || *cursor.at == '\n'))
                        cursor.at++;
                secret_truncate(cursor.value, 0);
                if (cursor.at < cursor.end && *cursor.at != '#' && *cursor.at != ';' &&
                    read_name(&cursor, /* in_file= */ true)) {
                        read_value(&cursor, /* in_file= */ true);
                        found(userdata, cursor.name, cursor.value);
                }
                skip_line(&cursor);
        }
        (void)secret_unref(cursor.value);
}

void environment_words_read(const char *text, size_t length, environment_found found,
                            void *userdata) {
        struct cursor cursor = { .at = text,
                                 .end = text + length,
                                 .value = secret_new(length + 1) };

        while (cursor.value && cursor.at < cursor.end) {
                char quote = 0;

                while (cursor.at < cursor.end && (is_blank(*cursor.at) || *cursor.at == '\n'))
                        cursor.at++;
                secret_truncate(cursor.value, 0);
                /* systemctl quotes the whole word: "NAME=a b". */
                if (cursor.at < cursor.end && (*cursor.at == '"' || *cursor.at == '\''))
                        quote = *cursor.at++;
                if (read_name(&cursor, /* in_file= */ false)) {
                        if (quote)
                                read_quoted(&cursor, quote);
                        else
                                read_value(&cursor, /* in_file= */ false);
                        found(userdata, cursor.name, cursor.value);
                }
                while (cursor.at < cursor.end && !is_blank(*cursor.at) && *cursor.at != '\n')
                        cursor.at++;
        }
        (void)secret_unref(cursor.value);
}
