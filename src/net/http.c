#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/text.h"

/* Look-ups of names run in a thread for each connection being made: fewer than the unit's TasksMax. */
#define CONNECTIONS_MAX 8L

/* An answer's head: Infisical's is about 20 lines and 1 KiB, an access proxy adds cookies. */
#define HEAD_LINES_MAX  100
#define HEAD_BYTES_MAX  ((size_t)32 * 1024)
#define RETRY_AFTER_MAX USEC_PER_HOUR

#define REQUEST_LINE_MAX  16384 /* one header with a credential in it */
#define HTTP_NAME_MAX     192
#define CURL_REASON_BYTES 120

struct http_client {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
        struct http_call *calls;        /* in libcurl's hands */
        struct http_call *finished;     /* taken back, done() not yet called */
        unsigned busy;                  /* inside collect(): freeing waits for its end */
        bool doomed;
};

/* Why we stopped a transfer: libcurl only knows that we did. */
enum stop { STOP_NONE, STOP_HEAD, STOP_BODY, STOP_MEMORY, STOP_QUEUE };

struct http_call {
        struct http_client *client;
        struct http_call *next, *previous;
        CURL *easy;
        sd_event_source *deadline;
        struct curl_slist *headers;
        struct secret *request_body;
        http_done done;
        void *userdata;
        bool delivering;

        struct http_response response;
        struct error err;               /* code DIAG_NONE: there is a response */
        enum stop stop;
        bool in_head;                   /* between a status line and the empty line: trailers are not headers */
        unsigned head_lines;
        size_t head_bytes;

        usec_t connect_timeout, timeout;
        size_t max_body_bytes;
        char *ca_file;
        char peer[HTTP_NAME_MAX];       /* host:port, for messages */
        char reason[CURL_ERROR_SIZE];
};

static void *openssl_malloc(size_t bytes, const char *file, int line) {
        (void)file;
        (void)line;
        return bytes > 0 ? wiping_malloc(bytes) : NULL;
}

static void *openssl_realloc(void *block, size_t bytes, const char *file, int line) {
        (void)file;
        (void)line;
        if (bytes == 0) {
                wiping_free(block);
                return NULL;
        }
        return wiping_realloc(block, bytes);
}

static void openssl_free(void *block, const char *file, int line) {
        (void)file;
        (void)line;
        wiping_free(block);
}

int http_setup(struct error *err) {
        if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
                return error_set(err, DIAG_INTERNAL_ERROR, "the TLS library was used before its allocator was set");
        json_set_alloc_funcs(wiping_malloc, wiping_free);

        /* libcurl would write the session keys of every connection to the file that this names. */
        (void)unsetenv("SSLKEYLOGFILE");
        if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc, wiping_strdup,
                                 wiping_calloc) != CURLE_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "libcurl cannot be set up");
        return 0;
}

void http_cleanup(void) {
        curl_global_cleanup();
        OPENSSL_cleanup();
}

static void list_add(struct http_call **list, struct http_call *call) {
        call->previous = NULL;
        call->next = *list;
        if (*list)
                (*list)->previous = call;
        *list = call;
}

static void list_remove(struct http_call **list, struct http_call *call) {
        if (call->previous)
                call->previous->next = call->next;
        else
                *list = call->next;
        if (call->next)
                call->next->previous = call->previous;
        call->next = call->previous = NULL;
}

