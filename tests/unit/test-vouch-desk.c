/*
 * How often forges are asked whose job this is: questions are shared, answers kept for as long as
 * they hold, bad tokens shown only so often, and keys read at most once a minute.  The server
 * counts; where time matters, the desk's own marks are set back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/wiping.h"
#include "broker/vouch_desk.h"
#include "test-http-server.h"

#define RUN                                                                                        \
        "{\"id\":42,\"repository\":{\"full_name\":\"o/"                                            \
        "r\"},\"is_fork_pull_request\":false,\"trigger_event\":\"push\","                          \
        "\"prettyref\":\"main\",\"event_payload\":\"{\\\"ref\\\":\\\"refs/heads/main\\\"}\"}"
#define UNKNOWN                                                                                    \
        "{\"message\":\"user does not exist [uid: 0, name: "                                       \
        "]\",\"url\":\"https://git.example.org/api/swagger\"}"

enum { RUNS, DOCUMENTS, KEYS }; /* what is counted */
enum { WELL, KEYS_GONE };       /* modes */

static int port;
static sd_event *event;
static struct http_client *client;
static struct fingerprint_key *key;
static char forge_url[64], issuer[96], name[] = "home", audience[] = "forge-broker";
static struct forge_config forge = { .name = name,
                                     .type = FORGE_FORGEJO,
                                     .url = forge_url,
                                     .oidc_audience = audience,
                                     .oidc_issuer = issuer };
static struct verify_forge patience;
static struct vouch_desk desk;
static struct peer hosts_root, containers[6];
static unsigned woken;

static void count(int what) {
        __atomic_add_fetch(&test_server_shared->requests[what], 1, __ATOMIC_SEQ_CST);
}

static void send_json(int fd, int status, const char *body) {
        char head[256];

        (void)snprintf(head, sizeof(head),
                       "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: "
                       "%zu\r\nConnection: close\r\n\r\n",
                       status, strlen(body));
        test_server_send(fd, head);
        test_server_send(fd, body);
}

static void answer(int fd, const char *head) {
        char body[512], host[64];

        if (strncmp(head, "GET /api/v1/actions/run ", 24) == 0) {
                count(RUNS);
                if (strstr(head, "\r\nAuthorization: Bearer good"))
                        send_json(fd, 200, RUN);
                else if (strstr(head, "\r\nAuthorization: Bearer limited"))
                        send_json(fd, 429, "{}");
                else
                        send_json(fd, 401, UNKNOWN);
        } else if (strstr(head, "openid-configuration")) {
                count(DOCUMENTS);
                /* This process was there before the port was known. */
                if (sscanf(strstr(head, "\r\nHost: "), "\r\nHost: %63s", host) != 1)
                        return;
                (void)snprintf(
                    body, sizeof(body),
                    "{\"issuer\":\"http://%s/api/actions\",\"jwks_uri\":\"http://%s/keys\"}", host,
                    host);
                send_json(fd, 200, body);
        } else {
                count(KEYS);
                /* The key of RFC 7515, appendix A.3. */
                if (test_server_shared->mode == WELL)
                        send_json(fd, 200,
                                  "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"one\","
                                  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}");
                else
                        send_json(fd, 500, "{}");
        }
}

static int counted(int what) {
        return __atomic_load_n(&test_server_shared->requests[what], __ATOMIC_SEQ_CST);
}

static void on_wake(struct waiter *waiter) {
        (void)waiter;
        woken++;
}

/* One turn; the proof is @text. */
static int ask_once(const char *text, const struct peer *peer, bool may_wait, struct waiter *waiter,
                    const struct job_facts **facts, usec_t *retry_after, struct error *err) {
        struct secret *proof = secret_copy(text, strlen(text));
        const struct vouch_question question = { .proof = proof };
        int r = vouch_desk_ask(&desk, &forge, &question, peer, may_wait, waiter, facts, retry_after,
                               err);

        (void)secret_unref(proof);
        return r;
}

/* Until there is an answer. */
static int ask(const char *text, const struct peer *peer, usec_t *retry_after) {
        struct waiter waiter = { .wake = on_wake };
        const struct job_facts *facts;
        struct error err = { 0 };
        int r;

        while ((r = ask_once(text, peer, true, &waiter, &facts, retry_after, &err)) ==
               VOUCH_DESK_WAIT)
                while (waiter.list)
                        assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        assert_int_equal(r, -(int)err.code);
        if (r == 0)
                assert_string_equal(facts->repository, "o/r");
        return r;
}

