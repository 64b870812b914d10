/*
 * Answers: the error bodies of each generation, and how an answer leaves.
 */
#pragma once

#include "request.h"

/** answer_json() - a result; consumes @body */
void answer_json(struct request *r, unsigned status, json_t *body);

/** answer_error() - the application's own error body, with a random reqId; consumes @details (may
 * be NULL) */
void answer_error(struct request *r, unsigned status, const char *name, const char *message,
                  json_t *details);

/** answer_framework() - the error body of the framework below: no reqId */
void answer_framework(struct request *r, unsigned status, const char *error, const char *message);

/** answer_text() - any text; bare: nothing that the application adds */
void answer_text(struct request *r, unsigned status, const char *content_type, const char *text,
                 bool bare);

void answer_header(struct request *r, const char *name, const char *value);

/* The errors whose status or name differs by generation. */
void answer_unauthorized(struct request *r, const char *message);
void answer_not_found(struct request *r, const char *name, const char *message);
void answer_permission(struct request *r, const char *action, json_t *details);

/** answer_issues() - a failed validation; consumes @issues, an array */
void answer_issues(struct request *r, json_t *issues);

void answer_unknown_route(struct request *r);

/** issue_type() - appends "expected ..., received ..." for a member of a type that does not fit */
void issue_type(json_t *issues, const char *field, const char *expected, const json_t *received);

/** answer_send() - queues what was made, after the faults had their turn (@fault may be NULL) */
enum MHD_Result answer_send(struct request *r, const json_t *fault);

extern const char default_forbidden[];
