#include "broker/doctor_desk.h"

#include "broker/refresh.h"

/* Who came back too late for the end of a run by so little gets its report. */
#define NEWS_AGE (500 * USEC_PER_MSEC)

static void on_done(void *userdata, json_t *steps, const struct error *err) {
        struct doctor_desk *desk = userdata;
        struct findings_count count;

        desk->run = NULL;
        if (steps)
                findings_close(steps, &count);
        desk->report = json_incref(steps);
        desk->error = *err;
        desk->ended_at = clock_boottime();
        desk->checked_at = clock_realtime();
        waiter_wake_all(&desk->waiters);
}

static void forget(struct doctor_desk *desk) {
        json_decref(desk->report);
        desk->report = NULL;
        desk->ended_at = 0;
}

/* As for a refresh on demand. */
static usec_t delay(const struct doctor_desk *desk) {
        return desk->started_at > 0
                   ? usec_sub(usec_add(desk->started_at, REFRESH_FORCED_INTERVAL), clock_boottime())
                   : 0;
}

static int begin(struct doctor_desk *desk, const struct doctor_context *context,
                 struct error *err) {
        struct doctor_context delayed = *context;
        int r;

        delayed.delay = delay(desk);
        r = doctor_start(&delayed, on_done, desk, &desk->run, err);
        if (r < 0)
                return r;
        desk->started_at = clock_boottime() + delayed.delay;
        forget(desk);
        return 0;
}

int doctor_desk_ask(struct doctor_desk *desk, const struct doctor_context *context,
                    struct waiter *waiter, bool waited, json_t **ret, usec_t *ret_checked_at,
                    struct error *err) {
        bool answered =
            desk->ended_at > 0 && (waited || clock_boottime() < usec_add(desk->ended_at, NEWS_AGE));
        int r;

        if (!desk->run && answered) {
                if (!desk->report) {
                        *err = desk->error;
                        return -(int)err->code;
                }
                *ret = json_incref(desk->report);
                *ret_checked_at = desk->checked_at;
                return DOCTOR_READY;
        }
        if (!desk->run) {
                r = begin(desk, context, err);
                if (r < 0)
                        return r;
        }
        waiter_join(waiter, &desk->waiters);
        return DOCTOR_WAIT;
}

void doctor_desk_drop(struct doctor_desk *desk) {
        desk->run = doctor_cancel(desk->run);
        forget(desk);
        waiter_wake_all(&desk->waiters);
}
