/*
 * Who waits for something that is under way: an intrusive list.  A waiter is in at most one list
 * and is woken once.
 */
#pragma once

#include <stddef.h>

struct waiter;

struct waiter_list {
        struct waiter *first, *last;
};

struct waiter {
        struct waiter *next, *previous;
        struct waiter_list *list;            /* NULL: waits for nothing */
        void (*wake)(struct waiter *waiter); /* called with the waiter already out of the list */
};

/** waiter_join() - appends; leaves the list it was in before */
void waiter_join(struct waiter *waiter, struct waiter_list *list);

/** waiter_leave() - no-op if it waits for nothing */
void waiter_leave(struct waiter *waiter);

/** waiter_wake_all() - wakes those that are in the list now; who joins meanwhile stays */
void waiter_wake_all(struct waiter_list *list);