static struct http_call *call_free(struct http_call *call) {
        if (!call)
                return NULL;
        sd_event_source_disable_unref(call->deadline);
        if (call->easy)
                curl_easy_cleanup(call->easy);
        curl_slist_free_all(call->headers);
        (void)secret_unref(call->request_body);
        (void)secret_unref(call->response.body);
        free(call->ca_file);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(struct http_call *, call_free);

/*
 * What libcurl's verdicts mean.  One that is not here is upstream-unreachable; what a case needs beyond this is in
 * explain().
 */
static const struct {
        CURLcode from;
        enum diagnosis code;
        const char *text;
} failures[] = {
        { CURLE_COULDNT_RESOLVE_HOST, DIAG_UPSTREAM_UNREACHABLE, "the name cannot be resolved" },
        { CURLE_COULDNT_RESOLVE_PROXY, DIAG_UPSTREAM_UNREACHABLE, "the proxy's name cannot be resolved" },
        { CURLE_COULDNT_CONNECT, DIAG_UPSTREAM_UNREACHABLE, "cannot connect" },
        { CURLE_PROXY, DIAG_UPSTREAM_UNREACHABLE, "the proxy cannot connect" },
        { CURLE_GOT_NOTHING, DIAG_UPSTREAM_UNREACHABLE, "the connection was closed without an answer" },
        { CURLE_SEND_ERROR, DIAG_UPSTREAM_UNREACHABLE, "the connection broke" },
        { CURLE_RECV_ERROR, DIAG_UPSTREAM_UNREACHABLE, "the connection broke" },

        { CURLE_SSL_CONNECT_ERROR, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_PEER_FAILED_VERIFICATION, DIAG_UPSTREAM_TLS, "the certificate is not trusted" },
        { CURLE_SSL_ISSUER_ERROR, DIAG_UPSTREAM_TLS, "the certificate is not trusted" },
        { CURLE_SSL_INVALIDCERTSTATUS, DIAG_UPSTREAM_TLS, "the certificate's status is not good" },
        { CURLE_SSL_PINNEDPUBKEYNOTMATCH, DIAG_UPSTREAM_TLS, "the certificate is not trusted" },
        { CURLE_SSL_CACERT_BADFILE, DIAG_UPSTREAM_TLS, "the CA file cannot be used" },
        { CURLE_SSL_CERTPROBLEM, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_CIPHER, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_SHUTDOWN_FAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_USE_SSL_FAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_ENGINE_INITFAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_ENGINE_SETFAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },

        { CURLE_PARTIAL_FILE, DIAG_UPSTREAM_MALFORMED, "the answer broke off" },
        { CURLE_WEIRD_SERVER_REPLY, DIAG_UPSTREAM_MALFORMED, "the answer is not HTTP" },
        { CURLE_UNSUPPORTED_PROTOCOL, DIAG_UPSTREAM_MALFORMED, "the answer is not HTTP/1.1" },
        { CURLE_BAD_CONTENT_ENCODING, DIAG_UPSTREAM_MALFORMED, "the answer's encoding is not known" },
        { CURLE_FILESIZE_EXCEEDED, DIAG_UPSTREAM_MALFORMED, "the answer is too large" },

        { CURLE_URL_MALFORMAT, DIAG_INTERNAL_ERROR, "the URL is not well formed" },
        { CURLE_OUT_OF_MEMORY, DIAG_INTERNAL_ERROR, "out of memory" },
        { CURLE_FAILED_INIT, DIAG_INTERNAL_ERROR, "libcurl failed" },
};

static bool time_is_set(CURL *easy, CURLINFO info) {
        curl_off_t usec = 0;

        return curl_easy_getinfo(easy, info, &usec) == CURLE_OK && usec > 0;
}

static void explain_timeout(struct http_call *call) {
        char limit[CLOCK_TEXT_MAX];
        const char *waited_for;

        if (time_is_set(call->easy, CURLINFO_PRETRANSFER_TIME_T)) {
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT, "%s: no complete answer within timeout = %s",
                                call->peer, clock_format_span(call->timeout, limit));
                return;
        }
        if (!time_is_set(call->easy, CURLINFO_NAMELOOKUP_TIME_T))
                waited_for = "the name was not resolved";
        else if (!time_is_set(call->easy, CURLINFO_CONNECT_TIME_T))
                waited_for = "no connection";
        else
                waited_for = "no TLS connection";
        if (call->connect_timeout < call->timeout)
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT, "%s: %s within connect_timeout = %s", call->peer,
                                waited_for, clock_format_span(call->connect_timeout, limit));
        else
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT, "%s: %s within timeout = %s", call->peer,
                                waited_for, clock_format_span(call->timeout, limit));
        error_remedy_set(&call->err, "Check that %s can be reached from this host (DNS, routing, firewall), or raise "
                         "connect_timeout.", call->peer);
}

