#include "base/glob.h"

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static char same(char c) {
        return c;
}

static bool matches(const char *pattern, const char *text, size_t length, char (*fold)(char)) {
        const char *star = NULL, *end = text + length, *resume = text;

        while (text < end) {
                if (*pattern == '*') {
                        star = ++pattern;
                        resume = text;
                } else if (*pattern && (*pattern == '?' || fold(*pattern) == fold(*text))) {
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

bool glob_matches(const char *pattern, const char *text, size_t length) {
        return matches(pattern, text, length, lower);
}

bool glob_matches_exactly(const char *pattern, const char *text, size_t length) {
        return matches(pattern, text, length, same);
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
