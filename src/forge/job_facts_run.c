/*
 * Forgejo's run, as GET actions/run tells it, with the payload of the event that it began with.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "forge/job_facts.h"

/* pull_request.flow of one that was pushed to refs/for/...: it looks like one of the same repository. */
#define FLOW_AGIT 1

static const char *full_name(const json_t *pull, const char *side) {
        return json_member_string(json_object_get(json_object_get(pull, side), "repo"), "full_name");
}

static enum fork fork_of_pull_request(const json_t *pull) {
        const char *head = full_name(pull, "head"), *base = full_name(pull, "base");
        const json_t *side = json_object_get(pull, "head");
        json_int_t flow;

        if (json_member_int(pull, "flow", &flow) && flow == FLOW_AGIT)
                return FORK_YES;
        /* The fork was deleted meanwhile. */
        if (json_is_object(side) && json_is_null(json_object_get(side, "repo")))
                return FORK_YES;
        if (!head || !base)
                return FORK_UNKNOWN;
        return strcmp(head, base) == 0 ? FORK_NO : FORK_YES;
}

/* What the server says outright decides first; the payload finds what it does not say: AGit, a fork that is gone. */
static enum fork fork_of(const json_t *run, const json_t *payload, const struct job_facts *facts) {
        const json_t *pull = json_object_get(payload, "pull_request");

        if (json_member_true(run, "is_fork_pull_request") || json_member_true(run, "need_approval"))
                return FORK_YES;
        if (!json_is_false(json_object_get(run, "is_fork_pull_request")) || !facts->event_known)
                return FORK_UNKNOWN;
        if (json_is_object(pull))
                return fork_of_pull_request(pull);
        return text_starts_with(facts->event, "pull_request") ? FORK_UNKNOWN : FORK_NO;
}

static bool short_name_is(const char *ref, const char *prefix, const char *name) {
        return text_starts_with(ref, prefix) && strcmp(ref + strlen(prefix), name) == 0;
}

/* The server names a branch and a tag by the same short word; which of them it is stands in the payload, or follows from
 * the event. */
static void read_ref(const json_t *run, const json_t *payload, struct job_facts *facts) {
        const char *name = json_member_string(run, "prettyref"), *ref = json_member_string(payload, "ref");
        const char *type = json_member_string(payload, "ref_type");
        const char *tag = json_member_string(json_object_get(payload, "release"), "tag_name");
        char text[JOB_TEXT_MAX];
        const char *prefix = NULL;

        if (!name)
                return;
        if (ref && (short_name_is(ref, "refs/heads/", name) || short_name_is(ref, "refs/tags/", name)))
                facts->ref_known = fact_set(facts->ref, sizeof(facts->ref), ref);
        else if (strcmp(facts->event, "schedule") == 0)
                prefix = "refs/heads/";         /* schedules run on the default branch */
        else if (strcmp(facts->event, "create") == 0 && ref && type && strcmp(ref, name) == 0)
                prefix = strcmp(type, "tag") == 0 ? "refs/tags/" : strcmp(type, "branch") == 0 ? "refs/heads/" : NULL;
        else if (strcmp(facts->event, "release") == 0 && tag && strcmp(tag, name) == 0)
                prefix = "refs/tags/";
        if (prefix && snprintf(text, sizeof(text), "%s%s", prefix, name) < (int)sizeof(text))
                facts->ref_known = fact_set(facts->ref, sizeof(facts->ref), text);
}

/* Inside a reusable workflow it says how the workflow was called and not what happened. */
static void read_event(const json_t *run, struct job_facts *facts) {
        const char *event = json_member_string(run, "trigger_event");

        if (!event || !*event)
                event = json_member_string(run, "event");
        facts->event_known = fact_set(facts->event, sizeof(facts->event), event) && strcmp(facts->event, "workflow_call") != 0;
}

int job_facts_read_run(const json_t *run, struct job_facts *ret, struct error *err) {
        const char *text = json_member_string(run, "event_payload");
        json_t *payload = text ? json_parse(text, json_member_string_length(run, "event_payload")) : NULL;
        const json_t *repository = json_object_get(run, "repository");

        *ret = (struct job_facts){ .by = VOUCHED_RUN_API, .fork = FORK_UNKNOWN };
        if (fact_set(ret->repository, sizeof(ret->repository), json_member_string(repository, "full_name")) &&
            fact_is_repository(ret->repository) && fact_set_number(ret->run_id, sizeof(ret->run_id), json_object_get(run, "id"))) {
                (void)fact_set(ret->actor, sizeof(ret->actor),
                               json_member_string(json_object_get(run, "trigger_user"), "login"));
                (void)fact_set(ret->workflow, sizeof(ret->workflow), json_member_string(run, "workflow_id"));
                read_event(run, ret);
                ret->fork = fork_of(run, payload, ret);
                read_ref(run, payload, ret);
                json_decref(payload);
                return 0;
        }
        json_decref(payload);
        return error_set(err, DIAG_UPSTREAM_MALFORMED, "the answer does not name the run and its repository");
}