static void explain_stop(struct http_call *call) {
        char limit[CLOCK_TEXT_MAX];

        switch (call->stop) {
        case STOP_HEAD:
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED,
                                "%s: the answer's head is larger than %d lines or %zu KiB", call->peer,
                                HEAD_LINES_MAX, HEAD_BYTES_MAX / 1024);
                break;
        case STOP_BODY:
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED, "%s: the answer is larger than %zu bytes",
                                call->peer, call->max_body_bytes);
                break;
        case STOP_QUEUE:
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT, "%s: no connection became free within timeout = %s",
                                call->peer, clock_format_span(call->timeout, limit));
                break;
        case STOP_MEMORY:
        case STOP_NONE:
        default:
                (void)error_set(&call->err, DIAG_INTERNAL_ERROR, "no locked memory left for an answer of %s",
                                call->peer);
        }
}

/* Translates libcurl's verdict.  Its reason is quoted only where it says more than the verdict: about TLS. */
static void explain(struct http_call *call, CURLcode result) {
        char reason[CURL_REASON_BYTES];
        enum diagnosis code = DIAG_UPSTREAM_UNREACHABLE;
        const char *text = curl_easy_strerror(result);
        long status = 0, connect_status = 0, os_errno = 0;

        if (call->stop != STOP_NONE) {
                explain_stop(call);
                return;
        }
        if (result == CURLE_OPERATION_TIMEDOUT) {
                explain_timeout(call);
                return;
        }
        (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
        (void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);

        for (size_t i = 0; i < ELEMENTS(failures); i++) {
                if (failures[i].from != result)
                        continue;
                code = failures[i].code;
                text = failures[i].text;
                break;
        }
        if (result == CURLE_RECV_ERROR && connect_status >= 300) {
                (void)error_set(&call->err, DIAG_UPSTREAM_BLOCKED, "%s: the proxy refuses to connect, status %ld",
                                call->peer, connect_status);
                error_remedy_set(&call->err, "Let this host through the proxy that proxy = names, or correct it.");
        } else if (code == DIAG_UPSTREAM_UNREACHABLE && status > 0) {
                /* Bad chunks and a reset in mid-answer are the same CURLE_RECV_ERROR as a reset before it. */
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED, "%s: the answer (status %ld) broke off",
                                call->peer, status);
        } else if (code == DIAG_UPSTREAM_TLS) {
                (void)text_clean(reason, sizeof(reason), call->reason, strlen(call->reason));
                (void)error_set(&call->err, code, "%s: %s: %s", call->peer, text,
                                reason[0] ? reason : curl_easy_strerror(result));
                if (result == CURLE_SSL_CACERT_BADFILE && call->ca_file)
                        error_remedy_set(&call->err, "Make ca_file = %s a PEM file with the CA's certificate that the "
                                         "daemon's user may read.", call->ca_file);
        } else if (os_errno > 0) {
                (void)error_set(&call->err, code, "%s: %s: %s", call->peer, text, strerror((int)os_errno));
        } else {
                (void)error_set(&call->err, code, "%s: %s", call->peer, text);
        }
}

/* Takes a call out of libcurl's hands and puts it in line for its done(). */
static void finish(struct http_call *call, CURLcode result) {
        struct http_client *client = call->client;
        long status = 0;

        if (result != CURLE_OK) {
                explain(call, result);
        } else if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status < 100) {
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED, "%s: the answer is not HTTP", call->peer);
        }
        call->response.status = (int)status;
        sd_event_source_disable_unref(call->deadline);
        call->deadline = NULL;
        (void)curl_multi_remove_handle(client->multi, call->easy);
        curl_easy_cleanup(call->easy);
        call->easy = NULL;
        list_remove(&client->calls, call);
        list_add(&client->finished, call);
}

static void client_destroy(struct http_client *client) {
        if (client->multi)
                (void)curl_multi_cleanup(client->multi);
        sd_event_source_disable_unref(client->timer);
        sd_event_unref(client->event);
        free(client);
}

