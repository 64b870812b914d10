#include "broker/admission.h"

#include <string.h>

#include "base/text.h"
#include "broker/broker_internal.h"
#include "broker/match.h"

/* Each one is counted; equal ones share a record. */
static void refused(struct broker *broker, const struct audit_record *record) {
        counters_refused(&broker->counters, record->token, record->error->code);
        audit_refusal(broker->audit, record);
}

void broker_record_refusal(struct broker *broker, const struct peer *peer,
                           const struct error *err) {
        refused(broker,
                &(struct audit_record){ .kind = AUDIT_REFUSED, .peer = peer, .error = err });
}

void broker_refuse(struct broker *broker, enum audit_kind kind, const struct ask *ask,
                   const struct admission *admission, const struct error *err) {
        const char *token = admission->refresh->token->name;

        /* A challenge that a job answers with its proof is no incident. */
        if (err->code == DIAG_PROOF_REQUIRED && !ask->cannot_prove) {
                counters_refused(&broker->counters, token, err->code);
                return;
        }
        refused(broker, &(struct audit_record){ .kind = kind,
                                                .token = token,
                                                .peer = ask->peer,
                                                .rule = admission->verdict.rule,
                                                .facts = admission->facts,
                                                .claims = &ask->claims,
                                                .error = err });
}

void broker_refuse_too_often(struct broker *broker, const struct ask *ask,
                             struct admission *admission, const struct error *err) {
        admission->verdict.rule[0] = '\0';
        broker_refuse(broker, AUDIT_REFUSED, ask, admission, err);
}

int broker_find(struct broker *broker, const struct ask *ask, struct refresh **ret,
                struct error *err) {
        char name[80];

        (void)text_clean(name, sizeof(name), ask->token, strlen(ask->token));
        *ret = generation_find(broker->generation, ask->token);
        if (!peer_is_root(ask->peer))
                (void)error_set(err, DIAG_PEER_REFUSED, "uid %u is not served, only uid 0",
                                (unsigned)ask->peer->uid);
        else if (!*ret)
                (void)error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called '%s'", name);
        else
                return 0;
        refused(broker, &(struct audit_record){ .kind = AUDIT_REFUSED,
                                                .token = name,
                                                .peer = ask->peer,
                                                .claims = &ask->claims,
                                                .error = err });
        return -(int)err->code;
}

/* What the forge says of the job that showed a proof.  Return: as broker_admit(), without its
 * records. */
static int ask_forge(struct broker *broker, struct ask *ask, const struct token_config *token,
                     const struct job_facts **ret, struct error *err) {
        const struct vouch_question question = { .proof = ask->proof,
                                                 .id_token_url = ask->id_token_url,
                                                 .repository =
                                                     ask->claims.values[CLAIM_REPOSITORY] };
        int r = vouch_desk_ask(&broker->generation->vouching, token->vouched_by, &question,
                               ask->peer, ask->may_wait, &ask->waiter, ret, &ask->retry_after, err);

        return r == VOUCH_DESK_WAIT ? ASK_WAIT : r;
}

int broker_admit(struct broker *broker, struct ask *ask, struct admission *ret, struct error *err) {
        const struct token_config *token;
        int r;

        *ret = (struct admission){ 0 };
        r = broker_find(broker, ask, &ret->refresh, err);
        if (r < 0)
                return r;
        token = ret->refresh->token;
        r = policy_decide(token, ask->peer, NULL, &ret->verdict, err);
        if (r == -(int)DIAG_PROOF_REQUIRED && ask->proof) {
                r = ask_forge(broker, ask, token, &ret->facts, err);
                if (r == ASK_WAIT)
                        return ASK_WAIT;
                if (r >= 0)
                        r = policy_decide(token, ask->peer, ret->facts, &ret->verdict, err);
        }
        if (r < 0)
                broker_refuse(broker, AUDIT_REFUSED, ask, ret, err);
        return r;
}

/* Of what needs no proof: the token's name, its state. */
static int admit_to_see(struct broker *broker, const struct ask *ask, struct refresh *refresh,
                        struct error *err) {
        struct admission admission = { .refresh = refresh };
        int r = policy_may_ask(refresh->token, ask->peer, &admission.verdict, err);

        if (r < 0)
                broker_refuse(broker, AUDIT_REFUSED, ask, &admission, err);
        return r;
}

int broker_match(struct broker *broker, const struct ask *ask, const struct match_query *query,
                 const struct token_config **ret, struct error *err) {
        const struct token_config *token;
        int r;

        /* Not recorded: nothing is issued, and git and docker ask about every host they meet. */
        r = match_token(broker->generation->config, query, &token, err);
        if (r >= 0)
                r = admit_to_see(broker, ask, generation_find(broker->generation, token->name),
                                 err);
        if (r >= 0)
                *ret = token;
        return r;
}

bool broker_may_see(const struct peer *peer, const struct token_config *token) {
        struct policy_verdict verdict;

        return policy_may_ask(token, peer, &verdict, NULL) == 0;
}

int broker_token_show(struct broker *broker, struct ask *ask, const char *name,
                      struct token_view *ret, struct error *err) {
        struct admission admission;
        int r;

        if (!generation_find(broker->generation, name))
                return error_set(err, DIAG_UNKNOWN_TOKEN, "no token is called '%s'", name);
        r = ask ? broker_admit(broker, ask, &admission, err) : ASK_DONE;
        if (r == ASK_DONE)
                (void)broker_token_find(broker, name, ret);
        return r;
}
