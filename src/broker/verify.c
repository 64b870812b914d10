#include "broker/verify.h"

#include <string.h>

#include "base/log.h"

void verify_init(struct verify *verify, struct refresh *refresh, struct http_client *http,
                 struct verify_forge *forge) {
        *verify = (struct verify){ .refresh = refresh, .http = http, .forge = forge };
}

void verify_done(struct verify *verify) {
        if (verify->alive)
                verify_forge_answered(verify->forge);
        verify->alive = forge_alive_cancel(verify->alive);
        waiter_wake_all(&verify->waiters);
        verify->error = error_release(verify->error);
}

void verify_adopt(struct verify *verify, const struct verify *from) {
        memcpy(verify->expiring, from->expiring, sizeof(verify->expiring));
        verify->expires_at = from->expires_at;
        verify->expiry = from->expiry;
        verify->expiry_asked_at = from->expiry_asked_at;
        if (from->answered_at == 0 || from->alive)
                return;
        memcpy(verify->print, from->print, sizeof(verify->print));
        verify->answered_at = from->answered_at;
        verify->life = from->life;
        verify->error = error_keep(verify->error, from->error);
}

bool verify_same_forge(const struct forge_config *a, const struct forge_config *b) {
        return a->type == b->type && strcmp(a->url, b->url) == 0;
}

void verify_forge_asked(struct verify_forge *forge) {
        forge->in_flight++;
}

void verify_forge_answered(struct verify_forge *forge) {
        forge->in_flight--;
        waiter_wake_all(&forge->room);
}

void verify_forge_refused(struct verify_forge *forge, usec_t now) {
        forge->dead_at[forge->next] = now;
        forge->next = (forge->next + 1) % VERIFY_DEAD_MAX;
}

void verify_forge_pause(struct verify_forge *forge, usec_t now) {
        forge->paused_until = usec_add(now, VERIFY_PAUSE);
}

usec_t verify_forge_wait(const struct verify_forge *forge, usec_t now) {
        size_t dead = 0;
        usec_t oldest = now;

        for (size_t i = 0; i < VERIFY_DEAD_MAX; i++) {
                if (forge->dead_at[i] == 0 || now >= usec_add(forge->dead_at[i], VERIFY_DEAD_SPAN))
                        continue;
                dead++;
                if (forge->dead_at[i] < oldest)
                        oldest = forge->dead_at[i];
        }
        if (now < forge->paused_until)
                return forge->paused_until - now;
        if (dead + forge->in_flight < VERIFY_DEAD_MAX)
                return 0;
        /* With some in flight the answer may be no sooner than theirs. */
        return dead > 0 ? usec_add(oldest, VERIFY_DEAD_SPAN) - now : USEC_PER_SEC;
}

/* Once per change, never per report. */
static void log_verdict(const struct verify *verify, enum forge_life life,
                        const struct error *error) {
        const char *token = verify->refresh->token->name;

        /* A dead one is on record: refresh_set_forge_error(). */
        if (life == FORGE_TOKEN_ALIVE)
                log_message(LOG_LEVEL_NOTICE,
                            "token '%s': a job reported that it is not accepted, and forge '%s' "
                            "knows it: the "
                            "job used another credential, or lacks a right",
                            token, verify->forge->config->name);
        else if (life == FORGE_TOKEN_UNKNOWN)
                log_message(LOG_LEVEL_WARNING,
                            "token '%s': a job reported that it is not accepted, which cannot be "
                            "verified: %s: "
                            "%s. remedy: %s",
                            token, diagnosis_info(error->code)->name, error->detail,
                            error_remedy(error));
}

static void take_verdict(struct verify *verify, enum forge_life life, const struct error *err) {
        const struct token_config *token = verify->refresh->token;
        bool is_new = verify->answered_at == 0 || life != verify->life ||
                      err->code != error_kept(verify->error)->code;
        usec_t now = clock_boottime();
        struct error error = *err;

        verify->answered_at = now;
        verify->life = life;
        if (life == FORGE_TOKEN_DEAD) {
                verify_forge_refused(verify->forge, now);
                if (error.remedy[0] == '\0')
                        error_remedy_set(
                            &error,
                            "Create a new token at forge '%s' and store it as secret '%s' in "
                            "Infisical's %.64s, then run 'forge-brokerctl refresh %s'.",
                            token->forge->name, token->secret_name, token->secret_path,
                            token->name);
        }
        verify->error = error_keep(verify->error, &error);
        if (err->code == DIAG_UPSTREAM_RATE_LIMITED)
                verify_forge_pause(verify->forge, now);
        if (is_new)
                log_verdict(verify, life, &error);
        if (life == FORGE_TOKEN_DEAD)
                refresh_set_forge_error(verify->refresh, verify->print, &error);
        else if (life == FORGE_TOKEN_ALIVE)
                refresh_set_forge_error(verify->refresh, verify->print, NULL);
}

