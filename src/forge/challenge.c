#include "forge/challenge.h"

#include <string.h>
#include <strings.h>

/* Every character of a token (RFC 9110, 5.6.2) that a name or a bare value may have. */
#define TOKEN_CHARACTERS                                                                           \
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

struct span {
        const char *text;
        size_t length;
};

static const char *skip_blanks(const char *p) {
        return p + strspn(p, " \t");
}

/* Of a quoted value the quotes are left out; one with an escape is not what registries send. */
static const char *take_value(const char *p, struct span *ret) {
        if (*p != '"') {
                *ret = (struct span){ p, strspn(p, TOKEN_CHARACTERS) };
                return ret->length > 0 ? p + ret->length : NULL;
        }
        *ret = (struct span){ p + 1, strcspn(p + 1, "\"\\") };
        p = ret->text + ret->length;
        return *p == '"' ? p + 1 : NULL;
}

/* Return: behind one `name=value`, or NULL where there is none. */
static const char *take_parameter(const char *p, struct span *name, struct span *value) {
        *name = (struct span){ p, strspn(p, TOKEN_CHARACTERS) };
        p = skip_blanks(p + name->length);
        if (name->length == 0 || *p != '=')
                return NULL;
        return take_value(skip_blanks(p + 1), value);
}

bool challenge_parameter(const char *header, const char *name, char *buffer, size_t size) {
        static const char scheme[] = "Bearer ";
        struct span found, value;
        const char *p = header;

        if (strncasecmp(p, scheme, sizeof(scheme) - 1) != 0)
                return false;
        p += sizeof(scheme) - 1;
        do {
                p = take_parameter(skip_blanks(p), &found, &value);
                if (!p)
                        return false;
                if (found.length == strlen(name) &&
                    strncasecmp(found.text, name, found.length) == 0) {
                        if (value.length == 0 || value.length >= size)
                                return false;
                        memcpy(buffer, value.text, value.length);
                        buffer[value.length] = '\0';
                        return true;
                }
                p = skip_blanks(p);
        } while (*p++ == ',');
        return false;
}
