#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/wiping.h"
#include "net/http_call.h"

/*
 * Requests under way at once; those beyond wait, and take no more memory than their texts.
 * Look-ups of names run in a thread for each: fewer than the unit's TasksMax.
 */
#define CALLS_MAX 8

struct http_client {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
        struct http_call_list running;  /* in libcurl's hands */
        struct http_call_list waiting;  /* for one of those to end; the oldest first */
        struct http_call_list finished; /* taken back, done() not yet called */
        unsigned busy;                  /* inside collect(): freeing waits for its end */
        bool doomed;
        bool burst; /* a call had to wait: at the end libcurl starts anew */
};

static void list_append(struct http_call_list *list, struct http_call *call) {
        call->list = list;
        call->next = NULL;
        call->previous = list->last;
        if (list->last)
                list->last->next = call;
        else
                list->first = call;
        list->last = call;
        list->count++;
}

static void list_remove(struct http_call *call) {
        struct http_call_list *list = call->list;

        if (call->previous)
                call->previous->next = call->next;
        else
                list->first = call->next;
        if (call->next)
                call->next->previous = call->previous;
        else
                list->last = call->previous;
        call->next = call->previous = NULL;
        call->list = NULL;
        list->count--;
}

static struct http_call *list_pop(struct http_call_list *list) {
        struct http_call *call = list->first;

        if (!call)
                return NULL;
        list->first = call->next;
        if (call->next)
                call->next->previous = NULL;
        else
                list->last = NULL;
        call->next = NULL;
        call->list = NULL;
        list->count--;
        return call;
}

static struct http_call *call_free(struct http_call *call) {
        if (!call)
                return NULL;
        sd_event_source_disable_unref(call->deadline);
        if (call->easy)
                curl_easy_cleanup(call->easy);
        curl_slist_free_all(call->headers);
        http_request_drop(call);
        (void)secret_unref(call->response.body);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(struct http_call *, call_free);

/* Puts a call in line for its done(). */
static void put_by(struct http_call *call) {
        call->deadline = sd_event_source_disable_unref(call->deadline);
        if (call->list)
                list_remove(call);
        list_append(&call->client->finished, call);
}

/* Takes a call out of libcurl's hands. */
static void finish(struct http_call *call, CURLcode result) {
        struct http_client *client = call->client;
        long status = 0;

        /* Breaking off is how libcurl is told that this was enough. */
        if (result == CURLE_WRITE_ERROR && call->stop == STOP_ENOUGH)
                result = CURLE_OK;
        if (result != CURLE_OK) {
                http_call_explain(call, result);
        } else if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
                   status < 100) {
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED, "%s: the answer is not HTTP",
                                call->peer);
        }
        call->response.status = (int)status;
        http_call_measure(call, result);
        (void)curl_multi_remove_handle(client->multi, call->easy);
        curl_easy_cleanup(call->easy);
        call->easy = NULL;
        put_by(call);
}

/* Puts a call into libcurl's hands. */
static int begin(struct http_call *call, struct error *err) {
        struct http_client *client = call->client;
        int r = http_call_fill(call, err);

        if (r < 0)
                return r;
        if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: libcurl cannot start the request",
                                 call->peer);
        list_append(&client->running, call);
        return 0;
}

static void begin_waiting(struct http_client *client) {
        struct http_call *call;

        while (client->running.count < CALLS_MAX && (call = list_pop(&client->waiting)))
                if (begin(call, &call->err) < 0)
                        put_by(call);
}

static void client_destroy(struct http_client *client) {
        if (client->multi)
                (void)curl_multi_cleanup(client->multi);
        sd_event_source_disable_unref(client->timer);
        sd_event_unref(client->event);
        free(client);
}

static int on_socket_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata);

/*
 * Ends the call from the loop.  libcurl is not told: at -1 from its callback it gives up all
 * transfers, and in the socket's entry it keeps the one that it then frees (lib/multi.c,
 * singlesocket(), 7.88).
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
        if (sd_event_source_set_time(client->timer,
                                     clock_monotonic() + (usec_t)ms * USEC_PER_MSEC) < 0 ||
            sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT) < 0)
                return -1;
        return 0;
}

static CURLM *make_multi(struct http_client *client) {
        CURLM *multi = curl_multi_init();

        if (multi && curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK &&
            curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
            curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, watch_timer) == CURLM_OK &&
            curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
            curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CALLS_MAX) == CURLM_OK)
                return multi;
        (void)curl_multi_cleanup(multi);
        return NULL;
}

/* After a burst the connections that are left, one for each call at once, are not asked for soon:
 * servers would close them. */