static void on_alive(void *userdata, enum forge_life life, const struct error *err) {
        struct verify *verify = userdata;

        verify->alive = NULL;
        take_verdict(verify, life, err);
        verify_forge_answered(verify->forge);
        waiter_wake_all(&verify->waiters);
}

/* A question that cannot even be asked has its verdict at once: UNKNOWN. */
static void start(struct verify *verify, const struct value *value) {
        struct error err = { 0 };

        if (strcmp(verify->print, value->fingerprint) != 0) {
                memcpy(verify->print, value->fingerprint, sizeof(verify->print));
                verify->answered_at = 0;
        }
        if (forge_alive_start(verify->http, verify->forge->config, value->token, on_alive, verify,
                              &verify->alive, &err) < 0)
                take_verdict(verify, FORGE_TOKEN_UNKNOWN, &err);
        else
                verify_forge_asked(verify->forge);
}

static bool is_answered(const struct verify *verify, const struct value *value) {
        return !verify->alive && verify->answered_at > 0 &&
               strcmp(verify->print, value->fingerprint) == 0;
}

int verify_value(struct verify *verify, const struct value *value, usec_t since, bool may_wait,
                 struct waiter *waiter, enum forge_life *ret_life, usec_t *ret_retry_after,
                 struct error *err) {
        usec_t now = clock_boottime(), wait;

        /* What is asked about a value that was replaced meanwhile is not worth waiting for, for
         * those neither who wait already. */
        if (verify->alive && strcmp(verify->print, value->fingerprint) != 0)
                verify_done(verify);
        if (!verify->alive &&
            !(is_answered(verify, value) &&
              (verify->answered_at >= since || now - verify->answered_at < VERIFY_INTERVAL))) {
                wait = verify_forge_wait(verify->forge, now);
                if (wait == 0) {
                        start(verify, value);
                } else if (!is_answered(verify, value)) {
                        *ret_retry_after = wait;
                        return error_set(
                            err, DIAG_TOO_MANY_REQUESTS,
                            "forge '%s' has been asked too often and is left alone for "
                            "now",
                            verify->forge->config->name);
                }
        }
        if (verify->alive && may_wait) {
                waiter_join(waiter, &verify->waiters);
                return VERIFY_WAIT;
        }
        if (verify->alive) {
                *ret_life = FORGE_TOKEN_UNKNOWN;
                (void)error_set(err, DIAG_UPSTREAM_TIMEOUT, "forge '%s' has not answered yet",
                                verify->forge->config->name);
                error_remedy_set(err, "Report it again: the forge is being asked.");
                return VERIFY_ANSWERED;
        }
        *ret_life = verify->life;
        *err = *error_kept(verify->error);
        return VERIFY_ANSWERED;
}

void verify_learn(struct verify *verify, const char *print, const struct forge_report *report) {
        usec_t now = clock_boottime();

        /* Forges count for each token: one that a job has used up stops no question about the
         * broker's own. */
        if (report->asked_too_often && !print)
                verify->forge->jobs_paused_until = usec_add(now, VERIFY_PAUSE);
        else if (report->asked_too_often)
                verify_forge_pause(verify->forge, now);
        for (unsigned i = 0; !print && i < report->refusals; i++)
                verify_forge_refused(verify->forge, now);
        if (!print)
                return;
        if (report->identity.verdict == FORGE_YES) {
                memcpy(verify->expiring, print, sizeof(verify->expiring));
                verify->expires_at = report->expires_at;
        }
        if (verify->alive)
                return;
        if (report->dead) {
                memcpy(verify->print, print, sizeof(verify->print));
                take_verdict(verify, FORGE_TOKEN_DEAD, &report->identity.error);
        } else if (report->identity.verdict == FORGE_YES && verify_found_dead(verify, print)) {
                /* It was wrong, or the forge was; a report of a job's is verified anew all the
                 * same. */
                verify->answered_at = 0;
                refresh_set_forge_error(verify->refresh, print, NULL);
        }
}

usec_t verify_expires_at(const struct verify *verify, const char *print) {
        return strcmp(verify->expiring, print) == 0 ? verify->expires_at : 0;
}

const struct error *verify_found_dead(const struct verify *verify, const char *print) {
        bool is_dead = verify->answered_at > 0 && verify->life == FORGE_TOKEN_DEAD &&
                       strcmp(verify->print, print) == 0;

        return is_dead ? error_kept(verify->error) : NULL;
}
