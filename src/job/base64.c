#include "job/base64.h"

#include <string.h>

bool base64_append(struct locked_buffer *buffer, const char *bytes, size_t length) {
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t i = 0; i < length; i += 3) {
                size_t left = length - i;
                unsigned group = (unsigned)(unsigned char)bytes[i] << 16 |
                                 (left > 1 ? (unsigned)(unsigned char)bytes[i + 1] << 8 : 0) |
                                 (left > 2 ? (unsigned)(unsigned char)bytes[i + 2] : 0);
                char piece[4] = { digits[group >> 18], digits[group >> 12 & 63],
                                  left > 1 ? digits[group >> 6 & 63] : '=', left > 2 ? digits[group & 63] : '=' };
                bool ok = locked_buffer_append(buffer, piece, sizeof(piece));

                explicit_bzero(piece, sizeof(piece));
                if (!ok)
                        return false;
        }
        return true;
}