static void renew_multi(struct http_client *client) {
        CURLM *multi = make_multi(client);

        if (!multi)
                return;
        (void)curl_multi_cleanup(client->multi);
        client->multi = multi;
}

static void take_back(struct http_client *client) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(client->multi, &left))) {
                struct http_call *call = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
                finish(call, message->data.result);
        }
}

/* One that has ended.  Only when there is none the next begin: their memory is what the others
 * had. */
static struct http_call *next_finished(struct http_client *client) {
        struct http_call *call;

        take_back(client);
        call = list_pop(&client->finished);
        if (call)
                return call;
        begin_waiting(client);
        return list_pop(&client->finished);
}

/* Calls done() for all that has ended.  done() may start calls, cancel any, and free the client. */
static void collect(struct http_client *client) {
        struct http_call *call;
        bool ended = false;

        client->busy++;
        while ((call = next_finished(client))) {
                call->delivering = ended = true;
                call->done(call->userdata, call->err.code == DIAG_NONE ? &call->response : NULL,
                           &call->err);
                (void)call_free(call);
        }
        if (--client->busy > 0)
                return;
        if (ended && !client->running.first) {
                if (client->burst)
                        renew_multi(client);
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

/* libcurl's own limit does not run while a call waits for its turn: this one does.  It also ends a
 * call that was given up in one of libcurl's callbacks. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        struct http_call *call = userdata;
        struct http_client *client = call->client;

        (void)source;
        (void)usec;
        if (call->easy) {
                finish(call, CURLE_OPERATION_TIMEDOUT);
        } else {
                call->stop = STOP_QUEUE;
                http_call_explain(call, CURLE_OPERATION_TIMEDOUT);
                put_by(call);
        }
        collect(client);
        return 0;
}

int http_client_new(sd_event *event, struct http_client **ret, struct error *err) {
        _cleanup_(http_client_freep) struct http_client *client = calloc(1, sizeof(*client));

        if (!client)
                return error_oom(err);
        client->event = sd_event_ref(event);
        if (sd_event_add_time(event, &client->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer,
                              client) < 0 ||
            sd_event_source_set_enabled(client->timer, SD_EVENT_OFF) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer for libcurl");
        client->multi = make_multi(client);
        if (!client->multi)
                return error_oom(err);
        *ret = take(client);
        return 0;
}

/* A call that is in no list any more. */
static void drop_call(struct http_call *call) {
        if (call->easy)
                (void)curl_multi_remove_handle(call->client->multi, call->easy);
        (void)call_free(call);
}

static void drop_calls(struct http_call_list *list) {
        struct http_call *call;

        while ((call = list_pop(list)))
                drop_call(call);
}

struct http_client *http_client_free(struct http_client *client) {
        if (!client)
                return NULL;
        drop_calls(&client->running);
        drop_calls(&client->waiting);
        drop_calls(&client->finished);
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
        struct http_client *client;

        /* Inside its own done() a call is on its way out already. */
        if (!call || call->delivering)
                return NULL;
        client = call->client;
        list_remove(call);
        drop_call(call);
        if (client->waiting.first && client->running.count < CALLS_MAX) {
                /* Its place goes to the next one, from the loop. */
                (void)sd_event_source_set_time(client->timer, 0);
                (void)sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT);
        }
        return NULL;
}

int http_start(struct http_client *client, const struct http_request *request, http_done done,
               void *userdata, struct http_call **ret, struct error *err) {
        _cleanup_(call_freep) struct http_call *call = calloc(1, sizeof(*call));
        int r;

        if (!call)
                return error_oom(err);
        call->client = client;
        call->done = done;
        call->userdata = userdata;
        r = http_request_keep(call, request, err);
        if (r < 0)
                return r;
        call->response.body = secret_new(request->max_body_bytes);
        if (!call->response.body)
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for an answer");
        http_call_name(call);
        if (client->doomed)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: the client is gone", call->peer);
        if (sd_event_add_time_relative(client->event, &call->deadline, CLOCK_MONOTONIC,
                                       request->timeout, USEC_PER_MSEC, on_deadline, call) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer for a request");
        if (client->waiting.first || client->running.count == CALLS_MAX) {
                list_append(&client->waiting, call);
                client->burst = true;
        } else {
                r = begin(call, err);
                if (r < 0)
                        return r;
        }
        *ret = take(call);
        return 0;
}
