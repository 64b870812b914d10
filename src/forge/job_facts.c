#include "forge/job_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *vouched_name(enum vouched vouched) {
        static const char *const names[VOUCHED_COUNT] = { [VOUCHED_NO] = "no", [VOUCHED_OIDC] = "oidc",
                                                          [VOUCHED_RUN_API] = "run-api",
                                                          [VOUCHED_REPOSITORY] = "repository" };

        return names[vouched];
}

/* Cut or cleaned it would be another text, which might fit a rule. */
bool fact_set(char *buffer, size_t size, const char *text) {
        size_t length = text ? strlen(text) : 0;

        buffer[0] = '\0';
        if (length == 0 || length >= size || size < 4)
                return false;
        (void)text_clean(buffer, size, text, length);
        if (strcmp(buffer, text) == 0)
                return true;
        buffer[0] = '\0';
        return false;
}

bool fact_set_number(char *buffer, size_t size, const json_t *number) {
        const char *text = json_string_value(number);

        buffer[0] = '\0';
        if (json_is_integer(number) && json_integer_value(number) >= 0)
                return snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(number)) < (int)size;
        return text && strspn(text, "0123456789") == strlen(text) && fact_set(buffer, size, text);
}

bool fact_is_repository(const char *name) {
        const char *slash = strchr(name, '/');
        size_t length = strlen(name);

        return slash && slash != name && name[length - 1] != '/' && !strstr(name, "//");
}
