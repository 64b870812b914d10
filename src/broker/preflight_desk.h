/*
 * Preflights under way, and those that have just ended: equal questions share one, and what a job's
 * questions can make a forge see is bounded, whatever their number.
 *
 *      ask -> [the same question is under way or ended less than PREFLIGHT_NEWS ago] -> joins it
 *          -> [its token was found dead] -> answered without the forge
 *          -> [too many at once, too often, or the forge's patience is used up] -> too-many-requests
 *          -> inspection, which goes on to its end whoever leaves: what a write probe made has to be taken away again
 */
#pragma once

#include "base/budget.h"
#include "base/fingerprint.h"
#include "broker/rate.h"
#include "broker/verify.h"
#include "forge/preflight.h"

#define PREFLIGHT_NEWS     (5 * USEC_PER_SEC)
#define PREFLIGHT_RUNS_MAX 16
/* with PREFLIGHT_BURST: how often a forge is asked, by all jobs */
#define PREFLIGHT_INTERVAL (250 * USEC_PER_MSEC)
#define PREFLIGHT_BURST    40
/* One unit's or container's half of all that, which leaves the others theirs. */
#define PREFLIGHT_RUNS_OF_ORIGIN       8
#define PREFLIGHT_PER_SECOND_OF_ORIGIN 2
#define PREFLIGHT_BURST_OF_ORIGIN      20
/* And so many tokens of its jobs that a forge does not know, within VERIFY_DEAD_SPAN. */
#define PREFLIGHT_DEAD_OF_ORIGIN 2
#define PREFLIGHT_DEAD_MAX       32

struct inspection;

/* Called once for each question that the forge was asked. */
typedef void (*preflight_ended)(void *userdata, const struct inspection *inspection);

/* A token of a job's that a forge does not know. */
struct preflight_dead {
        char print[FINGERPRINT_MAX];
        char forge[96]; /* the beginning of its URL */
        struct peer by;
        usec_t at; /* boottime; 0: none */
};

struct preflight_desk {
        sd_event *event; /* borrowed */
        preflight_ended ended;
        void *userdata;
        struct inspection *first;
        struct budget budget;
        struct rate *rate;                              /* of each origin */
        struct preflight_dead dead[PREFLIGHT_DEAD_MAX]; /* a ring */
        size_t next_dead;
};

/* What is asked about which value. */
struct preflight_subject {
        struct config *config;
        const struct token_config *token;
        struct secret *value;
        char print[FINGERPRINT_MAX];
        bool handed_in;     /* by a job: it is none of the broker's */
        enum source source; /* of the broker's own, as stale */
        bool stale;
        const struct peer *peer; /* who asks; NULL: the broker itself */
        const struct verify_forge *forge;
        const struct error *dead; /* the forge has said that it does not know it; or NULL */
};

/* One question and, once that is there, its answer. */
struct inspection {
        unsigned references;
        struct inspection *next;
        struct preflight_desk *desk;
        struct config *config; /* keeps @token */
        const struct token_config *token;
        char print[FINGERPRINT_MAX];
        bool handed_in;
        bool by_peer;
        struct peer peer; /* who asked first, if that was a peer */
        enum source source;
        bool stale;
        struct forge_question question;
        struct http_client *http; /* while it runs */
        struct forge_preflight *running;
        struct waiter_list waiters;
        usec_t ended_at; /* boottime; 0: not yet */
        struct forge_report report;
};

/** preflight_desk_init() - @ended: with @userdata, for each question; borrows @event.  Return: 0 or
 * -DIAG_INTERNAL_ERROR. */
int preflight_desk_init(struct preflight_desk *desk, sd_event *event, preflight_ended ended,
                        void *userdata, struct error *err);

/**
 * preflight_desk_ask() - an inspection, joined or begun
 * @ret: a reference, for inspection_unref()
 *
 * Return: 0, -DIAG_TOO_MANY_REQUESTS with @ret_retry_after, -DIAG_FORGE_CANNOT_TELL for a forge of
 * type `other`, or -DIAG_INTERNAL_ERROR.
 */
int preflight_desk_ask(struct preflight_desk *desk, const struct preflight_subject *subject,
                       const struct forge_question *question, struct inspection **ret,
                       usec_t *ret_retry_after, struct error *err);

/** preflight_desk_writing() - how many are under way that may have made something and will take it
 * away again */
size_t preflight_desk_writing(const struct preflight_desk *desk);

/** preflight_desk_done() - ends what is under way; waiters are woken */
void preflight_desk_done(struct preflight_desk *desk);

struct inspection *inspection_unref(struct inspection *inspection);
