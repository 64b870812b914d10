#include "base/secret.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(address, bytes)   ASAN_POISON_MEMORY_REGION(address, bytes)
#define UNPOISON(address, bytes) ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#else
#define POISON(address, bytes)   ((void)(address), (void)(bytes))
#define UNPOISON(address, bytes) ((void)(address), (void)(bytes))
#endif

/* Pages are taken up when first touched, so a small daemon holds a few of them.  4 MiB is half of
 * the 8 MiB that systemd lets an unprivileged service lock; it holds 64 answers of the largest
 * size that is read. */
#define REGION_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define REGION_MIN_BYTES ((size_t)512 * 1024)

#define MEMFD_SECRET_CLOEXEC 02000000U

/*
 * The region is a row of blocks.  A block knows its own size and its left neighbour's, so that a
 * released block joins free neighbours at once; free blocks are also in a list.
 */
struct block {
        size_t size;      /* header included, a multiple of ALIGNMENT; low bit: in use */
        size_t left_size; /* 0 for the first block */
        struct block *next, *previous; /* only while free: the payload begins here */
};

#define ALIGNMENT    ((size_t)16)
#define HEADER_BYTES (2 * sizeof(size_t))
#define IN_USE       ((size_t)1)

struct secret {
        unsigned references;
        size_t length, capacity, max;
        char *bytes; /* a block of its own, NUL behind the last byte */
};

static struct {
        char *base;
        size_t bytes;
        size_t in_use;
        struct block *free_list;
} region;

static size_t block_size(const struct block *block) {
        return block->size & ~IN_USE;
}

static struct block *block_right(struct block *block) {
        char *right = (char *)block + block_size(block);

        return right < region.base + region.bytes ? (struct block *)(void *)right : NULL;
}

static struct block *block_left(struct block *block) {
        return block->left_size > 0 ? (struct block *)(void *)((char *)block - block->left_size)
                                    : NULL;
}

static void list_add(struct block *block) {
        block->previous = NULL;
        block->next = region.free_list;
        if (region.free_list)
                region.free_list->previous = block;
        region.free_list = block;
        POISON(block + 1, block_size(block) - sizeof(*block));
}

static void list_remove(struct block *block) {
        UNPOISON(block + 1, block_size(block) - sizeof(*block));
        if (block->previous)
                block->previous->next = block->next;
        else
                region.free_list = block->next;
        if (block->next)
                block->next->previous = block->previous;
}

static void set_size(struct block *block, size_t size, size_t flag) {
        struct block *right;

        block->size = size | flag;
        right = block_right(block);
        if (right)
                right->left_size = size;
}

