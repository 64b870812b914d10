/* What `journalctl -x` says: each code with its title and remedy, word for word, where such a
 * record can have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "broker/audit.h"

static char catalog[65536];

/* Line breaks and indents are blanks: what is left are the words. */
static void normalize(char *text) {
        char *to = text;

        for (const char *from = text; *from; from++)
                if ((*from != ' ' && *from != '\n') || (to > text && to[-1] != ' '))
                        *to++ = *from == '\n' ? ' ' : *from;
        *to = '\0';
}

/* The entry of one kind of record. */
static const char *entry(const char *id) {
        static char text[sizeof(catalog)];
        const char *start = strstr(catalog, id), *end;

        assert_non_null(start);
        end = strstr(start, "\n-- ");
        (void)snprintf(text, sizeof(text), "%.*s", (int)(end ? end - start : (long)strlen(start)),
                       start);
        normalize(text);
        return text;
}

static bool explains(const char *text, enum diagnosis code) {
        const struct diagnosis_info *info = diagnosis_info(code);
        char expected[1024];

        (void)snprintf(expected, sizeof(expected), " %s: %s. %s", info->name, info->title,
                       info->remedy);
        normalize(expected);
        return strstr(text, expected) != NULL;
}

static void each_kind_of_record_explains_the_codes_it_can_have(void **state) {
        static const struct {
                const char *id;
                enum diagnosis first, last;
        } rows[] = { { AUDIT_ID_REFUSED, DIAG_MALFORMED_REQUEST, DIAG_INTERNAL_ERROR },
                     { AUDIT_ID_UNAVAILABLE, DIAG_NO_USABLE_VALUE, DIAG_FALLBACK_EXPIRED },
                     { AUDIT_ID_UPSTREAM_FAILED, DIAG_CREDENTIAL_MISSING,
                       DIAG_FORGE_CANNOT_TELL } };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const char *text = entry(rows[i].id);

                for (int code = (int)rows[i].first; code <= (int)rows[i].last; code++)
                        if (!explains(text, (enum diagnosis)code))
                                fail_msg("%s is not explained for %s",
                                         diagnosis_info((enum diagnosis)code)->name, rows[i].id);
        }
}

static void nothing_of_the_template_is_left(void **state) {
        (void)state;
        assert_null(strstr(catalog, "@codes"));
        assert_non_null(strstr(catalog, "@FORGE_BROKER_TOKEN@"));
}

static int setup(void **state) {
        const char *top = getenv("top_builddir");
        char path[4096];
        size_t length;
        FILE *file;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/systemd/forge-brokerd.catalog", top ? top : ".");
        file = fopen(path, "re");
        if (!file)
                return -1;
        length = fread(catalog, 1, sizeof(catalog) - 1, file);
        (void)fclose(file);
        return length > 0 && length < sizeof(catalog) - 1 ? 0 : -1;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_kind_of_record_explains_the_codes_it_can_have),
                cmocka_unit_test(nothing_of_the_template_is_left),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
