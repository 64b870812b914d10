/*
 * One bounded, asynchronous HTTP request at a time to a server outside, with libcurl on the
 * sd-event loop.
 *
 * No retries, no redirects, no cookies, no proxy but a named one, HTTP/1.1 only, TLS verified.  It
 * knows nothing of Infisical or of forges: it says what was answered, or why nothing usable was.
 *
 *      http_start() -> [WAITING, CONNECTING, SENDING, RECEIVING] -> done() exactly once, from the loop, never from http_start()
 *                  '-> http_cancel(): done() is not called
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

struct http_client;
struct http_call;

/* What to send.  What is not static is copied or referenced by http_start(); the caller keeps its
 * own. */
struct http_request {
        const char *method;  /* "GET", "POST"; static */
        const char *url;     /* no credential in it, ever */
        const char *ca_file; /* replaces the system's CAs; NULL: the system's */
        const char *proxy;   /* NULL: none, whatever the environment says */
        const char *accept;  /* the Accept header's value; static.  NULL: application/json */
        struct secret *authorization; /* the Authorization header's value, or NULL */
        const char *if_none_match;    /* an ETag with its quotes, or NULL */
        struct secret *headers;       /* further header lines "Name: value\n", or NULL */
        struct secret *body;          /* JSON, sent as application/json; or NULL */
        /* names of answer headers for http_header(), ended by NULL; static.  NULL: none */
        const char *const *keep;
        usec_t connect_timeout, timeout;
        size_t max_body_bytes;
        /* an answer that goes on behind max_body_bytes is good, and ends there */
        bool first_bytes_only;
};

#define HTTP_ETAG_MAX         128
#define HTTP_CONTENT_TYPE_MAX 64
#define HTTP_KEPT_MAX         2048 /* a registry's Location has the state of an upload in it */

/* What came back: borrowed, valid during done(). */
struct http_response {
        int status;
        /* lower case, without parameters; "" if there is none */
        char content_type[HTTP_CONTENT_TYPE_MAX];
        char etag[HTTP_ETAG_MAX]; /* "" if there is none or it is too long */
        usec_t retry_after;       /* Retry-After as a span; 0 if there is none */
        char kept[HTTP_KEPT_MAX]; /* for http_header(): "name\0value\0" of each, and "" */
        struct secret *body;
};

/* How far a request came, also where nothing usable was answered: each stage is what was reached
 * and proven. */
enum http_stage {
        HTTP_STAGE_NONE,
        HTTP_STAGE_NAME,      /* the name (the proxy's, where there is one) has an address */
        HTTP_STAGE_CONNECTED, /* somebody took the connection */
        HTTP_STAGE_SECURED,   /* TLS is verified; without https: nothing to verify */
        HTTP_STAGE_ANSWERED,  /* an HTTP answer of any status */
};

struct http_progress {
        enum http_stage stage;
        char address[64]; /* "192.0.2.1 port 443": who took the connection; "" if nobody did */
};

/**
 * http_done - the outcome
 * @response: an answer of any status, or NULL
 * @err:      never NULL; where there is no answer: upstream-unreachable, upstream-tls,
 *            upstream-timeout, upstream-malformed (no HTTP, cut short, larger than max_body_bytes),
 *            upstream-blocked (the named proxy refuses to connect), internal-error
 *
 * It may start and cancel calls and free the client.
 */
typedef void (*http_done)(void *userdata, const struct http_response *response,
                          const struct error *err);

/**
 * http_setup() - process-wide set-up of libcurl and its TLS library with wiping allocators
 *
 * Before anything else that could allocate in them.  Return: 0 or -DIAG_INTERNAL_ERROR.
 */
int http_setup(struct error *err);
void http_cleanup(void);

/**
 * http_client_new() - a client with connections of its own, driven by @event
 *
 * One for each generation of the configuration: freeing it drops kept connections.
 */
int http_client_new(sd_event *event, struct http_client **ret, struct error *err);

/** http_client_free() - cancels all calls; NULL is fine.  Return: NULL. */
struct http_client *http_client_free(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_free);

/**
 * http_start() - begins a request
 * @ret: the call, for http_cancel(); it is gone once done() was called
 */
int http_start(struct http_client *client, const struct http_request *request, http_done done,
               void *userdata, struct http_call **ret, struct error *err);

/** http_progress() - how far a call came; for its done(), during which the call is still there */
const struct http_progress *http_progress(const struct http_call *call);

/**
 * http_header() - a header of the answer, of those that the request wanted to keep
 * @name: in any case
 *
 * The first of that name; blanks at both ends are left out.  Return: its value, which is visible
 * ASCII and blanks and may be empty, or NULL where it is missing, of other bytes or does not fit.
 */
const char *http_header(const struct http_response *response, const char *name);

/** http_header_keep() - adds one for http_header(), unless one of that name is there */
void http_header_keep(struct http_response *response, const char *name, const char *value,
                      size_t length);

/** http_cancel() - drops a call without a word; NULL is fine.  Return: NULL. */
struct http_call *http_cancel(struct http_call *call);
