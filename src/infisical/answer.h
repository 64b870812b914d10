/*
 * Whose answer an answer is: Infisical's own, its framework's, or something in front of them.
 */
#pragma once

#include "base/json.h"
#include "infisical/infisical.h"

#define ANSWER_ERROR_MAX      112
#define ANSWER_MESSAGE_MAX    200
#define ANSWER_REQUEST_ID_MAX 32

/*
 * Infisical gives what it builds a request id, but its 2024 servers did not, and neither does the
 * framework it runs on: those two are known by the member statusCode and believed only where
 * refusal.c says so.  In order of trust.
 */
enum answer_origin { ANSWER_FOREIGN, ANSWER_FRAMEWORK, ANSWER_INFISICAL };

/* An answer that is not a success.  Its texts are clean. */
struct answer {
        int status;
        enum answer_origin origin;
        char error[ANSWER_ERROR_MAX], message[ANSWER_MESSAGE_MAX],
            request_id[ANSWER_REQUEST_ID_MAX];
};

/** answer_read() - @root: the body, or NULL where it is not JSON */
void answer_read(struct answer *answer, int status, const json_t *root);

/**
 * answer_is_unknown_route() - true for what the framework says to a route that it does not know
 *
 * Reached without any check of the token: it says nothing but that this server is too old, or is
 * not the API at all.
 */
bool answer_is_unknown_route(const struct answer *answer);

/** answer_pause() - how long a 429 asks to be left alone, at most an hour */
usec_t answer_pause(const struct http_response *response, const struct answer *answer);

/** answer_type() - the content type in words, clean.  Return: @buffer. */
const char *answer_type(char buffer[static HTTP_CONTENT_TYPE_MAX],
                        const struct http_response *response);

/* Of a 431, whoever gives it: the only long header of ours is the credential. */
#define ANSWER_HEAD_TOO_LONG_REMEDY                                                                \
        "Check the credential file: it is too long to be an access token, the server refuses a "   \
        "request head of that size."

/** answer_classify_foreign() - what stands in front of Infisical, by status alone.  Return: the
 * negated code. */
int answer_classify_foreign(const struct http_response *response, const struct answer *answer,
                            const char *url, struct infisical_verdict *verdict, struct error *err);

/** verdict_set() - Return: -@code */
int verdict_set(struct infisical_verdict *verdict, enum diagnosis code, bool ends_value);
