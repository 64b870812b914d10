#include "broker/preflight_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inspection *inspection_unref(struct inspection *inspection) {
        if (!inspection || --inspection->references > 0)
                return NULL;
        (void)forge_preflight_cancel(inspection->running);
        (void)http_client_free(inspection->http);
        (void)config_unref(inspection->config);
        free(inspection);
        return NULL;
}
DEFINE_CLEANUP(struct inspection *, inspection_unref);

static void remember_dead(struct preflight_desk *desk, const struct inspection *inspection) {
        struct preflight_dead *dead = &desk->dead[desk->next_dead];

        (void)snprintf(dead->print, sizeof(dead->print), "%s", inspection->print);
        (void)snprintf(dead->forge, sizeof(dead->forge), "%s", inspection->question.forge->url);
        dead->by = inspection->peer;
        dead->at = inspection->ended_at;
        desk->next_dead = (desk->next_dead + 1) % PREFLIGHT_DEAD_MAX;
}

static bool is_of_forge(const struct preflight_dead *dead, const struct forge_config *forge) {
        return dead->at > 0 && strncmp(dead->forge, forge->url, sizeof(dead->forge) - 1) == 0;
}

static bool was_found_dead(const struct preflight_desk *desk,
                           const struct preflight_subject *subject) {
        for (size_t i = 0; i < PREFLIGHT_DEAD_MAX; i++)
                if (strcmp(desk->dead[i].print, subject->print) == 0 &&
                    is_of_forge(&desk->dead[i], subject->token->forge))
                        return true;
        return false;
}

/* The list's own reference keeps it; who asked may have left. */
static void on_report(void *userdata, const struct forge_report *report) {
        struct inspection *inspection = userdata;

        inspection->running = NULL;
        inspection->report = *report;
        inspection->ended_at = clock_boottime();
        inspection->http = http_client_free(inspection->http);
        if (report->dead && inspection->handed_in)
                remember_dead(inspection->desk, inspection);
        inspection->desk->ended(inspection->desk->userdata, inspection);
        waiter_wake_all(&inspection->waiters);
}

static bool is_old(const struct inspection *inspection, usec_t now) {
        return inspection->ended_at > 0 && now >= usec_add(inspection->ended_at, PREFLIGHT_NEWS);
}

static void forget_old(struct preflight_desk *desk, usec_t now) {
        for (struct inspection **link = &desk->first; *link;) {
                struct inspection *inspection = *link;

                if (!is_old(inspection, now)) {
                        link = &inspection->next;
                        continue;
                }
                *link = inspection->next;
                (void)inspection_unref(inspection);
        }
}

static bool is_same(const struct inspection *inspection, const struct preflight_subject *subject,
                    const struct forge_question *question) {
        const struct forge_question *other = &inspection->question;

        return inspection->config == subject->config && inspection->token == subject->token &&
               inspection->handed_in == subject->handed_in &&
               strcmp(inspection->print, subject->print) == 0 && other->needs == question->needs &&
               other->write_probe == question->write_probe &&
               strcmp(other->repository, question->repository) == 0 &&
               strcmp(other->ref, question->ref) == 0 && strcmp(other->image, question->image) == 0;
}

static unsigned count_running(const struct preflight_desk *desk,
                              const struct forge_config *handed_in_at) {
        unsigned count = 0;

        for (const struct inspection *inspection = desk->first; inspection;
             inspection = inspection->next)
                if (inspection->ended_at == 0 &&
                    (!handed_in_at ||
                     (inspection->handed_in &&
                      verify_same_forge(inspection->question.forge, handed_in_at))))
                        count++;
        return count;
}

/* Those under way that this origin began; @handed_in_at: only with tokens of jobs, at this
 * forge. */
static unsigned count_of_origin(const struct preflight_desk *desk, const struct peer *peer,
                                const struct forge_config *handed_in_at) {
        unsigned count = 0;

        for (const struct inspection *inspection = desk->first; inspection;
             inspection = inspection->next)
                if (inspection->ended_at == 0 && inspection->by_peer &&
                    peer_same_origin(&inspection->peer, peer) &&
                    (!handed_in_at ||
                     (inspection->handed_in &&
                      verify_same_forge(inspection->question.forge, handed_in_at))))
                        count++;
        return count;
}

