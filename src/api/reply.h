/*
 * Answers: JSON, a secret, or a problem (RFC 9457), with the headers that every answer has.
 */
#pragma once

#include <jansson.h>
#include <microhttpd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "broker/broker.h"

struct reply {
        unsigned status;
        struct MHD_Response *response;
};

static inline void reply_done(struct reply *reply) {
        if (reply->response)
                MHD_destroy_response(reply->response);
        reply->response = NULL;
}

/**
 * reply_json() - consumes @body
 * @body: NULL counts as out of memory, so that a caller need not look
 */
int reply_json(struct reply *ret, unsigned status, const char *type, json_t *body,
               struct error *err);

/** reply_text() - consumes @text, of malloc(); NULL counts as out of memory */
int reply_text(struct reply *ret, const char *type, char *text, struct error *err);

/** reply_secret() - holds a reference to @body until the last byte is sent; nothing is copied on
 * the way */
int reply_secret(struct reply *ret, const char *type, struct secret *body, struct error *err);

/**
 * reply_problem() - an error as application/problem+json; that a proof is required is a challenge
 * (RFC 6750)
 * @attempts:    NULL or empty: none
 * @retry_after: 0: not known
 * @extra:       members of this problem's own, consumed; NULL: none
 */
int reply_problem(struct reply *ret, const struct error *problem, const struct attempts *attempts,
                  usec_t retry_after, json_t *extra, struct error *err);

/** reply_header() - adds one more header */
int reply_header(struct reply *reply, const char *name, const char *value, struct error *err);

#define TYPE_JSON    "application/json"
#define TYPE_PLAIN   "text/plain; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_PROBLEM "application/problem+json"
