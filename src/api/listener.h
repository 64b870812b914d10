/*
 * One listening socket: a libmicrohttpd daemon on the loop, and what all its connections share.
 *
 * libmicrohttpd is run from the loop only (listener_turn_soon() asks for it), never from inside one
 * of its own callbacks.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "api/deadline.h"
#include "api/limits.h"
#include "broker/broker.h"
#include "broker/rate.h"

struct listener {
        sd_event *event;
        struct broker *broker;
        struct server_limits limits;
        bool serves_all; /* false: only what jobs may ask */
        bool stopping;
        struct cgroup_root cgroup_root;
        struct rate *rate;

        struct MHD_Daemon *daemon;
        sd_event_source *readable, *timer, *soon;
        uint64_t turns;  /* of libmicrohttpd so far */
        uint64_t closed; /* connections so far */
        bool starved;    /* a descriptor for a connection may have been missing */

        /* Every connection is in exactly one of these, except one that was cut off and is about to
         * be closed. */
        struct deadlines heads;     /* its head is not complete */
        struct deadlines exchanges; /* its body is being read, or its answer written */
        struct deadlines idle;      /* kept, between two requests */
        /* waits for the broker; these two do not count as connections */
        struct deadlines parked;
        struct deadlines answers; /* was parked, its answer is being written */

        usec_t quiet_until; /* monotonic: libmicrohttpd's messages are only counted until then */
        unsigned unlogged;
        bool closes_quietly; /* its next message calls a close that we want an internal error */
};

/**
 * listener_start() - serves from now on
 * @fd: a listening socket, taken over on success
 */
int listener_start(struct listener *listener, sd_event *event, struct broker *broker,
                   const struct server_limits *limits, bool serves_all, int fd, struct error *err);

/**
 * listener_stop() - answers what is parked with 503 and closes every connection
 *
 * Return: the listening socket, which is the caller's again; -1 if it was never started.
 */
int listener_stop(struct listener *listener);

/** listener_turn_soon() - lets libmicrohttpd run when the loop comes round again; may be called
 * from anywhere */
void listener_turn_soon(struct listener *listener);
