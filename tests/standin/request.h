/*
 * One request as the handlers see it: the target exactly as sent, its decoded parts, the body, who
 * asks; and the answer they make.
 */
#pragma once

#include <microhttpd.h>

#include "standin.h"

struct request;

struct route {
        const char *method;
        const char *path; /* segments; ":" takes one segment as a parameter */
        /* secret, list, login, renew, revoke, status, read, write: for faults, counters, limits */
        const char *class;
        bool identity; /* an identity's token is required */
        bool v4;       /* only when the v4 routes are on */
        void (*handle)(struct request *r);
};

struct answer {
        unsigned status;
        json_t *body; /* printed when the answer leaves */
        char *text;   /* instead of a body */
        size_t length;
        const char *content_type;
        json_t *headers; /* further ones, by name */
        bool bare;       /* made below the application: no ETag, none of its headers */
        bool close;
};

#define PARAMS_MAX     2
#define BODY_MAX_BYTES (1024 * 1024) /* of a request */

struct request {
        struct standin *standin;
        struct MHD_Connection *connection;
        char *method;
        char *target;  /* as sent */
        char *path;    /* still encoded, without the query and one slash at the end */
        json_t *query; /* decoded; a name that came twice holds an array */
        char *body;
        size_t body_length;
        bool body_too_large;
        json_t *json; /* the body, once parsed */
        const struct route *route;
        json_t *params[PARAMS_MAX]; /* decoded path parameters */
        char address[64];           /* the client's, headers of proxies included */
        json_t *token;    /* borrowed: the access token's record, NULL without Authorization */
        json_t *identity; /* borrowed */
        bool counted;
        bool started;
        struct answer answer;
};

struct request *request_new(struct standin *s, const char *target);
void request_free(struct request *r);

/** request_split() - decodes the target; false for a path with bad percent encoding */
bool request_split(struct request *r);

/** request_match() - does the path fit the route; takes the parameters over */
bool request_match(struct request *r, const struct route *route);

/** request_append() - takes a piece of the body */
void request_append(struct request *r, const char *bytes, size_t length);

const char *request_header(const struct request *r, const char *name);

/** request_address() - fills in the client's address, as the server finds it behind proxies */
void request_address(struct request *r);

/**
 * request_parse_body() - makes r->json of the body, as the server's body parsers do
 *
 * Return: false if that failed and the answer is made.
 */
bool request_parse_body(struct request *r);

/** request_query() - the parameter's text, trimmed, or NULL; the result is new */
char *request_query(const struct request *r, const char *name);
