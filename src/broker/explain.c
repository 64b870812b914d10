#include "broker/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define CONTAINER_ID_LENGTH 64
/* What stands behind the last list of rules. */
#define REST_MAX 300

const char *explain_exposure(const struct token_config *token) {
        if (token->proof_required)
                return NULL;
        return token->units[0]
                   ? "every root process of its units gets this token, whatever job it works for, "
                     "fork pull requests "
                     "included"
                   : "every container with the mount gets this token, fork pull requests included";
}

/* Older Forgejos prove the repository alone; GitLab's job token is never for less than the job. */
static bool gives_proof(const struct forge_config *forge, enum vouched by) {
        if (by == VOUCHED_OIDC)
                return forge->oidc_audience;
        if (by == VOUCHED_RUN_API)
                return forge->type == FORGE_FORGEJO || forge->type == FORGE_GITLAB;
        return by == VOUCHED_NO || forge->type != FORGE_GITLAB;
}

/* The most that this forge can prove of a job. */
static enum vouched best_proof(const struct forge_config *forge) {
        enum vouched by = VOUCHED_OIDC;

        while (!gives_proof(forge, by))
                by++;
        return by;
}

bool explain_dead_end(const struct token_config *token, struct error *why) {
        const struct forge_config *forge = token->vouched_by;

        if (!token->proof_required || best_proof(forge) != VOUCHED_REPOSITORY)
                return false;
        if (forge->type == FORGE_GITHUB) {
                (void)error_set(
                    why, DIAG_PROOF_INSUFFICIENT,
                    "forge '%s' does not prove whether a job is a fork's without ID tokens",
                    forge->name);
                error_remedy_set(why,
                                 "Set oidc_audience in [forge %s], and give the jobs 'permissions: "
                                 "id-token: write'.",
                                 forge->name);
                return true;
        }
        if (!token->job_events[0] && !token->job_refs[0])
                return false;
        (void)error_set(why, DIAG_PROOF_INSUFFICIENT,
                        "forge '%s' proves no more than the repository, and job_events or job_refs "
                        "asks for more",
                        forge->name);
        error_remedy_set(why,
                         "Write job_events = and job_refs = with nothing behind them in [token "
                         "%s], and keep job_repositories to "
                         "those where you decide what runs.",
                         token->name);
        return true;
}

/* " in a, b", or nothing for an empty list. */
static void append_list(char text[static EXPLAIN_TEXT_MAX], size_t *used, const char *before,
                        char *const *items) {
        for (size_t i = 0; items[i]; i++) {
                if (*used + strlen(items[i]) + REST_MAX > EXPLAIN_TEXT_MAX) {
                        (void)text_append(text, EXPLAIN_TEXT_MAX, used, ", ...");
                        return;
                }
                (void)text_append(text, EXPLAIN_TEXT_MAX, used, "%s%s", i > 0 ? ", " : before,
                                  items[i]);
        }
}

const char *explain_rules(const struct token_config *token, char text[static EXPLAIN_TEXT_MAX]) {
        struct error why;
        size_t used = 0;

        (void)text_append(text, EXPLAIN_TEXT_MAX, &used, "Token '%s' is for ", token->name);
        if (!token->proof_required) {
                (void)text_append(text, EXPLAIN_TEXT_MAX, &used, "every process of uid 0%s",
                                  token->units[0] ? "" : " that reaches the socket");
                append_list(text, &used, " in units ", token->units);
                (void)text_append(text, EXPLAIN_TEXT_MAX, &used, ": %s.", explain_exposure(token));
                return text;
        }
        (void)text_append(text, EXPLAIN_TEXT_MAX, &used, "jobs that forge '%s' vouches for",
                          token->vouched_by->name);
        append_list(text, &used, ", in repositories ", token->job_repositories);
        append_list(text, &used, ", for events ", token->job_events);
        append_list(text, &used, ", on refs ", token->job_refs);
        append_list(text, &used, ", from units ", token->units);
        (void)text_append(text, EXPLAIN_TEXT_MAX, &used,
                          "; never for those of fork and AGit pull requests.");
        if (explain_dead_end(token, &why))
                (void)text_append(text, EXPLAIN_TEXT_MAX, &used, " No job gets it: %s.",
                                  why.detail);
        return text;
}

/* What a container of that id is a unit of, where its engine lets systemd make the control groups
 * (the default on cgroup v2): broker/cgroup_layout has the table. */
static int set_container_unit(struct explanation *explanation, const char *container,
                              struct error *err) {
        const char *id = strchr(container, ':');
        bool podman = text_starts_with(container, "podman:");

        if (id && !podman && !text_starts_with(container, "docker:"))
                return error_set(
                    err, DIAG_MALFORMED_REQUEST,
                    "a container is docker:ID, podman:ID or an ID; for another engine name "
                    "the unit");
        id = id ? id + 1 : container;
        if (strlen(id) != CONTAINER_ID_LENGTH || id[strspn(id, "0123456789abcdef")] != '\0')
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "a container's ID has 64 hex digits: see 'docker ps --no-trunc'");
        (void)snprintf(explanation->unit, sizeof(explanation->unit), "%s-%s.scope",
                       podman ? "libpod" : "docker", id);
        return 0;
}

static int set_unit(struct explanation *explanation, const struct explain_query *query,
                    struct error *err) {
        if (!query->unit)
                return query->container ? set_container_unit(explanation, query->container, err)
                                        : 0;
        if (strlen(query->unit) >= sizeof(explanation->unit))
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "a unit's name has at most 255 bytes");
        (void)text_clean(explanation->unit, sizeof(explanation->unit), query->unit,
                         strlen(query->unit));
        return 0;
}

