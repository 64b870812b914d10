#include "api/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "broker/explain.h"

/* The longest text of ours is a remedy; configured names and URLs are shorter than this or end in
 * "...". */
#define TEXT_MAX_BYTES 1024

json_t *render_text(const char *text) {
        char clean[TEXT_MAX_BYTES];

        /* jansson takes only valid UTF-8, and a text may have been cut in the middle of a
         * character. */
        return json_string(text_clean(clean, sizeof(clean), text, strlen(text)));
}

json_t *render_time(usec_t realtime) {
        char text[CLOCK_TEXT_MAX];

        return realtime == 0 ? json_null() : json_string(clock_format(realtime, text));
}

static const char *error_name(const struct error *err) {
        return err->code == DIAG_NONE ? NULL : diagnosis_info(err->code)->name;
}

static json_t *error_text(const struct error *err, const char *text) {
        return err->code == DIAG_NONE ? json_null() : render_text(text);
}

static const char *remedy(const struct error *err) {
        return err->code == DIAG_NONE ? "" : error_remedy(err);
}

json_t *render_attempts(const struct attempts *attempts) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < attempts->count; i++) {
                const struct attempt *attempt = &attempts->items[i];
                const struct error *err = error_kept(attempt->error);
                json_t *item;

                item =
                    json_pack("{s:s, s:o, s:s?, s:o, s:o}", "source", source_name(attempt->source),
                              "url", attempt->url[0] ? render_text(attempt->url) : json_null(),
                              "code", error_name(err), "detail", error_text(err, err->detail),
                              "remedy", error_text(err, remedy(err)));
                if (json_array_append_new(list, item) < 0)
                        list = (json_decref(list), NULL);
        }
        return list;
}

static json_t *render_value(const struct token_view *view) {
        if (!view->has_value)
                return json_pack("{s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n}", "source", "freshness",
                                 "version", "fingerprint", "fetched_at", "confirmed_at",
                                 "stale_until", "expires_at");
        return json_pack("{s:s, s:s?, s:I, s:s?, s:o, s:o, s:o, s:o}", "source",
                         source_name(view->source), "freshness",
                         !token_is_usable(view)       ? NULL
                         : view->state == TOKEN_STALE ? "stale"
                                                      : "fresh",
                         "version", (json_int_t)view->version, "fingerprint", view->fingerprint,
                         "fetched_at", render_time(view->fetched_at), "confirmed_at",
                         render_time(view->confirmed_at), "stale_until",
                         render_time(view->stale_until), "expires_at",
                         render_time(view->expires_at));
}

static json_t *render_list(char *const *items) {
        json_t *list = json_array();

        for (; list && items && *items; items++)
                if (json_array_append_new(list, render_text(*items)) < 0)
                        list = (json_decref(list), NULL);
        return list;
}

static const char *proof_of(const struct token_config *token) {
        return token->proof_required ? "required" : "none";
}

/* Who gets it: for operators. */
static json_t *render_rules(const struct token_config *token) {
        return json_pack("{s:s?, s:o, s:s?, s:o, s:o, s:o}", "exposure", explain_exposure(token),
                         "units", render_list(token->units), "vouched_by",
                         token->proof_required ? token->vouched_by->name : NULL, "job_repositories",
                         render_list(token->job_repositories), "job_events",
                         render_list(token->job_events), "job_refs", render_list(token->job_refs));
}

/* Adds the members of @more, consumed, to @object; NULL for lack of memory. */
static json_t *with_members(json_t *object, json_t *more) {
        if (!object || !more || json_object_update(object, more) < 0)
                object = (json_decref(object), NULL);
        json_decref(more);
        return object;
}

static json_t *render_failure(const struct error *err) {
        return json_pack("{s:s?, s:o, s:o}", "code", error_name(err), "detail",
                         error_text(err, err->detail), "remedy", error_text(err, remedy(err)));
}

json_t *render_token(const struct token_view *view, bool in_full) {
        const struct token_config *config = view->config;
        const char *registry = config->forge->registry;
        json_t *token = json_pack(
            "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:b, s:b, s:o}", "name", config->name,
            "forge", config->forge->name, "forge_type", forge_type_name(config->forge->type),
            "forge_url", render_text(config->forge->url), "registry",
            registry ? render_text(registry) : json_null(), "for", render_list(config->targets),
            "username", render_text(config->username), "proof", proof_of(config), "state",
            token_state_name(view->state), "degraded", view->degraded, "fetching", view->fetching,
            "refresh_at", render_time(view->refresh_at));

        token = with_members(token, render_value(view));
        token = with_members(token, render_failure(&view->error));
        if (!in_full)
                return token;
        token = with_members(token, render_rules(config));
        if (token && json_object_set_new(token, "attempts",
                                         view->attempts ? render_attempts(view->attempts)
                                                        : json_array()) < 0)
                token = (json_decref(token), NULL);
        return token;
}

