/* How much of a forge's patience reports can use up: five dead tokens in any minute, in whatever
 * order they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/verify.h"
#include "net/http.h"

#define START (1000 * USEC_PER_SEC)

static void a_minute_has_room_for_five_refusals(void **state) {
        struct verify_forge forge = { 0 };

        (void)state;
        for (usec_t i = 0; i < VERIFY_DEAD_MAX; i++) {
                assert_int_equal(verify_forge_wait(&forge, START + i * USEC_PER_SEC), 0);
                verify_forge_refused(&forge, START + i * USEC_PER_SEC);
        }
        /* The first of them leaves the minute first, and makes room for one. */
        assert_int_equal(verify_forge_wait(&forge, START + 4 * USEC_PER_SEC), 56 * USEC_PER_SEC);
        assert_int_equal(verify_forge_wait(&forge, START + 60 * USEC_PER_SEC - 1), 1);
        assert_int_equal(verify_forge_wait(&forge, START + 60 * USEC_PER_SEC), 0);
        verify_forge_refused(&forge, START + 60 * USEC_PER_SEC);
        assert_int_equal(verify_forge_wait(&forge, START + 60 * USEC_PER_SEC), USEC_PER_SEC);
        assert_int_equal(verify_forge_wait(&forge, START + 200 * USEC_PER_SEC), 0);
}

static void no_minute_has_more_however_it_is_asked(void **state) {
        struct verify_forge forge = { 0 };
        usec_t refused[64];
        size_t n = 0;

        (void)state;
        for (usec_t now = START; n < 64; now += 700 * USEC_PER_MSEC) {
                if (verify_forge_wait(&forge, now) > 0)
                        continue;
                verify_forge_refused(&forge, now);
                if (n >= VERIFY_DEAD_MAX)
                        assert_true(now - refused[n - VERIFY_DEAD_MAX] >= VERIFY_DEAD_SPAN);
                refused[n++] = now;
        }
}

static void what_is_in_flight_counts_as_refused(void **state) {
        struct verify_forge forge = { .in_flight = VERIFY_DEAD_MAX - 1 };

        (void)state;
        assert_int_equal(verify_forge_wait(&forge, START), 0);
        verify_forge_refused(&forge, START);
        assert_int_equal(verify_forge_wait(&forge, START), VERIFY_DEAD_SPAN);
        forge = (struct verify_forge){ .in_flight = VERIFY_DEAD_MAX };
        assert_true(verify_forge_wait(&forge, START) > 0);
        forge.in_flight--;
        assert_int_equal(verify_forge_wait(&forge, START), 0);
}

static void a_forge_that_asks_for_a_pause_gets_it(void **state) {
        const struct verify_forge forge = { .paused_until = START + 5 };

        (void)state;
        assert_int_equal(verify_forge_wait(&forge, START), 5);
        assert_int_equal(verify_forge_wait(&forge, START + 5), 0);
}

static void a_jobs_token_that_is_used_up_stops_nobody_else(void **state) {
        static struct verify_forge forge;
        static struct verify verify = { .forge = &forge };
        const struct forge_report limited = { .asked_too_often = true };

        (void)state;
        verify_learn(&verify, NULL, &limited);
        assert_int_equal(verify_forge_wait(&forge, clock_boottime()), 0);
        assert_true(forge.jobs_paused_until > clock_boottime());
        verify_learn(&verify, "12345678", &limited);
        assert_true(verify_forge_wait(&forge, clock_boottime()) > 0);
}

static void each_refusal_of_a_jobs_token_counts(void **state) {
        static struct verify_forge forge;
        static struct verify verify = { .forge = &forge };
        const struct forge_report refused = { .dead = true, .refusals = 2 };

        (void)state;
        verify_learn(&verify, NULL, &refused);
        verify_learn(&verify, NULL, &refused);
        assert_int_equal(verify_forge_wait(&forge, clock_boottime()), 0);
        verify_learn(&verify, NULL, &refused);
        assert_true(verify_forge_wait(&forge, clock_boottime()) > 0);
}

static unsigned woken;

static void on_wake(struct waiter *waiter) {
        (void)waiter;
        woken++;
}

static struct value *value_of(const char *text, const char *print) {
        struct secret *token = secret_copy(text, strlen(text));
        struct value *value = value_new(token, SOURCE_INFISICAL_TOKEN_AUTH, 1, print, START);

        (void)secret_unref(token);
        return value;
}

/* Two jobs report, and between them the token was rotated: the first has its answer, whatever
 * becomes of the second's question. */
static void who_asked_about_a_value_that_is_gone_waits_no_longer(void **state) {
        static char name[] = "home", url[] = "http://127.0.0.1:9";
        const struct forge_config config = { .name = name, .type = FORGE_FORGEJO, .url = url };
        const struct token_config token = { .name = name, .forge = &config };
        struct waiter first = { .wake = on_wake }, second = { .wake = on_wake };
        struct refresh refresh = { .token = &token };
        struct verify_forge forge = { .config = &config };
        struct value *older, *newer;
        struct http_client *http;
        struct verify verify;
        enum forge_life life;
        struct error err;
        sd_event *event;
        usec_t wait;

        (void)state;
        assert_int_equal(secret_init(false, &err), 0);
        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(http_client_new(event, &http, &err), 0);
        older = value_of("older", "00000001");
        newer = value_of("newer", "00000002");
        verify_init(&verify, &refresh, http, &forge);
        assert_int_equal(verify_value(&verify, older, START, true, &first, &life, &wait, &err),
                         VERIFY_WAIT);
        assert_int_equal(verify_value(&verify, newer, START, true, &second, &life, &wait, &err),
                         VERIFY_WAIT);
        assert_int_equal(woken, 1);
        assert_null(first.list);
        assert_non_null(second.list);
        assert_int_equal(forge.in_flight, 1);
        verify_done(&verify);
        assert_int_equal(woken, 2);
        assert_int_equal(forge.in_flight, 0);
        (void)value_unref(older);
        (void)value_unref(newer);
        (void)http_client_free(http);
        (void)sd_event_unref(event);
        secret_done();
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_minute_has_room_for_five_refusals),
                cmocka_unit_test(who_asked_about_a_value_that_is_gone_waits_no_longer),
                cmocka_unit_test(a_jobs_token_that_is_used_up_stops_nobody_else),
                cmocka_unit_test(each_refusal_of_a_jobs_token_counts),
                cmocka_unit_test(no_minute_has_more_however_it_is_asked),
                cmocka_unit_test(what_is_in_flight_counts_as_refused),
                cmocka_unit_test(a_forge_that_asks_for_a_pause_gets_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
