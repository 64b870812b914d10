#include "broker/rate.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct rate *rate_new(void) {
        void *rate = mmap(NULL, sizeof(struct rate), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return rate == MAP_FAILED ? NULL : rate;
}

struct rate *rate_free(struct rate *rate) {
        if (rate)
                (void)munmap(rate, sizeof(*rate));
        return NULL;
}

const char *rate_origin(const struct peer *peer, char buffer[static CGROUP_PATH_MAX]) {
        if (peer->cgroup.own == 0) {
                (void)snprintf(buffer, CGROUP_PATH_MAX, "uid %u", (unsigned)peer->uid);
                return buffer;
        }
        memcpy(buffer, peer->cgroup.path, peer->cgroup.own);
        buffer[peer->cgroup.own] = '\0';
        return buffer;
}

/* A row that is free, or whose bucket is full: to forget it takes nothing from anybody and gives
 * nothing. */
static struct rate_row *unused_row(struct rate *rate, usec_t now) {
        for (size_t i = 0; i < rate->used; i++)
                if (rate->rows[i].budget.busy_until <= now)
                        return &rate->rows[i];
        return rate->used < RATE_ROWS ? &rate->rows[rate->used++] : NULL;
}

static struct budget *find(struct rate *rate, const struct peer *peer, usec_t now) {
        char origin[CGROUP_PATH_MAX];
        struct rate_row *row;

        (void)rate_origin(peer, origin);
        for (size_t i = 0; i < rate->used; i++)
                if (strcmp(rate->rows[i].origin, origin) == 0)
                        return &rate->rows[i].budget;
        row = unused_row(rate, now);
        if (!row)
                return &rate->shared;
        memcpy(row->origin, origin, sizeof(row->origin));
        row->budget = (struct budget){ 0 };
        return &row->budget;
}

bool rate_take(struct rate *rate, const struct peer *peer, unsigned per_second, unsigned burst,
               usec_t now) {
        usec_t interval, longest;
        struct budget *budget;

        if (per_second == 0)
                return true;
        interval = USEC_PER_SEC / per_second;
        longest = interval * burst;
        budget = find(rate, peer, now);
        /* A debt made under a slower rate, before a reload, is none of this one's. */
        if (budget->busy_until > now + longest)
                budget->busy_until = now + longest;
        return budget_take(budget, now, interval, burst);
}
