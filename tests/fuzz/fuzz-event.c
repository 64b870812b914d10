/*
 * A job's event: whatever the file has, the verdict is one of the four with a reason that is clean,
 * and no payload can turn an event that is not a pull request, and not called by one, into one
 * where a missing token is as it should be.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "job/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name, const char *payload, size_t length, bool may_be_untrusted) {
        struct event event;

        memset(&event, 0x5a, sizeof(event));
        event_judge(name, payload, length, "there is none", &event);
        assert(event.trust >= EVENT_TRUSTED && event.trust <= EVENT_UNTRUSTED);
        assert(event.trust != EVENT_UNTRUSTED || may_be_untrusted);
        assert(memchr(event.reason, '\0', sizeof(event.reason)) && event.reason[0]);
        for (const char *p = event.reason; *p; p++)
                assert((unsigned char)*p >= 0x20 && *p != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "push", "issue_comment", "pull_request_target",
                                             "other", "" };
        char *payload = malloc(size > 0 ? size : 1);

        assert(payload);
        if (size > 0)
                memcpy(payload, data, size);
        check("pull_request", payload, size, true);
        check("workflow_call", payload, size, true);
        for (size_t i = 0; i < ELEMENTS(names); i++)
                check(names[i], payload, size, false);
        free(payload);
        return 0;
}
