#include "broker/counters.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static struct token_counts *find_token(const struct counters *counters, const char *name) {
        for (size_t i = 0; i < counters->n_tokens; i++)
                if (strcmp(counters->tokens[i].name, name) == 0)
                        return &counters->tokens[i];
        return NULL;
}

static struct server_counts *find_server(const struct counters *counters, const char *identity,
                                         const char *url) {
        for (size_t i = 0; i < counters->n_servers; i++)
                if (strcmp(counters->servers[i].identity, identity) == 0 &&
                    strcmp(counters->servers[i].url, url) == 0)
                        return &counters->servers[i];
        return NULL;
}

static struct token_counts *add_token(struct counters *counters, const char *name) {
        struct token_counts *tokens =
            reallocarray(counters->tokens, counters->n_tokens + 1, sizeof(*tokens));
        _cleanup_(freep) char *copy = strdup(name);

        if (tokens)
                counters->tokens = tokens;
        if (!tokens || !copy)
                return NULL;
        tokens += counters->n_tokens++;
        *tokens = (struct token_counts){ .name = take(copy) };
        return tokens;
}

static struct server_counts *add_server(struct counters *counters, const char *identity,
                                        const char *url) {
        struct server_counts *servers =
            reallocarray(counters->servers, counters->n_servers + 1, sizeof(*servers));
        _cleanup_(freep) char *name = strdup(identity), *address = strdup(url);

        if (servers)
                counters->servers = servers;
        if (!servers || !name || !address)
                return NULL;
        servers += counters->n_servers++;
        *servers = (struct server_counts){ .identity = take(name), .url = take(address) };
        return servers;
}

static void drop_token(struct counters *counters, size_t i) {
        free(counters->tokens[i].name);
        counters->n_tokens--;
        memmove(&counters->tokens[i], &counters->tokens[i + 1],
                (counters->n_tokens - i) * sizeof(counters->tokens[0]));
}

static void drop_server(struct counters *counters, size_t i) {
        free(counters->servers[i].identity);
        free(counters->servers[i].url);
        counters->n_servers--;
        memmove(&counters->servers[i], &counters->servers[i + 1],
                (counters->n_servers - i) * sizeof(counters->servers[0]));
}

/* Rows stand in the order in which their names first appeared: of what is gone, the oldest go. */
static void prune(struct counters *counters) {
        size_t tokens = 0, servers = 0;

        for (size_t i = counters->n_tokens; i-- > 0;)
                if (!counters->tokens[i].configured && ++tokens > COUNTERS_GONE_MAX)
                        drop_token(counters, i);
        for (size_t i = counters->n_servers; i-- > 0;)
                if (!counters->servers[i].configured && ++servers > COUNTERS_GONE_MAX)
                        drop_server(counters, i);
}

static bool prepare_servers(struct counters *counters, const struct identity_config *identity) {
        for (size_t i = 0; identity->urls[i]; i++) {
                struct server_counts *server =
                    find_server(counters, identity->name, identity->urls[i]);

                if (!server)
                        server = add_server(counters, identity->name, identity->urls[i]);
                if (!server)
                        return false;
                server->configured = true;
        }
        return true;
}

static bool prepare_token(struct counters *counters, const struct token_config *config) {
        struct token_counts *token = find_token(counters, config->name);

        if (!token)
                token = add_token(counters, config->name);
        if (!token)
                return false;
        token->configured = true;
        memcpy(token->sources, config->sources, sizeof(token->sources));
        return true;
}

int counters_prepare(struct counters *counters, const struct config *config, struct error *err) {
        for (size_t i = 0; i < counters->n_tokens; i++)
                counters->tokens[i].configured = false;
        for (size_t i = 0; i < counters->n_servers; i++)
                counters->servers[i].configured = false;
        for (size_t i = 0; i < config->n_tokens; i++)
                if (!prepare_token(counters, config->tokens[i]))
                        return error_oom(err);
        for (size_t i = 0; i < config->n_identities; i++)
                if (!prepare_servers(counters, config->identities[i]))
                        return error_oom(err);
        prune(counters);
        return 0;
}

void counters_done(struct counters *counters) {
        while (counters->n_tokens > 0)
                drop_token(counters, counters->n_tokens - 1);
        while (counters->n_servers > 0)
                drop_server(counters, counters->n_servers - 1);
        free(counters->tokens);
        free(counters->servers);
        *counters = (struct counters){ 0 };
}

void counters_issued(struct counters *counters, const char *token, enum source source, bool stale) {
        struct token_counts *row = counters ? find_token(counters, token) : NULL;

        if (row)
                row->issued[source][stale]++;
}

void counters_refused(struct counters *counters, const char *token, enum diagnosis code) {
        struct token_counts *row;

        if (!counters)
                return;
        row = token ? find_token(counters, token) : NULL;
        if (row && row->configured)
                row->refused[code]++;
        else
                counters->refused[code]++;
}

void counters_requested(struct counters *counters, const char *identity, const char *url,
                        enum diagnosis code) {
        struct server_counts *row = counters ? find_server(counters, identity, url) : NULL;

        if (row)
                row->requests[code]++;
}
