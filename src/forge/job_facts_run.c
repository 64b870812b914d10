/*
 * Forgejo's run, as GET actions/run tells it, with the payload of the event that it began with.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "forge/job_facts.h"

/* pull_request.flow of one that was pushed to refs/for/...: it looks like one of the same
 * repository. */
#define FLOW_AGIT 1

static const char *full_name(const json_t *pull, const char *side) {
        return json_member_string(json_object_get(json_object_get(pull, side), "repo"),
                                  "full_name");
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

/* What the server says outright decides first; the payload finds what it does not say: AGit, a
 * fork that is gone. */
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

static bool text_is(const char *text, const char *wanted) {
        return text && strcmp(text, wanted) == 0;
}

/* What the short name @name is the end of; NULL: nobody says. */
static const char *kind_of_ref(const json_t *payload, const char *event, const char *name) {
        const json_t *base = json_object_get(json_object_get(payload, "pull_request"), "base");
        const char *type = json_member_string(payload, "ref_type");

        /* Schedules run on the default branch, and a pull request is for a branch. */
        if (strcmp(event, "schedule") == 0 || (strcmp(event, "pull_request_target") == 0 &&
                                               text_is(json_member_string(base, "ref"), name)))
                return "refs/heads/";
        if (strcmp(event, "release") == 0)
                return text_is(json_member_string(json_object_get(payload, "release"), "tag_name"),
                               name)
                           ? "refs/tags/"
                           : NULL;
        if (strcmp(event, "create") != 0 || !text_is(json_member_string(payload, "ref"), name))
                return NULL;
        return text_is(type, "tag") ? "refs/tags/" : text_is(type, "branch") ? "refs/heads/" : NULL;
}

/* The server names a branch and a tag by the same short word; which of them it is stands in the
 * payload, or follows from the event. */
static void read_ref(const json_t *run, const json_t *payload, struct job_facts *facts) {
        const char *name = json_member_string(run, "prettyref"),
                   *ref = json_member_string(payload, "ref");
        const char *kind = name ? kind_of_ref(payload, facts->event, name) : NULL;
        char text[JOB_TEXT_MAX];
        int length = 0;

        if (!name)
                return;
        if (ref &&
            (short_name_is(ref, "refs/heads/", name) || short_name_is(ref, "refs/tags/", name)))
                length = snprintf(text, sizeof(text), "%s", ref);
        else if (kind)
                length = snprintf(text, sizeof(text), "%s%s", kind, name);
        else if (name[0] == '#' && strcmp(facts->event, "pull_request") == 0)
                length = snprintf(text, sizeof(text), "refs/pull/%s/head", name + 1);
        facts->ref_known = length > 0 && length < (int)sizeof(text) &&
                           fact_set(facts->ref, sizeof(facts->ref), text);
}

static void read_event(const json_t *run, struct job_facts *facts) {
        const char *event = json_member_string(run, "trigger_event");

        if (!event || !*event)
                event = json_member_string(run, "event");
        job_facts_set_event(facts, event);
}

int job_facts_read_run(const json_t *run, struct job_facts *ret, struct error *err) {
        const char *text = json_member_string(run, "event_payload");
        json_t *payload =
            text ? json_parse(text, json_member_string_length(run, "event_payload")) : NULL;
        const json_t *repository = json_object_get(run, "repository");

        *ret = (struct job_facts){ .by = VOUCHED_RUN_API, .fork = FORK_UNKNOWN };
        if (fact_set(ret->repository, sizeof(ret->repository),
                     json_member_string(repository, "full_name")) &&
            fact_is_repository(ret->repository) &&
            fact_set_number(ret->run_id, sizeof(ret->run_id), json_object_get(run, "id"))) {
                (void)fact_set(ret->actor, sizeof(ret->actor),
                               json_member_string(json_object_get(run, "trigger_user"), "login"));
                (void)fact_set(ret->workflow, sizeof(ret->workflow),
                               json_member_string(run, "workflow_id"));
                read_event(run, ret);
                ret->fork = fork_of(run, payload, ret);
                read_ref(run, payload, ret);
                json_decref(payload);
                return 0;
        }
        json_decref(payload);
        return error_set(err, DIAG_UPSTREAM_MALFORMED,
                         "the answer does not name the run and its repository");
}
