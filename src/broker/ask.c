/*
 * The use cases: a peer and a token's name in, an audited outcome out.
 */
#include <string.h>

#include "broker/admission.h"
#include "broker/broker_internal.h"
#include "broker/rejected.h"

void ask_done(struct ask *ask) {
        waiter_leave(&ask->waiter);
        ask->inspection = inspection_unref(ask->inspection);
        ask->proof = secret_unref(ask->proof);
}

void issuance_done(struct issuance *issuance) {
        (void)secret_unref(issuance->token);
        (void)config_unref(issuance->configuration);
        *issuance = (struct issuance){ 0 };
}

static int unavailable(struct broker *broker, const struct ask *ask,
                       const struct admission *admission, struct error *err) {
        broker_refuse(broker, AUDIT_UNAVAILABLE, ask, admission, err);
        return -(int)err->code;
}

static int no_usable_value(struct ask *ask, struct refresh *refresh, struct error *err) {
        const struct error *error = error_kept(refresh->error);
        const struct diagnosis_info *info = diagnosis_info(error->code);

        ask->attempts = &refresh->attempts;
        if (refresh->fetch || !refresh->has_verdict) {
                (void)error_set(err, DIAG_NO_USABLE_VALUE, "token '%s' is still being fetched",
                                refresh->token->name);
                error_remedy_set(err, "Ask again; 'forge-brokerctl status' on the host shows what "
                                      "the fetch waits for.");
        } else {
                ask->retry_after = usec_sub(refresh->next_at, clock_boottime());
                (void)error_set(err, DIAG_NO_USABLE_VALUE, "token '%s': %s: %s",
                                refresh->token->name, info->name, error->detail);
                error_remedy_set(err, "%s", error_remedy(error));
        }
        return -(int)err->code;
}

int broker_await_value(struct ask *ask, struct refresh *refresh, struct error *err) {
        bool comes;

        refresh_notice_end(refresh);
        comes = refresh->fetch || !refresh->has_verdict || refresh->next_at < ask->patient_until;
        if (!ask->may_wait || !comes)
                return no_usable_value(ask, refresh, err);
        waiter_join(&ask->waiter, &refresh->waiters);
        return ASK_WAIT;
}

/* The journal is full: wait for it, but not for ever and not when the request's own time is
 * over. */
static int wait_for_audit(struct broker *broker, struct ask *ask, const struct admission *admission,
                          struct error *err) {
        usec_t now = clock_monotonic();

        if (ask->audit_deadline == 0)
                ask->audit_deadline = now + AUDIT_WAIT_MAX;
        if (ask->may_wait && now < ask->audit_deadline) {
                audit_wait(broker->audit, &ask->waiter);
                return ASK_WAIT;
        }
        (void)error_set(err, DIAG_AUDIT_UNAVAILABLE, "the %s took no record for %u s",
                        audit_uses_journal(broker->audit) ? "journal" : "standard error",
                        (unsigned)(AUDIT_WAIT_MAX / USEC_PER_SEC));
        return unavailable(broker, ask, admission, err);
}

int broker_issue(struct broker *broker, struct ask *ask, struct issuance *ret, struct error *err) {
        struct audit_record record = {
                .kind = AUDIT_ISSUED, .has_value = true, .peer = ask->peer, .claims = &ask->claims
        };
        const struct refresh *refresh;
        struct admission admission;
        struct value *value;
        int r, state;

        r = broker_admit(broker, ask, &admission, err);
        if (r != ASK_DONE)
                return r;
        refresh = admission.refresh;
        state = refresh_get(refresh, &value);
        if (state == CACHE_EMPTY) {
                r = broker_await_value(ask, admission.refresh, err);
                return r < 0 ? unavailable(broker, ask, &admission, err) : r;
        }

        record.token = refresh->token->name;
        record.forge_type = refresh->token->forge->type;
        record.source = value->source;
        record.stale = state == CACHE_STALE;
        record.version = value->version;
        record.fingerprint = value->fingerprint;
        record.rule = admission.verdict.rule;
        record.facts = admission.facts;
        if (record.stale || refresh_degraded(refresh))
                record.error = refresh_trouble(refresh);
        r = audit_write(broker->audit, &record, err);
        if (r == AUDIT_BUSY)
                return wait_for_audit(broker, ask, &admission, err);
        if (r < 0)
                return unavailable(broker, ask, &admission, err);

        counters_issued(&broker->counters, record.token, record.source, record.stale);
        *ret = (struct issuance){ .configuration = config_ref(broker->generation->config),
                                  .config = refresh->token,
                                  .token = secret_ref(value->token),
                                  .source = value->source,
                                  .stale = record.stale,
                                  .version = value->version,
                                  .fetched_at = clock_wall(value->fetched_at),
                                  .refresh_at = clock_wall(refresh->next_at) };
        memcpy(ret->fingerprint, value->fingerprint, sizeof(ret->fingerprint));
        return ASK_DONE;
}

