#include "job/ready.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "job/problem.h"

#define PAUSE_FIRST (50 * USEC_PER_MSEC)
#define PAUSE_MAX   (2 * USEC_PER_SEC)

/* The one token's own diagnosis, which the answer has in a list. */
static bool find_item(const struct http_answer *answer, struct json *ret) {
        struct json problem, tokens;
        struct failure unused;

        *ret = (struct json){ 0 };
        return answer->status == 503 &&
               json_parse(answer->body, answer->body_length, &problem, &unused) == 0 &&
               json_member(problem, "tokens", &tokens) && json_next(tokens, ret);
}

/* A token with no diagnosis of its own has had none yet: the broker was just started, its first
 * fetch is under way. */
static bool is_unsettled(const struct http_answer *answer) {
        struct json item;
        char code[48];

        return find_item(answer, &item) && json_text(item, "code", code, sizeof(code)) &&
               strcmp(code, diagnosis_info(DIAG_NO_USABLE_VALUE)->name) == 0;
}

static int ask(const struct client *client, const char *name, struct locked_buffer *buffer,
               struct http_answer *ret, struct failure *failure) {
        char path[128] = "";
        size_t used = 0;
        int r;

        *ret = (struct http_answer){ 0 };
        (void)text_append(path, sizeof(path), &used, "/readyz/%s", name);
        r = client_ask(client, path, buffer, ret, failure);
        if (r < 0)
                return r;
        return ret->status == 200 ? READY : problem_read(ret, failure);
}

/* Says what is wrong with the token instead of "1 token is not usable". */
static void narrow(const struct http_answer *answer, struct failure *failure) {
        char code[sizeof(failure->code)], detail[ERROR_DETAIL_MAX], remedy[ERROR_REMEDY_MAX];
        struct json item;

        if (!find_item(answer, &item) || !json_text(item, "code", code, sizeof(code)) ||
            !json_text(item, "detail", detail, sizeof(detail)))
                return;
        (void)failure_set(failure, failure->exit_code, "%s", detail);
        memcpy(failure->code, code, sizeof(code));
        if (json_text(item, "remedy", remedy, sizeof(remedy)))
                failure_remedy_set(failure, "%s", remedy);
}

int ready_check(const struct client *client, const char *name, struct locked_buffer *buffer,
                struct failure *failure) {
        struct http_answer answer;

        return ask(client, name, buffer, &answer, failure);
}

int ready_settle(const struct client *client, const char *name, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer buffer = { 0 };
        struct http_answer answer;
        usec_t pause = 0;
        int r;

        for (;;) {
                r = ask(client, name, &buffer, &answer, failure);
                if (r == READY)
                        return r;
                if (answer.status == 0 || !is_unsettled(&answer) ||
                    usec_sub(client->deadline.at, clock_monotonic()) <= pause) {
                        if (answer.status > 0)
                                narrow(&answer, failure);
                        return r;
                }
                ready_pause(client, &pause);
        }
}

void ready_pause(const struct client *client, usec_t *pause) {
        usec_t left = usec_sub(client->deadline.at, clock_monotonic());
        struct timespec ts;

        *pause = *pause == 0                  ? PAUSE_FIRST
                 : *pause * 3 / 2 < PAUSE_MAX ? *pause * 3 / 2
                                              : PAUSE_MAX;
        if (*pause > left)
                *pause = left;
        ts = (struct timespec){ .tv_sec = (time_t)(*pause / USEC_PER_SEC),
                                .tv_nsec = (long)(*pause % USEC_PER_SEC * 1000) };
        (void)nanosleep(&ts, NULL);
}
