/* Requests that wait for the broker: woken, given up, left by their client, too many. */
#include "test-server-harness.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* As in the daemon, but for a bound that a test can reach. */
static const struct server_limits limits = {
        .head_timeout = HEAD_TIMEOUT,
        .idle_timeout = IDLE_TIMEOUT,
        .parked_max = PARKED_MAX,
        .parked_of_origin_max = PARKED_OF_ORIGIN_MAX,
        .control_parked_max = 2,
        .requests_burst = REQUESTS_BURST,
};

static struct answer answer;

static int set_up(void **state) {
        *state = harness_start(&limits, /* with_control= */ true);
        return 0;
}

static int tear_down(void **state) {
        harness_stop(*state);
        return 0;
}

static void receive(struct harness *harness, int fd) {
        harness_receive(harness, fd, PATIENCE, &answer);
}

static void assert_code(int status, const char *code) {
        assert_int_equal(answer.status, status);
        assert_non_null(strstr(answer.body, code));
}

static size_t expected; /* requests to be parked, for all_parked() */

static bool all_parked(struct harness *harness) {
        size_t count = 0;

        for (const struct waiter *waiter = harness->broker.waiters.first; waiter;
             waiter = waiter->next)
                count++;
        return count == expected;
}

static void expect_parked(struct harness *harness, size_t count) {
        expected = count;
        assert_true(harness_wait_until(harness, all_parked));
}

/* One more than @already. */
static int park(struct harness *harness, size_t already) {
        int fd = harness_send_text(harness, GET("/v1/tokens/cold"));

        expect_parked(harness, already + 1);
        return fd;
}

static void a_parked_request_is_woken_with_the_value(void **state) {
        struct harness *harness = *state;
        int fd = park(harness, 0);

        harness->broker.cold = COLD_VALUE;
        waiter_wake_all(&harness->broker.waiters);
        receive(harness, fd);
        assert_int_equal(answer.status, 200);
        assert_non_null(strstr(answer.body, "s3cr3t-value"));
        assert_string_equal(answer_header(&answer, "Connection"), "close");
        assert_int_equal(harness->broker.asked, 2);
        (void)close(fd);
}

static void a_parked_request_is_woken_with_the_error(void **state) {
        struct harness *harness = *state;
        int fd = park(harness, 0);

        harness->broker.cold = COLD_ERROR;
        waiter_wake_all(&harness->broker.waiters);
        receive(harness, fd);
        assert_code(503, "no-usable-value");
        (void)close(fd);
}

static void a_request_may_be_parked_again(void **state) {
        struct harness *harness = *state;
        int fd = park(harness, 0);

        for (int i = 0; i < 3; i++) {
                waiter_wake_all(&harness->broker.waiters);
                expect_parked(harness, 1);
        }
        harness->broker.cold = COLD_VALUE;
        waiter_wake_all(&harness->broker.waiters);
        receive(harness, fd);
        assert_int_equal(answer.status, 200);
        (void)close(fd);
}

static void a_wake_inside_the_call_is_not_lost(void **state) {
        harness_ask(*state, "GET /v1/tokens/instant", &answer);
        assert_int_equal(answer.status, 200);
}

static void a_parked_request_is_answered_at_its_deadline(void **state) {
        struct harness *harness = *state;
        usec_t start = clock_monotonic();
        int fd;

        harness->broker.config.request_timeout = 300 * USEC_PER_MSEC;
        fd = park(harness, 0);
        receive(harness, fd);
        assert_code(503, "still being fetched");
        assert_true(clock_monotonic() - start >= 300 * USEC_PER_MSEC);
        assert_true(clock_monotonic() - start < USEC_PER_SEC);
        (void)close(fd);
}

static void a_parked_client_that_leaves_is_noticed(void **state) {
        struct harness *harness = *state;
        int fd = park(harness, 0);

        (void)close(fd);
        expect_parked(harness, 0);
        assert_int_equal(harness->broker.asked, 1);
        harness_ask(harness, "GET /healthz", &answer);
        assert_int_equal(answer.status, 200);
}

static void a_parked_client_may_close_its_writing_side(void **state) {
        struct harness *harness = *state;
        int fd = park(harness, 0);

        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        harness_turn(harness, 20 * USEC_PER_MSEC);
        expect_parked(harness, 1);
        harness->broker.cold = COLD_VALUE;
        waiter_wake_all(&harness->broker.waiters);
        receive(harness, fd);
        assert_int_equal(answer.status, 200);
        (void)close(fd);
}

