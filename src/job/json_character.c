#include "job/json_character.h"

#include <string.h>

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Four hexadecimal digits at @p, or -1. */
static int hex_unit(const char *p, const char *end) {
        int unit = 0;

        if (end - p < 4)
                return -1;
        for (int i = 0; i < 4; i++) {
                int digit = hex_digit(p[i]);

                if (digit < 0)
                        return -1;
                unit = unit << 4 | digit;
        }
        return unit;
}

/* Decodes \uXXXX at **p (behind the 'u'), with its second half if it is a surrogate; false for
 * anything odd. */
static bool decode_unit(const char **p, const char *end, uint32_t *ret) {
        int high = hex_unit(*p, end), low;

        if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
                return false;
        *p += 4;
        *ret = (uint32_t)high;
        if (high < 0xd800 || high > 0xdbff)
                return true;
        if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
                return false;
        low = hex_unit(*p + 2, end);
        if (low < 0xdc00 || low > 0xdfff)
                return false;
        *p += 6;
        *ret = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
        return true;
}

static bool decode_escape(const char **p, const char *end, uint32_t *ret) {
        static const char names[] = "\"\\/bfnrt", points[] = "\"\\/\b\f\n\r\t";
        const char *found;

        if (*p == end)
                return false;
        if (**p == 'u') {
                (*p)++;
                return decode_unit(p, end, ret);
        }
        found = **p != '\0' ? strchr(names, **p) : NULL;
        if (!found)
                return false;
        *ret = (unsigned char)points[found - names];
        (*p)++;
        return true;
}

static bool decode_utf8(const char **p, const char *end, uint32_t *ret) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        const unsigned char *u = (const unsigned char *)*p;
        size_t bytes = u[0] < 0x80   ? 1
                       : u[0] < 0xc2 ? 0
                       : u[0] < 0xe0 ? 2
                       : u[0] < 0xf0 ? 3
                       : u[0] < 0xf5 ? 4
                                     : 0;
        uint32_t point;

        if (bytes == 0 || (size_t)(end - *p) < bytes)
                return false;
        point = bytes == 1 ? u[0] : u[0] & (0x7fU >> bytes);
        for (size_t i = 1; i < bytes; i++) {
                if ((u[i] & 0xc0) != 0x80)
                        return false;
                point = point << 6 | (u[i] & 0x3f);
        }
        if (point < least[bytes] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
                return false;
        *p += bytes;
        *ret = point;
        return true;
}

bool json_character_next(const char **p, const char *end, uint32_t *ret) {
        if (**p == '\\') {
                (*p)++;
                return decode_escape(p, end, ret);
        }
        return decode_utf8(p, end, ret);
}

size_t json_character_encode(uint32_t point, char bytes[static 4]) {
        static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
        size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

        for (size_t i = length - 1; i > 0; i--) {
                bytes[i] = (char)(0x80 | (point & 0x3f));
                point >>= 6;
        }
        bytes[0] = (char)(leads[length] | point);
        return length;
}
