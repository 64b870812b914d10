/*
 * One cgroup path: which unit and container its directories name.  Private to broker/cgroup.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "broker/cgroup.h"

/* Bytes of a text; not terminated. */
struct span {
        const char *text;
        size_t length;
};

bool span_is(struct span span, const char *text);
bool span_ends(struct span span, const char *text);

/** span_between() - what stands between @prefix and @suffix; an empty text where they are not
 * there */
struct span span_between(struct span span, const char *prefix, const char *suffix);

/**
 * cgroup_layout() - fills @ret from one path of /proc/PID/cgroup
 * @root: where the tree that our PID 1 manages begins; of what is not below it only the path is
 *        known
 */
void cgroup_layout(struct span whole, const char *root, struct cgroup *ret);
