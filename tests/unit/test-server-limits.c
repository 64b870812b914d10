/* What a client cannot do to the daemon: the limits and the connection policy. */
#include "test-server-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAD_TIME (150 * USEC_PER_MSEC)
#define IDLE_TIME (250 * USEC_PER_MSEC)

static const struct server_limits short_limits = {
        .head_timeout = HEAD_TIME,
        .idle_timeout = IDLE_TIME,
        .parked_max = PARKED_MAX,
        .parked_of_origin_max = PARKED_OF_ORIGIN_MAX,
        .control_parked_max = CONTROL_PARKED_MAX,
        .requests_burst = 5,
};

static struct answer answer;

static int set_up(void **state) {
        *state = harness_start(&short_limits, /* with_control= */ true);
        return 0;
}

static int set_up_patient(void **state) {
        *state = harness_start(NULL, /* with_control= */ true);
        return 0;
}

static int tear_down(void **state) {
        if (*state)
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

/* The server has closed without a byte of answer. */
static void assert_cut(struct harness *harness, int fd) {
        receive(harness, fd);
        assert_true(answer.closed);
        assert_int_equal(answer.length, 0);
}

/* A byte per 5 ms until the server has closed; how long that took. */
static usec_t drip(struct harness *harness, int fd) {
        usec_t start = clock_monotonic(), next = start;

        while (clock_monotonic() - start < PATIENCE) {
                if (clock_monotonic() >= next && send(fd, "y", 1, MSG_NOSIGNAL) < 0)
                        break;
                if (clock_monotonic() >= next)
                        next += 5 * USEC_PER_MSEC;
                harness_turn(harness, USEC_PER_MSEC);
        }
        return clock_monotonic() - start;
}

static void half_a_request_is_cut_off_in_time(void **state) {
        struct harness *harness = *state;
        usec_t start = clock_monotonic();
        int fd = harness_send_text(harness, "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\n");
        int silent = harness_connect(harness);

        assert_cut(harness, fd);
        assert_cut(harness, silent);
        assert_true(clock_monotonic() - start >= HEAD_TIME);
        assert_true(clock_monotonic() - start < HEAD_TIME + USEC_PER_SEC);
        (void)close(fd);
        (void)close(silent);
}

static void a_dripping_head_gets_no_more_time(void **state) {
        struct harness *harness = *state;
        int fd = harness_send_text(harness, "GET /v1/tokens/deploy HTTP/1.1\r\nX: ");

        assert_in_range(drip(harness, fd), HEAD_TIME - 50 * USEC_PER_MSEC,
                        HEAD_TIME + USEC_PER_SEC);
        (void)close(fd);
}

static void a_kept_connection_is_closed_when_idle_or_dripping(void **state) {
        struct harness *harness = *state;
        int idle = harness_send_text(harness, GET("/healthz"));
        int dripping = harness_send_text(harness, GET("/healthz"));

        receive(harness, idle);
        assert_int_equal(answer.status, 200);
        receive(harness, dripping);
        assert_int_equal(answer.status, 200);
        assert_in_range(drip(harness, dripping), IDLE_TIME - 50 * USEC_PER_MSEC,
                        IDLE_TIME + USEC_PER_SEC);
        assert_cut(harness, idle);
        (void)close(idle);
        (void)close(dripping);
}

static void the_next_head_has_its_time_from_its_request_line(void **state) {
        struct harness *harness = *state;
        int fd = harness_send_text(harness, GET("/healthz"));
        usec_t start;

        receive(harness, fd);
        assert_int_equal(answer.status, 200);
        start = clock_monotonic();
        assert_true(harness_send(harness, fd, "GET /healthz HTTP/1.1\r\n", 23));
        assert_cut(harness, fd);
        assert_true(clock_monotonic() - start >= HEAD_TIME);
        (void)close(fd);
}

static void a_loop_that_was_held_up_cuts_nobody_off(void **state) {
        struct harness *harness = *state;
        int fd = harness_connect(harness);

        harness_turn(harness, 0); /* accepted, with nothing to read yet */
        assert_int_equal(send(fd, GET("/healthz"), strlen(GET("/healthz")), 0),
                         strlen(GET("/healthz")));
        (void)usleep((useconds_t)(HEAD_TIME + 300 * USEC_PER_MSEC));
        receive(harness, fd);
        assert_int_equal(answer.status, 200);
        (void)close(fd);
}

static void a_body_that_never_ends_is_cut_off(void **state) {
        struct harness *harness = *state;
        int fd;

        harness->broker.config.request_timeout = 200 * USEC_PER_MSEC;
        fd = harness_send_text(
            harness, "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
        assert_cut(harness, fd);
        assert_int_equal(harness->broker.reloads, 0);
        (void)close(fd);
}

static void a_head_over_its_limit_is_refused(void **state) {
        struct harness *harness = *state;
        static char head[64 * 1024];

        for (size_t size = 4 * 1024; size <= 20 * 1024; size += 512) {
                int n = snprintf(head, sizeof(head), "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "), fd;

                memset(head + n, 'y', size - (size_t)n - 4);
                (void)strcpy(head + size - 4, "\r\n\r\n");
                fd = harness_send_text(harness, head);
                receive(harness, fd);
                if (size <= 8 * 1024)
                        assert_int_equal(answer.status, 200);
                else
                        assert_true(answer.status == 413 || answer.status == 431);
                (void)close(fd);
        }
}

static void a_head_of_many_headers_is_refused(void **state) {
        struct harness *harness = *state;
        static char head[64 * 1024];
        size_t used = (size_t)snprintf(head, sizeof(head), "GET /healthz HTTP/1.1\r\nHost: x\r\n");

        while (used < 32 * 1024)
                used += (size_t)snprintf(head + used, sizeof(head) - used, "A:\r\n");
        (void)snprintf(head + used, sizeof(head) - used, "\r\n");
        harness_ask(harness, head, &answer);
        assert_true(answer.status == 413 || answer.status == 431);
}

static void a_head_of_ten_megabytes_is_refused(void **state) {
        struct harness *harness = *state;
        static char block[64 * 1024];
        int fd = harness_send_text(harness, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ");

        memset(block, 'y', sizeof(block));
        for (int i = 0; i < 160; i++)
                if (!harness_send(harness, fd, block, sizeof(block)))
                        break;
        receive(harness, fd);
        assert_true(answer.status == 431 || answer.closed);
        (void)close(fd);
        harness_ask(harness, "GET /healthz", &answer);
        assert_int_equal(answer.status, 200);
}

static void a_request_line_of_ten_megabytes_is_refused(void **state) {
        struct harness *harness = *state;
        static char block[64 * 1024];
        int fd = harness_send_text(harness, "GET /");

        memset(block, 'y', sizeof(block));
        for (int i = 0; i < 160; i++)
                if (!harness_send(harness, fd, block, sizeof(block)))
                        break;
        receive(harness, fd);
        assert_true((answer.status >= 400 && answer.status < 500) || answer.closed);
        (void)close(fd);
}

static void post(struct harness *harness, const char *head, size_t body) {
        static char text[400 * 1024];
        int n = snprintf(text, sizeof(text), "%s", head),
            fd = harness_connect_to(harness->control_path);

        memset(text + n, 'b', body);
        (void)harness_send(harness, fd, text, (size_t)n + body);
        receive(harness, fd);
        (void)close(fd);
}

static void a_body_up_to_its_limit_is_taken(void **state) {
        struct harness *harness = *state;

        post(harness, "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n",
             16384);
        assert_int_equal(answer.status, 200);
        post(harness, "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n\r\n",
             16385);
        assert_code(413, "request-too-large");
        post(harness, "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n",
             200000);
        assert_code(413, "request-too-large");
        assert_string_equal(answer_header(&answer, "Connection"), "close");
        assert_int_equal(harness->broker.reloads, 1);
}

static void a_chunked_body_is_counted(void **state) {
        struct harness *harness = *state;
        static const char head[] =
            "POST /v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        static char chunk[4096 + 16];
        int fd;

        (void)snprintf(chunk, sizeof(chunk), "1000\r\n%04096d\r\n", 0);
        for (int chunks = 3; chunks < 130; chunks += 63) {
                bool open = true;

                fd = harness_connect_to(harness->control_path);
                assert_true(harness_send(harness, fd, head, strlen(head)));
                for (int i = 0; i < chunks && open; i++)
                        open = harness_send(harness, fd, chunk, strlen(chunk));
                if (open)
                        (void)harness_send(harness, fd, "0\r\n\r\n", 5);
                receive(harness, fd);
                if (chunks == 3)
                        assert_int_equal(answer.status, 200);
                else if (chunks == 66)
                        assert_true(answer.closed); /* more than is worth reading */
                (void)close(fd);
        }
        fd = harness_connect_to(harness->control_path);
        assert_true(harness_send(harness, fd, head, strlen(head)));
        for (int i = 0; i < 10; i++)
                assert_true(harness_send(harness, fd, chunk, strlen(chunk)));
        assert_true(harness_send(harness, fd, "0\r\n\r\n", 5));
        receive(harness, fd);
        assert_code(413, "request-too-large");
        (void)close(fd);
        assert_int_equal(harness->broker.reloads, 1);
}

static void a_get_with_a_body_is_refused(void **state) {
        struct harness *harness = *state;

        harness_ask(harness,
                    "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                    &answer);
        assert_code(400, "malformed-request");
        harness_ask(harness,
                    "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                    &answer);
        assert_int_equal(answer.status, 200);
        assert_int_equal(harness->broker.issued, 1);
}

static void two_opinions_on_the_length_are_refused(void **state) {
        struct harness *harness = *state;
        static const char *const framings[] = {
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
                "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
                "Transfer-Encoding: gzip\r\n\r\n",
                "Transfer-Encoding: chunked, gzip\r\n\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        };
        char request[512];

        for (size_t i = 0; i < ELEMENTS(framings); i++) {
                int fd;

                (void)snprintf(request, sizeof(request),
                               "POST /v1/reload HTTP/1.1\r\nHost: x\r\n%s%s", framings[i],
                               GET("/v1/tokens/deploy"));
                fd = harness_send_text(harness, request);
                receive(harness, fd);
                assert_int_equal(answer.status, 400);
                (void)close(fd);
                harness_turn(harness, 0);
        }
        /* Nothing behind a doubtful end was taken for a request. */
        assert_int_equal(harness->broker.issued, 0);
        assert_int_equal(harness->broker.reloads, 0);
}

static void garbage_and_nul_bytes_crash_nothing(void **state) {
        struct harness *harness = *state;
        static const struct {
                const char *bytes;
                size_t length;
        } cases[] = {
#define BYTES(text) { text, sizeof(text) - 1 }
                BYTES("GET /v1/tokens/deploy\0x HTTP/1.1\r\nHost: x\r\n\r\n"),
                BYTES("GET /v1/tokens/deploy\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
                BYTES("GET /v1/tokens/deploy\0?x HTTP/1.1\r\nHost: x\r\n\r\n"),
                BYTES("GET /v1/tokens/deploy HTTP/1.1\0\r\nHost: x\r\n\r\n"),
                BYTES("GET\0/v1/tokens/deploy HTTP/1.1\r\nHost: x\r\n\r\n"),
                BYTES("GET /v1/tokens/nobody HTTP/1.1\r\nHo\0st: x\r\n\r\n"),
                BYTES("\0\0\0\0\r\n\r\n"),
                BYTES("\r\n\r\n\r\n\r\n\r\n"),
                BYTES("GET /v1/tokens/deploy HTTP/1.1\r\n\r\n"),
                BYTES("GET /v1/tokens/deploy HTTP/9.9\r\nHost: x\r\n\r\n"),
                BYTES("GET /v1/tokens/deploy\r\n\r\n"),
                BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
                BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                BYTES("GET /v1/tokens/nobody HTTP/1.1\r\nHost: x\r\n : y\r\n\tz\r\n\r\n"),
                BYTES("POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
                BYTES("POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: "
                      "99999999999999999999999\r\n\r\n"),
                BYTES("POST /v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                      "chunked\r\n\r\nzz\r\n\r\n"),
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                int fd = harness_connect(harness);

                assert_true(harness_send(harness, fd, cases[i].bytes, cases[i].length));
                receive(harness, fd);
                assert_true(answer.closed || answer.status == 400 || answer.status >= 404);
                (void)close(fd);
        }
        assert_int_equal(harness->broker.issued, 0);
        harness_ask(harness, "GET /healthz", &answer);
        assert_int_equal(answer.status, 200);
}

static void above_the_maximum_the_oldest_incomplete_head_goes_first(void **state) {
        struct harness *harness = *state;
        int fds[6];

        harness->broker.config.max_connections = 4;
        fds[0] = harness_send_text(harness, GET("/healthz"));
        receive(harness, fds[0]);
        assert_int_equal(answer.status, 200);
        for (int i = 1; i < 5; i++) {
                fds[i] = harness_send_text(harness, "GET /he");
                harness_turn(harness, USEC_PER_MSEC);
                harness_turn(harness, 0);
        }
        /* 0 is idle and older, but 1 is the oldest incomplete head. */
        assert_cut(harness, fds[1]);
        fds[5] = harness_send_text(harness, GET("/healthz"));
        receive(harness, fds[5]);
        assert_int_equal(answer.status, 200);
        assert_cut(harness, fds[2]);
        for (int i = 3; i < 5; i++) {
                assert_true(harness_send(harness, fds[i], "althz HTTP/1.1\r\nHost: x\r\n\r\n", 27));
                receive(harness, fds[i]);
                assert_int_equal(answer.status, 200);
        }
        assert_true(harness_send(harness, fds[0], GET("/healthz"), strlen(GET("/healthz"))));
        receive(harness, fds[0]);
        assert_int_equal(answer.status, 200);
        for (int i = 0; i < 6; i++)
                (void)close(fds[i]);
}

static void without_incomplete_heads_the_oldest_idle_one_goes(void **state) {
        struct harness *harness = *state;
        int fds[5];

        harness->broker.config.max_connections = 4;
        for (int i = 0; i < 5; i++) {
                fds[i] = harness_send_text(harness, GET("/healthz"));
                receive(harness, fds[i]);
                assert_int_equal(answer.status, 200);
        }
        assert_cut(harness, fds[0]);
        assert_true(harness_send(harness, fds[1], GET("/healthz"), strlen(GET("/healthz"))));
        receive(harness, fds[1]);
        assert_int_equal(answer.status, 200);
        for (int i = 0; i < 5; i++)
                (void)close(fds[i]);
}

static void a_thousand_silent_connections_keep_nobody_out(void **state) {
        struct harness *harness = *state;
        static int fds[1000];

        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                fds[i] = harness_connect(harness);
                if (i % 100 != 99)
                        continue;
                harness_ask(harness, "GET /v1/tokens/deploy", &answer);
                assert_int_equal(answer.status, 200);
        }
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                (void)close(fds[i]);
}

static void a_burst_of_complete_requests_loses_none(void **state) {
        struct harness *harness = *state;
        static int fds[300];

        /* All are in the backlog with their heads before the first is accepted. */
        harness->broker.config.max_connections = 4;
        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                fds[i] = harness_connect(harness);
                assert_int_equal(
                    send(fds[i], GET("/v1/tokens/deploy"), strlen(GET("/v1/tokens/deploy")), 0),
                    strlen(GET("/v1/tokens/deploy")));
        }
        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                receive(harness, fds[i]);
                assert_int_equal(answer.status, 200);
                (void)close(fds[i]);
        }
        assert_int_equal(harness->broker.issued, ELEMENTS(fds));
}

static void a_reader_that_does_not_read_is_cut_off(void **state) {
        struct harness *harness = *state;
        static char value[32 * 1024];
        int fd;

        memset(value, 'v', sizeof(value) - 1);
        harness->broker.value = value;
        harness->broker.config.request_timeout = 200 * USEC_PER_MSEC;
        fd = harness_connect(harness);
        /* Until its own answers fill the socket in both directions. */
        for (usec_t end = clock_monotonic() + PATIENCE; clock_monotonic() < end;) {
                ssize_t n = send(fd, GET("/v1/tokens/deploy"), strlen(GET("/v1/tokens/deploy")),
                                 MSG_NOSIGNAL);

                if (n < 0 && errno != EAGAIN)
                        break;
                harness_turn(harness, USEC_PER_MSEC);
        }
        assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
        assert_int_equal(errno, EPIPE);
        harness_turn(harness, 0);
        assert_int_equal(secret_in_use(), 0);
        (void)close(fd);
}

static void a_peer_that_is_not_root_is_refused(void **state) {
        struct harness *harness = *state;
        int status;
        pid_t child;

        if (geteuid() != 0) {
                print_message("# not run: needs root to become somebody else\n");
                return;
        }
        assert_int_equal(chmod(harness->directory, 0755), 0);
        assert_int_equal(chmod(harness->path, 0666), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                char text[2048];
                size_t used = 0;
                ssize_t n;
                int fd;

                if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
                        _exit(2);
                fd = harness_connect_to(harness->path);
                (void)fcntl(fd, F_SETFL, 0);
                if (send(fd, GET("/v1/tokens/deploy"), strlen(GET("/v1/tokens/deploy")), 0) < 0)
                        _exit(3);
                while ((n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0)
                        used += (size_t)n;
                text[used] = '\0';
                _exit(n == 0 && strstr(text, " 403 ") && strstr(text, "peer-refused") ? 0 : 4);
        }
        for (usec_t end = clock_monotonic() + PATIENCE; waitpid(child, &status, WNOHANG) == 0;) {
                assert_true(clock_monotonic() < end);
                harness_turn(harness, USEC_PER_MSEC);
        }
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_int_equal(harness->broker.asked, 0);
        assert_int_equal(harness->broker.refusals, 1);
        assert_int_equal(harness->broker.last_refusal.code, DIAG_PEER_REFUSED);
        assert_int_equal(harness->broker.last_peer.uid, 65534);
}

static void who_asks_too_often_is_told_when_to_come_back(void **state) {
        static const char healthz[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        struct harness *harness = *state;
        int fd;

        harness->broker.config.requests_per_second = 1;
        for (int i = 0; i < 5; i++) {
                harness_ask(harness, "GET /v1/tokens/deploy", &answer);
                assert_int_equal(answer.status, 200);
        }
        harness_ask(harness, "GET /v1/tokens/deploy", &answer);
        assert_code(429, "too-many-requests");
        assert_string_equal(answer_header(&answer, "Retry-After"), "1");
        assert_non_null(strstr(answer.body, "raise requests_per_second"));
        assert_int_equal(harness->broker.issued, 5);
        assert_int_equal(harness->broker.refusals, 1);
        assert_int_equal(harness->broker.last_refusal.code, DIAG_TOO_MANY_REQUESTS);

        /* The connection is kept, and nothing is too cheap to count. */
        fd = harness_send_text(
            harness,
            "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
        receive(harness, fd);
        assert_code(429, "too-many-requests");
        assert_null(answer_header(&answer, "Connection"));
        (void)close(fd);

        /* Operators have buckets of their own, and a reload that takes the limit away is felt at
         * once. */
        fd = harness_connect_to(harness->control_path);
        assert_true(harness_send(harness, fd, healthz, sizeof(healthz) - 1));
        receive(harness, fd);
        assert_int_equal(answer.status, 200);
        (void)close(fd);
        harness->broker.config.requests_per_second = 0;
        harness_ask(harness, "GET /v1/tokens/deploy", &answer);
        assert_int_equal(answer.status, 200);
}

static const char with_proof[] =
    "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0123456789\r\n\r\n";

/* Jobs that wait with a proof in hand never keep the broker from reading a value. */
static void proofs_hold_half_of_the_locked_memory_at_most(void **state) {
        struct harness *harness = *state;
        void *taken = secret_alloc(secret_capacity() / PROOF_SHARE);

        assert_non_null(taken);
        harness_ask(harness, with_proof, &answer);
        assert_code(429, "too-many-requests");
        assert_string_equal(answer_header(&answer, "Retry-After"), "1");
        harness_ask(harness, "GET /v1/tokens/deploy", &answer);
        assert_int_equal(answer.status, 200);
        secret_free(taken);
        harness_ask(harness, with_proof, &answer);
        assert_int_equal(answer.status, 200);
}

/* A head that fits, but for what is too long for any proof. */
static void proofs_have_their_own_limits(void **state) {
        static const struct {
                const char *header;
                size_t length;
                int status;
        } rows[] = {
                { "Authorization: Bearer ", 4096, 200 },
                { "Authorization: Bearer ", 4097, 413 },
                { "Authorization: Basic ", 5000, 200 },
                { "Forge-Broker-Id-Token-Url: ", 2048, 200 },
                { "Forge-Broker-Id-Token-Url: ", 2049, 413 },
        };
        struct harness *harness = *state;

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                char value[6000], text[7000];

                memset(value, 'a', rows[i].length);
                value[rows[i].length] = '\0';
                (void)snprintf(text, sizeof(text),
                               "GET /v1/tokens/deploy HTTP/1.1\r\nHost: x\r\n%s%s\r\n\r\n",
                               rows[i].header, value);
                harness_ask(harness, text, &answer);
                if (answer.status != rows[i].status)
                        fail_msg("%s %zu: %d", rows[i].header, rows[i].length, answer.status);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define TEST(function)         cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define PATIENT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up_patient, tear_down)
                TEST(half_a_request_is_cut_off_in_time),
                TEST(a_dripping_head_gets_no_more_time),
                TEST(a_kept_connection_is_closed_when_idle_or_dripping),
                TEST(the_next_head_has_its_time_from_its_request_line),
                TEST(a_loop_that_was_held_up_cuts_nobody_off),
                TEST(a_body_that_never_ends_is_cut_off),
                TEST(who_asks_too_often_is_told_when_to_come_back),
                PATIENT_TEST(a_head_over_its_limit_is_refused),
                PATIENT_TEST(a_head_of_many_headers_is_refused),
                PATIENT_TEST(a_head_of_ten_megabytes_is_refused),
                PATIENT_TEST(a_request_line_of_ten_megabytes_is_refused),
                PATIENT_TEST(a_body_up_to_its_limit_is_taken),
                PATIENT_TEST(a_chunked_body_is_counted),
                PATIENT_TEST(a_get_with_a_body_is_refused),
                PATIENT_TEST(two_opinions_on_the_length_are_refused),
                PATIENT_TEST(garbage_and_nul_bytes_crash_nothing),
                PATIENT_TEST(above_the_maximum_the_oldest_incomplete_head_goes_first),
                PATIENT_TEST(without_incomplete_heads_the_oldest_idle_one_goes),
                PATIENT_TEST(a_thousand_silent_connections_keep_nobody_out),
                PATIENT_TEST(a_burst_of_complete_requests_loses_none),
                PATIENT_TEST(a_reader_that_does_not_read_is_cut_off),
                PATIENT_TEST(a_peer_that_is_not_root_is_refused),
                PATIENT_TEST(proofs_hold_half_of_the_locked_memory_at_most),
                PATIENT_TEST(proofs_have_their_own_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