/* Calls done() for all that has ended.  done() may start calls, cancel any, and free the client. */
static void collect(struct http_client *client) {
        CURLMsg *message;
        int left;

        client->busy++;
        while ((message = curl_multi_info_read(client->multi, &left))) {
                struct http_call *call = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
                finish(call, message->data.result);
        }
        while (client->finished) {
                struct http_call *call = client->finished;

                list_remove(&client->finished, call);
                call->delivering = true;
                call->done(call->userdata, call->err.code == DIAG_NONE ? &call->response : NULL, &call->err);
                (void)call_free(call);
        }
        if (--client->busy == 0 && client->doomed)
                client_destroy(client);
}

static int on_socket_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct http_client *client = userdata;
        int running, flags = 0;

        (void)source;
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
                flags |= CURL_CSELECT_IN;
        if (revents & (EPOLLOUT | EPOLLERR))
                flags |= CURL_CSELECT_OUT;
        (void)curl_multi_socket_action(client->multi, fd, flags, &running);
        collect(client);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        struct http_client *client = userdata;
        int running;

        (void)source;
        (void)usec;
        (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        collect(client);
        return 0;
}

/* libcurl's own limit does not run while a call waits for one of the CONNECTIONS_MAX connections: this one does. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        struct http_call *call = userdata;
        struct http_client *client = call->client;

        (void)source;
        (void)usec;
        if (!time_is_set(call->easy, CURLINFO_NAMELOOKUP_TIME_T) && call->connect_timeout < call->timeout)
                call->stop = STOP_QUEUE;
        finish(call, CURLE_OPERATION_TIMEDOUT);
        collect(client);
        return 0;
}

static curl_socket_t open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
        (void)userdata;
        (void)purpose;
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
        static const uint32_t events[] = {
                [CURL_POLL_IN] = EPOLLIN,
                [CURL_POLL_OUT] = EPOLLOUT,
                [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
        };
        struct http_client *client = userdata;
        sd_event_source *source = socket_data;

        (void)easy;
        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(source);
                (void)curl_multi_assign(client->multi, fd, NULL);
                return 0;
        }
        if (what <= CURL_POLL_NONE || (size_t)what >= ELEMENTS(events))
                return 0;
        if (source)
                return sd_event_source_set_io_events(source, events[what]) < 0 ? -1 : 0;
        if (sd_event_add_io(client->event, &source, fd, events[what], on_socket_ready, client) < 0)
                return -1;
        if (curl_multi_assign(client->multi, fd, source) != CURLM_OK) {
                sd_event_source_disable_unref(source);
                return -1;
        }
        return 0;
}

static int watch_timer(CURLM *multi, long ms, void *userdata) {
        struct http_client *client = userdata;

        (void)multi;
        if (ms < 0)
                return sd_event_source_set_enabled(client->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        if (sd_event_source_set_time(client->timer, clock_monotonic() + (usec_t)ms * USEC_PER_MSEC) < 0 ||
            sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT) < 0)
                return -1;
        return 0;
}

int http_client_new(sd_event *event, struct http_client **ret, struct error *err) {
        _cleanup_(http_client_freep) struct http_client *client = calloc(1, sizeof(*client));

        if (!client)
                return error_oom(err);
        client->event = sd_event_ref(event);
        if (sd_event_add_time(event, &client->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer, client) < 0 ||
            sd_event_source_set_enabled(client->timer, SD_EVENT_OFF) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer for libcurl");
        client->multi = curl_multi_init();
        if (!client->multi)
                return error_oom(err);
        if (curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) != CURLM_OK ||
            curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) != CURLM_OK ||
            curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, watch_timer) != CURLM_OK ||
            curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) != CURLM_OK ||
            curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX) != CURLM_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "libcurl lacks an option that is needed");
        *ret = take(client);
        return 0;
}

struct http_client *http_client_free(struct http_client *client) {
        if (!client)
                return NULL;
        while (client->calls)
                (void)http_cancel(client->calls);
        while (client->finished)
                (void)http_cancel(client->finished);
        if (client->busy > 0)
                client->doomed = true;
        else
                client_destroy(client);
        return NULL;
}

struct http_call *http_cancel(struct http_call *call) {
        /* Inside its own done() a call is on its way out already. */
        if (!call || call->delivering)
                return NULL;
        if (call->easy) {
                (void)curl_multi_remove_handle(call->client->multi, call->easy);
                list_remove(&call->client->calls, call);
        } else {
                list_remove(&call->client->finished, call);
        }
        return call_free(call);
}

