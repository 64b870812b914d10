/*
 * The use cases: a peer and a token's name in, an audited outcome out.
 */
#include <string.h>

#include "base/text.h"
#include "broker/broker_internal.h"
#include "broker/policy.h"
#include "broker/rejected.h"

/* Each one is counted; equal ones share a record. */
static void refused(struct broker *broker, const struct audit_record *record) {
        counters_refused(&broker->counters, record->token, record->error->code);
        audit_refusal(broker->audit, record);
}

void broker_record_refusal(struct broker *broker, const struct peer *peer, const struct error *err) {
        refused(broker, &(struct audit_record){ .kind = AUDIT_REFUSED, .peer = peer, .error = err });
}

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

void broker_refuse(struct broker *broker, const struct ask *ask, const char *token, const struct error *err) {
        refused(broker, &(struct audit_record){ .kind = AUDIT_REFUSED, .token = token, .peer = ask->peer,
                                                .claims = &ask->claims, .error = err });
}

/* Whether the rules let the peer have it.  The forge is asked only about who fits all that is known without it. */
static int allow(struct broker *broker, struct ask *ask, const struct token_config *token, struct error *err) {
        const struct vouch_question question = { .proof = ask->proof, .id_token_url = ask->id_token_url,
                                                 .repository = ask->claims.values[CLAIM_REPOSITORY] };
        const struct job_facts *facts;
        struct policy_verdict verdict;
        int r;

        r = policy_decide(token, ask->peer, NULL, &verdict, err);
        if (r != -(int)DIAG_PROOF_REQUIRED || !ask->proof)
                return r;
        r = vouch_desk_ask(&broker->generation->vouching, token->vouched_by, &question, ask->peer, ask->may_wait,
                           &ask->waiter, &facts, &ask->retry_after, err);
        if (r != VOUCH_DESK_ANSWERED)
                return r == VOUCH_DESK_WAIT ? ASK_WAIT : r;
        return policy_decide(token, ask->peer, facts, &verdict, err);
}

int broker_admit(struct broker *broker, struct ask *ask, struct refresh **ret, struct error *err) {
        char name[80];
        int r;

        (void)text_clean(name, sizeof(name), ask->token, strlen(ask->token));
        *ret = generation_find(broker->generation, ask->token);
        if (!peer_is_root(ask->peer))
                r = error_set(err, DIAG_PEER_REFUSED, "uid %u is not served, only uid 0", (unsigned)ask->peer->uid);
        else if (!*ret)
                r = error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called '%s'", name);
        else
                r = allow(broker, ask, (*ret)->token, err);
        if (r < 0)
                broker_refuse(broker, ask, name, err);
        return r;
}

static int unavailable(struct broker *broker, struct ask *ask, const struct refresh *refresh, struct error *err) {
        refused(broker, &(struct audit_record){ .kind = AUDIT_UNAVAILABLE, .token = refresh->token->name,
                                                .peer = ask->peer, .claims = &ask->claims, .error = err });
        return -(int)err->code;
}

static int no_usable_value(struct ask *ask, struct refresh *refresh, struct error *err) {
        const struct diagnosis_info *info = diagnosis_info(refresh->error.code);

        ask->attempts = &refresh->attempts;
        if (refresh->fetch || !refresh->has_verdict) {
                (void)error_set(err, DIAG_NO_USABLE_VALUE, "token '%s' is still being fetched", refresh->token->name);
                error_remedy_set(err, "Ask again; 'forge-brokerctl status' on the host shows what the fetch waits for.");
        } else {
                ask->retry_after = usec_sub(refresh->next_at, clock_boottime());
                (void)error_set(err, DIAG_NO_USABLE_VALUE, "token '%s': %s: %s", refresh->token->name, info->name,
                                refresh->error.detail);
                error_remedy_set(err, "%s", error_remedy(&refresh->error));
        }
        return -(int)err->code;
}

