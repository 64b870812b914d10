/*
 * Prints the tables of the code for the test that compares the documentation with them: "key
 * SECTION NAME", "code NAME", "record NAME MESSAGE_ID".
 */
#include <stdio.h>

#include "base/error.h"
#include "broker/audit.h"
#include "config/keys.h"

int main(void) {
        static const struct {
                const char *name, *id;
        } records[] = {
                { "issued", AUDIT_ID_ISSUED },
                { "refused", AUDIT_ID_REFUSED },
                { "unavailable", AUDIT_ID_UNAVAILABLE },
                { "source-changed", AUDIT_ID_SOURCE_CHANGED },
                { "token-rotated", AUDIT_ID_TOKEN_ROTATED },
                { "upstream-failed", AUDIT_ID_UPSTREAM_FAILED },
                { "upstream-recovered", AUDIT_ID_UPSTREAM_RECOVERED },
                { "config-loaded", AUDIT_ID_CONFIG_LOADED },
                { "config-rejected", AUDIT_ID_CONFIG_REJECTED },
                { "fallback-expired", AUDIT_ID_FALLBACK_EXPIRED },
        };

        _Static_assert(ELEMENTS(records) == AUDIT_KIND_COUNT, "a kind of record is missing here");
        for (int id = 0; id < KEY_COUNT; id++)
                (void)printf("key %s %s\n", section_kind_name(key_get((enum key_id)id)->section),
                             key_get((enum key_id)id)->name);
        for (int code = DIAG_NONE + 1; code < DIAG_COUNT; code++)
                (void)printf("code %s\n", diagnosis_info((enum diagnosis)code)->name);
        for (size_t i = 0; i < ELEMENTS(records); i++)
                (void)printf("record %s %s\n", records[i].name, records[i].id);
        return 0;
}