static void a_herd_with_one_proof_asks_once(void **state) {
        struct waiter waiters[50];
        const struct job_facts *facts;
        usec_t retry_after;
        struct error err;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(waiters); i++) {
                waiters[i] = (struct waiter){ .wake = on_wake };
                assert_int_equal(
                    ask_once("good", &hosts_root, true, &waiters[i], &facts, &retry_after, &err),
                    VOUCH_DESK_WAIT);
        }
        while (woken < ELEMENTS(waiters))
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        assert_int_equal(ask("good", &hosts_root, &retry_after), 0);
        assert_int_equal(counted(RUNS), 1);
        /* And one that may not wait is told so. */
        assert_int_equal(
            ask_once("good-2", &hosts_root, false, &waiters[0], &facts, &retry_after, &err),
            -(int)DIAG_PROOF_INSUFFICIENT);
        assert_true(retry_after > 0);
        assert_int_equal(patience.in_flight, 1);
}

static void one_origin_shows_no_more_at_a_time_than_it_may_be_refused(void **state) {
        static const char *const bad[] = { "bad-a", "bad-b", "bad-c", "bad-d", "bad-e", "bad-f" };
        struct waiter waiters[ELEMENTS(bad)] = { 0 };
        int results[ELEMENTS(bad)];
        const struct job_facts *facts;
        size_t left = ELEMENTS(bad), rejected = 0;
        usec_t retry_after;
        struct error err;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                results[i] = VOUCH_DESK_WAIT;
        while (left > 0) {
                for (size_t i = 0; i < ELEMENTS(bad); i++) {
                        waiters[i].wake = on_wake;
                        if (results[i] != VOUCH_DESK_WAIT || waiters[i].list)
                                continue;
                        results[i] = ask_once(bad[i], &containers[0], true, &waiters[i], &facts,
                                              &retry_after, &err);
                        left -= results[i] != VOUCH_DESK_WAIT;
                        rejected += results[i] == -(int)DIAG_PROOF_REJECTED;
                        assert_true(patience.in_flight <= VOUCH_ORIGIN_MAX);
                }
                if (left > 0)
                        assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        }
        assert_int_equal(rejected, VOUCH_ORIGIN_MAX);
        assert_int_equal(counted(RUNS), VOUCH_ORIGIN_MAX);
        assert_int_equal(ask("good", &containers[1], &retry_after), 0);
}

static void many_jobs_wait_for_each_other(void **state) {
        struct waiter waiters[40] = { 0 };
        bool done[ELEMENTS(waiters)] = { false };
        const struct job_facts *facts;
        size_t left = ELEMENTS(waiters);
        usec_t retry_after;
        struct error err;

        (void)state;
        while (left > 0) {
                for (size_t i = 0; i < ELEMENTS(waiters); i++) {
                        char text[16];
                        int r;

                        waiters[i].wake = on_wake;
                        if (done[i] || waiters[i].list)
                                continue;
                        (void)snprintf(text, sizeof(text), "good%zu", i);
                        r = ask_once(text, &hosts_root, true, &waiters[i], &facts, &retry_after,
                                     &err);
                        assert_true(r == VOUCH_DESK_WAIT || r == VOUCH_DESK_ANSWERED);
                        if (r == VOUCH_DESK_ANSWERED) {
                                done[i] = true;
                                left--;
                        }
                        assert_true(patience.in_flight <= VERIFY_DEAD_MAX);
                }
                if (left > 0)
                        assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        }
        assert_int_equal(counted(RUNS), ELEMENTS(waiters));
}

/* A check-up, and what jobs report as rejected, use up the same patience. */
static void who_waits_for_the_answers_to_others_questions_is_woken(void **state) {
        struct waiter waiter = { .wake = on_wake };
        const struct job_facts *facts;
        usec_t retry_after;
        struct error err;

        (void)state;
        for (int i = 0; i < VERIFY_DEAD_MAX; i++)
                verify_forge_asked(&patience);
        assert_int_equal(ask_once("good", &hosts_root, true, &waiter, &facts, &retry_after, &err),
                         VOUCH_DESK_WAIT);
        assert_int_equal(counted(RUNS), 0);
        verify_forge_answered(&patience);
        assert_int_equal(woken, 1);
        assert_int_equal(ask("good", &hosts_root, &retry_after), 0);
        while (patience.in_flight > 0)
                verify_forge_answered(&patience);
}

