/*
 * POST /v1/tokens/NAME/preflight: its body and its answer.
 */
#pragma once

#include "api/reply.h"
#include "api/request.h"
#include "broker/preflight.h"

/**
 * preflight_read() - the body of a request
 * @ret: its token is a reference of the caller's
 *
 * Return: 0, or -DIAG_MALFORMED_REQUEST naming the member, -DIAG_INTERNAL_ERROR when no locked
 * memory is left.
 */
int preflight_read(const char *body, size_t length, struct preflight_query *ret, struct error *err);

/** preflight_render() - a new reference, or NULL for lack of memory */
json_t *preflight_render(const struct preflight_answer *answer);