/* A forge locks out an address that goes on to show it dead tokens: those of jobs count before
 * they were refused. */
static usec_t patience(const struct preflight_desk *desk, const struct preflight_subject *subject,
                       usec_t now) {
        struct verify_forge forge = *subject->forge;

        if (subject->handed_in && now < forge.jobs_paused_until)
                return forge.jobs_paused_until - now;
        if (subject->handed_in)
                forge.in_flight += (count_running(desk, subject->token->forge) + 1) *
                                       forge_refusals_max(forge.config->type) -
                                   1;
        return verify_forge_wait(&forge, now);
}

/* Of that, one origin's share: the jobs of all others prove themselves to the same forge. */
static usec_t patience_with_origin(const struct preflight_desk *desk,
                                   const struct preflight_subject *subject, usec_t now) {
        unsigned shown = count_of_origin(desk, subject->peer, subject->token->forge);
        usec_t oldest = now;

        for (size_t i = 0; i < PREFLIGHT_DEAD_MAX; i++) {
                const struct preflight_dead *dead = &desk->dead[i];

                if (!is_of_forge(dead, subject->token->forge) ||
                    now >= usec_add(dead->at, VERIFY_DEAD_SPAN) ||
                    !peer_same_origin(&dead->by, subject->peer))
                        continue;
                shown++;
                if (dead->at < oldest)
                        oldest = dead->at;
        }
        if (shown < PREFLIGHT_DEAD_OF_ORIGIN)
                return 0;
        return oldest < now ? usec_add(oldest, VERIFY_DEAD_SPAN) - now : USEC_PER_SEC;
}

static int may_ask(struct preflight_desk *desk, const struct preflight_subject *subject, usec_t now,
                   usec_t *ret_retry_after, struct error *err) {
        char origin[CGROUP_PATH_MAX];

        *ret_retry_after = patience(desk, subject, now);
        if (*ret_retry_after == 0 && subject->handed_in && subject->peer)
                *ret_retry_after = patience_with_origin(desk, subject, now);
        if (*ret_retry_after > 0)
                return error_set(err, DIAG_TOO_MANY_REQUESTS,
                                 "forge '%s' has been asked too often and is left alone for now",
                                 subject->token->forge->name);
        *ret_retry_after = USEC_PER_SEC;
        if (count_running(desk, NULL) >= PREFLIGHT_RUNS_MAX)
                return error_set(err, DIAG_TOO_MANY_REQUESTS, "%d preflights are under way already",
                                 PREFLIGHT_RUNS_MAX);
        if (subject->peer && count_of_origin(desk, subject->peer, NULL) >= PREFLIGHT_RUNS_OF_ORIGIN)
                return error_set(err, DIAG_TOO_MANY_REQUESTS,
                                 "%d preflights of %.128s are under way already",
                                 PREFLIGHT_RUNS_OF_ORIGIN, rate_origin(subject->peer, origin));
        if (subject->peer && !rate_take(desk->rate, subject->peer, PREFLIGHT_PER_SECOND_OF_ORIGIN,
                                        PREFLIGHT_BURST_OF_ORIGIN, now))
                return error_set(err, DIAG_TOO_MANY_REQUESTS,
                                 "the processes of %.128s ask for preflights too often",
                                 rate_origin(subject->peer, origin));
        if (!budget_take(&desk->budget, now, PREFLIGHT_INTERVAL, PREFLIGHT_BURST))
                return error_set(err, DIAG_TOO_MANY_REQUESTS, "preflights are asked for too often");
        *ret_retry_after = 0;
        return 0;
}

