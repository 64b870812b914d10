#include "broker/generation.h"

#include <string.h>

struct generation *generation_free(struct generation *generation) {
        if (!generation)
                return NULL;
        for (size_t i = 0; generation->tokens && i < generation->config->n_tokens; i++)
                if (generation->tokens[i].token)
                        refresh_done(&generation->tokens[i]);
        generation->context.http = http_client_free(generation->context.http);
        for (size_t i = 0; generation->upstreams && i < generation->config->n_identities; i++)
                upstream_done(&generation->upstreams[i]);
        free(generation->tokens);
        free(generation->upstreams);
        (void)config_unref(generation->config);
        free(generation);
        return NULL;
}

struct refresh *generation_find(const struct generation *generation, const char *name) {
        for (size_t i = 0; i < generation->config->n_tokens; i++)
                if (strcmp(generation->tokens[i].token->name, name) == 0)
                        return &generation->tokens[i];
        return NULL;
}

static struct upstream *find_upstream(const struct generation *generation, const struct identity_config *identity) {
        for (size_t i = 0; i < generation->config->n_identities; i++)
                if (strcmp(generation->upstreams[i].config->name, identity->name) == 0)
                        return &generation->upstreams[i];
        return NULL;
}

static void adopt(struct generation *generation, struct generation *older) {
        for (size_t i = 0; i < generation->config->n_identities; i++) {
                struct upstream *from = find_upstream(older, generation->config->identities[i]);

                if (from)
                        upstream_adopt(&generation->upstreams[i], from);
        }
        for (size_t i = 0; i < generation->config->n_tokens; i++) {
                struct refresh *from = generation_find(older, generation->config->tokens[i]->name);

                if (from && refresh_same_secret(generation->config->tokens[i], from->token))
                        refresh_adopt(&generation->tokens[i], from);
        }
}

int generation_new(const struct refresh_context *context, struct config *config, struct generation *older,
                   struct generation **ret, struct error *err) {
        _cleanup_(generation_freep) struct generation *generation = calloc(1, sizeof(*generation));
        int r;

        if (!generation)
                return error_oom(err);
        generation->config = config_ref(config);
        generation->context = *context;
        generation->upstreams = calloc(config->n_identities, sizeof(struct upstream));
        generation->tokens = calloc(config->n_tokens, sizeof(struct refresh));
        if (!generation->upstreams || !generation->tokens)
                return error_oom(err);
        r = http_client_new(context->event, &generation->context.http, err);
        for (size_t i = 0; r >= 0 && i < config->n_identities; i++)
                r = upstream_init(&generation->upstreams[i], config->identities[i], err);
        for (size_t i = 0; r >= 0 && i < config->n_tokens; i++)
                r = refresh_init(&generation->tokens[i], &generation->context, config->tokens[i],
                                 find_upstream(generation, config->tokens[i]->identity), err);
        if (r < 0)
                return r;
        if (older)
                adopt(generation, older);
        *ret = take(generation);
        return 0;
}

void generation_start(struct generation *generation, bool forced) {
        for (size_t i = 0; i < generation->config->n_tokens; i++)
                refresh_start(&generation->tokens[i], forced);
}
