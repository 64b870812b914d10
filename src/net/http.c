#include <jansson.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/wiping.h"
#include "net/http_call.h"

/* Look-ups of names run in a thread for each connection being made: fewer than the unit's TasksMax. */
#define CONNECTIONS_MAX 8L
/* Those that are kept when nothing is asked: servers close them between two refreshes anyway. */
#define CONNECTIONS_KEPT 1L

struct http_client {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
        struct http_call *calls;        /* in libcurl's hands */
        struct http_call *finished;     /* taken back, done() not yet called */
        unsigned busy;                  /* inside collect(): freeing waits for its end */
        bool doomed;
        bool burst;                     /* more was asked at once than goes out at once: its memory is given back at the end */
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

/* Takes a call out of libcurl's hands and puts it in line for its done(). */
static void finish(struct http_call *call, CURLcode result) {
        struct http_client *client = call->client;
        long status = 0;

        /* Breaking off is how libcurl is told that this was enough. */
        if (result == CURLE_WRITE_ERROR && call->stop == STOP_ENOUGH)
                result = CURLE_OK;
        if (result != CURLE_OK) {
                http_call_explain(call, result);
        } else if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status < 100) {
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED, "%s: the answer is not HTTP", call->peer);
        }
        call->response.status = (int)status;
        http_call_measure(call, result);
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

                client->finished = call->next;
                if (call->next)
                        call->next->previous = NULL;
                call->delivering = true;
                call->done(call->userdata, call->err.code == DIAG_NONE ? &call->response : NULL, &call->err);
                (void)call_free(call);
        }
        if (--client->busy > 0)
                return;
        if (!client->calls && client->burst) {
                client->burst = false;
                wiping_trim();
        }
        if (client->doomed)
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

/*
 * libcurl's own limit does not run while a call waits for one of the CONNECTIONS_MAX connections: this one does.  It also
 * ends a call that was given up in one of libcurl's callbacks.
 */
static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        struct http_call *call = userdata;
        struct http_client *client = call->client;

        (void)source;
        (void)usec;
        if (call->stop == STOP_NONE && !http_call_has_time(call, CURLINFO_NAMELOOKUP_TIME_T) &&
            call->connect_timeout < call->timeout)
                call->stop = STOP_QUEUE;
        finish(call, CURLE_OPERATION_TIMEDOUT);
        collect(client);
        return 0;
}

/*
 * Ends the call from the loop.  libcurl is not told: at -1 from its callback it gives up all transfers, and in the socket's
 * entry it keeps the one that it then frees (lib/multi.c, singlesocket(), 7.88).
 */
static int give_up(CURL *easy) {
        struct http_call *call = NULL;

        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
        if (call && call->deadline && call->stop == STOP_NONE) {
                call->stop = STOP_WATCH;
                (void)sd_event_source_set_time(call->deadline, 0);
        }
        return 0;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
        static const uint32_t events[] = {
                [CURL_POLL_IN] = EPOLLIN,
                [CURL_POLL_OUT] = EPOLLOUT,
                [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
        };
        struct http_client *client = userdata;
        sd_event_source *source = socket_data;

        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(source);
                (void)curl_multi_assign(client->multi, fd, NULL);
                return 0;
        }
        if (what <= CURL_POLL_NONE || (size_t)what >= ELEMENTS(events))
                return 0;
        if (source)
                return sd_event_source_set_io_events(source, events[what]) < 0 ? give_up(easy) : 0;
        if (sd_event_add_io(client->event, &source, fd, events[what], on_socket_ready, client) < 0)
                return give_up(easy);
        if (curl_multi_assign(client->multi, fd, source) != CURLM_OK) {
                sd_event_source_disable_unref(source);
                return give_up(easy);
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
            curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX) != CURLM_OK ||
            curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT) != CURLM_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "libcurl lacks an option that is needed");
        *ret = take(client);
        return 0;
}

static void drop_calls(struct http_client *client, struct http_call **list) {
        struct http_call *call;

        while ((call = *list)) {
                *list = call->next;
                if (call->easy)
                        (void)curl_multi_remove_handle(client->multi, call->easy);
                (void)call_free(call);
        }
}

struct http_client *http_client_free(struct http_client *client) {
        if (!client)
                return NULL;
        drop_calls(client, &client->calls);
        drop_calls(client, &client->finished);
        if (client->busy > 0)
                client->doomed = true;
        else
                client_destroy(client);
        return NULL;
}

const struct http_progress *http_progress(const struct http_call *call) {
        return &call->progress;
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

static bool is_burst(const struct http_client *client) {
        const struct http_call *call = client->calls;

        for (long i = 0; call && i < CONNECTIONS_MAX; i++)
                call = call->next;
        return call != NULL;
}

int http_start(struct http_client *client, const struct http_request *request, http_done done, void *userdata,
               struct http_call **ret, struct error *err) {
        _cleanup_(call_freep) struct http_call *call = calloc(1, sizeof(*call));
        int r;

        if (!call)
                return error_oom(err);
        call->client = client;
        call->done = done;
        call->userdata = userdata;
        call->connect_timeout = request->connect_timeout;
        call->timeout = request->timeout;
        call->max_body_bytes = request->max_body_bytes;
        call->keep = request->keep;
        call->first_bytes_only = request->first_bytes_only;
        call->response.body = secret_new(request->max_body_bytes);
        if (!call->response.body)
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for an answer");
        if (request->ca_file && !(call->ca_file = strdup(request->ca_file)))
                return error_oom(err);
        r = http_call_fill(call, request, err);
        if (r < 0)
                return r;
        if (sd_event_add_time_relative(client->event, &call->deadline, CLOCK_MONOTONIC, request->timeout, USEC_PER_MSEC,
                                       on_deadline, call) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer for a request");
        if (client->doomed || curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: libcurl cannot start the request", call->peer);

        list_add(&client->calls, call);
        client->burst = client->burst || is_burst(client);
        *ret = take(call);
        return 0;
}
