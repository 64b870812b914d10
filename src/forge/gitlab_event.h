/*
 * What started a GitLab pipeline, in the words that the other forges' events have.
 */
#pragma once

#include "forge/job_facts.h"

/**
 * gitlab_event_set() - sets event, event_known and fork
 * @source: a pipeline's source, or NULL
 */
void gitlab_event_set(struct job_facts *facts, const char *source);

/** gitlab_event_tells_fork() - whether @event, in those words, is never of a fork's merge
 * request */
bool gitlab_event_tells_fork(const char *event);
