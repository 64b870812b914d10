#include "infisical/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infisical/answer.h"

/* The answer has about 250 bytes; a web page in its place may be longer and is recognised by its
 * beginning. */
#define ANSWER_MAX_BYTES ((size_t)64 * 1024)

struct infisical_status {
        const struct infisical_server *server;
        struct http_call *request;
        infisical_status_done done;
        void *userdata;
        bool delivering;
};

/* "date" is the one member that all versions have; none of it is shown, so none of it has to be
 * clean. */
static bool is_status(const struct http_response *response, const json_t *root) {
        return response->status == 200 && strcmp(response->content_type, "application/json") == 0 &&
               json_member_string(root, "date") &&
               (json_member_string(root, "message") || json_object_get(root, "emailConfigured") ||
                json_object_get(root, "redisConfigured"));
}

int infisical_classify_status(const struct http_response *response, const char *url,
                              struct infisical_verdict *verdict, struct error *err) {
        json_t *root = json_parse(secret_bytes(response->body), secret_length(response->body));
        char type[HTTP_CONTENT_TYPE_MAX];
        struct answer answer;
        int r = 0;

        *verdict = (struct infisical_verdict){ 0 };
        *err = (struct error){ 0 };
        answer_read(&answer, response->status, root);
        if (is_status(response, root)) {
                r = 0;
        } else if (response->status == 200) {
                (void)error_set(err, DIAG_UPSTREAM_MALFORMED,
                                "%s answered 200 (%s), which is not Infisical's status", url,
                                answer_type(type, response));
                r = verdict_set(verdict, DIAG_UPSTREAM_MALFORMED, false);
        } else if (answer.origin == ANSWER_INFISICAL && response->status >= 500) {
                (void)error_set(err, DIAG_UPSTREAM_ERROR, "%s answered %d (%s)", url,
                                response->status, answer.request_id);
                r = verdict_set(verdict, DIAG_UPSTREAM_ERROR, false);
        } else {
                r = answer_classify_foreign(response, &answer, url, verdict, err);
        }
        json_decref(root);
        return r;
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err) {
        struct infisical_status *status = userdata;
        struct infisical_verdict verdict = { .code = err->code };
        struct http_progress progress = *http_progress(status->request);
        struct error error = *err;

        status->request = NULL;
        if (response)
                (void)infisical_classify_status(response, status->server->url, &verdict, &error);
        status->delivering = true;
        status->done(status->userdata, &progress, &verdict, &error);
        free(status);
}

/* Allocated, or NULL; a failed asprintf() leaves anything behind. */
static char *status_url(const struct infisical_server *server) {
        char *url;

        return asprintf(&url, "%.*s/api/status", (int)infisical_path_length(server->url),
                        server->url) < 0
                   ? NULL
                   : url;
}

int infisical_status(struct http_client *http, const struct infisical_server *server,
                     infisical_status_done done, void *userdata, struct infisical_status **ret,
                     struct error *err) {
        _cleanup_(freep) struct infisical_status *status = calloc(1, sizeof(*status));
        _cleanup_(freep) char *url = status_url(server);
        struct http_request request = {
                .method = "GET",
                .ca_file = server->ca_file,
                .proxy = server->proxy,
                .headers = server->headers,
                .connect_timeout = server->connect_timeout,
                .timeout = server->timeout,
                .max_body_bytes = ANSWER_MAX_BYTES,
        };
        int r;

        if (!status || !url)
                return error_oom(err);
        request.url = url;
        *status = (struct infisical_status){ .server = server, .done = done, .userdata = userdata };
        r = http_start(http, &request, on_answer, status, &status->request, err);
        if (r < 0)
                return r;
        *ret = take(status);
        return 0;
}

struct infisical_status *infisical_status_cancel(struct infisical_status *status) {
        /* Inside its own done() it is on its way out already. */
        if (!status || status->delivering)
                return NULL;
        (void)http_cancel(status->request);
        free(status);
        return NULL;
}
