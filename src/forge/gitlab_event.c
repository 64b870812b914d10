#include "forge/gitlab_event.h"

#include <string.h>

#include "base/cleanup.h"

/* docs/upstream/forges.md, "Who vouches for a job".  What is not here keeps its name. */
static const struct {
        const char *source, *event; /* NULL: what happened first is not told */
        enum fork fork;
} events[] = {
        { "push", "push", FORK_NO },
        { "schedule", "schedule", FORK_NO },
        { "web", "workflow_dispatch", FORK_NO },
        { "api", "api", FORK_NO },
        { "trigger", "trigger", FORK_NO },
        { "chat", "chat", FORK_NO },
        { "webide", "push", FORK_NO },
        /* A member of the parent project may run the pipeline of a fork's merge request in it. */
        { "merge_request_event", "pull_request", FORK_UNKNOWN },
        { "external_pull_request_event", "pull_request", FORK_UNKNOWN },
        /* A child's parent may be any of these. */
        { "parent_pipeline", NULL, FORK_UNKNOWN },
        { "pipeline", NULL, FORK_UNKNOWN },
};

bool gitlab_event_tells_fork(const char *event) {
        for (size_t i = 0; i < ELEMENTS(events); i++)
                if (events[i].event && events[i].fork == FORK_NO &&
                    strcmp(events[i].event, event) == 0)
                        return true;
        return false;
}

void gitlab_event_set(struct job_facts *facts, const char *source) {
        facts->fork = FORK_UNKNOWN;
        facts->event_known = fact_set(facts->event, sizeof(facts->event), source);
        for (size_t i = 0; source && i < ELEMENTS(events); i++) {
                if (strcmp(events[i].source, source) != 0)
                        continue;
                facts->fork = events[i].fork;
                facts->event_known = events[i].event &&
                                     fact_set(facts->event, sizeof(facts->event), events[i].event);
                return;
        }
}
