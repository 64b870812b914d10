#include "broker/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/endpoint.h"
#include "broker/explain.h"
#include "broker/key_check.h"
#include "broker/proof.h"

/* Tokens that are being read at the same time. */
#define PROOFS_AT_ONCE 4

struct doctor {
        struct doctor_context context;
        doctor_done done;
        void *userdata;
        struct findings findings;
        struct http_client *http; /* of its own: a kept connection would prove nothing */
        sd_event_source *timer;   /* the next step */

        json_t **identities;        /* the finding of each, in the configuration's order */
        unsigned *usable;           /* sources of each identity whose files are good */
        struct endpoint *endpoints; /* each URL of each identity, then each forge */
        size_t n_endpoints;
        struct key_check *keys; /* each forge */
        struct proof *proofs;   /* each source of each token */
        size_t n_proofs;
        bool examining, proving; /* begun */
        json_t *journal;
        struct waiter waiter;    /* for the journal */
        usec_t journal_deadline; /* monotonic */
};

static const struct config *config_of(const struct doctor *doctor) {
        return doctor->context.generation->config;
}

struct doctor *doctor_cancel(struct doctor *doctor) {
        if (!doctor)
                return NULL;
        waiter_leave(&doctor->waiter);
        for (size_t i = 0; i < doctor->n_endpoints; i++)
                endpoint_done(&doctor->endpoints[i]);
        for (size_t i = 0; doctor->keys && i < config_of(doctor)->n_forges; i++)
                key_check_done(&doctor->keys[i]);
        for (size_t i = 0; i < doctor->n_proofs; i++)
                proof_done(&doctor->proofs[i]);
        doctor->http = http_client_free(doctor->http);
        (void)sd_event_source_disable_unref(doctor->timer);
        findings_done(&doctor->findings);
        free(doctor->identities);
        free(doctor->usable);
        free(doctor->endpoints);
        free(doctor->keys);
        free(doctor->proofs);
        free(doctor);
        return NULL;
}
DEFINE_CLEANUP(struct doctor *, doctor_cancel);

static void schedule(struct doctor *doctor, usec_t in) {
        (void)sd_event_source_set_time_relative(doctor->timer, in);
        (void)sd_event_source_set_enabled(doctor->timer, SD_EVENT_ONESHOT);
}

static void on_step_ended(void *userdata) {
        schedule(userdata, 0);
}

static void start_endpoints(struct doctor *doctor) {
        struct generation *generation = doctor->context.generation;
        const struct config *config = config_of(doctor);
        struct endpoint *endpoint = doctor->endpoints;
        char name[96];

        for (size_t i = 0; i < doctor->n_endpoints; i++)
                doctor->endpoints[i] = (struct endpoint){ .findings = &doctor->findings,
                                                          .done = on_step_ended,
                                                          .userdata = doctor };
        for (size_t i = 0; i < config->n_identities; i++) {
                struct upstream *upstream = &generation->upstreams[i];

                (void)snprintf(name, sizeof(name), "identity %s", upstream->config->name);
                doctor->identities[i] = finding_add(&doctor->findings, NULL, "identity", name);
                doctor->usable[i] =
                    doctor_check_files(&doctor->findings, doctor->identities[i], upstream->config);
                if (upstream->config->header_file && !upstream->headers)
                        (void)upstream_read_credentials(upstream);
                for (size_t k = 0; k < upstream->n_servers; k++)
                        endpoint_start_infisical(endpoint++, doctor->http, upstream,
                                                 &upstream->servers[k], doctor->identities[i]);
        }
        for (size_t i = 0; i < config->n_forges; i++)
                endpoint_start_forge(endpoint++, doctor->http, config->forges[i]);
}

static bool endpoints_pending(const struct doctor *doctor) {
        for (size_t i = 0; i < doctor->n_endpoints; i++)
                if (doctor->endpoints[i].state == ENDPOINT_PENDING)
                        return true;
        return false;
}

static bool forge_works(const struct doctor *doctor, const struct forge_config *forge) {
        for (size_t i = 0; i < doctor->n_endpoints; i++)
                if (doctor->endpoints[i].forge == forge)
                        return doctor->endpoints[i].state != ENDPOINT_BROKEN;
        return false;
}

static bool any_server_works(const struct doctor *doctor, const struct identity_config *identity) {
        for (size_t i = 0; i < doctor->n_endpoints; i++)
                if (doctor->endpoints[i].identity == identity &&
                    doctor->endpoints[i].state != ENDPOINT_BROKEN)
                        return true;
        return false;
}

