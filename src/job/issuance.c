#include "job/issuance.h"

#include <string.h>

#include "base/text.h"
#include "job/base64.h"
#include "job/forge_env.h"
#include "job/output.h"
#include "job/token_list.h"

#define PATH_MAX_BYTES 128 /* "/v1/tokens/" and a name of at most 64 bytes */

static int senseless(const char *member, struct failure *failure) {
        return failure_set(failure, EXIT_UNREACHABLE, "the broker's answer has no proper '%s'",
                           member);
}

/* The value on its own, for standard output: what could break a line or a terminal is not a forge
 * token. */
static int read_token(struct issuance *issuance, struct failure *failure) {
        struct locked_buffer *token = &issuance->token;
        struct json member;

        if (!json_member(issuance->json, "token", &member) || json_type(member) != JSON_STRING)
                return senseless("token", failure);
        if (!locked_buffer_reserve(token, member.length + 1))
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        if (!json_string(member, token->bytes, token->size, &token->used) || token->used == 0)
                return senseless("token", failure);
        for (size_t i = 0; i < token->used; i++)
                if ((unsigned char)token->bytes[i] < 0x20 || token->bytes[i] == 0x7f)
                        return senseless("token", failure);
        return 0;
}

static int read_members(struct issuance *issuance, struct failure *failure) {
        char name[72];
        int r;

        if (!json_text(issuance->json, "name", name, sizeof(name)) ||
            strcmp(name, issuance->name) != 0)
                return senseless("name", failure);
        r = marker_read(issuance->json, &issuance->marker, failure);
        if (r < 0)
                return r;
        (void)json_text(issuance->json, "username", issuance->username, sizeof(issuance->username));
        return read_token(issuance, failure);
}

int issuance_get(const struct client *client, const char *name, struct issuance *ret,
                 struct failure *failure) {
        char path[PATH_MAX_BYTES] = "";
        size_t used = 0;
        int r;

        ret->name = name;
        (void)text_append(path, sizeof(path), &used, "/v1/tokens/%s", name);
        r = client_get(client, path, &ret->answer, &ret->json, failure);
        if (r == -EXIT_UNKNOWN_TOKEN)
                token_list_add_known(client, failure);
        if (r < 0)
                return r;
        return read_members(ret, failure);
}

void issuance_done(struct issuance *issuance) {
        locked_buffer_done(&issuance->answer);
        locked_buffer_done(&issuance->token);
}

void issuance_note(const struct issuance *issuance) {
        marker_note(&issuance->marker, issuance->name);
}

static int mask_pair(const struct issuance *issuance, const char *username,
                     struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer pair = { 0 }, encoded = { 0 };

        if (!locked_buffer_append(&pair, username, strlen(username)) ||
            !locked_buffer_append(&pair, ":", 1) ||
            !locked_buffer_append(&pair, issuance->token.bytes, issuance->token.used) ||
            !base64_append(&encoded, pair.bytes, pair.used))
                return failure_set(failure, EXIT_UNMET, "out of memory");
        return output_mask(encoded.bytes, encoded.used, failure);
}

int issuance_mask(const struct issuance *issuance, struct failure *failure) {
        /* the user name that checkout's header carries */
        static const char anyone[] = "x-access-token";
        int r;

        if (forge_env_detect() == FORGE_ENV_GITLAB) {
                (void)failure_set(failure, EXIT_UNMET,
                                  "GitLab's runner knows no mask command and would show the value");
                failure_remedy_set(
                    failure,
                    "Leave out what asks for it; GitLab masks only variables that its own settings "
                    "hold.");
                return -EXIT_UNMET;
        }
        r = output_mask(issuance->token.bytes, issuance->token.used, failure);
        if (r == 0)
                r = mask_pair(issuance, anyone, failure);
        if (r == 0 && issuance->username[0] && strcmp(issuance->username, anyone) != 0)
                r = mask_pair(issuance, issuance->username, failure);
        return r;
}