static void bad_tokens_are_shown_five_times_a_minute(void **state) {
        usec_t retry_after;

        (void)state;
        assert_int_equal(ask("bad-1", &containers[0], &retry_after), -(int)DIAG_PROOF_REJECTED);
        assert_int_equal(ask("bad-1", &containers[1], &retry_after), -(int)DIAG_PROOF_REJECTED);
        assert_int_equal(counted(RUNS), 1);
        assert_int_equal(ask("bad-2", &containers[0], &retry_after), -(int)DIAG_PROOF_REJECTED);
        /* This one had its share; the others go on. */
        assert_int_equal(ask("bad-3", &containers[0], &retry_after), -(int)DIAG_TOO_MANY_REQUESTS);
        assert_true(retry_after > 50 * USEC_PER_SEC && retry_after <= 60 * USEC_PER_SEC);
        assert_int_equal(ask("good-from-1", &containers[1], &retry_after), 0);
        assert_int_equal(ask("bad-4", &containers[1], &retry_after), -(int)DIAG_PROOF_REJECTED);
        assert_int_equal(ask("bad-5", &containers[2], &retry_after), -(int)DIAG_PROOF_REJECTED);
        assert_int_equal(ask("bad-6", &containers[2], &retry_after), -(int)DIAG_PROOF_REJECTED);
        assert_int_equal(ask("good-from-3", &containers[3], &retry_after),
                         -(int)DIAG_TOO_MANY_REQUESTS);
        assert_int_equal(ask("good-from-1", &containers[1], &retry_after), 0);
        assert_int_equal(counted(RUNS), 6);
        /* A minute later. */
        for (size_t i = 0; i < VERIFY_DEAD_MAX; i++) {
                patience.dead_at[i] -= VERIFY_DEAD_SPAN;
                desk.forges[0].refused.marks[i].at -= VERIFY_DEAD_SPAN;
        }
        assert_int_equal(ask("good-from-3", &containers[3], &retry_after), 0);
        assert_int_equal(ask("bad-7", &containers[0], &retry_after), -(int)DIAG_PROOF_REJECTED);
        /* What is known to be bad stays so. */
        assert_int_equal(ask("bad-1", &containers[3], &retry_after), -(int)DIAG_PROOF_REJECTED);
        assert_int_equal(counted(RUNS), 8);
}

static void a_token_that_is_over_its_limit_stops_its_own_container(void **state) {
        usec_t retry_after;

        (void)state;
        assert_int_equal(ask("limited-1", &containers[0], &retry_after),
                         -(int)DIAG_PROOF_INSUFFICIENT);
        assert_int_equal(ask("good-1", &containers[0], &retry_after), -(int)DIAG_TOO_MANY_REQUESTS);
        assert_true(retry_after > 50 * USEC_PER_SEC && retry_after <= VERIFY_PAUSE);
        assert_int_equal(counted(RUNS), 1);
        /* Neither the others, nor what the broker asks about its own tokens. */
        assert_int_equal(ask("good-2", &containers[1], &retry_after), 0);
        assert_int_equal(verify_forge_wait(&patience, clock_boottime()), 0);
        /* Where many meet it, it is the host's address. */
        assert_int_equal(ask("limited-2", &containers[1], &retry_after),
                         -(int)DIAG_PROOF_INSUFFICIENT);
        assert_int_equal(ask("limited-3", &containers[2], &retry_after),
                         -(int)DIAG_PROOF_INSUFFICIENT);
        assert_int_equal(ask("limited-4", &containers[3], &retry_after),
                         -(int)DIAG_PROOF_INSUFFICIENT);
        assert_int_equal(ask("good-5", &containers[4], &retry_after), 0);
        assert_int_equal(ask("limited-5", &containers[4], &retry_after),
                         -(int)DIAG_PROOF_INSUFFICIENT);
        assert_int_equal(ask("good-6", &containers[5], &retry_after), -(int)DIAG_TOO_MANY_REQUESTS);
        assert_true(retry_after > 0 && retry_after <= VERIFY_PAUSE);
        assert_int_equal(counted(RUNS), 7);
        for (size_t i = 0; i < VERIFY_DEAD_MAX; i++)
                desk.forges[0].limited.marks[i].at -= VERIFY_PAUSE;
        assert_int_equal(ask("good-6", &containers[5], &retry_after), 0);
        assert_int_equal(ask("good-1", &containers[0], &retry_after), 0);
}

