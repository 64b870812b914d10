/*
 * The parameters of a request's query, decoded by libmicrohttpd: "+" is a blank there, as in a
 * form.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* No route takes as many. */
#define QUERY_MAX 8

/* Borrowed from libmicrohttpd, for as long as the request.  value NULL: there was no "=". */
struct query_parameter {
        const char *key, *value;
};

/* Embedded; zeroed is empty. */
struct query {
        struct query_parameter parameters[QUERY_MAX];
        unsigned count; /* in the request: those beyond QUERY_MAX are not kept */
};

/** query_add() - one more, in the order of the request */
void query_add(struct query *query, const char *key, const char *value);

/**
 * query_check() - refuses what a route does not take, what has no value, and what is there twice
 * @known: the route's parameters, NULL-terminated; NULL: none
 *
 * Return: 0, or -DIAG_MALFORMED_REQUEST.
 */
int query_check(const struct query *query, const char *const *known, struct error *err);

/** query_get() - the value, or NULL */
const char *query_get(const struct query *query, const char *key);