static void a_stop_answers_what_is_parked(void **state) {
        struct harness *harness = *state;
        int fds[3], silent = harness_connect(harness);

        for (int i = 0; i < 3; i++)
                fds[i] = park(harness, (size_t)i);
        harness->server = server_free(harness->server);
        for (int i = 0; i < 3; i++) {
                harness_receive(harness, fds[i], 0, &answer);
                assert_code(503, "no-usable-value");
                assert_string_equal(answer_header(&answer, "Retry-After"), "1");
                (void)close(fds[i]);
        }
        harness_receive(harness, silent, 0, &answer);
        assert_true(answer.closed);
        (void)close(silent);
}

static void a_thousand_parked_requests_are_woken_together(void **state) {
        struct harness *harness = *state;
        static int fds[1000];
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < 2100) {
                print_message("# the limit of open files is too low for this test\n");
                return;
        }
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                fds[i] = harness_send_text(harness, GET("/v1/tokens/cold"));
        expect_parked(harness, ELEMENTS(fds));
        /* They do not count as connections. */
        harness_ask(harness, "GET /v1/tokens/deploy", &answer);
        assert_int_equal(answer.status, 200);
        harness->broker.cold = COLD_VALUE;
        waiter_wake_all(&harness->broker.waiters);
        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                receive(harness, fds[i]);
                assert_int_equal(answer.status, 200);
                (void)close(fds[i]);
        }
        assert_int_equal(harness->broker.issued, ELEMENTS(fds) + 1);
}

static void the_bound_of_parked_requests_is_kept(void **state) {
        struct harness *harness = *state;
        int fds[2], more;
        char jobs[sizeof(harness->path)];

        memcpy(jobs, harness->path, sizeof(jobs));
        memcpy(harness->path, harness->control_path, sizeof(harness->path));
        for (int i = 0; i < 2; i++)
                fds[i] = park(harness, (size_t)i);
        more = harness_send_text(harness, GET("/v1/tokens/cold"));
        receive(harness, more);
        assert_code(429, "too-many-requests");
        assert_string_equal(answer_header(&answer, "Retry-After"), "1");
        (void)close(more);
        /* The jobs' socket has its own. */
        memcpy(harness->path, jobs, sizeof(jobs));
        more = park(harness, 2);
        harness->broker.cold = COLD_VALUE;
        waiter_wake_all(&harness->broker.waiters);
        receive(harness, more);
        assert_int_equal(answer.status, 200);
        (void)close(more);
        for (int i = 0; i < 2; i++) {
                receive(harness, fds[i]);
                assert_int_equal(answer.status, 200);
                (void)close(fds[i]);
        }
}

static int set_up_small(void **state) {
        static const struct server_limits small = {
                .head_timeout = HEAD_TIMEOUT,
                .idle_timeout = IDLE_TIMEOUT,
                .parked_max = 8,
                .parked_of_origin_max = 3,
                .control_parked_max = 2,
                .requests_burst = REQUESTS_BURST,
        };

        *state = harness_start(&small, /* with_control= */ true);
        return 0;
}

static void one_origin_may_not_take_all_the_room_that_there_is(void **state) {
        struct harness *harness = *state;
        int fds[3], more;

        for (int i = 0; i < 3; i++)
                fds[i] = park(harness, (size_t)i);
        more = harness_send_text(harness, GET("/v1/tokens/cold"));
        receive(harness, more);
        assert_code(429, "too-many-requests");
        assert_non_null(strstr(answer.body, "3 requests of "));
        (void)close(more);
        /* What needs no waiting is served. */
        harness_ask(harness, "GET /v1/tokens/deploy", &answer);
        assert_int_equal(answer.status, 200);
        harness->broker.cold = COLD_VALUE;
        waiter_wake_all(&harness->broker.waiters);
        for (int i = 0; i < 3; i++) {
                receive(harness, fds[i]);
                assert_int_equal(answer.status, 200);
                (void)close(fds[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
                TEST(a_parked_request_is_woken_with_the_value),
                TEST(a_parked_request_is_woken_with_the_error),
                TEST(a_request_may_be_parked_again),
                TEST(a_wake_inside_the_call_is_not_lost),
                TEST(a_parked_request_is_answered_at_its_deadline),
                TEST(a_parked_client_that_leaves_is_noticed),
                TEST(a_parked_client_may_close_its_writing_side),
                TEST(a_stop_answers_what_is_parked),
                TEST(a_thousand_parked_requests_are_woken_together),
                TEST(the_bound_of_parked_requests_is_kept),
                cmocka_unit_test_setup_teardown(one_origin_may_not_take_all_the_room_that_there_is,
                                                set_up_small, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
