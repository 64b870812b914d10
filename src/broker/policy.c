#include "broker/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/text.h"

/* Enough of a pattern to find it in the configuration. */
#define PATTERN_SHOWN_MAX 64
/* And of a text that a forge says. */
#define SHOWN_MAX 80

/* The pattern of a list that fits all of @text, or NULL. */
static const char *find_pattern(char *const *patterns, const char *text) {
        for (; *patterns; patterns++)
                if (glob_matches_exactly(*patterns, text, strlen(text)))
                        return *patterns;
        return NULL;
}

/* Forges take names of repositories in any case. */
static const char *find_target(char *const *patterns, const char *target) {
        for (; *patterns; patterns++)
                if (glob_matches(*patterns, target, strlen(target)))
                        return *patterns;
        return NULL;
}

/* One more rule that was met: "units docker-*.scope, job_events push". */
static void add_met(struct policy_verdict *verdict, const char *key, const char *pattern) {
        char shown[PATTERN_SHOWN_MAX];
        size_t used = strlen(verdict->rule);

        (void)text_append(verdict->rule, sizeof(verdict->rule), &used, "%s%s %s",
                          used > 0 ? ", " : "", key,
                          text_clean(shown, sizeof(shown), pattern, strlen(pattern)));
}

/* The rule that was not: all of what it asks for, as far as there is room. */
static void set_unmet(struct policy_verdict *verdict, const char *key, char *const *items) {
        size_t used = 0, count = 0;

        while (items[count])
                count++;
        /* In place of those that were met. */
        (void)text_append(verdict->rule, sizeof(verdict->rule), &used, "%s", key);
        for (size_t i = 0; i < count; i++) {
                if (used + strlen(items[i]) + sizeof(", ... (64)") > sizeof(verdict->rule)) {
                        (void)text_append(verdict->rule, sizeof(verdict->rule), &used, " ... (%zu)",
                                          count);
                        return;
                }
                (void)text_append(verdict->rule, sizeof(verdict->rule), &used, "%s %s",
                                  i > 0 ? "," : "", items[i]);
        }
}

static int decide_units(const struct token_config *token, const struct peer *peer,
                        struct policy_verdict *verdict, struct error *err) {
        const char *unit = peer->cgroup.unit, *pattern;
        char shown[SHOWN_MAX];

        if (!token->units[0])
                return 0;
        pattern = unit[0] ? find_pattern(token->units, unit) : NULL;
        if (pattern) {
                add_met(verdict, "units", pattern);
                return 0;
        }
        set_unmet(verdict, "units", token->units);
        if (unit[0])
                (void)error_set(err, DIAG_PEER_REFUSED, "token '%s' is not for unit '%s': %s",
                                token->name, text_clean(shown, sizeof(shown), unit, strlen(unit)),
                                verdict->rule);
        else
                (void)error_set(err, DIAG_PEER_REFUSED,
                                "token '%s' is not for a process whose unit is not known: %s",
                                token->name, verdict->rule);
        error_remedy_set(err,
                         "Ask from one of these units, or let the host's operator add this one to "
                         "units = in [token %s].",
                         token->name);
        return -(int)DIAG_PEER_REFUSED;
}

/* A rule that the facts do not fit: a refusal that no other proof of the same job changes. */
static int unfit(const struct token_config *token, const char *key, char *const *items,
                 const char *what, const char *text, struct policy_verdict *verdict,
                 struct error *err) {
        char shown[SHOWN_MAX];

        set_unmet(verdict, key, items);
        (void)text_clean(shown, sizeof(shown), text, strlen(text));
        (void)error_set(err, DIAG_PEER_REFUSED, "token '%s' is not for %s '%s': %s", token->name,
                        what, shown, verdict->rule);
        error_remedy_set(
            err,
            "Ask for another token, or let the host's operator add '%s' to %s = in [token %s].",
            shown, key, token->name);
        return -(int)DIAG_PEER_REFUSED;
}

