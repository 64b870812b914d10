/*
 * The grammar of configuration files: bytes in, sections and settings out, each with its line.
 * Knows no section and no key.
 *
 *      [kind name]             ; a section; the name is optional
 *      key = value             # a setting of the section above it
 *      key = "a ; b \" c \\"   ; quoted: what would begin a comment, or blanks at the ends
 *
 * ';' or '#' begins a comment at the start of a line or after a blank.  A blank is a space or a
 * tab.  There are no continuation lines: an indented line is an ordinary one.  Lines end in LF or
 * CRLF.  Text is UTF-8 without control characters and invisible ones.
 */
#pragma once

#include <stddef.h>

#define INI_FILE_MAX_BYTES (1024 * 1024)
#define INI_LINE_MAX_BYTES 4096
#define INI_KEY_MAX_BYTES  64

/* Called in the order of the lines; the texts are valid during the call only. */
struct ini_handler {
        /* @kind is NULL for a header that cannot be read (a mistake was reported): its settings
         * follow, as any other's.
         * @name is NULL where none is written. */
        void (*section)(void *context, unsigned line, const char *kind, const char *name);
        void (*setting)(void *context, unsigned line, const char *key, const char *value);
        /* @text never quotes the line: it may be a secret that was pasted into the wrong place. */
        void (*mistake)(void *context, unsigned line, const char *text);
};

/** ini_parse() - reads one file's bytes; a line with a mistake is skipped and the next one read */
void ini_parse(const char *bytes, size_t length, const struct ini_handler *handler, void *context);
