/*
 * Access tokens: issuing, checking on each request, the life that each generation gives them.
 */
#pragma once

#include "request.h"

/** access_issue() - a new token text for the record; @ret_ttl: its lifetime in seconds, 0 without
 * end */
char *access_issue(const struct standin *s, const json_t *record, json_int_t *ret_ttl);

/** access_record() - a new record for the identity, by method "token-auth" or "universal-auth";
 * borrowed */
json_t *access_record(struct standin *s, const json_t *identity, const char *method,
                      const char *secret_id);

/** access_answer() - the body of login and renew; consumes @text */
json_t *access_answer(const struct standin *s, const json_t *record, char *text, json_int_t ttl);

/**
 * access_lookup() - the record behind a token text
 *
 * Return: false if the text is no good and the answer is made.  A record that is gone is NULL.
 */
bool access_lookup(struct request *r, const char *text, json_t **ret_record, json_t **ret_claims);

/** access_delete() - the server forgets the token */
void access_delete(json_t *record);

/** authenticate() - the hook that runs before every route; false: the answer is made */
bool authenticate(struct request *r);
