/*
 * What a client can make the daemon hold, and for how long.  docs/api.md has the same table for its
 * readers.
 */
#pragma once

#include <stddef.h>

#include "base/clock.h"

/* A request of ours has a dozen short headers, and proof at most 4 KiB of JWT, or 2 KiB of an
 * address besides. */
#define HEAD_MAX_BYTES ((size_t)8 * 1024)

/* libmicrohttpd keeps the head, an entry per header, the body's window and its own answer's head
 * in one block of this size.  A head that does not fit at all is its own 431; between the two
 * limits it is our 413. */
#define CONNECTION_MEMORY_BYTES ((size_t)14 * 1024)

/* The largest body is a preflight's list of needs. */
#define BODY_MAX_BYTES ((size_t)16 * 1024)

/* libmicrohttpd takes no answer in the middle of a body.  One of unknown length is read and
 * dropped up to here, so that its sender sees the 413; past it the connection is cut. */
#define BODY_DRAIN_MAX_BYTES ((size_t)256 * 1024)

/* A client on the same host sends its head at once; this is generous for one that is swapping. */
#define HEAD_TIMEOUT (2 * USEC_PER_SEC)

/* From an answer to the next complete head.  Scripts ask in quick succession or start anew. */
#define IDLE_TIMEOUT (10 * USEC_PER_SEC)

/* Twice the herd of a thousand jobs that wait for one fetch.  One costs a descriptor and some 20
 * KiB, so that all fit below the unit's LimitNOFILE=8192 and MemoryMax=128M.  The control socket
 * has a bound of its own: no number of jobs keeps an operator out. */
#define PARKED_MAX         2048
#define CONTROL_PARKED_MAX 64

/* Of these one cgroup's: that herd, all of it from one runner, and as much is left for everybody
 * else. */
#define PARKED_OF_ORIGIN_MAX 1024

/* libmicrohttpd's own limit.  It stops accepting there, so it must never be reached:
 * max_connections and PARKED_MAX are enforced by us, by closing older connections. */
#define CONNECTIONS_HARD_MAX 4096

/* With requests_per_second, per cgroup and socket: how many may come at once.  A herd of a
 * thousand jobs with twenty steps each is no attack. */
#define REQUESTS_BURST 20000

/* The part of the limits that tests shorten. */
struct server_limits {
        usec_t head_timeout, idle_timeout;
        size_t parked_max, parked_of_origin_max;
        size_t control_parked_max; /* instead of both, for a control socket */
        unsigned requests_burst;
};

extern const struct server_limits server_limits_default;

/* Of the locked memory: what proofs of waiting requests may hold, so that jobs never keep the
 * broker from reading values. */
#define PROOF_SHARE            2 /* one half; */
#define PROOFS_OF_ORIGIN_SHARE 2 /* of which one unit or container may hold a half */

/* When there is no room for one more proof: those that wait for a forge are answered within
 * seconds. */
#define PROOF_RETRY_AFTER USEC_PER_SEC
