#include "api/metrics.h"

#include <inttypes.h>
#include <stdio.h>

static void head(FILE *out, const char *name, const char *help, const char *type) {
        (void)fprintf(out, "# HELP forge_broker_%s %s\n# TYPE forge_broker_%s %s\n", name, help,
                      name, type);
}

/* name="value", escaped as the format wants it. */
static void label(FILE *out, char before, const char *name, const char *value) {
        (void)fprintf(out, "%c%s=\"", before, name);
        for (const char *p = value; *p; p++) {
                if (*p == '\n')
                        (void)fputs("\\n", out);
                else if (*p == '"' || *p == '\\')
                        (void)fprintf(out, "\\%c", *p);
                else
                        (void)fputc(*p, out);
        }
        (void)fputc('"', out);
}

static void gauge(FILE *out, const char *name, const char *key, const char *value,
                  uint64_t number) {
        (void)fprintf(out, "forge_broker_%s", name);
        label(out, '{', key, value);
        (void)fprintf(out, "} %" PRIu64 "\n", number);
}

static const char *code_name(int code) {
        return code == DIAG_NONE ? "ok" : diagnosis_info((enum diagnosis)code)->name;
}

/* A series is there from the start where an alert may ask for it; others begin with the first of
 * their kind. */

static void render_issuances(FILE *out, const struct counters *counters) {
        static const char name[] = "issuances_total";

        head(out, name, "values handed out", "counter");
        for (size_t i = 0; i < counters->n_tokens; i++) {
                const struct token_counts *token = &counters->tokens[i];

                for (int row = 0; row < SOURCE_COUNT * 2; row++) {
                        enum source source = (enum source)(row / 2);
                        uint64_t number = token->issued[source][row % 2];

                        if (number == 0 && !(token->configured && token->sources[source]))
                                continue;
                        (void)fprintf(out, "forge_broker_%s", name);
                        label(out, '{', "token", token->name);
                        label(out, ',', "source", source_name(source));
                        label(out, ',', "freshness", row % 2 ? "stale" : "fresh");
                        (void)fprintf(out, "} %" PRIu64 "\n", number);
                }
        }
}

static void render_refused(FILE *out, const char *token, const uint64_t refused[static DIAG_COUNT],
                           const enum diagnosis *always, size_t n_always) {
        for (int code = DIAG_NONE + 1; code < DIAG_COUNT; code++) {
                bool shown = refused[code] > 0;

                for (size_t i = 0; i < n_always; i++)
                        shown = shown || (int)always[i] == code;
                if (!shown)
                        continue;
                (void)fputs("forge_broker_refusals_total", out);
                label(out, '{', "token", token);
                label(out, ',', "code", code_name(code));
                (void)fprintf(out, "} %" PRIu64 "\n", refused[code]);
        }
}

static void render_refusals(FILE *out, const struct counters *counters) {
        static const enum diagnosis of_tokens[] = { DIAG_NO_USABLE_VALUE, DIAG_AUDIT_UNAVAILABLE };
        static const enum diagnosis of_none[] = { DIAG_MALFORMED_REQUEST, DIAG_PEER_REFUSED,
                                                  DIAG_UNKNOWN_TOKEN, DIAG_TOO_MANY_REQUESTS };

        head(out, "refusals_total",
             "requests that got no value, by the token they named; empty: none that is known",
             "counter");
        render_refused(out, "", counters->refused, of_none, ELEMENTS(of_none));
        for (size_t i = 0; i < counters->n_tokens; i++)
                render_refused(out, counters->tokens[i].name, counters->tokens[i].refused,
                               of_tokens, counters->tokens[i].configured ? ELEMENTS(of_tokens) : 0);
}

static void render_requests(FILE *out, const struct counters *counters) {
        static const char name[] = "upstream_requests_total";

        head(out, name, "requests to Infisical that ended, by what their answer meant", "counter");
        for (size_t i = 0; i < counters->n_servers; i++) {
                const struct server_counts *server = &counters->servers[i];

                for (int code = DIAG_NONE; code < DIAG_COUNT; code++) {
                        bool always = code == DIAG_NONE || (code >= DIAG_UPSTREAM_BLOCKED &&
                                                            code <= DIAG_UPSTREAM_MALFORMED);

                        if (server->requests[code] == 0 && !(always && server->configured))
                                continue;
                        (void)fprintf(out, "forge_broker_%s", name);
                        label(out, '{', "identity", server->identity);
                        label(out, ',', "url", server->url);
                        label(out, ',', "code", code_name(code));
                        (void)fprintf(out, "} %" PRIu64 "\n", server->requests[code]);
                }
        }
}

static void render_tokens(FILE *out, const struct broker *broker) {
        static const struct {
                const char *name, *help;
        } gauges[] = {
                { "token_usable", "1 if a job that asks now gets a value" },
                { "token_degraded", "1 if the value is stale, missing, not from the token's first "
                                    "source, or not known to its forge" },
                { "token_confirmed_timestamp_seconds",
                  "when the source last said that this is the value" },
                { "direct_env_until_timestamp_seconds", "when the direct fallback ends" },
                { "token_expiry_timestamp_seconds",
                  "when the value ends, where its forge says so" },
        };

        for (size_t row = 0; row < ELEMENTS(gauges); row++) {
                head(out, gauges[row].name, gauges[row].help, "gauge");
                for (size_t i = 0; i < broker_token_count(broker); i++) {
                        struct token_view view;

                        broker_token_view(broker, i, &view);
                        if (row == 0)
                                gauge(out, gauges[row].name, "token", view.config->name,
                                      token_is_usable(&view));
                        else if (row == 1)
                                gauge(out, gauges[row].name, "token", view.config->name,
                                      view.degraded);
                        else if (row == 2 && view.has_value)
                                gauge(out, gauges[row].name, "token", view.config->name,
                                      view.confirmed_at / USEC_PER_SEC);
                        else if (row == 3 && view.config->direct_env)
                                gauge(out, gauges[row].name, "token", view.config->name,
                                      view.config->direct_env_until / USEC_PER_SEC);
                        else if (row == 4 && view.expires_at > 0)
                                gauge(out, gauges[row].name, "token", view.config->name,
                                      view.expires_at / USEC_PER_SEC);
                }
        }
}

static void render_identities(FILE *out, const struct broker *broker) {
        static const char name[] = "credential_expiry_timestamp_seconds";

        head(out, name, "when the identity's access token ends, where it says so", "gauge");
        for (size_t i = 0; i < broker_identity_count(broker); i++) {
                struct identity_view view;

                broker_identity_view(broker, i, &view);
                if (view.token_expires_at > 0)
                        gauge(out, name, "identity", view.config->name,
                              view.token_expires_at / USEC_PER_SEC);
        }
}

char *metrics_render(const struct broker *broker) {
        struct broker_view view;
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        broker_view(broker, &view);
        head(out, "build_info", "1; the version is in the label", "gauge");
        gauge(out, "build_info", "version", view.version, 1);
        head(out, "config_last_reload_successful", "0 if the last reload was rejected", "gauge");
        (void)fprintf(out, "forge_broker_config_last_reload_successful %d\n", !view.reload_failed);
        render_tokens(out, broker);
        render_identities(out, broker);
        render_issuances(out, broker_counters(broker));
        render_refusals(out, broker_counters(broker));
        render_requests(out, broker_counters(broker));
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}