/* The value of a header line, white space at both ends left out, if the line is of that name. */
static const char *header_value(const char *line, size_t length, const char *name, size_t *ret_length) {
        size_t name_length = strlen(name);
        const char *value;

        if (length <= name_length || strncasecmp(line, name, name_length) != 0 || line[name_length] != ':')
                return NULL;
        value = line + name_length + 1;
        length -= name_length + 1;
        while (length > 0 && (*value == ' ' || *value == '\t')) {
                value++;
                length--;
        }
        while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t' || value[length - 1] == '\r' ||
                              value[length - 1] == '\n'))
                length--;
        *ret_length = length;
        return value;
}

/* Visible ASCII only, whole or not at all: both values are compared or sent back. */
static void copy_value(char *buffer, size_t size, const char *value, size_t length) {
        buffer[0] = '\0';
        if (length >= size)
                return;
        for (size_t i = 0; i < length; i++)
                if (value[i] < 0x21 || value[i] > 0x7e)
                        return;
        memcpy(buffer, value, length);
        buffer[length] = '\0';
}

static void copy_content_type(char buffer[static HTTP_CONTENT_TYPE_MAX], const char *value, size_t length) {
        const char *end = memchr(value, ';', length);

        if (end)
                length = (size_t)(end - value);
        while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
                length--;
        copy_value(buffer, HTTP_CONTENT_TYPE_MAX, value, length);
        for (char *p = buffer; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char)(*p - 'A' + 'a');
}

/* Seconds or a date (RFC 9110, 10.2.3), never more than an hour: nobody may put the broker to sleep for good. */
static usec_t parse_retry_after(const char *value, size_t length) {
        char text[64];
        usec_t at, now = clock_realtime();
        uint64_t seconds = 0;
        size_t digits = 0;
        time_t date;

        if (length == 0 || length >= sizeof(text))
                return 0;
        memcpy(text, value, length);
        text[length] = '\0';

        digits = strspn(text, "0123456789");
        if (digits == length) {
                for (size_t i = 0; i < length && seconds <= RETRY_AFTER_MAX / USEC_PER_SEC; i++)
                        seconds = seconds * 10 + (uint64_t)(text[i] - '0');
                return seconds * USEC_PER_SEC < RETRY_AFTER_MAX ? seconds * USEC_PER_SEC : RETRY_AFTER_MAX;
        }
        date = curl_getdate(text, NULL);
        if (date <= 0)
                return 0;
        at = (usec_t)date * USEC_PER_SEC;
        if (at <= now)
                return 0;
        return at - now < RETRY_AFTER_MAX ? at - now : RETRY_AFTER_MAX;
}

static void read_header(struct http_response *response, const char *line, size_t length) {
        const char *value;
        size_t bytes;

        if ((value = header_value(line, length, "content-type", &bytes)))
                copy_content_type(response->content_type, value, bytes);
        else if ((value = header_value(line, length, "etag", &bytes)))
                copy_value(response->etag, sizeof(response->etag), value, bytes);
        else if ((value = header_value(line, length, "retry-after", &bytes)))
                response->retry_after = parse_retry_after(value, bytes);
}

static size_t on_header(char *line, size_t size, size_t count, void *userdata) {
        struct http_call *call = userdata;
        size_t length = size * count;

        call->head_bytes += length;
        if (++call->head_lines > HEAD_LINES_MAX || call->head_bytes > HEAD_BYTES_MAX) {
                call->stop = STOP_HEAD;
                return 0;
        }
        if (length >= 5 && strncmp(line, "HTTP/", 5) == 0) {
                /* The final head after an interim one starts anew. */
                call->in_head = true;
                call->response.content_type[0] = '\0';
                call->response.etag[0] = '\0';
                call->response.retry_after = 0;
        } else if (length <= 2 && (line[0] == '\r' || line[0] == '\n')) {
                call->in_head = false;
        } else if (call->in_head) {
                read_header(&call->response, line, length);
        }
        return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *userdata) {
        struct http_call *call = userdata;
        size_t length = size * count;

        if (length > call->max_body_bytes - secret_length(call->response.body)) {
                call->stop = STOP_BODY;
                return 0;
        }
        if (!secret_append(call->response.body, bytes, length)) {
                call->stop = STOP_MEMORY;
                return 0;
        }
        return length;
}

