/*
 * Who gets a token: the rules of the configuration, against what the kernel and a forge say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy.h"
#include "test-config-harness.h"

#define TOKEN_WITH(name, rules)                                                                    \
        "[token " name "]\nforge = home\nsecret_path = /p\nsecret_name = " name "\n" rules

#define RUNNER "forgejo-runner.service"
#define DOCKER "docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"

static const char tokens[] =
    IDENTITY FORGE "[forge away]\ntype = gitea\nurl = https://away.example.org\n" TOKEN_WITH(
        "open", "") TOKEN_WITH("units", "units = " RUNNER ", docker-*.scope\n")
        TOKEN_WITH("proven", "proof = required\njob_repositories = platform/*, shared/tools\n")
            TOKEN_WITH("main", "proof = required\njob_repositories = platform/*\njob_refs = "
                               "refs/heads/main, refs/tags/v*\n")
                TOKEN_WITH("any-event",
                           "proof = required\njob_repositories = platform/*\njob_events =\n")
                    TOKEN_WITH("pulls",
                               "proof = required\njob_repositories = platform/*\njob_events = "
                               "pull_request, pull_request_target\n")
                        TOKEN_WITH("elsewhere", "proof = required\njob_repositories = "
                                                "platform/*\njob_events =\nvouched_by = away\n")
                            TOKEN_WITH("writes", "for = apps/*\nwrite_probe = yes\nproof = "
                                                 "required\njob_repositories = platform/*\n")
                                TOKEN_WITH(
                                    "all",
                                    "units = docker-*.scope\nproof = required\njob_repositories "
                                    "= platform/*\njob_refs = refs/heads/main\n");

static struct loaded loaded;

enum by { NONE, OIDC = VOUCHED_OIDC, RUN = VOUCHED_RUN_API, REPO = VOUCHED_REPOSITORY };

struct row {
        const char *token, *unit;
        enum by by;
        const char *repository, *event, *ref; /* NULL: the proof does not tell */
        enum fork fork;
        enum diagnosis code; /* DIAG_NONE: allowed */
        const char *rule;    /* as the record has it */
};