json_t *render_rejection(const struct rejection *rejection) {
        const struct token_view *token = &rejection->token;
        const struct error *reason = &rejection->reason;

        return json_pack("{s:s, s:s, s:s, s:b, s:s?, s:s?, s:o, s:o}", "verdict",
                         verdict_name(rejection->verdict), "name", token->config->name, "state",
                         token_state_name(token->state), "degraded", token->degraded, "fingerprint",
                         token->has_value ? token->fingerprint : NULL, "code", error_name(reason),
                         "detail", error_text(reason, reason->detail), "remedy",
                         error_text(reason, remedy(reason)));
}

json_t *render_match(const struct token_config *token) {
        return json_pack("{s:s, s:o, s:s, s:s, s:o, s:s}", "name", token->name, "username",
                         render_text(token->username), "forge", token->forge->name, "forge_type",
                         forge_type_name(token->forge->type), "forge_url",
                         render_text(token->forge->url), "proof", proof_of(token));
}

static json_t *token_list(const struct broker *broker, const struct peer *peer, bool in_full) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < broker_token_count(broker); i++) {
                struct token_view view;

                broker_token_view(broker, i, &view);
                if (peer && !broker_may_see(peer, view.config))
                        continue;
                if (json_array_append_new(list, render_token(&view, in_full)) < 0)
                        list = (json_decref(list), NULL);
        }
        return list;
}

json_t *render_tokens(const struct broker *broker, const struct peer *peer) {
        return json_pack("{s:o}", "tokens", token_list(broker, peer, /* in_full= */ false));
}

static json_t *server_list(const struct broker *broker) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < broker_server_count(broker); i++) {
                struct server_view view;
                json_t *item;

                broker_server_view(broker, i, &view);
                item = json_pack("{s:s, s:o, s:s, s:b, s:s?, s:o, s:o, s:o, s:o, s:I}", "identity",
                                 view.identity->name, "url", render_text(view.url), "api", view.api,
                                 "answered", view.answered, "code", error_name(&view.error),
                                 "detail", error_text(&view.error, view.error.detail), "remedy",
                                 error_text(&view.error, remedy(&view.error)), "last_at",
                                 render_time(view.last_at), "paused_until",
                                 render_time(view.paused_until), "requests",
                                 (json_int_t)view.requests);
                if (json_array_append_new(list, item) < 0)
                        list = (json_decref(list), NULL);
        }
        return list;
}

