#include "job/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define QUERY_MAX 2048

/* "&host=git.example.org" */
static bool append_parameter(char *query, size_t *used, const char *name, const char *value) {
        _cleanup_(freep) char *encoded = text_percent_encode(value);

        return encoded && text_append(query, QUERY_MAX, used, "%c%s=%s",
                                      strchr(query, '?') ? '&' : '?', name, encoded);
}

static int too_long(struct failure *failure) {
        return failure_set(failure, EXIT_USAGE, "the address is too long to ask the broker for");
}

static int ask(const struct client *client, const char *query, struct match *ret,
               struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer buffer = { 0 };
        struct json answer;
        int r;

        r = client_get(client, query, &buffer, &answer, failure);
        if (r == -EXIT_UNKNOWN_TOKEN)
                return MATCH_NONE;
        if (r < 0)
                return r;
        if (!json_text(answer, "name", ret->name, sizeof(ret->name)) || !text_is_name(ret->name))
                return failure_set(failure, EXIT_UNREACHABLE,
                                   "the broker's answer has no proper 'name'");
        (void)json_text(answer, "username", ret->username, sizeof(ret->username));
        (void)json_text(answer, "forge_type", ret->forge_type, sizeof(ret->forge_type));
        return MATCH_FOUND;
}

int match_url(const struct client *client, const char *protocol, const char *host, const char *path,
              struct match *ret, struct failure *failure) {
        char query[QUERY_MAX] = "/v1/match";
        size_t used = strlen(query);

        if (!append_parameter(query, &used, "protocol", protocol) ||
            !append_parameter(query, &used, "host", host) ||
            (*path && !append_parameter(query, &used, "path", path)))
                return too_long(failure);
        return ask(client, query, ret, failure);
}

int match_registry(const struct client *client, const char *registry, struct match *ret,
                   struct failure *failure) {
        char query[QUERY_MAX] = "/v1/match";
        size_t used = strlen(query);

        if (!append_parameter(query, &used, "registry", registry))
                return too_long(failure);
        return ask(client, query, ret, failure);
}
