/*
 * One accepted connection: who is at the other end, and how long each part of a request may take.
 *
 *      accept -> HEADS -head complete-> EXCHANGES -answer sent-> IDLE -request line-> HEADS ...
 *                                         |  ^ (never left the broker waiting)
 *                                         '-> PARKED -woken-> ANSWERS -sent-> IDLE
 *
 * Above max_connections the oldest of HEADS is cut off, else the oldest of IDLE, else the oldest of
 * EXCHANGES. To cut off means shutdown(): libmicrohttpd owns the descriptor, sees the end and
 * closes.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/deadline.h"
#include "api/listener.h"
#include "broker/peer.h"

struct request;

struct connection {
        struct listener *listener;
        struct MHD_Connection *mhd;
        int fd;           /* libmicrohttpd's */
        struct peer peer; /* of the moment of accept */
        uint64_t born;    /* the listener's turn in which it was accepted */
        struct deadline deadline;
        /* of the request line being read; compared, never dereferenced */
        const char *target_end;
        bool bad_escape;         /* the request's target has a %XX that is not one, or is NUL */
        struct request *request; /* NULL until the head is complete */
};

/* libmicrohttpd's callbacks; cls is the listener. */
void connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
void *connection_request_line(void *cls, const char *target, struct MHD_Connection *mhd);
size_t connection_unescape(void *cls, struct MHD_Connection *mhd, char *text);
void connection_completed(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode code);

/** connection_of() - the connection that a deadline belongs to */
struct connection *connection_of(struct deadline *deadline);

/** connection_head_complete() - from HEADS to EXCHANGES */
void connection_head_complete(struct connection *connection);

/** connection_cut() - ends it from our side; libmicrohttpd cleans up in its next turn */
void connection_cut(struct connection *connection);

/** connection_expired() - what happens at the end of every deadline but that of PARKED */
void connection_expired(struct deadline *deadline);

/**
 * connections_enforce() - brings the number of connections down to max_connections
 *
 * Return: true if some are still to be given the chance to be read, in the next turn.
 */
bool connections_enforce(struct listener *listener);
