/*
 * The route table: who may ask what, and which handler answers.
 */
#pragma once

#include <stdbool.h>

#include "api/reply.h"
#include "api/request.h"

struct route {
        const char *method;
        const char *path; /* a "*" stands for the one segment that is a NAME */
        bool for_jobs;    /* served on the jobs' socket too */
        bool with_head;   /* HEAD is answered like GET: asking changes nothing */
        bool takes_body;  /* request->body is kept for it; any other POST's is read and dropped */
        const char *const *parameters; /* of the query, NULL-terminated; NULL: it takes none */

        int (*handle)(struct request *request, struct reply *ret, struct error *err);
};

#define ALLOW_MAX_BYTES 48

/**
 * route_find() - the route of a request, and the NAME in its path
 * @name:  at least NAME_BUFFER_BYTES; "" if the path has none, or one that no token can have
 * @allow: for -DIAG_METHOD_NOT_ALLOWED, what the Allow header says
 *
 * Return: 0, -DIAG_MALFORMED_REQUEST for a path that is not served here, or
 * -DIAG_METHOD_NOT_ALLOWED.
 */
int route_find(const char *method, const char *path, bool serves_all, const struct route **ret,
               char *name, char allow[static ALLOW_MAX_BYTES], struct error *err);

/** route_takes_body() - true if request->body is to be kept for what is asked */
bool route_takes_body(const char *method, const char *path);
