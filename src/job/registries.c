#include "job/registries.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/token_list.h"

static bool is_known(const struct registries *registries, const char *host) {
        for (size_t i = 0; i < registries->count; i++)
                if (strcmp(registries->items[i].host, host) == 0)
                        return true;
        return false;
}

int registries_get(const struct client *client, struct registries *ret, struct failure *failure) {
        _cleanup_(token_list_done) struct token_list list = { 0 };
        struct json position = { 0 };
        struct token_item item;
        int r;

        ret->items = calloc(REGISTRIES_MAX, sizeof(ret->items[0]));
        if (!ret->items)
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        r = token_list_get(client, &list, failure);
        if (r < 0)
                return r;
        while (ret->count < REGISTRIES_MAX && token_list_next(&list, &position, &item)) {
                struct registry *registry = &ret->items[ret->count];

                /* "-": none.  What is no plain word is no host. */
                if (strcmp(item.registry, "-") == 0 || !text_is_plain(item.registry) ||
                    is_known(ret, item.registry))
                        continue;
                memcpy(registry->host, item.registry, sizeof(item.registry));
                memcpy(registry->username, item.username, sizeof(item.username));
                ret->count++;
        }
        return 0;
}

void registries_done(struct registries *registries) {
        free(registries->items);
        *registries = (struct registries){ 0 };
}
