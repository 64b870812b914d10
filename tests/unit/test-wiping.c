/*
 * The wiping heap: as malloc() and its kin, and what is released is wiped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/wiping.h"

static void the_wiping_heap_counts_copies_and_refuses_overflow(void **state) {
        size_t before = wiping_in_use();
        char *text = wiping_strdup("abc"), *block = wiping_calloc(3, 5);

        (void)state;
        assert_string_equal(text, "abc");
        assert_memory_equal(block, (char[15]){ 0 }, 15);
        assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
        /* what malloc() rounds up counts as well */
        assert_true(wiping_in_use() >= before + 4 + 15);
        text = wiping_realloc(text, 100);
        assert_string_equal(text, "abc");
        text = wiping_realloc(text, 2);
        assert_memory_equal(text, "ab", 2);
        assert_null(wiping_calloc(SIZE_MAX / 2, 3));
        assert_null(wiping_malloc(SIZE_MAX));
        wiping_free(text);
        wiping_free(block);
        wiping_free(NULL);
        block = wiping_realloc(NULL, 8);
        assert_non_null(block);
        wiping_free(block);
        wiping_trim();
        assert_int_equal(wiping_in_use(), before);
}

/* Trimming is for what is free alone: whatever lies beside it stays as it is. */
static void a_trim_touches_nothing_that_is_in_use(void **state) {
        unsigned char *blocks[400];

        (void)state;
        for (size_t i = 0; i < 400; i++) {
                blocks[i] = wiping_malloc(1000);
                assert_non_null(blocks[i]);
                memset(blocks[i], (int)(i & 0xff), 1000);
        }
        for (size_t i = 0; i < 400; i++)
                if (i % 20 != 0)
                        wiping_free(blocks[i]);
        wiping_trim();
        for (size_t i = 0; i < 400; i += 20) {
                for (size_t byte = 0; byte < 1000; byte++)
                        assert_int_equal(blocks[i][byte], i & 0xff);
                wiping_free(blocks[i]);
        }
        assert_int_equal(wiping_in_use(), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_wiping_heap_counts_copies_and_refuses_overflow),
                cmocka_unit_test(a_trim_touches_nothing_that_is_in_use),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
