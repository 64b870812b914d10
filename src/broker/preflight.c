#include "broker/preflight.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "broker/admission.h"
#include "broker/broker_internal.h"

/* Groups are GitLab's.  At the others what stands behind the name would be an address of something
 * else. */
static int check_shape(const struct token_config *token, const struct preflight_query *query,
                       struct error *err) {
        const char *slash = strchr(query->repository, '/');

        if (token->forge->type == FORGE_GITLAB || !slash || !strchr(slash + 1, '/'))
                return 0;
        return error_set(err, DIAG_MALFORMED_REQUEST,
                         "'%.128s' is no repository of forge '%s': OWNER/NAME", query->repository,
                         token->forge->name);
}

static int check_targets(const struct token_config *token, const struct preflight_query *query,
                         struct policy_verdict *verdict, struct error *err) {
        int r = check_shape(token, query, err);

        if (r >= 0)
                r = policy_allows_target(token, query->repository, query->write_probe, verdict,
                                         err);
        return r < 0 ? r
                     : policy_allows_target(token, query->image, /* write_probe= */ false, verdict,
                                            err);
}

static void make_question(const struct token_config *token, const struct preflight_query *query,
                          struct forge_question *ret) {
        *ret = (struct forge_question){ .forge = token->forge,
                                        .needs = query->needs,
                                        .write_probe = query->write_probe };
        (void)snprintf(ret->username, sizeof(ret->username), "%s", token->username);
        if (!query->token)
                (void)snprintf(ret->kept, sizeof(ret->kept),
                               "as secret '%.60s' in Infisical's %.60s", token->secret_name,
                               token->secret_path);
        memcpy(ret->repository, query->repository, sizeof(ret->repository));
        memcpy(ret->image, query->image, sizeof(ret->image));
        if (query->ref[0])
                (void)snprintf(ret->ref, sizeof(ret->ref), "%s%s", preflight_ref_prefix(query->ref),
                               query->ref);
        if (ret->ref[0] && !(ret->needs & (1u << NEED_CONTENTS_WRITE)))
                ret->needs |= 1u << NEED_REF;
}

static int begin(struct broker *broker, struct ask *ask, struct refresh *refresh,
                 const struct preflight_query *query, struct error *err) {
        struct verify *verify = generation_verify(broker->generation, refresh);
        struct preflight_subject subject = { .config = broker->generation->config,
                                             .token = refresh->token,
                                             .peer = ask->peer,
                                             .forge = verify->forge,
                                             .handed_in = query->token != NULL };
        struct forge_question question;
        struct value *value;
        int state;

        if (query->token) {
                subject.value = query->token;
                fingerprint(broker->key, query->token, subject.print);
        } else {
                state = refresh_get(refresh, &value);
                if (state == CACHE_EMPTY)
                        return broker_await_value(ask, refresh, err);
                subject.value = value->token;
                memcpy(subject.print, value->fingerprint, sizeof(subject.print));
                subject.source = value->source;
                subject.stale = state == CACHE_STALE;
                subject.dead = verify_found_dead(verify, value->fingerprint);
        }
        make_question(refresh->token, query, &question);
        return preflight_desk_ask(&broker->preflights, &subject, &question, &ask->inspection,
                                  &ask->retry_after, err);
}

/* What a question of a job's found out about the broker's own value is as good as what the broker
 * asked itself. */
void broker_preflight_ended(void *userdata, const struct inspection *inspection) {
        struct broker *broker = userdata;
        struct refresh *refresh = generation_find(broker->generation, inspection->token->name);
        struct verify *verify = refresh ? generation_verify(broker->generation, refresh) : NULL;

        if (verify && verify_same_forge(verify->forge->config, inspection->question.forge))
                verify_learn(verify, inspection->handed_in ? NULL : inspection->print,
                             &inspection->report);
        generation_warn(broker->generation);
        if (broker->stopped && forge_question_writes(&inspection->question))
                broker_ended(broker);
}

/* Once for each value, and where there was no answer again after a while. */
#define EXPIRY_RETRY (10 * USEC_PER_MIN)

static bool wants_expiry(const struct refresh *refresh, const struct verify *verify,
                         const struct value *value, usec_t now) {
        enum forge_type type = refresh->token->forge->type;

        if (type != FORGE_GITHUB && type != FORGE_GITLAB)
                return false;
        if (strcmp(verify->expiring, value->fingerprint) == 0 ||
            verify_found_dead(verify, value->fingerprint))
                return false;
        return verify->expiry_asked_at == 0 ||
               now >= usec_add(verify->expiry_asked_at, EXPIRY_RETRY);
}

bool broker_learn_next_expiry(struct broker *broker) {
        static const struct preflight_query nothing_but_who;
        usec_t now = clock_boottime();

        for (size_t i = 0; i < broker->generation->config->n_tokens; i++) {
                struct refresh *refresh = &broker->generation->tokens[i];
                struct verify *verify = generation_verify(broker->generation, refresh);
                struct ask ask = { .peer = NULL };
                struct value *value;
                struct error err;

                if (refresh_get(refresh, &value) == CACHE_EMPTY ||
                    !wants_expiry(refresh, verify, value, now))
                        continue;
                verify->expiry_asked_at = now;
                (void)begin(broker, &ask, refresh, &nothing_but_who, &err);
                ask_done(&ask);
                return true;
        }
        return false;
}

int broker_preflight(struct broker *broker, struct ask *ask, const struct preflight_query *query,
                     struct preflight_answer *ret, struct error *err) {
        struct inspection *inspection;
        struct admission admission;
        int r;

        r = broker_admit(broker, ask, &admission, err);
        if (r != ASK_DONE)
                return r;
        if (!ask->inspection) {
                r = check_targets(admission.refresh->token, query, &admission.verdict, err);
                if (r < 0) {
                        broker_refuse(broker, AUDIT_REFUSED, ask, &admission, err);
                        return r;
                }
                r = begin(broker, ask, admission.refresh, query, err);
                if (r == -(int)DIAG_TOO_MANY_REQUESTS)
                        broker_refuse_too_often(broker, ask, &admission, err);
                if (r != ASK_DONE)
                        return r;
        }
        inspection = ask->inspection;
        if (inspection->ended_at == 0 && inspection->running && ask->may_wait) {
                waiter_join(&ask->waiter, &inspection->waiters);
                return ASK_WAIT;
        }
        if (inspection->ended_at == 0) {
                (void)error_set(err, DIAG_UPSTREAM_TIMEOUT,
                                "forge '%s' has not answered everything yet",
                                inspection->question.forge->name);
                error_remedy_set(
                    err, "Ask the same again in a moment: the answer is kept for some seconds.");
                return -(int)err->code;
        }
        *ret = (struct preflight_answer){ .token = inspection->token,
                                          .fingerprint =
                                              inspection->handed_in ? NULL : inspection->print,
                                          .source = inspection->source,
                                          .stale = inspection->stale,
                                          .question = &inspection->question,
                                          .report = &inspection->report };
        return ASK_DONE;
}
