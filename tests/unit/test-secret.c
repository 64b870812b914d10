/*
 * The locked region: whatever is asked for and given back in whatever order, blocks do not overlap,
 * nothing is left behind, and what was taken can be had again.  On both kinds of memory.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret.h"

#define BLOCKS 300
#define ROUNDS 20000

/* Told apart by nothing else: a growing vector of the same numbers at each run. */
static unsigned next_random(void) {
        static uint64_t x = 88172645463325252u;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return (unsigned)(x >> 16);
}

static bool is_filled(const unsigned char *bytes, size_t length, unsigned char with) {
        for (size_t i = 0; i < length; i++)
                if (bytes[i] != with)
                        return false;
        return true;
}

/* The largest block that can be had now. */
static size_t largest_block(void) {
        size_t low = 0, high = (size_t)8 * 1024 * 1024;

        while (low < high) {
                size_t middle = (low + high + 1) / 2;
                void *block = secret_alloc(middle);

                if (block) {
                        low = middle;
                        secret_free(block);
                } else {
                        high = middle - 1;
                }
        }
        return low;
}

static void blocks_in_any_order_do_not_overlap_and_join_again(void **state) {
        struct {
                unsigned char *bytes;
                size_t length;
                unsigned char with;
        } blocks[BLOCKS] = { 0 };
        size_t before = largest_block();

        (void)state;
        assert_true(before > (size_t)400 * 1024);
        for (unsigned round = 0; round < ROUNDS; round++) {
                unsigned i = next_random() % BLOCKS;

                if (blocks[i].bytes) {
                        assert_true(is_filled(blocks[i].bytes, blocks[i].length, blocks[i].with));
                        secret_free(blocks[i].bytes);
                        blocks[i].bytes = NULL;
                        continue;
                }
                blocks[i].length = next_random() % (round % 8 ? 200 : 20000);
                blocks[i].with = (unsigned char)(next_random() | 1);
                blocks[i].bytes = secret_alloc(blocks[i].length);
                if (!blocks[i].bytes)
                        continue;
                assert_int_equal((uintptr_t)blocks[i].bytes % 16, 0);
                memset(blocks[i].bytes, blocks[i].with, blocks[i].length);
        }
        for (unsigned i = 0; i < BLOCKS; i++) {
                if (blocks[i].bytes)
                        assert_true(is_filled(blocks[i].bytes, blocks[i].length, blocks[i].with));
                secret_free(blocks[i].bytes);
        }
        assert_int_equal(secret_in_use(), 0);
        assert_int_equal(largest_block(), before);
}

static void a_full_region_refuses_and_recovers(void **state) {
        enum { PIECE = 64 * 1024, MAX = 4096 };
        void *pieces[MAX];
        size_t n = 0, before = largest_block();

        (void)state;
        while (n < MAX && (pieces[n] = secret_alloc(PIECE)))
                n++;
        assert_true(n >= 7 && n < MAX);
        assert_null(secret_alloc(PIECE));
        assert_null(secret_alloc(SIZE_MAX));
        assert_null(secret_alloc(SIZE_MAX - 8));
        assert_true(secret_in_use() >= n * PIECE);

        /* Every second one back: none of the holes takes two. */
        for (size_t i = 0; i < n; i += 2)
                secret_free(pieces[i]);
        assert_null(secret_alloc(2 * PIECE + 4096));
        for (size_t i = 0; i < n; i += 2) {
                pieces[i] = secret_alloc(PIECE);
                assert_non_null(pieces[i]);
        }
        while (n > 0)
                secret_free(pieces[--n]);
        assert_int_equal(secret_in_use(), 0);
        assert_int_equal(largest_block(), before);
}

static void a_secret_that_finds_no_room_stays_as_it_was(void **state) {
        struct secret *secret = secret_new(SIZE_MAX / 4);
        void *rest;

        (void)state;
        assert_non_null(secret);
        assert_true(secret_append(secret, "abcdef", 6));
        rest = secret_alloc(largest_block());
        assert_non_null(rest);
        memset(rest, 1, 16);
        while (largest_block() > 0)
                /* the splinters: given back with the region */
                assert_non_null(secret_alloc(largest_block()));
        for (int i = 0; i < 4096 && secret_append(secret, "0123456789abcdef", 16); i++)
                ;
        assert_true(secret_length(secret) < 6 + 4096 * 16);
        assert_memory_equal(secret_bytes(secret), "abcdef0123456789",
                            secret_length(secret) < 16 ? 6 : 16);
        assert_int_equal(strlen(secret_bytes(secret)), secret_length(secret));
        secret_free(rest);
        (void)secret_unref(secret);
}

