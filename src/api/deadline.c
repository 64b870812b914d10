#include "api/deadline.h"

#include <string.h>

/* Wake-ups this close together are made one; nobody notices a cut-off that is this late. */
#define ACCURACY (10 * USEC_PER_MSEC)

/* Later than this and the loop was held up (stopped, swapped out): what clients have sent
 * meanwhile was not read yet, and they are given as long as it takes to read it. */
#define LATE  (200 * USEC_PER_MSEC)
#define GRACE (20 * USEC_PER_MSEC)

static void arm(struct deadlines *list, usec_t at) {
        /* These fail only for arguments out of range. */
        (void)sd_event_source_set_time(list->timer, at);
        (void)sd_event_source_set_enabled(list->timer, SD_EVENT_ONESHOT);
        list->armed = at;
}

static int on_timer(sd_event_source *source, usec_t scheduled, void *userdata) {
        struct deadlines *list = userdata;
        usec_t now = clock_monotonic();

        (void)source;
        if (now > scheduled + LATE) {
                arm(list, now + GRACE);
                return 0;
        }
        list->armed = USEC_INFINITY;
        while (list->first && list->first->at <= now) {
                struct deadline *due = list->first;

                deadline_clear(due);
                list->expired(due);
        }
        if (list->first)
                arm(list, list->first->at);
        return 0;
}

int deadlines_init(struct deadlines *list, sd_event *event,
                   void (*expired)(struct deadline *deadline), struct error *err) {
        int r;

        *list = (struct deadlines){ .armed = USEC_INFINITY, .expired = expired };
        r = sd_event_add_time(event, &list->timer, CLOCK_MONOTONIC, 0, ACCURACY, on_timer, list);
        if (r >= 0)
                r = sd_event_source_set_enabled(list->timer, SD_EVENT_OFF);
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer: %s", strerror(-r));
        return 0;
}

void deadlines_done(struct deadlines *list) {
        list->timer = sd_event_source_disable_unref(list->timer);
}

void deadline_clear(struct deadline *deadline) {
        struct deadlines *list = deadline->list;

        if (!list)
                return;
        if (deadline->previous)
                deadline->previous->next = deadline->next;
        else
                list->first = deadline->next;
        if (deadline->next)
                deadline->next->previous = deadline->previous;
        else
                list->last = deadline->previous;
        list->count--;
        deadline->next = deadline->previous = NULL;
        deadline->list = NULL;
}

void deadline_set(struct deadline *deadline, struct deadlines *list, usec_t at) {
        struct deadline *before;

        deadline_clear(deadline);
        /* Nearly always the latest of its kind: they are equally long, but a reload may change how
         * long. */
        for (before = list->last; before && before->at > at; before = before->previous)
                ;
        deadline->at = at;
        deadline->list = list;
        deadline->previous = before;
        deadline->next = before ? before->next : list->first;
        if (deadline->next)
                deadline->next->previous = deadline;
        else
                list->last = deadline;
        if (before)
                before->next = deadline;
        else
                list->first = deadline;
        list->count++;
        if (at < list->armed)
                arm(list, at);
}
