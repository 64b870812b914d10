/*
 * One request in flight, shared by the parts of net/http: http.c owns it, http_send.c fills
 * libcurl's handle, http_head.c takes in what arrives, http_failure.c explains why nothing usable
 * did.
 */
#pragma once

#include <curl/curl.h>

#include "net/http.h"

#define HTTP_NAME_MAX 192

/* Why we stopped a transfer: libcurl only knows that we did. */
enum http_stop {
        STOP_NONE,
        STOP_HEAD,
        STOP_BODY,
        STOP_ENOUGH,
        STOP_MEMORY,
        STOP_QUEUE,
        STOP_WATCH
};

struct http_call_list {
        struct http_call *first, *last;
        size_t count;
};

struct http_call {
        struct http_client *client;
        struct http_call_list *list; /* that it is in; NULL: in none */
        struct http_call *next, *previous;
        struct http_request request; /* our own, see http_request_keep() */
        char *texts;                 /* of it */
        CURL *easy;                  /* NULL: not yet, or not any more, in libcurl's hands */
        sd_event_source *deadline;
        struct curl_slist *headers;
        http_done done;
        void *userdata;
        bool delivering;

        struct http_response response;
        struct http_progress progress;
        bool tls_begun;   /* the connection is there, and its handshake has begun */
        struct error err; /* code DIAG_NONE: there is a response */
        enum http_stop stop;
        bool in_head; /* between a status line and the empty line: trailers are not headers */
        unsigned head_lines;
        size_t head_bytes;
        char peer[HTTP_NAME_MAX]; /* host:port, for messages */
        char reason[CURL_ERROR_SIZE];
};

/** http_request_keep() - makes call->request: a copy of what is not static, and references; for
 * http_request_drop(), also after a failure */
int http_request_keep(struct http_call *call, const struct http_request *request,
                      struct error *err);
void http_request_drop(struct http_call *call);

/** http_call_name() - fills call->peer */
void http_call_name(struct http_call *call);

/** http_call_fill() - sets up call->easy and the headers for call->request */
int http_call_fill(struct http_call *call, struct error *err);

/* libcurl's callbacks for what arrives; @userdata is the call. */
size_t http_on_head(char *line, size_t size, size_t count, void *userdata);
size_t http_on_body(char *bytes, size_t size, size_t count, void *userdata);

/** http_header_value() - the value of a header line of that name, blanks at both ends left out;
 * else NULL */
const char *http_header_value(const char *line, size_t length, const char *name,
                              size_t *ret_length);

/** http_call_explain() - fills call->err from libcurl's verdict */
void http_call_explain(struct http_call *call, CURLcode result);

/** http_call_measure() - fills call->progress; @result: libcurl's verdict */
void http_call_measure(struct http_call *call, CURLcode result);

/** http_call_has_time() - whether the transfer came so far (CURLINFO_..._TIME_T) */
bool http_call_has_time(const struct http_call *call, CURLINFO info);