/*
 * Scans what the region hands out, which is all of it that is free: a word that was released must
 * be nowhere.  Under AddressSanitizer a block is read only while it is ours, as here.
 */
static void assert_region_is_clean(void) {
        size_t bytes = largest_block();
        unsigned char *all = secret_alloc(bytes);

        assert_non_null(all);
        /* The links of the free list were in the first bytes. */
        assert_true(is_filled(all + 32, bytes - 32, 0));
        secret_free(all);
}

static void what_is_released_is_wiped(void **state) {
        struct secret *secret, *other;

        (void)state;
        secret = secret_new(10000);
        assert_non_null(secret);
        for (int i = 0; i < 1000; i++) /* through all sizes of its block */
                assert_true(secret_append(secret, "topsecret!", 10));
        assert_false(secret_append(secret, "x", 1));
        assert_int_equal(secret_length(secret), 10000);
        assert_int_equal(strlen(secret_bytes(secret)), 10000);

        other = secret_ref(secret);
        assert_null(secret_unref(secret));
        assert_memory_equal(secret_bytes(other), "topsecret!", 10);
        (void)secret_unref(other);
        assert_int_equal(secret_in_use(), 0);
        assert_region_is_clean();
}

static void growing_leaves_nothing_behind(void **state) {
        struct secret *secret = secret_new(4096);
        unsigned char *block;

        (void)state;
        assert_true(
            secret_append(secret, "topsecret!topsecret!topsecret!topsecret!topsecret!", 50));
        assert_true(
            secret_append(secret, "topsecret!topsecret!topsecret!topsecret!topsecret!", 50));
        /* The block it grew out of is the first that fits. */
        block = secret_alloc(48);
        assert_non_null(block);
        assert_true(is_filled(block + 16, 32, 0));
        secret_free(block);
        (void)secret_unref(secret);
}

static void cutting_wipes_the_tail(void **state) {
        struct secret *secret = secret_copy("abcdefgh", 8);

        (void)state;
        secret_truncate(secret, 20);
        assert_int_equal(secret_length(secret), 8);
        secret_truncate(secret, 3);
        assert_string_equal(secret_bytes(secret), "abc");
        assert_memory_equal(secret_buffer(secret), "abc\0\0\0\0\0", 8);
        (void)secret_unref(secret);
}

static void equal_means_the_same_bytes(void **state) {
        static const struct {
                const char *a, *b;
                bool equal;
        } rows[] = {
                { "", "", true },
                { "a", "a", true },
                { "a", "b", false },
                { "a", "", false },
                { "ab", "a", false },
                { "token", "token", true },
                { "token", "tokem", false },
                { "xoken", "token", false },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct secret *a = secret_copy(rows[i].a, strlen(rows[i].a));
                struct secret *b = secret_copy(rows[i].b, strlen(rows[i].b));

                assert_int_equal(secret_equal(a, b), rows[i].equal);
                assert_string_equal(secret_bytes(a), rows[i].a);
                (void)secret_unref(a);
                (void)secret_unref(b);
        }
}

static void a_child_does_not_inherit_the_bytes(void **state) {
        struct secret *secret = secret_copy("topsecret!", 10);
        volatile const char *bytes = secret_bytes(secret);
        int status;
        pid_t pid;

        (void)state;
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                /* Wiped, or not mapped at all: then the look ends this child by a signal, which is
                 * none of cmocka's. */
                (void)signal(SIGSEGV, SIG_DFL);
                _exit(bytes[0] == 't' ? 1 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        (void)secret_unref(secret);
}

static int with_memfd(void **state) {
        (void)state;
        return secret_init(true, NULL);
}

static int with_locked_pages(void **state) {
        (void)state;
        return secret_init(false, NULL);
}

static int tear_down(void **state) {
        (void)state;
        secret_done();
        return 0;
}

#define BOTH(test)                                                                                 \
        { #test " (memfd_secret)", test, with_memfd, tear_down, NULL }, {                          \
#test " (locked pages)", test, with_locked_pages, tear_down, NULL                  \
        }

int main(void) {
        const struct CMUnitTest tests[] = {
                BOTH(blocks_in_any_order_do_not_overlap_and_join_again),
                BOTH(a_full_region_refuses_and_recovers),
                BOTH(a_secret_that_finds_no_room_stays_as_it_was),
                BOTH(what_is_released_is_wiped),
                BOTH(growing_leaves_nothing_behind),
                BOTH(cutting_wipes_the_tail),
                BOTH(equal_means_the_same_bytes),
                BOTH(a_child_does_not_inherit_the_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
