/*
 * One connection of a unit that loads a credential: who it is, whether it may have it, and the one
 * answer.
 *
 *      accepted -> ask the broker -value---> its bytes, and the end of the connection
 *                    |   ^      '-refusal-> more newlines than systemd takes for a credential, so that the unit fails to start
 *                    '---'
 *            wait: woken, or PATIENCE is over
 *
 * systemd knows no answer that says no: an end without a byte starts the unit with an empty
 * credential.  So no connection is ever ended by us before its answer is complete, but for those
 * that nobody reads from.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/secret.h"
#include "broker/broker.h"
#include "credentials/bound_name.h"

struct credentials;

struct consumer {
        struct consumer *next, *previous; /* of the same socket; the newest first */
        struct credentials *credentials;
        int fd;
        struct peer peer; /* of the moment of accept */
        struct bound_name name;
        struct ask ask;
        bool answering;
        struct secret *value; /* the answer, while answering; NULL: a refusal */
        size_t sent;
        sd_event_source *io, *timer, *soon;
};

/** consumer_new() - all that a connection needs, made before it is accepted; NULL: no memory */
struct consumer *consumer_new(struct credentials *credentials);

/** consumer_start() - takes @fd over; the first look at it is the loop's next turn */
void consumer_start(struct consumer *consumer, int fd, const struct peer *peer);

/** consumer_free() - ends the connection, if there is one; NULL is fine */
struct consumer *consumer_free(struct consumer *consumer);

/** consumer_hurry() - who waits for a value is answered now, with what there is */
void consumer_hurry(struct consumer *consumer);

/** consumer_send() - as much of the answer as the socket takes; true when there is no more to
 * send */
bool consumer_send(struct consumer *consumer);
