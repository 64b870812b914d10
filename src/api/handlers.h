/*
 * What each route does, in the table's order.  A handler parses what is its own, calls the broker,
 * and renders; connections are not its affair.
 *
 * Return, of each: ASK_DONE and @ret, ASK_WAIT to be called again, or a negated diagnosis (recorded
 * where it must).
 */
#pragma once

#include "api/reply.h"
#include "api/request.h"

int handle_list_tokens(struct request *request, struct reply *ret, struct error *err);
int handle_issue(struct request *request, struct reply *ret, struct error *err);
int handle_rejected(struct request *request, struct reply *ret, struct error *err);
int handle_preflight(struct request *request, struct reply *ret, struct error *err);
int handle_match(struct request *request, struct reply *ret, struct error *err);
int handle_refresh(struct request *request, struct reply *ret, struct error *err);
int handle_explain(struct request *request, struct reply *ret, struct error *err);
int handle_status(struct request *request, struct reply *ret, struct error *err);
int handle_reload(struct request *request, struct reply *ret, struct error *err);
int handle_doctor(struct request *request, struct reply *ret, struct error *err);
int handle_metrics(struct request *request, struct reply *ret, struct error *err);
int handle_healthz(struct request *request, struct reply *ret, struct error *err);
int handle_readyz(struct request *request, struct reply *ret, struct error *err);
int handle_readyz_token(struct request *request, struct reply *ret, struct error *err);