static void start_key_checks(struct doctor *doctor) {
        const struct endpoint *forges =
            doctor->endpoints + doctor->n_endpoints - config_of(doctor)->n_forges;

        for (size_t i = 0; i < config_of(doctor)->n_forges; i++) {
                doctor->keys[i] = (struct key_check){ .done = on_step_ended, .userdata = doctor };
                key_check_start(&doctor->keys[i], doctor->context.generation, i, &forges[i]);
        }
}

static bool key_checks_pending(const struct doctor *doctor) {
        for (size_t i = 0; i < config_of(doctor)->n_forges; i++)
                if (doctor->keys[i].pending)
                        return true;
        return false;
}

/* Not broken: to be open, or closed, may be meant.  But nobody shall be able to say that it went
 * unsaid. */
static void note_rules(struct doctor *doctor, json_t *parent, const struct token_config *token) {
        const char *exposure = explain_exposure(token);
        struct error why = { 0 };
        json_t *finding;

        if (!exposure && !explain_dead_end(token, &why))
                return;
        finding = finding_add(&doctor->findings, parent, "rules", "who gets it");
        if (exposure) {
                finding_note(finding, "%s", exposure);
                error_remedy_set(&why,
                                 "Set proof = required and job_repositories in [token %s]: "
                                 "docs/jobs.md, \"Which job gets which "
                                 "token\".",
                                 token->name);
        } else {
                finding_note(finding, "no job gets it: %s", why.detail);
        }
        finding_remedy(finding, why.remedy);
}

/* The chain's order within each token, so that a proof finds those before it. */
static void make_proofs(struct doctor *doctor) {
        struct generation *generation = doctor->context.generation;
        const struct config *config = config_of(doctor);
        char name[96];

        for (size_t i = 0; i < config->n_tokens; i++) {
                struct refresh *refresh = &generation->tokens[i];
                struct proof *previous = NULL;
                json_t *parent;

                (void)snprintf(name, sizeof(name), "token %s", refresh->token->name);
                parent = finding_add(&doctor->findings, NULL, "token", name);
                note_rules(doctor, parent, refresh->token);
                for (int source = 0; source < SOURCE_COUNT; source++) {
                        struct proof *proof = &doctor->proofs[doctor->n_proofs];

                        if (!source_configured(refresh->token, (enum source)source))
                                continue;
                        *proof = (struct proof){ .event = doctor->context.event,
                                                 .generation = generation,
                                                 .http = doctor->http,
                                                 .findings = &doctor->findings,
                                                 .settled = on_step_ended,
                                                 .userdata = doctor,
                                                 .refresh = refresh,
                                                 .source = (enum source)source,
                                                 .previous = previous,
                                                 .forge_works =
                                                     forge_works(doctor, refresh->token->forge) };
                        proof_init(proof, parent);
                        doctor->n_proofs++;
                        previous = proof;
                }
        }
}

/* Why a proof cannot even begin, or NULL. */
static const char *obstacle(const struct doctor *doctor, const struct proof *proof) {
        const struct upstream *upstream = proof->refresh->upstream;
        size_t identity = (size_t)(upstream - doctor->context.generation->upstreams);

        if (!proof_uses_infisical(proof))
                return doctor->context.environment_known
                           ? NULL
                           : "only the daemon, or its unit, knows its environment";
        if (!(doctor->usable[identity] & (1U << proof->source)))
                return "the identity's credential file cannot be used, see there";
        if (!any_server_works(doctor, upstream->config))
                return "none of the identity's URLs works, see there";
        return NULL;
}

static usec_t earliest(const struct proof *proof) {
        const struct refresh *refresh = proof->refresh;

        return proof_uses_infisical(proof) && refresh->forced_at > 0
                   ? usec_add(refresh->forced_at, REFRESH_FORCED_INTERVAL)
                   : 0;
}

/* Starts what may start now.  Return: true once all are settled. */
static bool advance_proofs(struct doctor *doctor) {
        usec_t now = clock_boottime(), next = USEC_INFINITY;
        size_t running = 0;
        bool settled = true;

        for (size_t i = 0; i < doctor->n_proofs; i++)
                running += doctor->proofs[i].state == PROOF_RUNNING;
        for (size_t i = 0; i < doctor->n_proofs; i++) {
                struct proof *proof = &doctor->proofs[i];
                const char *why;

                if (proof->state == PROOF_WAITING && (why = obstacle(doctor, proof)))
                        proof_skip(proof, why);
                settled = settled && proof->state == PROOF_SETTLED;
                if (proof->state != PROOF_WAITING || running >= PROOFS_AT_ONCE ||
                    (proof->previous && proof->previous->state != PROOF_SETTLED))
                        continue;
                if (now < earliest(proof)) {
                        next = next < earliest(proof) ? next : earliest(proof);
                        continue;
                }
                if (proof_uses_infisical(proof))
                        proof->refresh->forced_at = now;
                proof_start(proof);
                running += proof->state == PROOF_RUNNING;
                if (proof->state == PROOF_SETTLED)
                        schedule(doctor, 0);
        }
        if (next != USEC_INFINITY && running == 0)
                schedule(doctor, next - now);
        return settled;
}

