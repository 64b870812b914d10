#include "job/token_list.h"

#include <string.h>

#include "base/text.h"

int token_list_get(const struct client *client, struct token_list *ret, struct failure *failure) {
        struct json object;
        int r;

        r = client_get(client, "/v1/tokens", &ret->answer, &object, failure);
        if (r < 0)
                return r;
        if (!json_member(object, "tokens", &ret->items) || json_type(ret->items) != JSON_ARRAY)
                return failure_set(failure, EXIT_UNREACHABLE,
                                   "the broker's answer has no proper 'tokens'");
        return 0;
}

void token_list_done(struct token_list *list) {
        locked_buffer_done(&list->answer);
}

static void read_text(struct json item, const char *member, char *buffer, size_t size) {
        if (!json_text(item, member, buffer, size) || buffer[0] == '\0')
                memcpy(buffer, "-", 2);
}

/* A list that is cut says so. */
static void read_targets(struct json item, char *buffer, size_t size) {
        struct json list, target = { 0 };
        char text[128];
        size_t length, used = 0;

        memcpy(buffer, "-", 2);
        if (!json_member(item, "for", &list))
                return;
        while (json_next(list, &target)) {
                if (!json_string(target, text, sizeof(text), &length) ||
                    used + length + sizeof(", ...") >= size) {
                        (void)text_append(buffer, size, &used, "%s", used > 0 ? ", ..." : "...");
                        return;
                }
                (void)text_append(buffer, size, &used, "%s%s", used > 0 ? ", " : "", text);
        }
        if (used > 0)
                (void)text_clean(buffer, size, memcpy(text, buffer, used), used);
}

bool token_list_next(const struct token_list *list, struct json *position, struct token_item *ret) {
        while (json_next(list->items, position)) {
                /* A name that the broker's own grammar does not allow could not be asked for
                 * either. */
                if (!json_text(*position, "name", ret->name, sizeof(ret->name)) ||
                    !text_is_name(ret->name))
                        continue;
                read_text(*position, "forge", ret->forge, sizeof(ret->forge));
                read_text(*position, "forge_type", ret->forge_type, sizeof(ret->forge_type));
                read_text(*position, "forge_url", ret->forge_url, sizeof(ret->forge_url));
                read_text(*position, "state", ret->state, sizeof(ret->state));
                read_text(*position, "source", ret->source, sizeof(ret->source));
                read_text(*position, "registry", ret->registry, sizeof(ret->registry));
                read_text(*position, "username", ret->username, sizeof(ret->username));
                read_targets(*position, ret->targets, sizeof(ret->targets));
                return true;
        }
        return false;
}

static void add_names(const struct token_list *list, struct failure *failure) {
        struct json position = { 0 };
        struct token_item item;
        size_t used = 0;

        while (token_list_next(list, &position, &item)) {
                /* A list that is cut says so. */
                if (used + strlen(item.name) + sizeof(", ...") >= sizeof(failure->known)) {
                        (void)text_append(failure->known, sizeof(failure->known), &used, ", ...");
                        return;
                }
                (void)text_append(failure->known, sizeof(failure->known), &used, "%s%s",
                                  used > 0 ? ", " : "", item.name);
        }
        if (used == 0)
                (void)text_append(failure->known, sizeof(failure->known), &used, "none");
}

int token_list_find(const struct token_list *list, const char *name, struct json *position,
                    struct token_item *ret, struct failure *failure) {
        int r;

        *position = (struct json){ 0 };
        while (token_list_next(list, position, ret))
                if (strcmp(ret->name, name) == 0)
                        return 0;
        r = failure_set(failure, EXIT_UNKNOWN_TOKEN, "there is no token '%s'", name);
        add_names(list, failure);
        return r;
}

void token_list_add_known(const struct client *client, struct failure *failure) {
        _cleanup_(token_list_done) struct token_list list = { 0 };
        struct failure unused;

        if (token_list_get(client, &list, &unused) == 0)
                add_names(&list, failure);
}
