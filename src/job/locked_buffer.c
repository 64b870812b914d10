#include "job/locked_buffer.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES 4096U

bool locked_buffer_reserve(struct locked_buffer *buffer, size_t size) {
        struct locked_buffer larger = { .used = buffer->used };

        if (size <= buffer->size)
                return true;
        larger.size = (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        if (larger.size < size)
                return false;
        larger.bytes =
            mmap(NULL, larger.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (larger.bytes == MAP_FAILED)
                return false;
        /* A container's RLIMIT_MEMLOCK may be 0: then swap is the host's concern, and the job gets
         * its token. */
        (void)mlock(larger.bytes, larger.size);
        (void)madvise(larger.bytes, larger.size, MADV_DONTDUMP);
        if (buffer->used > 0)
                memcpy(larger.bytes, buffer->bytes, buffer->used);
        locked_buffer_done(buffer);
        *buffer = larger;
        return true;
}

bool locked_buffer_append(struct locked_buffer *buffer, const void *bytes, size_t length) {
        if (length == 0)
                return true;
        if (length > SIZE_MAX / 2 - buffer->used ||
            !locked_buffer_reserve(buffer, buffer->used + length))
                return false;
        memcpy(buffer->bytes + buffer->used, bytes, length);
        buffer->used += length;
        return true;
}

void locked_buffer_clear(struct locked_buffer *buffer) {
        if (buffer->bytes)
                explicit_bzero(buffer->bytes, buffer->size);
        buffer->used = 0;
}

void locked_buffer_done(struct locked_buffer *buffer) {
        if (buffer->bytes) {
                explicit_bzero(buffer->bytes, buffer->size);
                (void)munmap(buffer->bytes, buffer->size);
        }
        *buffer = (struct locked_buffer){ 0 };
}