int broker_await_value(struct ask *ask, struct refresh *refresh, struct error *err) {
        bool comes = refresh->fetch || !refresh->has_verdict || refresh->next_at < ask->patient_until;

        if (!ask->may_wait || !comes)
                return no_usable_value(ask, refresh, err);
        waiter_join(&ask->waiter, &refresh->waiters);
        return ASK_WAIT;
}

/* The journal is full: wait for it, but not for ever and not when the request's own time is over. */
static int wait_for_audit(struct broker *broker, struct ask *ask, struct refresh *refresh, struct error *err) {
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
        return unavailable(broker, ask, refresh, err);
}

int broker_issue(struct broker *broker, struct ask *ask, struct issuance *ret, struct error *err) {
        struct audit_record record = { .kind = AUDIT_ISSUED, .has_value = true, .peer = ask->peer,
                                       .claims = &ask->claims };
        struct refresh *refresh;
        struct value *value;
        int r, state;

        r = broker_admit(broker, ask, &refresh, err);
        if (r != ASK_DONE)
                return r;
        state = refresh_get(refresh, &value);
        if (state == CACHE_EMPTY) {
                r = broker_await_value(ask, refresh, err);
                return r < 0 ? unavailable(broker, ask, refresh, err) : r;
        }

        record.token = refresh->token->name;
        record.forge_type = refresh->token->forge->type;
        record.source = value->source;
        record.stale = state == CACHE_STALE;
        record.version = value->version;
        record.fingerprint = value->fingerprint;
        if (record.stale || refresh_degraded(refresh))
                record.error = refresh_trouble(refresh);
        r = audit_write(broker->audit, &record, err);
        if (r == AUDIT_BUSY)
                return wait_for_audit(broker, ask, refresh, err);
        if (r < 0)
                return unavailable(broker, ask, refresh, err);

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

int broker_refresh(struct broker *broker, struct ask *ask, struct token_view *ret, struct error *err) {
        struct refresh *refresh;
        usec_t now = clock_boottime();
        int r;

        r = broker_admit(broker, ask, &refresh, err);
        if (r != ASK_DONE)
                return r;
        if (!ask->joined && !refresh->fetch) {
                ask->retry_after = refresh_may_force(refresh, now);
                if (ask->retry_after > 0) {
                        char span[CLOCK_TEXT_MAX];

                        return error_set(err, DIAG_TOO_MANY_REQUESTS,
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
        static const char *const names[] = { [VERDICT_CHANGED] = "changed", [VERDICT_REJECTED] = "rejected",
                                             [VERDICT_STILL_VALID] = "still-valid", [VERDICT_NOT_OURS] = "not-ours" };

        return names[verdict];
}

int broker_rejected(struct broker *broker, struct ask *ask, const char *print, struct rejection *ret, struct error *err) {
        struct rejection rejection = { 0 };
        struct refresh *refresh;
        struct value *value;
        int r;

        r = broker_admit(broker, ask, &refresh, err);
        if (r != ASK_DONE)
                return r;
        if (ask->since == 0)
                ask->since = clock_boottime();
        if (refresh_get(refresh, &value) == CACHE_EMPTY)
                return broker_await_value(ask, refresh, err);
        r = rejected_decide(refresh, generation_verify(broker->generation, refresh), value, ask, print, &rejection.verdict,
                            &rejection.reason, err);
        if (r != ASK_DONE)
                return r;
        if (rejection.verdict != VERDICT_REJECTED)
                rejection.reason = (struct error){ 0 };
        (void)broker_token_find(broker, refresh->token->name, &rejection.token);
        *ret = rejection;
        return ASK_DONE;
}

int broker_doctor(struct broker *broker, struct ask *ask, json_t **ret, usec_t *ret_checked_at, struct error *err) {
        const struct doctor_context context = { .event = broker->event, .generation = broker->generation,
                                                .audit = broker->audit, .environment_known = true };
        int r = doctor_desk_ask(&broker->doctor, &context, &ask->waiter, ask->joined, ret, ret_checked_at, err);

        ask->joined = true;
        return r == DOCTOR_WAIT ? ASK_WAIT : r;
}