/* "host:port", with the proxy where there is one; never the path or a user name. */
static void name_peer(struct http_call *call, const struct http_request *request) {
        const char *urls[] = { request->url, request->proxy };
        char names[2][HTTP_NAME_MAX] = { "", "" };

        for (size_t i = 0; i < ELEMENTS(urls); i++) {
                char *host = NULL, *port = NULL;
                CURLU *url = urls[i] ? curl_url() : NULL;

                if (url && curl_url_set(url, CURLUPART_URL, urls[i], CURLU_DEFAULT_SCHEME) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
                        (void)snprintf(names[i], sizeof(names[i]), "%s:%s", host, port);
                curl_free(host);
                curl_free(port);
                curl_url_cleanup(url);
        }
        if (request->proxy)
                (void)snprintf(call->peer, sizeof(call->peer), "%.80s (through proxy %.80s)", names[0], names[1]);
        else
                (void)snprintf(call->peer, sizeof(call->peer), "%s", names[0]);
}

static bool add_header(struct http_call *call, const char *line) {
        struct curl_slist *headers = curl_slist_append(call->headers, line);

        if (!headers)
                return false;
        call->headers = headers;
        return true;
}

/* A header line is put together in the region; libcurl's copy is in the wiping heap. */
static bool add_header_value(struct http_call *call, const char *name, const char *value, size_t length) {
        _cleanup_(secret_unrefp) struct secret *line = secret_new(REQUEST_LINE_MAX);

        return line && secret_append(line, name, strlen(name)) && secret_append(line, ": ", 2) &&
               secret_append(line, value, length) && !memchr(value, '\n', length) && !memchr(value, '\r', length) &&
               !memchr(value, '\0', length) && add_header(call, secret_bytes(line));
}

/* Each "Name: value\n" of @lines is a header of its own. */
static bool add_header_lines(struct http_call *call, const struct secret *lines) {
        const char *p = secret_bytes(lines), *end = p + secret_length(lines);

        while (p < end) {
                const char *newline = memchr(p, '\n', (size_t)(end - p));
                size_t length = (size_t)((newline ? newline : end) - p);
                const char *colon = memchr(p, ':', length);
                char name[64];
                size_t value_length;
                const char *value;

                if (length > 0 && (!colon || colon == p || (size_t)(colon - p) >= sizeof(name)))
                        return false;
                if (length > 0) {
                        memcpy(name, p, (size_t)(colon - p));
                        name[colon - p] = '\0';
                        value = header_value(p, length, name, &value_length);
                        if (!value || !add_header_value(call, name, value, value_length))
                                return false;
                }
                p += length + 1;
        }
        return true;
}

static int add_headers(struct http_call *call, const struct http_request *request, struct error *err) {
        if (!add_header(call, "Accept: application/json") ||
            (request->authorization &&
             !add_header_value(call, "Authorization", secret_bytes(request->authorization),
                               secret_length(request->authorization))) ||
            (request->if_none_match &&
             !add_header_value(call, "If-None-Match", request->if_none_match, strlen(request->if_none_match))) ||
            (request->body && !add_header(call, "Content-Type: application/json")))
                return error_set(err, DIAG_INTERNAL_ERROR, "the request's headers do not fit or hold a line break");
        if (request->headers && !add_header_lines(call, request->headers))
                return error_set(err, DIAG_INTERNAL_ERROR, "a further header is not of the form 'Name: value'");
        return 0;
}

static CURLcode set_method(struct http_call *call, const struct http_request *request) {
        CURL *easy = call->easy;
        CURLcode r = CURLE_OK;

        if (request->body) {
                call->request_body = secret_ref(request->body);
                r = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, secret_bytes(request->body));
                if (r == CURLE_OK)
                        r = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                             (curl_off_t)secret_length(request->body));
        } else if (strcmp(request->method, "POST") == 0) {
                r = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
        }
        if (r == CURLE_OK && strcmp(request->method, "HEAD") == 0)
                return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        if (r == CURLE_OK && strcmp(request->method, "GET") != 0)
                r = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
        /* libcurl repeats a request by itself when a kept connection turns out to be dead; what changes something
         * upstream must not be sent twice. */
        if (r == CURLE_OK && strcmp(request->method, "GET") != 0)
                r = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        return r;
}

