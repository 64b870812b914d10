#include "base/glob.h"

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool glob_matches(const char *pattern, const char *text, size_t length) {
        const char *star = NULL, *end = text + length, *resume = text;

        while (text < end) {
                if (*pattern == '*') {
                        star = ++pattern;
                        resume = text;
                } else if (*pattern && (*pattern == '?' || lower(*pattern) == lower(*text))) {
                        pattern++;
                        text++;
                } else if (star) {
                        /* The last '*' takes one byte more; an earlier one never has to. */
                        pattern = star;
                        text = ++resume;
                } else {
                        return false;
                }
        }
        while (*pattern == '*')
                pattern++;
        return *pattern == '\0';
}

unsigned glob_weight(const char *pattern) {
        unsigned literal = 0, wild = 0;

        for (; *pattern; pattern++) {
                if (*pattern == '*' || *pattern == '?')
                        wild++;
                else
                        literal++;
        }
        return 2 * literal + (wild == 0);
}
