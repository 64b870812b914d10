/*
 * Whether a server is Infisical at all: its public status, which needs no credential and touches no
 * secret.
 *
 * docs/upstream/infisical.md, "Status".  An Authorization header is never sent here: a stale one
 * would make it fail.
 */
#pragma once

#include "infisical/infisical.h"

struct infisical_status;

/**
 * infisical_status_done - the outcome
 * @progress: how far the request came
 * @err:      never NULL; DIAG_NONE: it is Infisical.  upstream-blocked, upstream-malformed:
 *            something else answers there; upstream-error: Infisical's own failure;
 *            upstream-rate-limited; the codes of a request without an answer
 */
typedef void (*infisical_status_done)(void *userdata, const struct http_progress *progress,
                                      const struct infisical_verdict *verdict,
                                      const struct error *err);

/**
 * infisical_status() - GET /api/status
 * @server: borrowed as long as it runs
 * @done:   once, from the loop, never from infisical_status()
 */
int infisical_status(struct http_client *http, const struct infisical_server *server,
                     infisical_status_done done, void *userdata, struct infisical_status **ret,
                     struct error *err);

/** infisical_status_cancel() - drops it without a word; NULL is fine.  Return: NULL. */
struct infisical_status *infisical_status_cancel(struct infisical_status *status);

/**
 * infisical_classify_status() - what the answer means
 *
 * Pure.  Return: 0 if it is Infisical, else -code.
 */
int infisical_classify_status(const struct http_response *response, const char *url,
                              struct infisical_verdict *verdict, struct error *err);