static CURLcode set_tls(struct http_call *call, const struct http_request *request) {
        CURL *easy = call->easy;
        CURLcode r = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
        if (r != CURLE_OK || !request->ca_file)
                return r;

        /* The file replaces the system's CAs only without the directory, and is read again when it was replaced only
         * without the cache. */
        r = curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
        return r;
}

static long milliseconds(usec_t span) {
        usec_t ms = (span + USEC_PER_MSEC - 1) / USEC_PER_MSEC;

        return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (long)ms;
}

#define SET(option, value)                                                                         \
        do {                                                                                       \
                CURLcode set_result = curl_easy_setopt(call->easy, option, value);                 \
                if (set_result != CURLE_OK)                                                        \
                        return set_result;                                                         \
        } while (0)

static CURLcode set_options(struct http_call *call, const struct http_request *request) {
        CURLcode r;

        SET(CURLOPT_URL, request->url);
        SET(CURLOPT_PATH_AS_IS, 1L);
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* nghttp2 does not use our allocators */
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_HTTPHEADER, call->headers);
        SET(CURLOPT_USERAGENT, "forge-broker/" PACKAGE_VERSION);

        /* "" is no proxy, whatever the environment says; likewise for the hosts that go without the named one. */
        SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
        SET(CURLOPT_NOPROXY, "");
        SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
        SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

        /* Without QUICK_EXIT the release of a handle joins its resolver thread, and the loop stands still. */
        SET(CURLOPT_QUICK_EXIT, 1L);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_TIMEOUT_MS, milliseconds(request->timeout));
        SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request->connect_timeout));

        SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
        SET(CURLOPT_HEADERFUNCTION, on_header);
        SET(CURLOPT_HEADERDATA, call);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, call);
        SET(CURLOPT_ERRORBUFFER, call->reason);
        SET(CURLOPT_PRIVATE, call);

        r = set_tls(call, request);
        return r == CURLE_OK ? set_method(call, request) : r;
}

#undef SET

int http_start(struct http_client *client, const struct http_request *request, http_done done, void *userdata,
               struct http_call **ret, struct error *err) {
        _cleanup_(call_freep) struct http_call *call = calloc(1, sizeof(*call));
        CURLcode result;
        int r;

        if (!call)
                return error_oom(err);
        call->client = client;
        call->done = done;
        call->userdata = userdata;
        call->connect_timeout = request->connect_timeout;
        call->timeout = request->timeout;
        call->max_body_bytes = request->max_body_bytes;
        call->response.body = secret_new(request->max_body_bytes);
        if (!call->response.body)
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for an answer");
        if (request->ca_file && !(call->ca_file = strdup(request->ca_file)))
                return error_oom(err);
        name_peer(call, request);
        r = add_headers(call, request, err);
        if (r < 0)
                return r;

        call->easy = curl_easy_init();
        if (!call->easy)
                return error_oom(err);
        result = set_options(call, request);
        if (result != CURLE_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: libcurl refuses a setting: %s", call->peer,
                                 curl_easy_strerror(result));
        if (sd_event_add_time_relative(client->event, &call->deadline, CLOCK_MONOTONIC, request->timeout, USEC_PER_MSEC,
                                       on_deadline, call) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer for a request");
        if (client->doomed || curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: libcurl cannot start the request", call->peer);

        list_add(&client->calls, call);
        *ret = take(call);
        return 0;
}
