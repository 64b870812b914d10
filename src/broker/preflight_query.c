#include "broker/preflight.h"

#include <string.h>

#include "base/text.h"

bool preflight_place_is_good(const char *text) {
        static const char allowed[] =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
        unsigned segments = 0;

        for (;;) {
                size_t length = strspn(text, allowed);

                if (length == 0 || (length == 1 && text[0] == '.') ||
                    (length == 2 && text[0] == '.' && text[1] == '.'))
                        return false;
                segments++;
                text += length;
                if (*text == '\0')
                        return segments >= 2;
                if (*text++ != '/')
                        return false;
        }
}

const char *preflight_ref_prefix(const char *text) {
        return text_starts_with(text, "refs/") ? "" : "refs/heads/";
}

/* git-check-ref-format(1), and nothing that JSON or a sentence would have to escape. */
bool preflight_ref_is_good(const char *text) {
        if (strlen(preflight_ref_prefix(text)) + strlen(text) >= FORGE_PLACE_MAX)
                return false;
        if (*text == '\0' || strchr("/-.", *text) || strstr(text, "/.") || strstr(text, "..") ||
            strstr(text, "//") || strstr(text, "@{"))
                return false;
        for (; *text; text++)
                if ((unsigned char)*text <= ' ' || *text == 0x7f || strchr("~^:?*[\\\"", *text))
                        return false;
        return text[-1] != '/' && text[-1] != '.';
}
