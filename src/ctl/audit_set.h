/*
 * A bounded set of byte strings that numbers its members: what an audit tells apart (tokens, hosts,
 * runs, ...).
 *
 * The strings come from journals, so the hash is seeded: nobody can choose ones that all fall into
 * one place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct audit_set {
        size_t max, count;
        size_t slots;    /* a power of two, at least twice max */
        uint32_t *table; /* number + 1 of the member in this place; 0: free */
        char **members;
        size_t *lengths;
        uint64_t seed;
};

enum { SET_KNOWN = 0, SET_ADDED = 1, SET_FULL = 2 };

/** audit_set_init() - an empty set of at most @max members; 0, or -1 for lack of memory */
int audit_set_init(struct audit_set *set, size_t max);
void audit_set_done(struct audit_set *set);

/**
 * audit_set_add() - finds a member or makes one
 * @ret: its number, counting from 0 in the order of their making; not written for SET_FULL
 *
 * Return: SET_KNOWN, SET_ADDED, SET_FULL, or -1 for lack of memory.
 */
int audit_set_add(struct audit_set *set, const void *bytes, size_t length, size_t *ret);
