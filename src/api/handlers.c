#include "api/handlers.h"

#include <stdio.h>
#include <string.h>

#include "api/explain.h"
#include "api/listener.h"
#include "api/metrics.h"
#include "api/preflight.h"
#include "api/render.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/match.h"

static struct broker *broker_of(const struct request *request) {
        return request->connection->listener->broker;
}

/* Whose rules decide over what is shown; NULL for an operator, who is shown everything. */
static const struct peer *job_of(const struct request *request) {
        return request->connection->listener->serves_all ? NULL : request->ask.peer;
}

static bool is_shown(const struct request *request, const struct token_config *token) {
        const struct peer *job = job_of(request);

        return !job || broker_may_see(job, token);
}

static int unknown_token(const struct request *request, struct error *err) {
        const struct broker *broker = broker_of(request);
        size_t used, shown = 0, count = broker_token_count(broker);

        /* A name that no token can have is not repeated: it is outside text of any length. */
        if (request->name[0])
                (void)error_set(err, DIAG_UNKNOWN_TOKEN,
                                "there is no token '%s'; known: ", request->name);
        else
                (void)error_set(err, DIAG_UNKNOWN_TOKEN, "this cannot be a token's name; known: ");
        used = strlen(err->detail);
        for (size_t i = 0; i < count; i++) {
                struct token_view view;

                broker_token_view(broker, i, &view);
                if (!is_shown(request, view.config))
                        continue;
                /* Room for ", ...". */
                if (used + strlen(view.config->name) + 16 > sizeof(err->detail)) {
                        (void)text_append(err->detail, sizeof(err->detail), &used, ", ...");
                        break;
                }
                (void)text_append(err->detail, sizeof(err->detail), &used, "%s%s",
                                  shown++ > 0 ? ", " : "", view.config->name);
        }
        if (shown == 0)
                (void)text_append(err->detail, sizeof(err->detail), &used, "none");
        return -(int)DIAG_UNKNOWN_TOKEN;
}

/* The broker's own answer is recorded already; this one lists the names as well. */
static int name_checked(const struct request *request, int r, struct error *err) {
        return r == -(int)DIAG_UNKNOWN_TOKEN ? unknown_token(request, err) : r;
}

int handle_list_tokens(struct request *request, struct reply *ret, struct error *err) {
        return reply_json(ret, MHD_HTTP_OK, TYPE_JSON,
                          render_tokens(broker_of(request), job_of(request)), err);
}

static int reply_issuance(const struct request *request, const struct issuance *issuance,
                          struct reply *ret, struct error *err) {
        _cleanup_(secret_unrefp) struct secret *body = NULL;
        bool plain = request->accepts == ACCEPTED_PLAIN;
        int r;

        body = plain ? secret_ref(issuance->token) : render_issuance(issuance);
        if (!body)
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "no locked memory is left for the answer");
        r = reply_secret(ret, plain ? TYPE_PLAIN : TYPE_JSON, body, err);
        if (r >= 0)
                r = reply_header(ret, "Forge-Broker-Source", source_name(issuance->source), err);
        if (r >= 0)
                r = reply_header(ret, "Forge-Broker-Freshness", issuance->stale ? "stale" : "fresh",
                                 err);
        if (r < 0)
                reply_done(ret);
        return r;
}

int handle_issue(struct request *request, struct reply *ret, struct error *err) {
        struct issuance issuance = { 0 };
        int r;

        if (!request->name[0]) {
                (void)unknown_token(request, err);
                return request_refuse(request, err);
        }
        r = broker_issue(broker_of(request), &request->ask, &issuance, err);
        if (r != ASK_DONE)
                return name_checked(request, r, err);
        r = reply_issuance(request, &issuance, ret, err);
        issuance_done(&issuance);
        return r;
}

int handle_refresh(struct request *request, struct reply *ret, struct error *err) {
        struct token_view view;
        int r;

        if (!request->name[0]) {
                (void)unknown_token(request, err);
                return request_refuse(request, err);
        }
        r = broker_refresh(broker_of(request), &request->ask, &view, err);
        if (r != ASK_DONE)
                return name_checked(request, r, err);
        return reply_json(ret, MHD_HTTP_OK, TYPE_JSON, render_token(&view, true), err);
}

