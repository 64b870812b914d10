/*
 * One request, from its complete head to its answer: the checks that libmicrohttpd leaves to us,
 * the body's limit, and parking while the broker fetches.
 *
 *      head complete -> [refused, connection closed] | body read -> route -> answer
 *                                                                    |  ^
 *                                                     ASK_WAIT: suspended | woken, time over, or its client left
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/connection.h"
#include "api/query.h"
#include "base/clock.h"
#include "broker/broker.h"

#define NAME_BUFFER_BYTES 65 /* the longest name that text_is_name() allows */

struct route;

struct request {
        struct connection *connection;
        const struct route *route; /* NULL until the body is read */
        /* the path's NAME; "" if it has none or it cannot be a name */
        char name[NAME_BUFFER_BYTES];
        usec_t deadline; /* monotonic: the answer must be there */

        bool chunked;
        unsigned content_lengths, transfer_encodings;
        unsigned long long content_length;
        struct query query;
        unsigned proofs; /* how many headers carry one */
        bool proof_too_long, proof_no_room;
        char *id_token_url; /* NULL: the proof is no request token */
        int accepts;        /* what Accept decided: 0 nothing yet, else enum accepted */
        size_t body_bytes;
        char *body; /* of a route that takes one, as far as it has come; of the wiping heap */

        struct ask ask;
        bool parked, woken, waited;
        bool too_often; /* one more than its cgroup may make */
        bool gone;      /* its client left while it was parked */
        sd_event_source *hangup;
};

enum accepted { ACCEPTED_JSON = 1, ACCEPTED_PLAIN };

/** request_handle() - libmicrohttpd's handler; cls is the listener, *context the connection */
enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *upload_data,
                               size_t *upload_data_size, void **context);

/** request_refuse() - writes the record of a refusal that was decided here; returns -err->code */
int request_refuse(struct request *request, struct error *err);

/** request_expired() - the end of a deadline in PARKED: the broker must answer now */
void request_expired(struct deadline *deadline);

/** request_give_up() - a parked request of a daemon that stops is answered with 503 in the next
 * turn */
void request_give_up(struct request *request);

struct request *request_free(struct request *request);
