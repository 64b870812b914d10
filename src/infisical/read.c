#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "infisical/infisical.h"

/* The region holds 64 answers of this size; a secret's comment and metadata come with it. */
#define ANSWER_MAX_BYTES ((size_t)64 * 1024)

#define V4_RETRY USEC_PER_DAY

struct infisical_call {
        struct http_client *http;
        struct infisical_server *server;
        struct infisical_address address;
        struct secret *authorization;
        char etag[HTTP_ETAG_MAX];
        infisical_done done;
        void *userdata;

        struct http_call *request;
        bool v4, fell_back;
        bool delivering;
};

struct infisical_call *infisical_cancel(struct infisical_call *call) {
        /* Inside its own done() a call is on its way out already. */
        if (!call || call->delivering)
                return NULL;
        (void)http_cancel(call->request);
        (void)secret_unref(call->authorization);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(struct infisical_call *, infisical_cancel);

static void deliver(struct infisical_call *call, struct infisical_result *result,
                    const struct error *err) {
        call->delivering = true;
        call->done(call->userdata, result, err);
        call->delivering = false;
        (void)secret_unref(result->value);
        (void)infisical_cancel(call);
}

/* Every parameter is sent: defaults differ between servers, and so does the spelling of the one
 * about imports. */
static char *build_url(const struct infisical_call *call) {
        _cleanup_(freep) char *name = text_percent_encode(call->address.secret_name);
        _cleanup_(freep) char *project = text_percent_encode(call->address.project_id);
        _cleanup_(freep) char *environment = text_percent_encode(call->address.environment);
        _cleanup_(freep) char *folder =
            strndup(call->address.secret_path, infisical_path_length(call->address.secret_path));
        _cleanup_(freep) char *path = folder ? text_percent_encode(folder) : NULL;
        size_t base = infisical_path_length(call->server->url);
        char *url = NULL;

        if (!name || !project || !environment || !path)
                return NULL;
        if (asprintf(
                &url,
                "%.*s/api/%s/%s?%s=%s&environment=%s&secretPath=%s&type=shared&viewSecretValue=true"
                "&expandSecretReferences=false&includeImports=false&include_imports=false",
                (int)base, call->server->url, call->v4 ? "v4/secrets" : "v3/secrets/raw", name,
                call->v4 ? "projectId" : "workspaceId", project, environment, path) < 0)
                return NULL;
        return url;
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err);

static int send_request(struct infisical_call *call, struct error *err) {
        _cleanup_(freep) char *url = build_url(call);
        const struct infisical_server *server = call->server;
        const struct http_request request = {
                .method = "GET",
                .url = url,
                .ca_file = server->ca_file,
                .proxy = server->proxy,
                .authorization = call->authorization,
                .headers = server->headers,
                .if_none_match = call->etag[0] ? call->etag : NULL,
                .connect_timeout = server->connect_timeout,
                .timeout = server->timeout,
                .max_body_bytes = ANSWER_MAX_BYTES,
        };

        if (!url)
                return error_oom(err);
        return http_start(call->http, &request, on_answer, call, &call->request, err);
}

/* A proxy's page, or nothing at all, does not prove that the server knows the v3 routes. */
static bool came_from_infisical(const struct infisical_verdict *verdict) {
        switch (verdict->code) {
        case DIAG_UPSTREAM_BLOCKED:
        case DIAG_UPSTREAM_UNREACHABLE:
        case DIAG_UPSTREAM_TLS:
        case DIAG_UPSTREAM_TIMEOUT:
        case DIAG_INTERNAL_ERROR:
        case DIAG_UPSTREAM_ERROR:
        case DIAG_UPSTREAM_RATE_LIMITED:
        case DIAG_UPSTREAM_MALFORMED:
                return false;
        default:
                return true;
        }
}

static void remember_version(struct infisical_call *call, const struct infisical_verdict *verdict) {
        if (call->v4 && !verdict->route_unknown && came_from_infisical(verdict))
                call->server->use_v3 = false;
        /* Of a longer name "unknown route" says nothing about the server's age. */
        if (!call->fell_back || !came_from_infisical(verdict) ||
            strlen(call->address.secret_name) > INFISICAL_NAME_MAX_BYTES)
                return;
        call->server->use_v3 = true;
        call->server->v3_since = clock_boottime();
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err) {
        struct infisical_call *call = userdata;
        struct infisical_result result = { 0 };
        struct error error = *err;

        call->request = NULL;
        if (!response) {
                result.verdict.code = err->code;
                deliver(call, &result, &error);
                return;
        }
        (void)infisical_classify_read(response, &call->address, call->server->url, call->v4,
                                      call->etag[0] != '\0', &result, &error);
        if (result.verdict.route_unknown && call->v4) {
                call->v4 = false;
                call->fell_back = true;
                if (send_request(call, &error) == 0)
                        return;
                result.verdict = (struct infisical_verdict){ .code = error.code };
        }
        remember_version(call, &result.verdict);
        /* A 304 need not repeat the ETag. */
        if (result.verdict.unchanged && !result.etag[0])
                memcpy(result.etag, call->etag, sizeof(result.etag));
        deliver(call, &result, &error);
}

int infisical_read(struct http_client *http, struct infisical_server *server,
                   const struct infisical_address *address, struct secret *access_token,
                   const char *etag, infisical_done done, void *userdata,
                   struct infisical_call **ret, struct error *err) {
        _cleanup_(infisical_cancelp) struct infisical_call *call = calloc(1, sizeof(*call));
        int r;

        if (!call)
                return error_oom(err);
        call->http = http;
        call->server = server;
        call->address = *address;
        call->done = done;
        call->userdata = userdata;
        call->v4 = !server->use_v3 || clock_boottime() - server->v3_since >= V4_RETRY;
        if (etag && strlen(etag) < sizeof(call->etag))
                memcpy(call->etag, etag, strlen(etag) + 1);
        call->authorization = secret_new(sizeof("Bearer ") - 1 + secret_length(access_token));
        if (!call->authorization ||
            !secret_append(call->authorization, "Bearer ", sizeof("Bearer ") - 1) ||
            !secret_append(call->authorization, secret_bytes(access_token),
                           secret_length(access_token)))
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a request");

        r = send_request(call, err);
        if (r < 0)
                return r;
        *ret = take(call);
        return 0;
}
