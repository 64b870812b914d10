#include "job/rejection.h"

#include <string.h>

#include "base/text.h"
#include "job/output.h"

static const struct {
        const char *name, *meaning;
} verdicts[VERDICT_COUNT] = {
        [VERDICT_CHANGED] = { "changed",
                              "the broker has another value by now: run the command again" },
        [VERDICT_REJECTED] = { "rejected", "the forge does not accept this token, and the broker "
                                           "has no other value" },
        [VERDICT_STILL_VALID] = { "still-valid", "the forge accepts this token: either another "
                                                 "credential was sent in its place "
                                                 "('forge-broker git-check' says which), or it may "
                                                 "not do what was asked" },
        [VERDICT_NOT_OURS] = { "not-ours", "this is not a value that the broker issued: look for "
                                           "another credential, for "
                                           "example in the remote's URL" },
};

const char *rejection_name(enum verdict verdict) {
        return verdicts[verdict].name;
}

static bool find_verdict(const char *name, enum verdict *ret) {
        for (enum verdict i = 0; i < VERDICT_COUNT; i++)
                if (strcmp(verdicts[i].name, name) == 0) {
                        *ret = i;
                        return true;
                }
        return false;
}

int rejection_report(const struct client *client, const char *name, const char *fingerprint,
                     struct rejection *ret, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer buffer = { 0 };
        char path[128] = "", body[64] = "", verdict[24];
        size_t path_used = 0, body_used = 0;
        struct json answer;
        int r;

        (void)text_append(path, sizeof(path), &path_used, "/v1/tokens/%s/rejected", name);
        (void)text_append(body, sizeof(body), &body_used, "{\"fingerprint\":\"%s\"}", fingerprint);
        r = client_post(client, path, body, body_used, &buffer, &answer, failure);
        if (r < 0)
                return r;
        if (!json_text(answer, "verdict", verdict, sizeof(verdict)) ||
            !find_verdict(verdict, &ret->verdict))
                return failure_set(failure, EXIT_UNREACHABLE,
                                   "the broker's answer has no proper 'verdict'");
        (void)json_text(answer, "code", ret->code, sizeof(ret->code));
        (void)json_text(answer, "detail", ret->detail, sizeof(ret->detail));
        (void)json_text(answer, "remedy", ret->remedy, sizeof(ret->remedy));
        return 0;
}

void rejection_note(const struct rejection *rejection, const char *name) {
        output_note("%s: %s: %s", name, rejection_name(rejection->verdict),
                    verdicts[rejection->verdict].meaning);
        if (rejection->detail[0])
                output_note("  %s%s%s", rejection->code, rejection->code[0] ? ": " : "",
                            rejection->detail);
        if (rejection->remedy[0])
                output_note("  remedy: %s", rejection->remedy);
}
