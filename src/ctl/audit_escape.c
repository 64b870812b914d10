#include "ctl/audit_escape.h"

void escape_html(FILE *out, const char *text) {
        for (; *text; text++)
                switch (*text) {
                case '&':
                        (void)fputs("&amp;", out);
                        break;
                case '<':
                        (void)fputs("&lt;", out);
                        break;
                case '>':
                        (void)fputs("&gt;", out);
                        break;
                case '"':
                        (void)fputs("&quot;", out);
                        break;
                case '\'':
                        (void)fputs("&#39;", out);
                        break;
                default:
                        (void)fputc(*text, out);
                }
}

void escape_markdown(FILE *out, const char *text) {
        (void)fputc('`', out);
        if (!*text)
                (void)fputc('-', out);
        for (; *text; text++)
                if (*text == '`')
                        (void)fputc('\'', out);
                else if (*text == '|')
                        (void)fputs("\u00a6", out);
                else if (*text == '\\')
                        (void)fputc('/', out);
                else
                        (void)fputc((unsigned char)*text < ' ' ? '?' : *text, out);
        (void)fputc('`', out);
}