static void finish(struct doctor *doctor) {
        struct error err = { 0 };

        if (doctor->findings.lost)
                (void)error_oom(&err);
        doctor->done(doctor->userdata, doctor->findings.lost ? NULL : doctor->findings.steps, &err);
        (void)doctor_cancel(doctor);
}

static void on_journal_writable(struct waiter *waiter) {
        on_step_ended((struct doctor *)(void *)((char *)waiter - offsetof(struct doctor, waiter)));
}

/* Return: true once there is a verdict. */
static bool test_journal(struct doctor *doctor) {
        struct audit *audit = doctor->context.audit;
        char id[AUDIT_TEST_ID_MAX];
        struct error err = { 0 };
        usec_t now = clock_monotonic();
        json_t *written;
        int r;

        if (!doctor->journal) {
                doctor->journal = finding_add(&doctor->findings, NULL, "journal", "journal");
                doctor->journal_deadline = now + AUDIT_WAIT_MAX;
        }
        if (!audit_uses_journal(audit)) {
                finding_note(
                    finding_add(&doctor->findings, doctor->journal, "written", "takes a record"),
                    "records go to standard error here");
                return true;
        }
        r = audit_self_test(audit, id, &err);
        if (r == AUDIT_BUSY && now < doctor->journal_deadline) {
                audit_wait(audit, &doctor->waiter);
                return false;
        }
        if (r == AUDIT_BUSY)
                r = error_set(&err, DIAG_AUDIT_UNAVAILABLE, "the journal took no record for %u s",
                              (unsigned)(AUDIT_WAIT_MAX / USEC_PER_SEC));
        written = finding_add(&doctor->findings, doctor->journal, "written", "takes a record");
        if (r < 0) {
                finding_broken(written, &err);
                return true;
        }
        finding_ok(written, NULL);
        if (written)
                (void)json_object_set_new(written, "self_test", json_string(id));
        return true;
}

/* One step; each that ends brings the next. */
static int on_timer(sd_event_source *source, uint64_t time, void *userdata) {
        struct doctor *doctor = userdata;

        (void)source, (void)time;
        if (!doctor->examining)
                start_endpoints(doctor);
        doctor->examining = true;
        if (endpoints_pending(doctor))
                return 0;
        if (!doctor->proving) {
                start_key_checks(doctor);
                make_proofs(doctor);
        }
        doctor->proving = true;
        if (advance_proofs(doctor) && !key_checks_pending(doctor) && test_journal(doctor))
                finish(doctor);
        return 0;
}

int doctor_start(const struct doctor_context *context, doctor_done done, void *userdata,
                 struct doctor **ret, struct error *err) {
        const struct config *config = context->generation->config;
        _cleanup_(doctor_cancelp) struct doctor *doctor = calloc(1, sizeof(*doctor));
        size_t n = config->n_forges;
        int r;

        if (!doctor)
                return error_oom(err);
        for (size_t i = 0; i < config->n_identities; i++)
                n += context->generation->upstreams[i].n_servers;
        *doctor = (struct doctor){ .context = *context,
                                   .done = done,
                                   .userdata = userdata,
                                   .waiter.wake = on_journal_writable };
        doctor->identities = calloc(config->n_identities, sizeof(json_t *));
        doctor->usable = calloc(config->n_identities, sizeof(unsigned));
        doctor->endpoints = calloc(n, sizeof(struct endpoint));
        doctor->keys = calloc(config->n_forges, sizeof(struct key_check));
        doctor->proofs = calloc(config->n_tokens * SOURCE_COUNT, sizeof(struct proof));
        if (!doctor->identities || !doctor->usable || !doctor->endpoints || !doctor->keys ||
            !doctor->proofs || !findings_init(&doctor->findings))
                return error_oom(err);
        doctor->n_endpoints = n;
        r = http_client_new(context->event, &doctor->http, err);
        if (r < 0)
                return r;
        if (sd_event_add_time_relative(context->event, &doctor->timer, CLOCK_MONOTONIC,
                                       context->delay, 1, on_timer, doctor) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer");
        *ret = take(doctor);
        return 0;
}