static struct inspection *inspection_new(struct preflight_desk *desk,
                                         const struct preflight_subject *subject,
                                         const struct forge_question *question) {
        struct inspection *inspection = calloc(1, sizeof(*inspection));

        if (!inspection)
                return NULL;
        inspection->references = 1;
        inspection->desk = desk;
        inspection->config = config_ref(subject->config);
        inspection->token = subject->token;
        memcpy(inspection->print, subject->print, sizeof(inspection->print));
        inspection->handed_in = subject->handed_in;
        inspection->by_peer = subject->peer != NULL;
        if (subject->peer)
                inspection->peer = *subject->peer;
        inspection->source = subject->source;
        inspection->stale = subject->stale;
        inspection->question = *question;
        return inspection;
}

static void answer_dead(struct inspection *inspection, const struct error *err) {
        struct forge_report *report = &inspection->report;

        report->dead = true;
        report->needs = inspection->question.needs;
        report->identity = (struct forge_finding){ .verdict = FORGE_NO, .error = *err };
        for (size_t i = 0; i < NEED_COUNT; i++)
                report->findings[i] = report->identity;
        inspection->ended_at = clock_boottime();
}

static int begin(struct preflight_desk *desk, const struct preflight_subject *subject,
                 struct inspection *inspection, usec_t *ret_retry_after, struct error *err) {
        struct error dead;
        int r;

        if (subject->dead || (subject->handed_in && was_found_dead(desk, subject))) {
                (void)error_set(&dead, DIAG_FORGE_TOKEN_REJECTED,
                                "forge '%s' was asked before and does not know the token",
                                subject->token->forge->name);
                error_remedy_set(&dead, FORGE_DEAD_OF_JOB);
                answer_dead(inspection, subject->dead ? subject->dead : &dead);
                return 0;
        }
        r = may_ask(desk, subject, clock_boottime(), ret_retry_after, err);
        if (r < 0)
                return r;
        r = http_client_new(desk->event, &inspection->http, err);
        if (r < 0)
                return r;
        return forge_preflight_start(inspection->http, &inspection->question, subject->value,
                                     on_report, inspection, &inspection->running, err);
}

int preflight_desk_ask(struct preflight_desk *desk, const struct preflight_subject *subject,
                       const struct forge_question *question, struct inspection **ret,
                       usec_t *ret_retry_after, struct error *err) {
        _cleanup_(inspection_unrefp) struct inspection *inspection = NULL;
        int r;

        forget_old(desk, clock_boottime());
        for (struct inspection *known = desk->first; known; known = known->next) {
                if (!is_same(known, subject, question))
                        continue;
                known->references++;
                *ret = known;
                return 0;
        }
        inspection = inspection_new(desk, subject, question);
        if (!inspection)
                return error_oom(err);
        r = begin(desk, subject, inspection, ret_retry_after, err);
        if (r < 0)
                return r;
        /* What was answered without the forge need not be kept: however often that is asked, the
         * list stays short. */
        if (inspection->ended_at == 0) {
                inspection->references++;
                inspection->next = desk->first;
                desk->first = inspection;
        }
        *ret = take(inspection);
        return 0;
}

int preflight_desk_init(struct preflight_desk *desk, sd_event *event, preflight_ended ended,
                        void *userdata, struct error *err) {
        *desk = (struct preflight_desk){
                .event = event, .ended = ended, .userdata = userdata, .rate = rate_new()
        };
        return desk->rate ? 0 : error_oom(err);
}

size_t preflight_desk_writing(const struct preflight_desk *desk) {
        size_t count = 0;

        for (const struct inspection *inspection = desk->first; inspection;
             inspection = inspection->next)
                count += inspection->ended_at == 0 && forge_question_writes(&inspection->question);
        return count;
}

void preflight_desk_done(struct preflight_desk *desk) {
        struct inspection *inspection;

        while ((inspection = desk->first)) {
                desk->first = inspection->next;
                inspection->running = forge_preflight_cancel(inspection->running);
                inspection->http = http_client_free(inspection->http);
                waiter_wake_all(&inspection->waiters);
                (void)inspection_unref(inspection);
        }
        desk->rate = rate_free(desk->rate);
}
