#include "broker/attempts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct attempts *attempts, size_t room) {
        struct attempt *items;

        if (room <= attempts->room)
                return true;
        items = reallocarray(attempts->items, room, sizeof(*items));
        if (!items)
                return false;
        attempts->items = items;
        attempts->room = room;
        return true;
}

int attempts_reserve(struct attempts *attempts, struct error *err) {
        return make_room(attempts, 1) ? 0 : error_oom(err);
}

void attempts_add(struct attempts *attempts, enum source source, const char *url,
                  const struct error *error) {
        struct attempt *attempt;

        if (attempts->count == ATTEMPTS_MAX || !make_room(attempts, attempts->count + 1))
                return;
        attempt = &attempts->items[attempts->count++];
        attempt->source = source;
        attempt->error = error_keep(NULL, error);
        (void)snprintf(attempt->url, sizeof(attempt->url), "%s", url ? url : "");
}

static void forget(struct attempts *attempts) {
        while (attempts->count > 0)
                (void)error_release(attempts->items[--attempts->count].error);
}

void attempts_take(struct attempts *to, struct attempts *from) {
        forget(to);
        if (from->count > 0 && make_room(to, from->count)) {
                memcpy(to->items, from->items, from->count * sizeof(from->items[0]));
                to->count = from->count;
                from->count = 0;
        }
        forget(from);
}

void attempts_done(struct attempts *attempts) {
        forget(attempts);
        free(attempts->items);
        *attempts = (struct attempts){ 0 };
}