/* {"fingerprint":"3f9a1c02"} and nothing else. */
static int read_fingerprint(const struct request *request, char print[static FINGERPRINT_MAX],
                            struct error *err) {
        json_t *body =
            request->body_bytes > 0 ? json_parse(request->body, request->body_bytes) : NULL;
        const char *text = json_member_string(body, "fingerprint");
        size_t length = json_member_string_length(body, "fingerprint");
        bool good = text && json_object_size(body) == 1 && length == FINGERPRINT_MAX - 1 &&
                    strspn(text, "0123456789abcdef") == length;

        if (good)
                memcpy(print, text, FINGERPRINT_MAX);
        json_decref(body);
        if (!good)
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "the body is not {\"fingerprint\":\"...\"} with 8 hex digits");
        return 0;
}

int handle_rejected(struct request *request, struct reply *ret, struct error *err) {
        struct rejection rejection;
        char print[FINGERPRINT_MAX];
        int r;

        if (!request->name[0]) {
                (void)unknown_token(request, err);
                return request_refuse(request, err);
        }
        if (read_fingerprint(request, print, err) < 0)
                return request_refuse(request, err);
        r = broker_rejected(broker_of(request), &request->ask, print, &rejection, err);
        if (r != ASK_DONE)
                return name_checked(request, r, err);
        return reply_json(ret, MHD_HTTP_OK, TYPE_JSON, render_rejection(&rejection), err);
}

int handle_preflight(struct request *request, struct reply *ret, struct error *err) {
        struct preflight_query query = { 0 };
        struct preflight_answer answer;
        int r;

        if (!request->name[0]) {
                (void)unknown_token(request, err);
                return request_refuse(request, err);
        }
        r = preflight_read(request->body, request->body_bytes, &query, err);
        if (r < 0)
                return request_refuse(request, err);
        r = broker_preflight(broker_of(request), &request->ask, &query, &answer, err);
        (void)secret_unref(query.token);
        if (r != ASK_DONE)
                return name_checked(request, r, err);
        return reply_json(ret, MHD_HTTP_OK, TYPE_JSON, preflight_render(&answer), err);
}

int handle_match(struct request *request, struct reply *ret, struct error *err) {
        const struct match_query query = { .protocol = query_get(&request->query, "protocol"),
                                           .host = query_get(&request->query, "host"),
                                           .path = query_get(&request->query, "path"),
                                           .registry = query_get(&request->query, "registry") };
        const struct token_config *token;
        int r;

        if (query.registry ? query.protocol || query.host || query.path
                           : !query.protocol || !query.host) {
                (void)error_set(err, DIAG_MALFORMED_REQUEST,
                                "expected protocol, host and perhaps path, or registry alone");
                return request_refuse(request, err);
        }
        r = broker_match(broker_of(request), &request->ask, &query, &token, err);
        if (r == -(int)DIAG_MALFORMED_REQUEST)
                return request_refuse(request, err);
        return r < 0 ? r : reply_json(ret, MHD_HTTP_OK, TYPE_JSON, render_match(token), err);
}

int handle_explain(struct request *request, struct reply *ret, struct error *err) {
        const struct explain_query query = explain_read(&request->query);
        struct explanation explanation;
        struct token_view view;
        int r;

        if (!request->name[0] || !broker_token_find(broker_of(request), request->name, &view))
                return unknown_token(request, err);
        r = explain_case(view.config, &query, &explanation, err);
        return r < 0 ? r
                     : reply_json(ret, MHD_HTTP_OK, TYPE_JSON,
                                  explain_render(view.config, &explanation), err);
}

int handle_status(struct request *request, struct reply *ret, struct error *err) {
        return reply_json(ret, MHD_HTTP_OK, TYPE_JSON, render_status(broker_of(request)), err);
}

/* Not one of the table's diagnoses: only this answer has it, with a list instead of one detail. */
static json_t *rejected_configuration(const struct config_problems *problems) {
        char detail[ERROR_DETAIL_MAX];

        (void)snprintf(detail, sizeof(detail),
                       "%zu mistakes; the older configuration stays in force",
                       problems->count + problems->dropped);
        return json_pack(
            "{s:s, s:s, s:i, s:s, s:s, s:s, s:o, s:I}", "type", "urn:forge-broker:config-rejected",
            "title", "The new configuration is not accepted", "status",
            MHD_HTTP_UNPROCESSABLE_CONTENT, "detail", detail, "code", "config-rejected", "remedy",
            "Correct what the problems name, then reload again.", "problems",
            render_problems(problems), "dropped", (json_int_t)problems->dropped);
}

