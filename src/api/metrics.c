#include "api/metrics.h"

#include <inttypes.h>
#include <stdio.h>

static void head(FILE *out, const char *name, const char *help) {
        (void)fprintf(out, "# HELP forge_broker_%s %s\n# TYPE forge_broker_%s gauge\n", name, help, name);
}

/* Names in the configuration are [A-Za-z0-9._-]: nothing in them needs escaping. */
static void gauge(FILE *out, const char *name, const char *label, const char *value, uint64_t number) {
        (void)fprintf(out, "forge_broker_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, number);
}

static void render_tokens(FILE *out, const struct broker *broker) {
        static const struct {
                const char *name, *help;
        } gauges[] = {
                { "token_usable", "1 if a job that asks now gets a value" },
                { "token_degraded", "1 if the value is stale, missing, not from the token's first source, or not known to its forge" },
                { "token_confirmed_timestamp_seconds", "when the source last said that this is the value" },
                { "direct_env_until_timestamp_seconds", "when the direct fallback ends" },
        };

        for (size_t row = 0; row < ELEMENTS(gauges); row++) {
                head(out, gauges[row].name, gauges[row].help);
                for (size_t i = 0; i < broker_token_count(broker); i++) {
                        struct token_view view;

                        broker_token_view(broker, i, &view);
                        if (row == 0)
                                gauge(out, gauges[row].name, "token", view.config->name, token_is_usable(&view));
                        else if (row == 1)
                                gauge(out, gauges[row].name, "token", view.config->name, view.degraded);
                        else if (row == 2 && view.has_value)
                                gauge(out, gauges[row].name, "token", view.config->name, view.confirmed_at / USEC_PER_SEC);
                        else if (row == 3 && view.config->direct_env)
                                gauge(out, gauges[row].name, "token", view.config->name,
                                      view.config->direct_env_until / USEC_PER_SEC);
                }
        }
}

static void render_identities(FILE *out, const struct broker *broker) {
        static const char name[] = "credential_expiry_timestamp_seconds";

        head(out, name, "when the identity's access token ends, where it says so");
        for (size_t i = 0; i < broker_identity_count(broker); i++) {
                struct identity_view view;

                broker_identity_view(broker, i, &view);
                if (view.token_expires_at > 0)
                        gauge(out, name, "identity", view.config->name, view.token_expires_at / USEC_PER_SEC);
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
        head(out, "build_info", "1; the version is in the label");
        gauge(out, "build_info", "version", view.version, 1);
        head(out, "config_last_reload_successful", "0 if the last reload was rejected");
        (void)fprintf(out, "forge_broker_config_last_reload_successful %d\n", !view.reload_failed);
        render_tokens(out, broker);
        render_identities(out, broker);
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}