/* How a job gets a proof that tells its event and ref. */
static const char *better_proof(const struct forge_config *forge) {
        if (forge->type == FORGE_GITHUB)
                return "Give the job 'permissions: id-token: write' and the forge's section "
                       "oidc_audience";
        if (forge->type == FORGE_GITLAB)
                return "Give the job an ID token (id_tokens:) and the forge's section "
                       "oidc_audience";
        if (forge->type == FORGE_FORGEJO)
                return "Give the job 'enable-openid-connect: true' and the forge's section "
                       "oidc_audience, or use Forgejo 16";
        return "This forge's proof tells no more than the repository";
}

static int untold(const struct token_config *token, const char *key, char *const *items,
                  const char *what, struct policy_verdict *verdict, struct error *err) {
        set_unmet(verdict, key, items);
        (void)error_set(err, DIAG_PROOF_INSUFFICIENT,
                        "the job's proof does not tell %s, which decides over token '%s': %s", what,
                        token->name, verdict->rule);
        error_remedy_set(err, "%s; or let the host's operator empty %s = in [token %s].",
                         better_proof(token->vouched_by), key, token->name);
        return -(int)DIAG_PROOF_INSUFFICIENT;
}

static int decide_voucher(const struct token_config *token, const struct job_facts *facts,
                          struct policy_verdict *verdict, struct error *err) {
        if (strcmp(facts->forge->name, token->vouched_by->name) == 0)
                return 0;
        (void)snprintf(verdict->rule, sizeof(verdict->rule), "vouched_by %s",
                       token->vouched_by->name);
        (void)error_set(err, DIAG_PROOF_INSUFFICIENT,
                        "forge '%s' vouches for the job, and token '%s' is for jobs of forge '%s'",
                        facts->forge->name, token->name, token->vouched_by->name);
        error_remedy_set(err,
                         "Ask for a token of the job's own forge, or let the host's operator set "
                         "vouched_by = %s in "
                         "[token %s].",
                         facts->forge->name, token->name);
        return -(int)DIAG_PROOF_INSUFFICIENT;
}

/* No key loosens this one: such a job runs what an outsider wrote. */
static int decide_fork(const struct token_config *token, const struct job_facts *facts,
                       struct policy_verdict *verdict, struct error *err) {
        if (facts->fork == FORK_NO)
                return 0;
        (void)snprintf(verdict->rule, sizeof(verdict->rule), "no fork's or AGit pull request");
        if (facts->fork == FORK_YES) {
                (void)error_set(
                    err, DIAG_PEER_REFUSED,
                    "the job is of a fork's or an AGit pull request, which never gets token "
                    "'%s'",
                    token->name);
                error_remedy_set(err, "Do in a job of the repository itself what needs the token, "
                                      "for example after the merge.");
                return -(int)DIAG_PEER_REFUSED;
        }
        (void)error_set(err, DIAG_PROOF_INSUFFICIENT,
                        "the job's proof does not tell whether it is of a fork's pull request, and "
                        "such a job never gets token '%s'",
                        token->name);
        error_remedy_set(err, "Do in a job for a push, a tag or a schedule what needs the token.");
        return -(int)DIAG_PROOF_INSUFFICIENT;
}

static int decide_repository(const struct token_config *token, const struct job_facts *facts,
                             struct policy_verdict *verdict, struct error *err) {
        const char *pattern = find_target(token->job_repositories, facts->repository);

        if (pattern) {
                add_met(verdict, "job_repositories", pattern);
                return 0;
        }
        return unfit(token, "job_repositories", token->job_repositories, "repository",
                     facts->repository, verdict, err);
}