void *secret_alloc(size_t bytes) {
        struct block *block;
        size_t size;

        if (bytes > region.bytes)
                return NULL;
        size = (bytes + HEADER_BYTES + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
        if (size < sizeof(struct block))
                size = sizeof(struct block);
        for (block = region.free_list; block; block = block->next)
                if (block_size(block) >= size)
                        break;
        if (!block)
                return NULL;

        list_remove(block);
        if (block_size(block) >= size + sizeof(struct block)) {
                struct block *rest = (struct block *)(void *)((char *)block + size);
                size_t rest_size = block_size(block) - size;

                rest->left_size = size;
                set_size(rest, rest_size, 0);
                list_add(rest);
                block->size = size;
        }
        block->size |= IN_USE;
        region.in_use += block_size(block);
        return &block->next;
}

void secret_free(void *payload) {
        struct block *block, *neighbour;
        size_t size;

        if (!payload)
                return;
        block = (struct block *)(void *)((char *)payload - HEADER_BYTES);
        size = block_size(block);
        region.in_use -= size;
        explicit_bzero(payload, size - HEADER_BYTES);

        neighbour = block_right(block);
        if (neighbour && !(neighbour->size & IN_USE)) {
                list_remove(neighbour);
                size += block_size(neighbour);
        }
        neighbour = block_left(block);
        if (neighbour && !(neighbour->size & IN_USE)) {
                list_remove(neighbour);
                size += block_size(neighbour);
                block = neighbour;
        }
        set_size(block, size, 0);
        list_add(block);
}

static char *map_memfd(size_t bytes) {
        _cleanup_(closep) int fd = -1;
        void *base;

#ifdef SYS_memfd_secret
        fd = (int)syscall(SYS_memfd_secret, MEMFD_SECRET_CLOEXEC);
#endif
        if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
                return NULL;
        base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (base == MAP_FAILED)
                return NULL;
        (void)madvise(base, bytes, MADV_DONTFORK);
        return base;
}

/* Locks pages as they are touched; where that is not to be had, all at once. */
static int lock_region(void *base, size_t bytes) {
        if (mlock2(base, bytes, MLOCK_ONFAULT) == 0)
                return 0;
        /* glibc turns an unknown mlock2() into EINVAL. */
        return errno == ENOSYS || errno == EINVAL ? mlock(base, bytes) : -1;
}

static char *map_locked(size_t bytes) {
        void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (base == MAP_FAILED)
                return NULL;
        if (lock_region(base, bytes) < 0 || madvise(base, bytes, MADV_DONTDUMP) < 0 ||
            madvise(base, bytes, MADV_WIPEONFORK) < 0) {
                (void)munmap(base, bytes);
                return NULL;
        }
        return base;
}

int secret_init(bool use_memfd, struct error *err) {
        for (size_t bytes = REGION_MAX_BYTES; bytes >= REGION_MIN_BYTES; bytes /= 2) {
                char *base = use_memfd ? map_memfd(bytes) : NULL;

                if (!base)
                        base = map_locked(bytes);
                if (!base)
                        continue;
                region.base = base;
                region.bytes = bytes;
                region.in_use = 0;
                region.free_list = NULL;
                set_size((struct block *)(void *)base, bytes, 0);
                ((struct block *)(void *)base)->left_size = 0;
                list_add((struct block *)(void *)base);
                return 0;
        }
        (void)error_set(err, DIAG_INTERNAL_ERROR, "cannot lock %zu KiB of memory for secrets",
                        REGION_MIN_BYTES / 1024);
        error_remedy_set(err,
                         "Raise LimitMEMLOCK= of the unit (or 'ulimit -l') to at least %zu KiB.",
                         REGION_MAX_BYTES / 1024);
        return -(int)DIAG_INTERNAL_ERROR;
}

void secret_done(void) {
        if (!region.base)
                return;
        UNPOISON(region.base, region.bytes);
        (void)munmap(region.base, region.bytes); /* each block was wiped when it was released */
        region.base = NULL;
        region.bytes = 0;
        region.free_list = NULL;
}

struct secret *secret_new(size_t max_bytes) {
        struct secret *secret = secret_alloc(sizeof(*secret));

        if (!secret)
                return NULL;
        *secret = (struct secret){ .references = 1, .max = max_bytes };
        return secret;
}

struct secret *secret_copy(const void *bytes, size_t length) {
        _cleanup_(secret_unrefp) struct secret *secret = secret_new(length);

        if (!secret || !secret_append(secret, bytes, length))
                return NULL;
        return take(secret);
}

static bool grow(struct secret *secret, size_t wanted) {
        size_t capacity = secret->capacity > 0 ? secret->capacity : 64;
        char *bytes;

        while (capacity < wanted)
                capacity *= 2;
        if (capacity > secret->max + 1)
                capacity = secret->max + 1;
        bytes = secret_alloc(capacity);
        if (!bytes)
                return false;
        if (secret->length > 0)
                memcpy(bytes, secret->bytes, secret->length);
        secret_free(secret->bytes);
        secret->bytes = bytes;
        secret->capacity = capacity;
        return true;
}

bool secret_append(struct secret *secret, const void *bytes, size_t length) {
        if (length > secret->max - secret->length)
                return false;
        /* With its NUL; a secret that is still empty has no bytes at all. */
        if (length >= secret->capacity - secret->length &&
            !grow(secret, secret->length + length + 1))
                return false;
        if (length > 0)
                memcpy(secret->bytes + secret->length, bytes, length);
        secret->length += length;
        secret->bytes[secret->length] = '\0';
        return true;
}

void secret_truncate(struct secret *secret, size_t length) {
        if (length >= secret->length)
                return;
        explicit_bzero(secret->bytes + length, secret->length - length);
        secret->length = length;
}

struct secret *secret_ref(struct secret *secret) {
        secret->references++;
        return secret;
}

struct secret *secret_unref(struct secret *secret) {
        if (secret && --secret->references == 0) {
                secret_free(secret->bytes);
                secret_free(secret);
        }
        return NULL;
}

const char *secret_bytes(const struct secret *secret) {
        return secret->bytes ? secret->bytes : "";
}

char *secret_buffer(struct secret *secret) {
        return secret->bytes;
}

size_t secret_length(const struct secret *secret) {
        return secret->length;
}

bool secret_equal(const struct secret *a, const struct secret *b) {
        unsigned char difference = 0;

        if (a->length != b->length)
                return false;
        for (size_t i = 0; i < a->length; i++)
                difference |= (unsigned char)(a->bytes[i] ^ b->bytes[i]);
        return difference == 0;
}

size_t secret_in_use(void) {
        return region.in_use;
}

size_t secret_capacity(void) {
        return region.bytes;
}
