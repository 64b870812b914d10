#include "base/wiping.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What one TLS connection takes while it is made: giving back less is not worth the look at the
 * whole heap. */
#define TRIM_BYTES (64 * 1024)

static atomic_size_t in_use;
static atomic_size_t peak; /* of in_use, since the last trim */

/*
 * What is wiped, and what is counted, is all that malloc() has set aside for a block: a header with
 * the size in front of each would be a quarter of what OpenSSL's thousands of small ones take.
 */
static void *counted(void *block) {
        size_t bytes, now;

        if (!block)
                return NULL;
        bytes = malloc_usable_size(block);
        now = atomic_fetch_add_explicit(&in_use, bytes, memory_order_relaxed) + bytes;
        /* A peak that another thread makes at the same moment may get lost: it only says when
         * trimming is worth while. */
        if (now > atomic_load_explicit(&peak, memory_order_relaxed))
                atomic_store_explicit(&peak, now, memory_order_relaxed);
        return block;
}

void *wiping_malloc(size_t bytes) {
        /* Said here and not by malloc(): the tools that watch it take such a size for a fault. */
        return bytes <= PTRDIFF_MAX ? counted(malloc(bytes)) : NULL;
}

void wiping_free(void *block) {
        size_t bytes;

        if (!block)
                return;
        bytes = malloc_usable_size(block);
        atomic_fetch_sub_explicit(&in_use, bytes, memory_order_relaxed);
        explicit_bzero(block, bytes);
        free(block);
}

void *wiping_calloc(size_t count, size_t bytes) {
        size_t total;

        if (__builtin_mul_overflow(count, bytes, &total) || total > PTRDIFF_MAX)
                return NULL;
        return counted(calloc(1, total));
}

void *wiping_realloc(void *block, size_t bytes) {
        void *grown;
        size_t old;

        if (!block)
                return wiping_malloc(bytes);
        /* realloc() would leave the old bytes behind when it moves the block. */
        grown = wiping_malloc(bytes);
        if (!grown)
                return NULL;
        old = malloc_usable_size(block);
        memcpy(grown, block, old < bytes ? old : bytes);
        wiping_free(block);
        return grown;
}

char *wiping_strdup(const char *text) {
        size_t bytes = strlen(text) + 1;
        char *copy = wiping_malloc(bytes);

        if (copy)
                memcpy(copy, text, bytes);
        return copy;
}

size_t wiping_in_use(void) {
        return atomic_load_explicit(&in_use, memory_order_relaxed);
}

void wiping_trim(void) {
        size_t now = wiping_in_use();

        if (atomic_load_explicit(&peak, memory_order_relaxed) < now + TRIM_BYTES)
                return;
        atomic_store_explicit(&peak, now, memory_order_relaxed);
        (void)malloc_trim(0);
}
