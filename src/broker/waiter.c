#include "broker/waiter.h"

void waiter_leave(struct waiter *waiter) {
        struct waiter_list *list = waiter->list;

        if (!list)
                return;
        if (waiter->previous)
                waiter->previous->next = waiter->next;
        else
                list->first = waiter->next;
        if (waiter->next)
                waiter->next->previous = waiter->previous;
        else
                list->last = waiter->previous;
        waiter->next = waiter->previous = NULL;
        waiter->list = NULL;
}

void waiter_join(struct waiter *waiter, struct waiter_list *list) {
        waiter_leave(waiter);
        waiter->list = list;
        waiter->previous = list->last;
        if (list->last)
                list->last->next = waiter;
        else
                list->first = waiter;
        list->last = waiter;
}

void waiter_wake_all(struct waiter_list *list) {
        struct waiter_list now = { 0 };

        /* A woken waiter may join the same list again: those wait for the next time. */
        while (list->first)
                waiter_join(list->first, &now);
        while (now.first) {
                struct waiter *waiter = now.first;

                waiter_leave(waiter);
                waiter->wake(waiter);
        }
}