int handle_reload(struct request *request, struct reply *ret, struct error *err) {
        struct config_problems problems = { 0 };
        struct broker_view view;
        int r;

        if (broker_reload(broker_of(request), &problems) < 0) {
                r = reply_json(ret, MHD_HTTP_UNPROCESSABLE_CONTENT, TYPE_PROBLEM,
                               rejected_configuration(&problems), err);
        } else {
                broker_view(broker_of(request), &view);
                r = reply_json(ret, MHD_HTTP_OK, TYPE_JSON,
                               json_pack("{s:s, s:o}", "status", "reloaded", "loaded_at",
                                         render_time(view.loaded_at)),
                               err);
        }
        config_problems_done(&problems);
        return r;
}

/* A check-up may take longer than a request may: then it goes on, and who asks again waits for the
 * same one. */
int handle_doctor(struct request *request, struct reply *ret, struct error *err) {
        struct broker_view view;
        usec_t checked_at = 0;
        json_t *steps = NULL;
        int r = broker_doctor(broker_of(request), &request->ask, &steps, &checked_at, err);

        if (r == ASK_WAIT && !request->ask.may_wait)
                return reply_json(ret, MHD_HTTP_ACCEPTED, TYPE_JSON,
                                  json_pack("{s:s}", "status", "running"), err);
        if (r != ASK_DONE)
                return r;
        broker_view(broker_of(request), &view);
        return reply_json(ret, MHD_HTTP_OK, TYPE_JSON,
                          json_pack("{s:s, s:s, s:o, s:s, s:o, s:b, s:s, s:o}", "status", "done",
                                    "version", view.version, "checked_at", render_time(checked_at),
                                    "config", view.config_file, "loaded_at",
                                    render_time(view.loaded_at), "reload_failed",
                                    view.reload_failed, "audit", view.audit, "steps", steps),
                          err);
}

int handle_metrics(struct request *request, struct reply *ret, struct error *err) {
        return reply_text(ret, TYPE_METRICS, metrics_render(broker_of(request)), err);
}

int handle_healthz(struct request *request, struct reply *ret, struct error *err) {
        (void)request;
        return reply_json(ret, MHD_HTTP_OK, TYPE_JSON, json_pack("{s:s}", "status", "ok"), err);
}

static int reply_readiness(struct reply *ret, size_t unusable, json_t *tokens, struct error *err) {
        struct error problem;

        if (tokens && unusable == 0) {
                json_decref(tokens);
                return reply_json(ret, MHD_HTTP_OK, TYPE_JSON, json_pack("{s:b}", "ready", true),
                                  err);
        }
        (void)error_set(&problem, DIAG_NO_USABLE_VALUE, "%zu %s not usable", unusable,
                        unusable == 1 ? "token is" : "tokens are");
        error_remedy_set(&problem, "Each of the tokens names its own remedy.");
        return reply_problem(ret, &problem, NULL, 0,
                             json_pack("{s:b, s:o}", "ready", false, "tokens", tokens), err);
}

int handle_readyz(struct request *request, struct reply *ret, struct error *err) {
        const struct broker *broker = broker_of(request);
        json_t *tokens = json_array();
        size_t unusable = 0;

        for (size_t i = 0; tokens && i < broker_token_count(broker); i++) {
                struct token_view view;

                broker_token_view(broker, i, &view);
                if (token_is_usable(&view) || !is_shown(request, view.config))
                        continue;
                unusable++;
                if (json_array_append_new(tokens, render_unusable(&view)) < 0)
                        tokens = (json_decref(tokens), NULL);
        }
        if (!tokens)
                return error_oom(err);
        return reply_readiness(ret, unusable, tokens, err);
}

int handle_readyz_token(struct request *request, struct reply *ret, struct error *err) {
        struct token_view view;
        json_t *tokens;
        int r;

        if (!request->name[0])
                return unknown_token(request, err);
        r = broker_token_show(broker_of(request), job_of(request) ? &request->ask : NULL,
                              request->name, &view, err);
        if (r != ASK_DONE)
                return name_checked(request, r, err);
        tokens = token_is_usable(&view) ? json_array() : json_pack("[o]", render_unusable(&view));
        if (!tokens)
                return error_oom(err);
        return reply_readiness(ret, json_array_size(tokens), tokens, err);
}