static int decide_event(const struct token_config *token, const struct job_facts *facts,
                        struct policy_verdict *verdict, struct error *err) {
        if (!token->job_events[0])
                return 0;
        if (!facts->event_known)
                return untold(token, "job_events", token->job_events, "the event", verdict, err);
        for (char *const *event = token->job_events; *event; event++) {
                if (strcmp(*event, facts->event) != 0)
                        continue;
                add_met(verdict, "job_events", *event);
                return 0;
        }
        return unfit(token, "job_events", token->job_events, "event", facts->event, verdict, err);
}

static int decide_ref(const struct token_config *token, const struct job_facts *facts,
                      struct policy_verdict *verdict, struct error *err) {
        const char *pattern;

        if (!token->job_refs[0])
                return 0;
        if (!facts->ref_known)
                return untold(token, "job_refs", token->job_refs, "the ref", verdict, err);
        pattern = find_pattern(token->job_refs, facts->ref);
        if (!pattern)
                return unfit(token, "job_refs", token->job_refs, "ref", facts->ref, verdict, err);
        add_met(verdict, "job_refs", pattern);
        return 0;
}

static int decide_job(const struct token_config *token, const struct job_facts *facts,
                      struct policy_verdict *verdict, struct error *err) {
        /* A fork's job is refused as such first of all; what nobody tells of a fork matters only
         * where all else fits. */
        static int (*const rules[])(const struct token_config *, const struct job_facts *,
                                    struct policy_verdict *,
                                    struct error *) = { decide_voucher, decide_repository,
                                                        decide_event, decide_ref, decide_fork };
        int r;

        if (facts->fork == FORK_YES)
                return decide_fork(token, facts, verdict, err);
        for (size_t i = 0; i < ELEMENTS(rules); i++) {
                r = rules[i](token, facts, verdict, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int unproven(const struct token_config *token, struct policy_verdict *verdict,
                    struct error *err) {
        (void)snprintf(verdict->rule, sizeof(verdict->rule), "proof required");
        return error_set(
            err, DIAG_PROOF_REQUIRED,
            "token '%s' is for jobs that forge '%s' vouches for, and no proof was shown",
            token->name, token->vouched_by->name);
}

int policy_may_ask(const struct token_config *token, const struct peer *peer,
                   struct policy_verdict *ret, struct error *err) {
        *ret = (struct policy_verdict){ 0 };
        return decide_units(token, peer, ret, err);
}

int policy_decide(const struct token_config *token, const struct peer *peer,
                  const struct job_facts *facts, struct policy_verdict *ret, struct error *err) {
        int r = policy_may_ask(token, peer, ret, err);

        if (r < 0 || !token->proof_required)
                return r;
        return facts && facts->by != VOUCHED_NO ? decide_job(token, facts, ret, err)
                                                : unproven(token, ret, err);
}

int policy_allows_target(const struct token_config *token, const char *repository, bool write_probe,
                         struct policy_verdict *ret, struct error *err) {
        bool narrowed = token->targets[0] || token->job_repositories[0];

        *ret = (struct policy_verdict){ 0 };
        if (write_probe && !token->write_probe) {
                (void)snprintf(ret->rule, sizeof(ret->rule), "write_probe no");
                (void)error_set(err, DIAG_PROOF_INSUFFICIENT,
                                "token '%s' is not to be used for write probes", token->name);
                error_remedy_set(
                    err, "Ask without --write-probe, or set write_probe = yes in [token %s].",
                    token->name);
                return -(int)DIAG_PROOF_INSUFFICIENT;
        }
        if (!*repository || !narrowed || find_target(token->targets, repository) ||
            find_target(token->job_repositories, repository))
                return 0;
        if (token->targets[0])
                set_unmet(ret, "for", token->targets);
        else
                set_unmet(ret, "job_repositories", token->job_repositories);
        (void)error_set(err, DIAG_PROOF_INSUFFICIENT, "token '%s' is not for '%s': %s", token->name,
                        repository, ret->rule);
        error_remedy_set(err,
                         "Add '%s' to for = of [token %s], or ask with the token that is for it.",
                         repository, token->name);
        return -(int)DIAG_PROOF_INSUFFICIENT;
}
