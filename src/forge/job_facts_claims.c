/*
 * The claims of an ID token: each for itself, never `sub`, whose form the forges change.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "forge/gitlab_event.h"
#include "forge/job_facts.h"

static void read_ref(const json_t *claims, const char *ref_member, struct job_facts *facts) {
        const char *ref = json_member_string(claims, ref_member),
                   *name = json_member_string(claims, "ref");
        const char *type = json_member_string(claims, "ref_type");
        const char *kind = type && strcmp(type, "tag") == 0      ? "tags"
                           : type && strcmp(type, "branch") == 0 ? "heads"
                                                                 : NULL;
        /* A branch can be called refs/tags/v1: where name and type disagree, neither is
         * believed. */
        const char *other = !kind ? NULL : strcmp(kind, "tags") == 0 ? "refs/heads/" : "refs/tags/";
        char text[JOB_TEXT_MAX];

        if (ref && other && text_starts_with(ref, other))
                return;
        if (ref && text_starts_with(ref, "refs/"))
                facts->ref_known = fact_set(facts->ref, sizeof(facts->ref), ref);
        else if (name && kind &&
                 snprintf(text, sizeof(text), "refs/%s/%s", kind, name) < (int)sizeof(text))
                facts->ref_known = fact_set(facts->ref, sizeof(facts->ref), text);
}

static void read_gitlab(const json_t *claims, struct job_facts *facts) {
        const char *project = json_member_string(claims, "project_path");
        const char *runs_in = json_member_string(claims, "job_project_path");

        gitlab_event_set(facts, json_member_string(claims, "pipeline_source"));
        /* Of a fork's merge request the first is the fork, wherever the job runs. */
        if (runs_in && strcmp(facts->event, "pull_request") == 0)
                facts->fork = strcmp(runs_in, project) == 0 ? FORK_NO : FORK_YES;
        (void)fact_set_number(facts->run_id, sizeof(facts->run_id),
                              json_object_get(claims, "pipeline_id"));
        (void)fact_set(facts->actor, sizeof(facts->actor),
                       json_member_string(claims, "user_login"));
        read_ref(claims, "ref_path", facts);
}

static void read_actions(enum forge_type type, const json_t *claims, struct job_facts *facts) {
        job_facts_set_event(facts, json_member_string(claims, "event_name"));
        facts->fork = job_facts_tell_fork(type, facts) ? FORK_NO : FORK_UNKNOWN;
        (void)fact_set_number(facts->run_id, sizeof(facts->run_id),
                              json_object_get(claims, "run_id"));
        (void)fact_set_number(facts->run_attempt, sizeof(facts->run_attempt),
                              json_object_get(claims, "run_attempt"));
        (void)fact_set(facts->actor, sizeof(facts->actor), json_member_string(claims, "actor"));
        (void)fact_set(facts->workflow, sizeof(facts->workflow),
                       json_member_string(claims, "workflow"));
        read_ref(claims, "ref", facts);
}

int job_facts_read_claims(enum forge_type type, const json_t *claims, struct job_facts *ret,
                          struct error *err) {
        const char *member = type == FORGE_GITLAB ? "project_path" : "repository";

        *ret = (struct job_facts){ .by = VOUCHED_OIDC, .fork = FORK_UNKNOWN };
        if (!fact_set(ret->repository, sizeof(ret->repository),
                      json_member_string(claims, member)) ||
            !fact_is_repository(ret->repository))
                return error_set(err, DIAG_PROOF_REJECTED,
                                 "the ID token has no claim '%s' that names a repository", member);
        if (type == FORGE_GITLAB)
                read_gitlab(claims, ret);
        else
                read_actions(type, claims, ret);
        return 0;
}
