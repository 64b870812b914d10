#include "broker/endpoint.h"

#include <ctype.h>
#include <string.h>

#include "config/url.h"

/* As broker/forge does: a forge has no settings of its own for these. */
#define FORGE_CONNECT_TIMEOUT (3 * USEC_PER_SEC)
#define FORGE_TIMEOUT         (5 * USEC_PER_SEC)
#define FORGE_ANSWER_MAX      ((size_t)4 * 1024)

static bool is_https(const char *url) {
        return strncmp(url, "https://", 8) == 0;
}

/* A literal address has no name to look up. */
static bool has_name(const char *url) {
        const char *host = strstr(url, "://");

        host = host ? host + 3 : url;
        if (*host == '[')
                return false;
        for (; *host && *host != ':' && *host != '/'; host++)
                if (!isdigit((unsigned char)*host) && *host != '.')
                        return true;
        return false;
}

/* The step in which the request ended: proven before it, broken there, not checked behind. */
static void settle(struct endpoint *endpoint, enum http_stage step, json_t *finding,
                   const struct http_progress *progress, const struct error *err) {
        enum http_stage failed = progress->stage + 1;

        if (err->code == DIAG_NONE || step < failed)
                finding_ok(finding, "%s", step == HTTP_STAGE_CONNECTED ? progress->address : "");
        else if (step > failed && failed <= HTTP_STAGE_ANSWERED)
                finding_unchecked(finding, "the step before it is broken");
        else if (endpoint->state == ENDPOINT_UNKNOWN)
                finding_unchecked(finding, "%s", err->detail);
        else
                finding_broken(finding, err);
}

static void conclude(struct endpoint *endpoint, struct http_progress progress,
                     const struct error *err) {
        const char *first = endpoint->proxy ? endpoint->proxy : endpoint->url;
        const char *via = endpoint->proxy ? " of the proxy" : "";
        struct findings *findings = endpoint->findings;
        char name[64];

        /* An answer that says the wrong thing is broken in the last step. */
        if (err->code != DIAG_NONE && progress.stage == HTTP_STAGE_ANSWERED)
                progress.stage = HTTP_STAGE_SECURED;
        endpoint->state = err->code == DIAG_NONE                    ? ENDPOINT_WORKS
                          : err->code == DIAG_UPSTREAM_RATE_LIMITED ? ENDPOINT_UNKNOWN
                                                                    : ENDPOINT_BROKEN;
        if (has_name(first) || progress.stage < HTTP_STAGE_NAME) {
                (void)snprintf(name, sizeof(name), "name%s (DNS)", via);
                settle(endpoint, HTTP_STAGE_NAME,
                       finding_add(findings, endpoint->finding, "dns", name), &progress, err);
        }
        (void)snprintf(name, sizeof(name), "connection%s (TCP)",
                       endpoint->proxy ? " to the proxy" : "");
        settle(endpoint, HTTP_STAGE_CONNECTED,
               finding_add(findings, endpoint->finding, "tcp", name), &progress, err);
        if (is_https(endpoint->url))
                settle(endpoint, HTTP_STAGE_SECURED,
                       finding_add(findings, endpoint->finding, "tls", "certificate (TLS)"),
                       &progress, err);
        else if (progress.stage == HTTP_STAGE_CONNECTED)
                progress.stage = HTTP_STAGE_SECURED;
        settle(endpoint, HTTP_STAGE_ANSWERED,
               finding_add(findings, endpoint->finding, endpoint->forge ? "answer" : "infisical",
                           endpoint->forge ? "answers" : "is Infisical"),
               &progress, err);
}

static void on_status(void *userdata, const struct http_progress *progress,
                      const struct infisical_verdict *verdict, const struct error *err) {
        struct endpoint *endpoint = userdata;

        (void)verdict;
        endpoint->status = NULL;
        conclude(endpoint, *progress, err);
        endpoint->done(endpoint->userdata);
}

static void on_forge(void *userdata, const struct http_response *response,
                     const struct error *err) {
        struct endpoint *endpoint = userdata;
        struct http_progress progress = *http_progress(endpoint->call);
        struct error error = *err;

        endpoint->call = NULL;
        /* Whatever it answers, and however long that is: somebody is there.  What it is shows when
         * it is asked of a token. */
        if (response ||
            (err->code == DIAG_UPSTREAM_MALFORMED && progress.stage == HTTP_STAGE_ANSWERED))
                error = (struct error){ 0 };
        if (error.code != DIAG_NONE)
                error_remedy_set(
                    &error, "Check url and ca_file of [forge %s], and that this host reaches it.",
                    endpoint->forge->name);
        conclude(endpoint, progress, &error);
        endpoint->done(endpoint->userdata);
}

/* No request was made: nothing is proven. */
static void not_started(struct endpoint *endpoint, const struct error *err) {
        endpoint->state = ENDPOINT_UNKNOWN;
        finding_unchecked(endpoint->finding, "%s", err->detail);
}

void endpoint_start_infisical(struct endpoint *endpoint, struct http_client *http,
                              const struct upstream *upstream, const struct server *server,
                              json_t *parent) {
        usec_t now = clock_boottime();
        struct error err = { 0 };
        char span[CLOCK_TEXT_MAX];

        endpoint->identity = upstream->config;
        endpoint->server = server->infisical;
        endpoint->url = server->infisical.url;
        endpoint->proxy = server->infisical.proxy;
        endpoint->finding = finding_add(endpoint->findings, parent, "url", endpoint->url);
        if (now < server->paused_until)
                (void)error_set(&err, DIAG_UPSTREAM_RATE_LIMITED,
                                "it asked for a pause, %s of it are left",
                                clock_format_span(server->paused_until - now, span));
        else
                (void)infisical_status(http, &endpoint->server, on_status, endpoint,
                                       &endpoint->status, &err);
        if (err.code != DIAG_NONE)
                not_started(endpoint, &err);
}

void endpoint_start_forge(struct endpoint *endpoint, struct http_client *http,
                          const struct forge_config *forge) {
        const struct http_request request = {
                .method = "HEAD",
                .url = forge->url,
                .ca_file = forge->ca_file,
                .accept = "*/*",
                .connect_timeout = FORGE_CONNECT_TIMEOUT,
                .timeout = FORGE_TIMEOUT,
                .max_body_bytes = FORGE_ANSWER_MAX,
        };
        struct error err = { 0 };
        char name[96];

        (void)snprintf(name, sizeof(name), "forge %s", forge->name);
        endpoint->forge = forge;
        endpoint->url = forge->url;
        endpoint->finding = finding_add(endpoint->findings, NULL, "forge", name);
        if (http_start(http, &request, on_forge, endpoint, &endpoint->call, &err) < 0)
                not_started(endpoint, &err);
}

void endpoint_done(struct endpoint *endpoint) {
        endpoint->status = infisical_status_cancel(endpoint->status);
        endpoint->call = http_cancel(endpoint->call);
}