static void answers_are_kept_in_bounds(void **state) {
        usec_t retry_after;
        char text[16];

        (void)state;
        for (size_t i = 0; i < VOUCH_ENTRIES_MAX + 20; i++) {
                (void)snprintf(text, sizeof(text), "good%zu", i);
                assert_int_equal(ask(text, &hosts_root, &retry_after), 0);
                assert_int_equal(ask("good", &hosts_root, &retry_after), 0);
                assert_true(desk.n_entries <= VOUCH_ENTRIES_MAX);
        }
        /* The one that was asked for again and again stayed, but for its own time. */
        assert_true(counted(RUNS) < VOUCH_ENTRIES_MAX + 60);
}

/* Its signature is nobody's: what is looked at are the keys. */
static const char *id_token(char *buffer, size_t size, const char *kid) {
        static unsigned serial;
        char header[128], claims[256], parts[2][512], nobodys[87] = "";

        memset(nobodys, 'A', sizeof(nobodys) - 1);
        (void)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
        (void)snprintf(claims, sizeof(claims),
                       "{\"jti\":%u,\"iss\":\"%s\",\"aud\":\"%s\",\"iat\":%llu,\"exp\":%llu}",
                       ++serial, issuer, audience,
                       (unsigned long long)(clock_realtime() / USEC_PER_SEC),
                       (unsigned long long)(clock_realtime() / USEC_PER_SEC) + 300);
        for (int i = 0; i < 2; i++) {
                const char *text = i ? claims : header;
                static const char digits[] =
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                size_t used = 0, length = strlen(text);

                for (size_t at = 0; at < length * 8; at += 6) {
                        unsigned pair =
                            (unsigned)(unsigned char)text[at / 8] << 8 |
                            (at / 8 + 1 < length ? (unsigned)(unsigned char)text[at / 8 + 1] : 0);

                        parts[i][used++] = digits[pair >> (10 - at % 8) & 63];
                }
                parts[i][used] = '\0';
        }
        (void)snprintf(buffer, size, "%s.%s.%s", parts[0], parts[1], nobodys);
        return buffer;
}

static void who_leaves_takes_the_proof_along(void **state) {
        struct waiter stays = { .wake = on_wake };
        const struct job_facts *facts;
        size_t in_use = 0;
        usec_t retry_after;
        struct error err;
        char text[1200];

        (void)state;
        assert_int_equal(ask_once(id_token(text, sizeof(text), "one"), &containers[0], true, &stays,
                                  &facts, &retry_after, &err),
                         VOUCH_DESK_WAIT);
        for (int i = 0; i < 100; i++) {
                struct waiter leaves = { .wake = on_wake };

                assert_int_equal(ask_once(id_token(text, sizeof(text), "one"), &hosts_root, true,
                                          &leaves, &facts, &retry_after, &err),
                                 VOUCH_DESK_WAIT);
                waiter_leave(&leaves);
                if (i == 0)
                        in_use = secret_in_use();
                assert_int_equal(desk.n_entries, 2);
                assert_in_range(secret_in_use(), in_use - 64, in_use + 64);
        }
        while (stays.list)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        assert_int_equal(counted(KEYS), 1);
        assert_int_equal(woken, 1);
}

static void keys_are_read_once_a_minute(void **state) {
        struct key_desk *keys = &desk.forges[0].keys;
        usec_t retry_after;
        char text[1200];

        (void)state;
        assert_int_equal(ask(id_token(text, sizeof(text), "one"), &hosts_root, &retry_after),
                         -(int)DIAG_PROOF_REJECTED);
        assert_int_equal(counted(KEYS), 1);
        /* A kid that is new may be of a rotated key; the next has to wait. */
        for (int i = 0; i < 10; i++) {
                char kid[8];

                (void)snprintf(kid, sizeof(kid), "x%d", i);
                assert_int_equal(ask(id_token(text, sizeof(text), kid), &hosts_root, &retry_after),
                                 -(int)DIAG_PROOF_REJECTED);
        }
        assert_int_equal(counted(KEYS), 2);
        keys->fetches.busy_until -= KEY_DESK_INTERVAL;
        for (int i = 0; i < 10; i++) {
                char kid[8];

                (void)snprintf(kid, sizeof(kid), "y%d", i);
                assert_int_equal(ask(id_token(text, sizeof(text), kid), &hosts_root, &retry_after),
                                 -(int)DIAG_PROOF_REJECTED);
        }
        assert_int_equal(counted(KEYS), 3);
        /* After an hour they are read again, and without them nothing can be told. */
        keys->fetches.busy_until -= KEY_DESK_INTERVAL;
        keys->read_at -= KEY_DESK_MAX_AGE;
        test_server_shared->mode = KEYS_GONE;
        assert_int_equal(ask(id_token(text, sizeof(text), "one"), &hosts_root, &retry_after),
                         -(int)DIAG_PROOF_INSUFFICIENT);
        assert_int_equal(counted(KEYS), 4);
        assert_int_equal(ask(id_token(text, sizeof(text), "one"), &containers[0], &retry_after),
                         -(int)DIAG_PROOF_INSUFFICIENT);
        assert_true(retry_after > 0);
        assert_int_equal(counted(KEYS), 4);
        assert_int_equal(counted(DOCUMENTS), 4);
        assert_int_equal(patience.in_flight, 0);
}