static json_t *identity_list(const struct broker *broker) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < broker_identity_count(broker); i++) {
                struct identity_view view;
                json_t *item;

                broker_identity_view(broker, i, &view);
                item = json_pack(
                    "{s:s, s:b, s:s?, s:o, s:o, s:o, s:I, s:o, s:b, s:o, s:s?, s:o, s:I}", "name",
                    view.config->name, "has_token", view.has_token, "credential_code",
                    error_name(&view.credential_error), "credential_detail",
                    error_text(&view.credential_error, view.credential_error.detail),
                    "credential_remedy",
                    error_text(&view.credential_error, remedy(&view.credential_error)),
                    "token_expires_at", render_time(view.token_expires_at), "token_uses_limit",
                    (json_int_t)view.token_uses_limit, "token_identity",
                    view.token_identity[0] ? render_text(view.token_identity) : json_null(),
                    "has_session", view.has_session, "session_expires_at",
                    render_time(view.session_expires_at), "login_code",
                    error_name(&view.login_error), "login_detail",
                    error_text(&view.login_error, view.login_error.detail), "logins",
                    (json_int_t)view.logins);
                if (json_array_append_new(list, item) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

/* "starting" ends with the first verdict on every token. */
static const char *state_name(const struct broker *broker, const struct broker_view *view) {
        for (size_t i = 0; i < broker_token_count(broker); i++) {
                struct token_view token;

                broker_token_view(broker, i, &token);
                if (token.state == TOKEN_PENDING)
                        return "starting";
        }
        return view->degraded || !view->ready || view->reload_failed ? "degraded" : "ok";
}

json_t *render_status(const struct broker *broker) {
        struct broker_view view;
        json_t *self;

        broker_view(broker, &view);
        self = json_pack(
            "{s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:o, s:o, s:b}", "version", view.version,
            "instance", view.instance, "state", state_name(broker, &view), "summary",
            render_text(view.summary), "config", render_text(view.config_file), "audit", view.audit,
            "records", (json_int_t)view.records, "started_at", render_time(view.started_at),
            "loaded_at", render_time(view.loaded_at), "reload_failed", view.reload_failed);
        return json_pack("{s:o, s:o, s:o, s:o}", "broker", self, "identities",
                         identity_list(broker), "servers", server_list(broker), "tokens",
                         token_list(broker, NULL, /* in_full= */ true));
}

json_t *render_unusable(const struct token_view *view) {
        struct error err = view->error;

        if (err.code == DIAG_NONE)
                (void)error_set(&err, DIAG_NO_USABLE_VALUE,
                                "no verdict yet, the first fetch is under way");
        return json_pack("{s:s, s:s, s:o, s:o}", "name", view->config->name, "code",
                         error_name(&err), "detail", render_text(err.detail), "remedy",
                         render_text(error_remedy(&err)));
}

json_t *render_problems(const struct config_problems *problems) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < problems->count; i++) {
                const struct config_problem *problem = &problems->items[i];
                json_t *item =
                    json_pack("{s:o, s:o, s:o}", "file", render_text(problem->file), "line",
                              problem->line > 0 ? json_integer(problem->line) : json_null(), "text",
                              render_text(problem->text));

                if (json_array_append_new(list, item) < 0)
                        list = (json_decref(list), NULL);
        }
        return list;
}

static bool append_text(struct secret *json, const char *text) {
        return secret_append(json, text, strlen(text));
}

static bool append_string(struct secret *json, const char *bytes, size_t length) {
        size_t plain = 0; /* where the run that needs no escape begins */

        if (!append_text(json, "\""))
                return false;
        for (size_t i = 0; i < length; i++) {
                unsigned char c = (unsigned char)bytes[i];
                char escape[8];

                if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
                        continue;
                if (c == '"' || c == '\\')
                        (void)snprintf(escape, sizeof(escape), "\\%c", c);
                else
                        (void)snprintf(escape, sizeof(escape), "\\u%04x", c);
                if (!secret_append(json, bytes + plain, i - plain) || !append_text(json, escape))
                        return false;
                plain = i + 1;
        }
        return secret_append(json, bytes + plain, length - plain) && append_text(json, "\"");
}

static bool append_member(struct secret *json, const char *key, const char *value) {
        return append_text(json, ",\"") && append_text(json, key) && append_text(json, "\":") &&
               append_string(json, value, strlen(value));
}

static bool append_time(struct secret *json, const char *key, usec_t realtime) {
        char text[CLOCK_TEXT_MAX];

        if (realtime > 0)
                return append_member(json, key, clock_format(realtime, text));
        return append_text(json, ",\"") && append_text(json, key) && append_text(json, "\":null");
}

struct secret *render_issuance(const struct issuance *issuance) {
        const struct token_config *config = issuance->config;
        _cleanup_(secret_unrefp) struct secret *json = NULL;
        char version[48];

        (void)snprintf(version, sizeof(version), ",\"version\":%" PRId64, issuance->version);
        /* Every byte may become six, and the other members are names and URLs from the
         * configuration. */
        json = secret_new(6 * secret_length(issuance->token) + 64 * (size_t)1024);
        if (!json || !append_text(json, "{\"name\":") ||
            !append_string(json, config->name, strlen(config->name)) ||
            !append_text(json, ",\"token\":") ||
            !append_string(json, secret_bytes(issuance->token), secret_length(issuance->token)) ||
            !append_member(json, "username", config->username) ||
            !append_member(json, "forge", config->forge->name) ||
            !append_member(json, "forge_type", forge_type_name(config->forge->type)) ||
            !append_member(json, "forge_url", config->forge->url) ||
            !append_member(json, "source", source_name(issuance->source)) ||
            !append_member(json, "freshness", issuance->stale ? "stale" : "fresh") ||
            !append_time(json, "fetched_at", issuance->fetched_at) ||
            !append_time(json, "refresh_at", issuance->refresh_at) || !append_text(json, version) ||
            !append_member(json, "fingerprint", issuance->fingerprint) || !append_text(json, "}"))
                return NULL;
        return take(json);
}