static int set_proof(struct explanation *explanation, const struct token_config *token,
                     const struct explain_query *query, struct error *err) {
        bool of_a_job = query->repository || query->event || query->ref || query->fork;

        if (!query->proof) {
                explanation->by = of_a_job ? best_proof(token->vouched_by) : VOUCHED_NO;
                return 0;
        }
        for (enum vouched by = VOUCHED_NO; by < VOUCHED_COUNT; by++) {
                if (strcmp(query->proof, by == VOUCHED_NO ? "none" : vouched_name(by)) != 0)
                        continue;
                if (!gives_proof(token->vouched_by, by))
                        return error_set(err, DIAG_MALFORMED_REQUEST,
                                         "forge '%s' gives no such proof%s",
                                         token->vouched_by->name,
                                         by == VOUCHED_OIDC ? ": it has no oidc_audience" : "");
                explanation->by = by;
                return 0;
        }
        return error_set(err, DIAG_MALFORMED_REQUEST,
                         "a proof is one of oidc, run-api, repository, none");
}

static int set_text(char *buffer, size_t size, const char *what, const char *text,
                    struct error *err) {
        return !text || fact_set(buffer, size, text)
                   ? 0
                   : error_set(err, DIAG_MALFORMED_REQUEST, "the %s is not one", what);
}

static bool is_of_fork(const struct explain_query *query) {
        return query->fork && strcmp(query->fork, "yes") == 0;
}

/* As the proof would tell it.  Of a case without an event it is taken for told: else nobody could
 * leave the event out. */
static enum fork fork_of(const struct job_facts *facts, const struct explain_query *query) {
        if ((query->event || facts->by == VOUCHED_REPOSITORY) &&
            !job_facts_tell_fork(facts->forge->type, facts))
                return FORK_UNKNOWN;
        return is_of_fork(query) ? FORK_YES : FORK_NO;
}

/* A proof by the repository alone leaves the rest open, whatever the job is. */
static int set_facts(struct job_facts *facts, const struct token_config *token,
                     const struct explain_query *query, enum vouched by, struct error *err) {
        int r;

        *facts = (struct job_facts){ .by = by, .forge = token->vouched_by };
        if (query->fork && strcmp(query->fork, "yes") != 0 && strcmp(query->fork, "no") != 0)
                return error_set(err, DIAG_MALFORMED_REQUEST, "fork is yes or no");
        r = set_text(facts->repository, sizeof(facts->repository), "repository", query->repository,
                     err);
        if (r >= 0 && by != VOUCHED_REPOSITORY && query->event) {
                job_facts_set_event(facts, query->event);
                r = facts->event[0]
                        ? 0
                        : error_set(err, DIAG_MALFORMED_REQUEST, "the event is not one");
        }
        if (r >= 0 && by != VOUCHED_REPOSITORY)
                r = set_text(facts->ref, sizeof(facts->ref), "ref", query->ref, err);
        facts->ref_known = facts->ref[0];
        facts->fork = fork_of(facts, query);
        if (r >= 0 && by != VOUCHED_NO && !facts->repository[0])
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "a proof names a repository: which one is it?");
        return r;
}

static void write_sentence(struct explanation *explanation, const struct token_config *token,
                           const struct job_facts *facts, bool of_fork) {
        size_t used = 0;

        (void)text_append(explanation->text, EXPLAIN_TEXT_MAX, &used, "A process of uid 0 in %s%s",
                          explanation->unit[0] ? "unit " : "no unit that is known",
                          explanation->unit);
        if (facts->by == VOUCHED_NO)
                (void)text_append(explanation->text, EXPLAIN_TEXT_MAX, &used, " without a proof");
        else
                (void)text_append(explanation->text, EXPLAIN_TEXT_MAX, &used,
                                  " whose job in %s%s%s%s%s%s is proven (%s)", facts->repository,
                                  facts->event[0] ? " for " : "", facts->event,
                                  facts->ref_known ? " on " : "", facts->ref,
                                  of_fork ? " of a fork's or AGit pull request" : "",
                                  vouched_name(facts->by));
        if (!explanation->allowed)
                (void)text_append(
                    explanation->text, EXPLAIN_TEXT_MAX, &used, " does not get it: %s: %s.",
                    diagnosis_info(explanation->error.code)->name, explanation->error.detail);
        else if (explanation->verdict.rule[0])
                (void)text_append(explanation->text, EXPLAIN_TEXT_MAX, &used,
                                  " gets token '%s' by %s.", token->name,
                                  explanation->verdict.rule);
        else
                (void)text_append(explanation->text, EXPLAIN_TEXT_MAX, &used,
                                  " gets token '%s': it has no rule.", token->name);
}

int explain_case(const struct token_config *token, const struct explain_query *query,
                 struct explanation *ret, struct error *err) {
        struct job_facts facts;
        struct peer peer = { .uid = 0 };
        int r;

        *ret = (struct explanation){ .asked = query->unit || query->container ||
                                              query->repository || query->event || query->ref ||
                                              query->proof || query->fork };
        if (!ret->asked) {
                (void)explain_rules(token, ret->text);
                return 0;
        }
        r = set_unit(ret, query, err);
        if (r >= 0)
                r = set_proof(ret, token, query, err);
        if (r >= 0)
                r = set_facts(&facts, token, query, ret->by, err);
        if (r < 0)
                return r;
        memcpy(peer.cgroup.unit, ret->unit, sizeof(peer.cgroup.unit));
        ret->allowed = policy_decide(token, &peer, &facts, &ret->verdict, &ret->error) == 0;
        write_sentence(ret, token, &facts, is_of_fork(query));
        return 0;
}