static void a_desk_that_ends_wakes_who_waits(void **state) {
        struct waiter waiters[8] = { 0 };
        const struct job_facts *facts;
        usec_t retry_after;
        struct error err;
        char text[1200];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(waiters); i++) {
                waiters[i].wake = on_wake;
                (void)snprintf(text, sizeof(text), "good%zu", i);
                if (i == 0)
                        (void)id_token(text, sizeof(text), "one");
                assert_int_equal(
                    ask_once(text, &hosts_root, true, &waiters[i], &facts, &retry_after, &err),
                    VOUCH_DESK_WAIT);
        }
        vouch_desk_done(&desk);
        assert_int_equal(woken, ELEMENTS(waiters));
        assert_int_equal(patience.in_flight, 0);
        assert_int_equal(vouch_desk_init(&desk, client, key, &patience, 1, &err), 0);
}

static int begin(void **state) {
        struct error err;

        (void)state;
        memset(test_server_shared->requests, 0, sizeof(test_server_shared->requests));
        test_server_shared->mode = WELL;
        woken = 0;
        patience = (struct verify_forge){ .config = &forge };
        return vouch_desk_init(&desk, client, key, &patience, 1, &err);
}

static int end(void **state) {
        (void)state;
        vouch_desk_done(&desk);
        return 0;
}

static int set_up(void **state) {
        char directory[] = "/tmp/forge-broker-test.XXXXXX", path[64];
        struct error err;

        (void)state;
        port = test_server_start(answer);
        (void)snprintf(forge_url, sizeof(forge_url), "http://127.0.0.1:%d", port);
        (void)snprintf(issuer, sizeof(issuer), "%s/api/actions", forge_url);
        assert_int_equal(http_setup(&err), 0);
        assert_int_equal(secret_init(false, &err), 0);
        assert_non_null(mkdtemp(directory));
        assert_int_equal(fingerprint_key_load(directory, &key, &err), 0);
        (void)snprintf(path, sizeof(path), "%s/fingerprint.key", directory);
        (void)unlink(path);
        (void)rmdir(directory);
        for (size_t i = 0; i < ELEMENTS(containers); i++)
                containers[i].cgroup.own =
                    (size_t)snprintf(containers[i].cgroup.path, sizeof(containers[i].cgroup.path),
                                     "/system.slice/docker-%zu.scope", i);
        assert_true(sd_event_new(&event) >= 0);
        return http_client_new(event, &client, &err);
}

static int tear_down(void **state) {
        (void)state;
        (void)http_client_free(client);
        event = sd_event_unref(event);
        (void)fingerprint_key_free(key);
        test_server_stop();
        http_cleanup();
        assert_int_equal(wiping_in_use(), 0);
        assert_int_equal(secret_in_use(), 0);
        secret_done();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_herd_with_one_proof_asks_once, begin, end),
                cmocka_unit_test_setup_teardown(
                    one_origin_shows_no_more_at_a_time_than_it_may_be_refused, begin, end),
                cmocka_unit_test_setup_teardown(many_jobs_wait_for_each_other, begin, end),
                cmocka_unit_test_setup_teardown(
                    who_waits_for_the_answers_to_others_questions_is_woken, begin, end),
                cmocka_unit_test_setup_teardown(bad_tokens_are_shown_five_times_a_minute, begin,
                                                end),
                cmocka_unit_test_setup_teardown(
                    a_token_that_is_over_its_limit_stops_its_own_container, begin, end),
                cmocka_unit_test_setup_teardown(answers_are_kept_in_bounds, begin, end),
                cmocka_unit_test_setup_teardown(who_leaves_takes_the_proof_along, begin, end),
                cmocka_unit_test_setup_teardown(keys_are_read_once_a_minute, begin, end),
                cmocka_unit_test_setup_teardown(a_desk_that_ends_wakes_who_waits, begin, end),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
