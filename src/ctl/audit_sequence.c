#include "ctl/audit_sequence.h"

#include <stdlib.h>
#include <string.h>

int audit_sequences_init(struct audit_sequences *sequences) {
        *sequences = (struct audit_sequences){ 0 };
        sequences->instances = calloc(AUDIT_INSTANCES_MAX, sizeof(*sequences->instances));
        return sequences->instances ? audit_set_init(&sequences->ids, AUDIT_INSTANCES_MAX) : -1;
}

void audit_sequences_done(struct audit_sequences *sequences) {
        for (size_t i = 0; i < sequences->ids.count; i++)
                free(sequences->instances[i].spans);
        free(sequences->instances);
        audit_set_done(&sequences->ids);
}

static void remove_span(struct audit_instance *instance, size_t i) {
        instance->count--;
        memmove(instance->spans + i, instance->spans + i + 1,
                (instance->count - i) * sizeof(*instance->spans));
}

static int insert_span(struct audit_instance *instance, size_t i, uint64_t number, usec_t at) {
        struct audit_span *grown;

        if (instance->count == AUDIT_SPANS_MAX) {
                instance->too_many = true;
                return SEQUENCE_NEW;
        }
        /* Most instances have one span for ever; the size doubles when it is a power of two. */
        if ((instance->count & (instance->count - 1)) == 0) {
                grown = realloc(instance->spans,
                                (instance->count ? 2 * instance->count : 1) * sizeof(*grown));
                if (!grown)
                        return -1;
                instance->spans = grown;
        }
        memmove(instance->spans + i + 1, instance->spans + i,
                (instance->count - i) * sizeof(*instance->spans));
        instance->spans[i] =
            (struct audit_span){ .first = number, .last = number, .first_at = at, .last_at = at };
        instance->count++;
        return SEQUENCE_NEW;
}

/* Records come nearly in order, so the search begins at the end. */
static int add_number(struct audit_instance *instance, uint64_t number, usec_t at) {
        struct audit_span *spans = instance->spans;
        size_t i = instance->count;

        while (i > 0 && spans[i - 1].first > number)
                i--;
        /* spans[i - 1] begins at or below the number, spans[i] above it. */
        if (i > 0 && number <= spans[i - 1].last)
                return SEQUENCE_REPEATED;
        if (i > 0 && number == spans[i - 1].last + 1) {
                spans[i - 1].last = number;
                spans[i - 1].last_at = at;
                if (i < instance->count && spans[i].first == number + 1) {
                        spans[i - 1].last = spans[i].last;
                        spans[i - 1].last_at = spans[i].last_at;
                        remove_span(instance, i);
                }
                return SEQUENCE_NEW;
        }
        if (i < instance->count && spans[i].first == number + 1) {
                spans[i].first = number;
                spans[i].first_at = at;
                return SEQUENCE_NEW;
        }
        return insert_span(instance, i, number, at);
}

int audit_sequences_add(struct audit_sequences *sequences, const char *id, uint64_t number,
                        usec_t at, size_t host) {
        struct audit_instance *instance;
        size_t index;
        int r = audit_set_add(&sequences->ids, id, strlen(id), &index);

        if (r < 0)
                return -1;
        if (r == SET_FULL) {
                sequences->lost++;
                return SEQUENCE_NEW;
        }
        instance = &sequences->instances[index];
        if (r == SET_ADDED)
                *instance = (struct audit_instance){ .id = sequences->ids.members[index],
                                                     .host = host,
                                                     .first_at = at };
        if (at < instance->first_at)
                instance->first_at = at;
        if (at > instance->last_at)
                instance->last_at = at;
        return add_number(instance, number, at);
}