int broker_refresh(struct broker *broker, struct ask *ask, struct token_view *ret,
                   struct error *err) {
        struct refresh *refresh;
        usec_t now = clock_boottime();
        int r;

        r = broker_find(broker, ask, &refresh, err);
        if (r < 0)
                return r;
        if (!ask->joined && !refresh->fetch) {
                ask->retry_after = refresh_may_force(refresh, now);
                if (ask->retry_after > 0) {
                        char span[CLOCK_TEXT_MAX];

                        return error_set(
                            err, DIAG_TOO_MANY_REQUESTS,
                            "token '%s' was just fetched on demand; the next time is in %s",
                            refresh->token->name, clock_format_span(ask->retry_after, span));
                }
                refresh->forced_at = now;
                refresh_now(refresh);
        }
        ask->joined = true;
        if (refresh->fetch && ask->may_wait) {
                waiter_join(&ask->waiter, &refresh->waiters);
                return ASK_WAIT;
        }
        (void)broker_token_find(broker, refresh->token->name, ret);
        return ASK_DONE;
}

const char *verdict_name(enum verdict verdict) {
        static const char *const names[] = { [VERDICT_CHANGED] = "changed",
                                             [VERDICT_REJECTED] = "rejected",
                                             [VERDICT_STILL_VALID] = "still-valid",
                                             [VERDICT_NOT_OURS] = "not-ours" };

        return names[verdict];
}

int broker_rejected(struct broker *broker, struct ask *ask, const char *print,
                    struct rejection *ret, struct error *err) {
        struct rejection rejection = { 0 };
        struct admission admission;
        struct refresh *refresh;
        struct value *value;
        int r;

        r = broker_admit(broker, ask, &admission, err);
        if (r != ASK_DONE)
                return r;
        refresh = admission.refresh;
        if (ask->since == 0)
                ask->since = clock_boottime();
        if (refresh_get(refresh, &value) == CACHE_EMPTY)
                return broker_await_value(ask, refresh, err);
        r = rejected_decide(refresh, generation_verify(broker->generation, refresh), value, ask,
                            print, &rejection.verdict, &rejection.reason, err);
        if (r == -(int)DIAG_TOO_MANY_REQUESTS)
                broker_refuse_too_often(broker, ask, &admission, err);
        if (r != ASK_DONE)
                return r;
        if (rejection.verdict != VERDICT_REJECTED)
                rejection.reason = (struct error){ 0 };
        (void)broker_token_find(broker, refresh->token->name, &rejection.token);
        *ret = rejection;
        return ASK_DONE;
}

int broker_doctor(struct broker *broker, struct ask *ask, json_t **ret, usec_t *ret_checked_at,
                  struct error *err) {
        const struct doctor_context context = { .event = broker->event,
                                                .generation = broker->generation,
                                                .audit = broker->audit,
                                                .environment_known = true };
        int r = doctor_desk_ask(&broker->doctor, &context, &ask->waiter, ask->joined, ret,
                                ret_checked_at, err);

        /* Who has a check-up made wants to know when tokens end as well. */
        if (!ask->joined)
                broker_learn_expiry(broker);
        ask->joined = true;
        return r == DOCTOR_WAIT ? ASK_WAIT : r;
}
