#include "api/query.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

void query_add(struct query *query, const char *key, const char *value) {
        if (query->count < QUERY_MAX)
                query->parameters[query->count] =
                    (struct query_parameter){ .key = key, .value = value };
        query->count++;
}

static bool is_known(const char *const *known, const char *key) {
        for (; known && *known; known++)
                if (strcmp(*known, key) == 0)
                        return true;
        return false;
}

static bool is_twice(const struct query *query, unsigned index) {
        for (unsigned i = 0; i < index; i++)
                if (strcmp(query->parameters[i].key, query->parameters[index].key) == 0)
                        return true;
        return false;
}

int query_check(const struct query *query, const char *const *known, struct error *err) {
        for (unsigned i = 0; i < query->count && i < QUERY_MAX; i++) {
                const struct query_parameter *parameter = &query->parameters[i];
                char key[64];

                (void)text_clean(key, sizeof(key), parameter->key, strlen(parameter->key));
                if (!is_known(known, parameter->key))
                        return error_set(err, DIAG_MALFORMED_REQUEST,
                                         "there is no query parameter '%s' here", key);
                if (is_twice(query, i))
                        return error_set(err, DIAG_MALFORMED_REQUEST,
                                         "the query parameter '%s' is there twice", key);
                if (!parameter->value)
                        return error_set(err, DIAG_MALFORMED_REQUEST,
                                         "the query parameter '%s' has no value", key);
        }
        if (query->count > QUERY_MAX)
                return error_set(err, DIAG_MALFORMED_REQUEST, "there are %u query parameters",
                                 query->count);
        return 0;
}

const char *query_get(const struct query *query, const char *key) {
        for (unsigned i = 0; i < query->count && i < QUERY_MAX; i++)
                if (strcmp(query->parameters[i].key, key) == 0)
                        return query->parameters[i].value;
        return NULL;
}
