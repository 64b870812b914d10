/*
 * What a process' cgroup says about it: the systemd unit, and the container that it runs in.
 *
 *      0::/system.slice/docker-3f9a...scope        unit docker-3f9a...scope, container docker:3f9a...
 *
 * Pure: text of /proc/PID/cgroup in, names out.  A layout that is not in the table gives no name,
 * never a likely one.  Of containers in containers the outermost counts: what stands below it is
 * the container's own word.
 */
#pragma once

#include <stddef.h>

#define CGROUP_PATH_MAX      384
#define CGROUP_UNIT_MAX      256
#define CGROUP_CONTAINER_MAX 96

/* Where the tree that our PID 1 manages begins, in both hierarchies; "" is their root, as on every
 * host without containers around it. */
struct cgroup_root {
        char unified[CGROUP_PATH_MAX];
        char named[CGROUP_PATH_MAX];
};

/* "" is unknown, for each of the three. */
struct cgroup {
        char path[CGROUP_PATH_MAX]; /* clean; one that is longer ends in "..." */
        char unit[CGROUP_UNIT_MAX]; /* escaped as systemd names it: "machine-ci\x2d1.scope" */
        /* "docker:ID", "lxc:NAME": the engine and its name for it */
        char container[CGROUP_CONTAINER_MAX];
        /* how much of path names the unit or container; it can choose what follows, not what
         * goes before */
        size_t own;
};

/** cgroup_root_parse() - from the text of /proc/1/cgroup, where a container without a cgroup
 * namespace shows the way to it */
void cgroup_root_parse(const char *text, size_t length, struct cgroup_root *ret);

/**
 * cgroup_parse() - from the text of /proc/PID/cgroup
 *
 * A last line without its line break is one that did not fit the reader's buffer: it does not
 * count.
 */
void cgroup_parse(const char *text, size_t length, const struct cgroup_root *root,
                  struct cgroup *ret);
