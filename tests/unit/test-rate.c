/* Who may ask how often, with the time as an argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/rate.h"

#define BURST 5

static struct rate *rate;

static struct peer peer_of(const char *lines) {
        static const struct cgroup_root root;
        struct peer peer = { .pid = 1 };

        cgroup_parse(lines, strlen(lines), &root, &peer.cgroup);
        return peer;
}

static unsigned ask_times(const char *lines, unsigned count, unsigned per_second, usec_t now) {
        struct peer peer = peer_of(lines);
        unsigned taken = 0;

        for (unsigned i = 0; i < count; i++)
                taken += rate_take(rate, &peer, per_second, BURST, now);
        return taken;
}

#define UNIT_A "0::/system.slice/a.service\n"
#define UNIT_B "0::/system.slice/b.service\n"

static void a_burst_and_then_so_many_per_second(void **state) {
        usec_t now = USEC_PER_HOUR;

        (void)state;
        assert_int_equal(ask_times(UNIT_A, 20, 10, now), BURST);
        now += 99 * USEC_PER_MSEC;
        assert_int_equal(ask_times(UNIT_A, 20, 10, now), 0);
        now += USEC_PER_MSEC;
        assert_int_equal(ask_times(UNIT_A, 20, 10, now), 1);
        now += 250 * USEC_PER_MSEC;
        assert_int_equal(ask_times(UNIT_A, 20, 10, now), 2);
        now += USEC_PER_DAY;
        assert_int_equal(ask_times(UNIT_A, 20, 10, now), BURST);
}

static void zero_is_no_limit(void **state) {
        (void)state;
        assert_int_equal(ask_times(UNIT_A, 100000, 0, 1), 100000);
        assert_int_equal(rate->used, 0);
}

static void each_unit_has_its_own_bucket(void **state) {
        (void)state;
        assert_int_equal(ask_times(UNIT_A, 20, 10, USEC_PER_HOUR), BURST);
        assert_int_equal(ask_times(UNIT_B, 20, 10, USEC_PER_HOUR), BURST);
        assert_int_equal(ask_times(UNIT_A, 20, 10, USEC_PER_HOUR), 0);
}

static void what_a_unit_makes_below_itself_is_its_own(void **state) {
        char lines[128];
        unsigned taken = 0;

        (void)state;
        for (unsigned i = 0; i < 1000; i++) {
                (void)snprintf(lines, sizeof(lines), "0::/system.slice/a.service/step-%u\n", i);
                taken += ask_times(lines, 1, 10, USEC_PER_HOUR);
        }
        assert_int_equal(taken, BURST);
        assert_int_equal(rate->used, 1);
}

static void unknown_cgroups_share_their_users_bucket(void **state) {
        struct peer other = { .uid = 65534 };

        (void)state;
        assert_int_equal(ask_times("", 20, 10, USEC_PER_HOUR), BURST);
        assert_int_equal(ask_times("nonsense\n", 20, 10, USEC_PER_HOUR), 0);
        assert_true(rate_take(rate, &other, 10, BURST, USEC_PER_HOUR));
}

static void hostile_cgroups_neither_grow_the_table_nor_free_themselves(void **state) {
        char lines[128];
        unsigned taken = 0;

        (void)state;
        assert_int_equal(ask_times(UNIT_A, 20, 10, USEC_PER_HOUR), BURST);
        for (unsigned i = 0; i < 100000; i++) {
                (void)snprintf(lines, sizeof(lines), "0::/odd/%u\n", i);
                taken += ask_times(lines, 1, 10, USEC_PER_HOUR);
        }
        assert_int_equal(rate->used, RATE_ROWS);
        /* One each for those that found a row, and one bucket for all the others. */
        assert_int_equal(taken, RATE_ROWS - 1 + BURST);
        assert_int_equal(ask_times(UNIT_A, 20, 10, USEC_PER_HOUR), 0);
        /* A tenth of a second later the buckets of the many are full and their rows are free. */
        assert_int_equal(ask_times(UNIT_B, 20, 10, USEC_PER_HOUR + 100 * USEC_PER_MSEC), BURST);
        assert_int_equal(ask_times(UNIT_A, 20, 10, USEC_PER_HOUR + 100 * USEC_PER_MSEC), 1);
        assert_int_equal(rate->used, RATE_ROWS);
}

static void a_faster_rate_forgives_the_debts_of_a_slower(void **state) {
        (void)state;
        assert_int_equal(ask_times(UNIT_A, 20, 1, USEC_PER_HOUR), BURST);
        assert_int_equal(ask_times(UNIT_A, 20, 1000, USEC_PER_HOUR + USEC_PER_MSEC), 0);
        assert_int_equal(ask_times(UNIT_A, 20, 1000, USEC_PER_HOUR + 3 * USEC_PER_MSEC), 2);
}

static void whose_bucket_it_is_can_be_said(void **state) {
        static const struct {
                const char *lines, *origin;
        } rows[] = { { UNIT_A, "/system.slice/a.service" },
                     { "0::/lxc.payload.x/system.slice/y.service\n", "/lxc.payload.x" },
                     { "0::/\n", "/" },
                     { "", "uid 0" } };
        char buffer[CGROUP_PATH_MAX];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct peer peer = peer_of(rows[i].lines);

                assert_string_equal(rate_origin(&peer, buffer), rows[i].origin);
        }
}

static int setup(void **state) {
        (void)state;
        rate = calloc(1, sizeof(*rate));
        return rate ? 0 : -1;
}

static int teardown(void **state) {
        (void)state;
        free(rate);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(a_burst_and_then_so_many_per_second),
                TEST(zero_is_no_limit),
                TEST(each_unit_has_its_own_bucket),
                TEST(what_a_unit_makes_below_itself_is_its_own),
                TEST(unknown_cgroups_share_their_users_bucket),
                TEST(hostile_cgroups_neither_grow_the_table_nor_free_themselves),
                TEST(a_faster_rate_forgives_the_debts_of_a_slower),
                TEST(whose_bucket_it_is_can_be_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
