#include "base/base64url.h"

static int value_of(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '-')
                return 62;
        return c == '_' ? 63 : -1;
}

bool base64url_decode(const char *text, size_t length, struct secret *into) {
        unsigned bits = 0, held = 0;

        if (length == 0 || length % 4 == 1)
                return false;
        for (size_t i = 0; i < length; i++) {
                int value = value_of(text[i]);
                unsigned char byte;

                if (value < 0)
                        return false;
                bits = (bits << 6 | (unsigned)value) & 0xffff;
                held += 6;
                if (held < 8)
                        continue;
                held -= 8;
                byte = (unsigned char)(bits >> held);
                if (!secret_append(into, &byte, 1))
                        return false;
        }
        return (bits & ((1U << held) - 1)) == 0;
}
