/*
 * The process at the other end of a connection: what the kernel says (peer), and what it says of
 * itself (claims).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "broker/cgroup.h"

struct peer {
        uid_t uid; /* of the moment of connect() */
        gid_t gid;
        pid_t pid; /* 0 if it is not visible from here; a hint, never a reason */
        /* its unit and container: reasons to refuse, never to allow what uid 0 alone may not */
        struct cgroup cgroup;
        /* the kernel proved that it is this very process' (SO_PEERPIDFD), and not that of a
         * later one with the same pid */
        bool unit_pinned;
};

/** peer_root_read() - where the tree of units begins, for peer_read(); once, for it does not
 * change */
void peer_root_read(struct cgroup_root *ret);

/**
 * peer_read() - asks the kernel about the other end of a connected AF_UNIX socket; call right after
 * accept
 *
 * What the kernel does not tell about the cgroup (another pid namespace, a peer that is gone) is
 * unknown.
 * Return: 0, or -DIAG_INTERNAL_ERROR (then the peer must be refused).
 */
int peer_read(int fd, const struct cgroup_root *root, struct peer *ret, struct error *err);

/** peer_same_origin() - true if both are of one user, and of one unit or container as far as that
 * is known */
bool peer_same_origin(const struct peer *a, const struct peer *b);

/** peer_is_root() - the one rule that no setting loosens */
bool peer_is_root(const struct peer *peer);

enum claim {
        /* set by the relay for host jobs: the user who came through it; a number or nothing */
        CLAIM_VIA_UID,
        CLAIM_REPOSITORY,
        CLAIM_RUN_ID,
        CLAIM_RUN_ATTEMPT,
        CLAIM_JOB,
        CLAIM_WORKFLOW,
        CLAIM_EVENT,
        CLAIM_REF,
        CLAIM_ACTOR,
        CLAIM_COUNT
};

#define CLAIM_MAX_BYTES 256

/* Unverified, bounded and clean; "" means not claimed. */
struct claims {
        char values[CLAIM_COUNT][CLAIM_MAX_BYTES];
};

/** claim_header() - the request header that carries it: "Forge-Broker-Repository" */
const char *claim_header(enum claim claim);

/** claims_set() - cleans and cuts @text; what is no uid is not taken for CLAIM_VIA_UID */
void claims_set(struct claims *claims, enum claim claim, const char *text, size_t length);
