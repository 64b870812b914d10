/*
 * Reading one secret from one Infisical server, and what its answers mean.
 *
 * Requests and answers are docs/upstream/infisical.md: v4 first, v3 on the one answer that means
 * "unknown route", remembered for each server; every parameter explicit; status, "error" and shape
 * decide together.  No retries, no choice of server or of source here: that is broker/source.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

/* The forge token itself: longer than any forge's, JWTs included, and far below what the region
 * holds. */
#define INFISICAL_VALUE_MAX_BYTES 8192

/* The framework's limit on a path parameter: a longer name never reaches Infisical's own code. */
#define INFISICAL_NAME_MAX_BYTES 100

/* One base URL of one identity. Embedded; borrowed strings live as long as the configuration. */
struct infisical_server {
        const char *url;
        const char *ca_file, *proxy;
        struct secret *headers; /* borrowed: further header lines for an access proxy, or NULL */
        usec_t connect_timeout, timeout;
        bool use_v3;     /* set when v4 turned out to be unknown here */
        usec_t v3_since; /* boottime; v4 is tried again after a day */
};

struct infisical_address {
        const char *project_id, *environment, *secret_path, *secret_name;
};

/* What an answer means, before anybody decides what to do about it. */
struct infisical_verdict {
        enum diagnosis code; /* DIAG_NONE: a value, or unchanged */
        bool unchanged;      /* 304 */
        bool authoritative;  /* Infisical itself refuses: a value held from it ends its life */
        bool route_unknown;  /* this server does not know the v4 routes */
        usec_t pause;        /* upstream-rate-limited: leave this server alone for so long */
};

struct infisical_result {
        struct infisical_verdict verdict;
        struct secret *value; /* borrowed; NULL unless a value came */
        int64_t version;
        char etag[HTTP_ETAG_MAX];
};

/** infisical_path_length() - bytes of a folder's path without trailing slashes, which some servers
 * do not tolerate */
size_t infisical_path_length(const char *path);

/**
 * infisical_classify_read() - what the answer to a secret read means
 * @v4:     which route was asked
 * @ret:    filled on every outcome; value is a new reference here, to be released by the caller
 * @err:    code, detail (with the request id where there is one) and a remedy with the values in
 *          question
 *
 * Pure: status, content type and body in, verdict out.  Return: 0 for a value or unchanged, else
 * -code.
 */
int infisical_classify_read(const struct http_response *response,
                            const struct infisical_address *address, const char *url, bool v4,
                            bool sent_etag, struct infisical_result *ret, struct error *err);

struct infisical_call;

/* @result is borrowed, valid during the call; its code is in @err where it is not DIAG_NONE. */
typedef void (*infisical_done)(void *userdata, const struct infisical_result *result,
                               const struct error *err);

/**
 * infisical_read() - asks for one secret
 * @access_token: the bearer; referenced as long as the call runs
 * @etag:         of the value held, or NULL; only sent on the same server
 * @done:         once, from the loop, never from infisical_read()
 */
int infisical_read(struct http_client *http, struct infisical_server *server,
                   const struct infisical_address *address, struct secret *access_token,
                   const char *etag, infisical_done done, void *userdata,
                   struct infisical_call **ret, struct error *err);

/** infisical_cancel() - drops it without a word; NULL is fine.  Return: NULL. */
struct infisical_call *infisical_cancel(struct infisical_call *call);
