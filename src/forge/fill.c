#include "forge/fill.h"

#include <string.h>

#include "base/text.h"

#define NAME_MAX_BYTES  24
#define VALUE_MAX_BYTES 1024

static bool is_unreserved(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               strchr("-._~", c);
}

static bool append_url(char *buffer, size_t size, size_t *used, const char *value,
                       bool keeps_slashes) {
        bool fits = true;

        for (; *value && fits; value++) {
                if (is_unreserved(*value) || (keeps_slashes && *value == '/'))
                        fits = text_append(buffer, size, used, "%c", *value);
                else
                        fits = text_append(buffer, size, used, "%%%02X", (unsigned char)*value);
        }
        return fits;
}

static bool append_json(char *buffer, size_t size, size_t *used, const char *value) {
        for (const char *p = value; *p; p++)
                if ((unsigned char)*p < 0x20 || *p == '"' || *p == '\\')
                        return false;
        return text_append(buffer, size, used, "%s", value);
}

static bool append_value(char *buffer, size_t size, size_t *used, const char *value,
                         enum fill_for what, bool keeps_slashes) {
        char clean[VALUE_MAX_BYTES];

        switch (what) {
        case FILL_URL:
                return append_url(buffer, size, used, value, keeps_slashes);
        case FILL_JSON:
                return append_json(buffer, size, used, value);
        case FILL_SENTENCE:
        default:
                (void)text_append(buffer, size, used, "%s",
                                  text_clean(clean, sizeof(clean), value, strlen(value)));
                return true;
        }
}

/* Takes "name}" or "name%}" from @text.  Return: where the template goes on, or NULL if that is no
 * name. */
static const char *take_name(const char *text, char name[static NAME_MAX_BYTES],
                             bool *keeps_slashes) {
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
        const char *end = text + length;

        if (length == 0 || length >= NAME_MAX_BYTES)
                return NULL;
        memcpy(name, text, length);
        name[length] = '\0';
        *keeps_slashes = *end != '%';
        if (*end == '%')
                end++;
        return *end == '}' ? end + 1 : NULL;
}

bool fill_template(char *buffer, size_t size, const char *template, enum fill_for what,
                   fill_value value, void *userdata) {
        size_t used = 0;

        buffer[0] = '\0';
        while (*template) {
                size_t literal = strcspn(template, "{");
                char name[NAME_MAX_BYTES];
                bool keeps_slashes, fits;
                const char *text, *next;

                fits = text_append(buffer, size, &used, "%.*s", (int)literal, template);
                template += literal;
                if (fits && *template) {
                        next = take_name(template + 1, name, &keeps_slashes);
                        text = next ? value(userdata, name) : NULL;
                        if (next && !text) {
                                buffer[0] = '\0';
                                return false;
                        }
                        /* A brace that begins no name is one of JSON's. */
                        fits = next ? append_value(buffer, size, &used, text, what, keeps_slashes)
                                    : text_append(buffer, size, &used, "{");
                        template = next ? next : template + 1;
                }
                if (!fits && what != FILL_SENTENCE) {
                        buffer[0] = '\0';
                        return false;
                }
                if (!fits)
                        return true;
        }
        return true;
}