static const struct row rows[] = {
        /* Without a rule every root process gets it, whatever is shown. */
        { "open", "", NONE, NULL, NULL, NULL, FORK_NO, DIAG_NONE, "" },
        { "open", RUNNER, OIDC, "evil/fork", "pull_request", NULL, FORK_YES, DIAG_NONE, "" },

        /* units: the kernel's name, whole, case and all. */
        { "units", RUNNER, NONE, NULL, NULL, NULL, FORK_NO, DIAG_NONE, "units " RUNNER },
        { "units", DOCKER, NONE, NULL, NULL, NULL, FORK_NO, DIAG_NONE, "units docker-*.scope" },
        { "units", "docker.service", NONE, NULL, NULL, NULL, FORK_NO, DIAG_PEER_REFUSED,
          "units " RUNNER ", docker-*.scope" },
        { "units", "Docker-1.scope", NONE, NULL, NULL, NULL, FORK_NO, DIAG_PEER_REFUSED,
          "units " RUNNER ", docker-*.scope" },
        { "units", "x" RUNNER, NONE, NULL, NULL, NULL, FORK_NO, DIAG_PEER_REFUSED,
          "units " RUNNER ", docker-*.scope" },
        { "units", RUNNER ".d", NONE, NULL, NULL, NULL, FORK_NO, DIAG_PEER_REFUSED,
          "units " RUNNER ", docker-*.scope" },
        { "units", "", NONE, NULL, NULL, NULL, FORK_NO, DIAG_PEER_REFUSED,
          "units " RUNNER ", docker-*.scope" },
        { "units", "", OIDC, "platform/site", "push", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "units " RUNNER ", docker-*.scope" },

        /* proof: nothing shown, and each kind of it. */
        { "proven", RUNNER, NONE, NULL, NULL, NULL, FORK_NO, DIAG_PROOF_REQUIRED,
          "proof required" },
        { "proven", "", OIDC, "platform/site", "push", "refs/heads/x", FORK_NO, DIAG_NONE,
          "job_repositories platform/*, job_events push" },
        { "proven", "", RUN, "platform/site", "schedule", NULL, FORK_NO, DIAG_NONE,
          "job_repositories platform/*, job_events schedule" },
        { "proven", "", RUN, "Shared/Tools", "release", NULL, FORK_NO, DIAG_NONE,
          "job_repositories shared/tools, job_events release" },
        { "proven", "", REPO, "platform/site", NULL, NULL, FORK_NO, DIAG_PROOF_INSUFFICIENT,
          "job_events push, create, schedule, workflow_dispatch, release" },
        { "proven", "", OIDC, "shared/tools2", "push", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_repositories platform/*, shared/tools" },
        { "proven", "", OIDC, "evil/platform/site", "push", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_repositories platform/*, shared/tools" },
        { "proven", "", REPO, "evil/site", NULL, NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_repositories platform/*, shared/tools" },

        /* Events: those that outsiders trigger only where they are named. */
        { "proven", "", OIDC, "platform/site", "create", NULL, FORK_NO, DIAG_NONE,
          "job_repositories platform/*, job_events create" },
        { "proven", "", OIDC, "platform/site", "workflow_dispatch", NULL, FORK_NO, DIAG_NONE,
          "job_repositories platform/*, job_events workflow_dispatch" },
        { "proven", "", RUN, "platform/site", "pull_request", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_events push, create, schedule, workflow_dispatch, release" },
        { "proven", "", RUN, "platform/site", "pull_request_target", NULL, FORK_NO,
          DIAG_PEER_REFUSED, "job_events push, create, schedule, workflow_dispatch, release" },
        { "proven", "", RUN, "platform/site", "issue_comment", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_events push, create, schedule, workflow_dispatch, release" },
        { "proven", "", RUN, "platform/site", "workflow_run", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_events push, create, schedule, workflow_dispatch, release" },
        { "proven", "", RUN, "platform/site", "pushed", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_events push, create, schedule, workflow_dispatch, release" },
        { "pulls", "", RUN, "platform/site", "pull_request", NULL, FORK_NO, DIAG_NONE,
          "job_repositories platform/*, job_events pull_request" },
        { "pulls", "", RUN, "platform/site", "push", NULL, FORK_NO, DIAG_PEER_REFUSED,
          "job_events pull_request, pull_request_target" },

        /* A fork's or AGit job never; where nobody tells, neither. */
        { "pulls", "", RUN, "platform/site", "pull_request", NULL, FORK_YES, DIAG_PEER_REFUSED,
          "no fork's or AGit pull request" },
        { "pulls", "", OIDC, "platform/site", "pull_request", NULL, FORK_UNKNOWN,
          DIAG_PROOF_INSUFFICIENT, "no fork's or AGit pull request" },
        { "pulls", "", OIDC, "platform/site", "pull_request_target", NULL, FORK_YES,
          DIAG_PEER_REFUSED, "no fork's or AGit pull request" },
        { "proven", "", RUN, "platform/site", "push", NULL, FORK_YES, DIAG_PEER_REFUSED,
          "no fork's or AGit pull request" },
        { "proven", "", RUN, "platform/site", "push", NULL, FORK_UNKNOWN, DIAG_PROOF_INSUFFICIENT,
          "no fork's or AGit pull request" },
        { "any-event", "", REPO, "platform/site", NULL, NULL, FORK_UNKNOWN, DIAG_PROOF_INSUFFICIENT,
          "no fork's or AGit pull request" },
        { "any-event", "", RUN, "platform/site", NULL, NULL, FORK_YES, DIAG_PEER_REFUSED,
          "no fork's or AGit pull request" },
        { "proven", "", RUN, "evil/site", "pull_request", NULL, FORK_YES, DIAG_PEER_REFUSED,
          "no fork's or AGit pull request" },
        { "proven", "", RUN, "evil/site", "push", NULL, FORK_UNKNOWN, DIAG_PEER_REFUSED,
          "job_repositories platform/*, shared/tools" },

        /* No rule about events: what older forges prove is enough. */
        { "any-event", "", REPO, "platform/site", NULL, NULL, FORK_NO, DIAG_NONE,
          "job_repositories platform/*" },
        { "any-event", "", RUN, "platform/site", "issue_comment", NULL, FORK_NO, DIAG_NONE,
          "job_repositories platform/*" },

        /* Refs: whole, and case counts. */
        { "main", "", OIDC, "platform/site", "push", "refs/heads/main", FORK_NO, DIAG_NONE,
          "job_repositories platform/*, job_events push, job_refs refs/heads/main" },
        { "main", "", RUN, "platform/site", "push", "refs/tags/v1.2", FORK_NO, DIAG_NONE,
          "job_repositories platform/*, job_events push, job_refs refs/tags/v*" },
        { "main", "", OIDC, "platform/site", "push", "refs/heads/Main", FORK_NO, DIAG_PEER_REFUSED,
          "job_refs refs/heads/main, refs/tags/v*" },
        { "main", "", OIDC, "platform/site", "push", "refs/heads/v1", FORK_NO, DIAG_PEER_REFUSED,
          "job_refs refs/heads/main, refs/tags/v*" },
        { "main", "", OIDC, "platform/site", "push", "main", FORK_NO, DIAG_PEER_REFUSED,
          "job_refs refs/heads/main, refs/tags/v*" },
        { "main", "", RUN, "platform/site", "push", NULL, FORK_NO, DIAG_PROOF_INSUFFICIENT,
          "job_refs refs/heads/main, refs/tags/v*" },

        /* Whose word counts. */
        { "elsewhere", "", REPO, "platform/site", NULL, NULL, FORK_NO, DIAG_PROOF_INSUFFICIENT,
          "vouched_by away" },

        /* All of them at once: each alone refuses. */
        { "all", DOCKER, OIDC, "platform/site", "push", "refs/heads/main", FORK_NO, DIAG_NONE,
          "units docker-*.scope, job_repositories platform/*, job_events push, job_refs "
          "refs/heads/main" },
        { "all", RUNNER, OIDC, "platform/site", "push", "refs/heads/main", FORK_NO,
          DIAG_PEER_REFUSED, "units docker-*.scope" },
        { "all", DOCKER, NONE, NULL, NULL, NULL, FORK_NO, DIAG_PROOF_REQUIRED, "proof required" },
        { "all", RUNNER, NONE, NULL, NULL, NULL, FORK_NO, DIAG_PEER_REFUSED,
          "units docker-*.scope" },
        { "all", DOCKER, OIDC, "platform/site", "push", "refs/heads/next", FORK_NO,
          DIAG_PEER_REFUSED, "job_refs refs/heads/main" },
};

static struct job_facts facts_of(const struct row *row) {
        struct job_facts facts = { .by = (enum vouched)row->by,
                                   .forge = loaded.config->forges[0],
                                   .fork = row->fork,
                                   .event_known = row->event,
                                   .ref_known = row->ref };

        (void)fact_set(facts.repository, sizeof(facts.repository), row->repository);
        (void)fact_set(facts.event, sizeof(facts.event), row->event);
        (void)fact_set(facts.ref, sizeof(facts.ref), row->ref);
        return facts;
}

static int decide(const struct row *row, struct policy_verdict *verdict, struct error *err) {
        const struct token_config *token = config_find_token(loaded.config, row->token);
        struct job_facts facts = facts_of(row);
        struct peer peer = { 0 };

        assert_non_null(token);
        (void)snprintf(peer.cgroup.unit, sizeof(peer.cgroup.unit), "%s", row->unit);
        return policy_decide(token, &peer, row->by == NONE ? NULL : &facts, verdict, err);
}

static void each_row_is_decided_by_the_rule_it_names(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const struct row *row = &rows[i];
                struct policy_verdict verdict;
                struct error err = { 0 };
                int r = decide(row, &verdict, &err);

                if (r != -(int)row->code || err.code != row->code ||
                    strcmp(verdict.rule, row->rule) != 0)
                        fail_msg("row %zu (%s): %d, %s, by '%s': %s", i, row->token, r,
                                 err.code ? diagnosis_info(err.code)->name : "allowed",
                                 verdict.rule, err.detail);
        }
}

static void a_refusal_names_the_token_and_has_a_remedy(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const struct row *row = &rows[i];
                struct policy_verdict verdict;
                struct error err = { 0 };
                char name[96];

                if (decide(row, &verdict, &err) == 0)
                        continue;
                (void)snprintf(name, sizeof(name), "token '%s'", row->token);
                assert_non_null(strstr(err.detail, name));
                assert_true(row->code == DIAG_PROOF_REQUIRED || err.remedy[0]);
        }
}

/* Proof of nothing is no proof: a desk that lost its answer must not open a token. */
static void facts_that_nobody_vouches_for_are_none(void **state) {
        const struct row row = { "proven", RUNNER, NONE,    NULL,
                                 NULL,     NULL,   FORK_NO, DIAG_PROOF_REQUIRED,
                                 "" };
        struct job_facts facts = { .by = VOUCHED_NO,
                                   .forge = loaded.config->forges[0],
                                   .repository = "platform/site" };
        struct policy_verdict verdict;
        struct peer peer = { 0 };

        (void)state;
        assert_int_equal(policy_decide(config_find_token(loaded.config, row.token), &peer, &facts,
                                       &verdict, NULL),
                         -(int)DIAG_PROOF_REQUIRED);
}

static bool may_ask(const char *name, const struct peer *peer) {
        struct policy_verdict verdict;

        return policy_may_ask(config_find_token(loaded.config, name), peer, &verdict, NULL) == 0;
}

static void what_is_known_without_a_proof_is_the_unit(void **state) {
        const struct peer unknown = { 0 };
        struct peer runner = { 0 };

        (void)state;
        (void)snprintf(runner.cgroup.unit, sizeof(runner.cgroup.unit), RUNNER);
        assert_true(may_ask("open", &unknown));
        assert_true(may_ask("proven", &unknown));
        assert_true(may_ask("units", &runner));
        assert_false(may_ask("units", &unknown));
        assert_false(may_ask("all", &runner));
}

static void nothing_is_tried_where_a_token_is_not_for(void **state) {
        static const struct {
                const char *token, *target;
                bool write_probe;
                const char *rule; /* NULL: allowed */
        } targets[] = {
                { "open", "any/where", false, NULL },
                { "open", "any/where", true, "write_probe no" },
                { "proven", "platform/site", false, NULL },
                { "proven", "Shared/Tools", false, NULL },
                { "proven", "evil/site", false, "job_repositories platform/*, shared/tools" },
                { "proven", "", false, NULL },
                { "writes", "apps/site", true, NULL },
                { "writes", "platform/site", true, NULL },
                { "writes", "evil/site", true, "for apps/*" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(targets); i++) {
                const struct token_config *token =
                    config_find_token(loaded.config, targets[i].token);
                struct policy_verdict verdict;
                struct error err = { 0 };
                int r = policy_allows_target(token, targets[i].target, targets[i].write_probe,
                                             &verdict, &err);

                assert_int_equal(r, targets[i].rule ? -(int)DIAG_PROOF_INSUFFICIENT : 0);
                assert_string_equal(verdict.rule, targets[i].rule ? targets[i].rule : "");
                assert_true(r == 0 || err.remedy[0]);
        }
}

static void a_long_rule_is_cut_and_counted(void **state) {
        static char text[8192];
        struct policy_verdict verdict;
        struct error err = { 0 };
        struct peer peer = { 0 };
        size_t used = 0;

        (void)state;
        used += (size_t)snprintf(text, sizeof(text), LEAST);
        for (int i = 0; i < 60; i++)
                used += (size_t)snprintf(text + used, sizeof(text) - used,
                                         "units = a-unit-with-a-long-name-%02d.service\n", i);
        _cleanup_(loaded_done) struct loaded many = load(text);
        (void)assert_loads(&many);
        assert_int_equal(policy_decide(many.config->tokens[0], &peer, NULL, &verdict, &err),
                         -(int)DIAG_PEER_REFUSED);
        assert_non_null(strstr(verdict.rule, "units a-unit-with-a-long-name-00.service, "));
        assert_non_null(strstr(verdict.rule, " ... (60)"));
}

static int load_tokens(void **state) {
        (void)state;
        loaded = load(tokens);
        (void)assert_loads(&loaded);
        return 0;
}

static int unload_tokens(void **state) {
        (void)state;
        loaded_done(&loaded);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_row_is_decided_by_the_rule_it_names),
                cmocka_unit_test(a_refusal_names_the_token_and_has_a_remedy),
                cmocka_unit_test(facts_that_nobody_vouches_for_are_none),
                cmocka_unit_test(what_is_known_without_a_proof_is_the_unit),
                cmocka_unit_test(nothing_is_tried_where_a_token_is_not_for),
                cmocka_unit_test(a_long_rule_is_cut_and_counted),
        };

        return cmocka_run_group_tests(tests, load_tokens, unload_tokens);
}
