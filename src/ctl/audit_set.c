#include "ctl/audit_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int audit_set_init(struct audit_set *set, size_t max) {
        *set = (struct audit_set){ .max = max, .slots = 16 };
        while (set->slots < 2 * max)
                set->slots *= 2;
        if (getrandom(&set->seed, sizeof(set->seed), 0) != (ssize_t)sizeof(set->seed))
                return -1;
        set->table = calloc(set->slots, sizeof(*set->table));
        set->members = calloc(max, sizeof(*set->members));
        set->lengths = calloc(max, sizeof(*set->lengths));
        return set->table && set->members && set->lengths ? 0 : -1;
}

void audit_set_done(struct audit_set *set) {
        for (size_t i = 0; i < set->count; i++)
                free(set->members[i]);
        free(set->table);
        free(set->members);
        free(set->lengths);
        *set = (struct audit_set){ 0 };
}

/* FNV-1a over a secret start, and a last mixing so that the low bits depend on all of it. */
static size_t place(const struct audit_set *set, const unsigned char *bytes, size_t length) {
        uint64_t hash = UINT64_C(14695981039346656037) ^ set->seed;

        for (size_t i = 0; i < length; i++)
                hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
        hash ^= hash >> 32;
        return (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (set->slots - 1);
}

int audit_set_add(struct audit_set *set, const void *bytes, size_t length, size_t *ret) {
        size_t slot = place(set, bytes, length);
        char *copy;

        for (; set->table[slot]; slot = (slot + 1) & (set->slots - 1)) {
                size_t number = set->table[slot] - 1;

                if (set->lengths[number] == length &&
                    memcmp(set->members[number], bytes, length) == 0) {
                        *ret = number;
                        return SET_KNOWN;
                }
        }
        if (set->count == set->max)
                return SET_FULL;
        copy = malloc(length + 1);
        if (!copy)
                return -1;
        memcpy(copy, bytes, length);
        copy[length] = '\0';
        set->members[set->count] = copy;
        set->lengths[set->count] = length;
        *ret = set->count++;
        set->table[slot] = (uint32_t)*ret + 1;
        return SET_ADDED;
}
