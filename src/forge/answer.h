/*
 * One answer of a forge's API, read once, and what an answer means that is not the forge's.
 */
#pragma once

#include "base/json.h"
#include "config/config.h"
#include "net/http.h"

struct forge_answer {
        const struct http_response *response;
        /* the body; NULL unless it is a JSON object that was sent as application/json */
        json_t *root;
        /* "error", else "message": outside text, to be compared and never repeated; "" if none */
        const char *text;
};

/** forge_answer_read() - @answer is to be released with forge_answer_done() whatever came */
void forge_answer_read(struct forge_answer *answer, const struct http_response *response);
void forge_answer_done(struct forge_answer *answer);

/** forge_answer_text() - "error", else "message" of a JSON document, which may be NULL; "" if there
 * is none.  Borrowed. */
const char *forge_answer_text(const json_t *root);

/**
 * forge_answer_foreign() - why an answer that is not the forge's own is none, by status and type
 * alone
 * @url: what was asked
 *
 * Return: the negated upstream code.
 */
int forge_answer_foreign(const struct forge_config *forge, const char *url,
                         const struct http_response *response, struct error *err);

/**
 * forge_answer_undecided() - why an answer that is the forge's own still says nothing
 *
 * Return: -DIAG_FORGE_CANNOT_TELL, or a negated upstream code.
 */
int forge_answer_undecided(const struct forge_config *forge, const char *url,
                           const struct http_response *response, struct error *err);

/** forge_answer_set() - code and detail: "forge 'home': URL answered 401: WHAT".  Return:
 * -@code. */
int forge_answer_set(const struct forge_config *forge, const char *url,
                     const struct http_response *response, enum diagnosis code, const char *what,
                     struct error *err);
