#include "job/base64.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

bool base64_append(struct locked_buffer *buffer, const char *bytes, size_t length) {
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t i = 0; i < length; i += 3) {
                size_t left = length - i;
                unsigned group = (unsigned)(unsigned char)bytes[i] << 16 |
                                 (left > 1 ? (unsigned)(unsigned char)bytes[i + 1] << 8 : 0) |
                                 (left > 2 ? (unsigned)(unsigned char)bytes[i + 2] : 0);
                char piece[4] = { digits[group >> 18], digits[group >> 12 & 63],
                                  left > 1 ? digits[group >> 6 & 63] : '=',
                                  left > 2 ? digits[group & 63] : '=' };
                bool ok = locked_buffer_append(buffer, piece, sizeof(piece));

                explicit_bzero(piece, sizeof(piece));
                if (!ok)
                        return false;
        }
        return true;
}

static int value_of(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_user(const char *text, char *buffer, size_t size) {
        char user[256];
        uint32_t bits = 0;
        int count = 0;
        size_t used = 0;

        for (; used < sizeof(user) && value_of(*text) >= 0; text++) {
                bits = bits << 6 | (uint32_t)value_of(*text);
                count += 6;
                if (count < 8)
                        continue;
                count -= 8;
                user[used] = (char)(bits >> count & 0xff);
                if (user[used] == ':') {
                        (void)text_clean(buffer, size, user, used);
                        return true;
                }
                used++;
        }
        return false;
}
