/*
 * GET /v1/tokens/NAME/explain: its parameters and its answer.
 */
#pragma once

#include <jansson.h>

#include "api/query.h"
#include "broker/explain.h"

/** explain_parameters - of the route, NULL-terminated */
extern const char *const explain_parameters[];

/** explain_read() - borrowed from @query */
struct explain_query explain_read(const struct query *query);

/** explain_render() - a new reference, or NULL for lack of memory */
json_t *explain_render(const struct token_config *token, const struct explanation *explanation);
