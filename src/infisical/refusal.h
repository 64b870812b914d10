/*
 * What Infisical's refusals mean: the one table, from status, error name and text to a diagnosis.
 */
#pragma once

#include "infisical/answer.h"

/*
 * One row: what an answer that fits means.  0 and NULL fit any; the texts are globs.  The first row
 * that fits decides.
 */
struct meaning {
        int status;
        const char *error, *message;
        enum answer_origin from; /* the least origin that is believed */
        enum diagnosis code;
        bool ends_value;    /* Infisical itself refuses for good */
        const char *remedy; /* where the code's own does not fit */
};

/**
 * meaning_find() - the first row that fits, or NULL
 */
const struct meaning *meaning_find(const struct meaning *rows, size_t count,
                                   const struct answer *answer);

/**
 * meaning_apply() - puts a row into words: status, name, request id and text of the answer, bounded
 * and clean
 *
 * Return: the negated code.
 */
int meaning_apply(const struct meaning *meaning, const struct http_response *response,
                  const struct answer *answer, struct infisical_verdict *verdict,
                  struct error *err);

/**
 * refusal_classify() - what an answer of 400 and above means
 * @address: of the secret asked for, for the remedy
 *
 * What fits no row is something in front of Infisical, or an upstream-error where Infisical itself
 * answered.
 * Return: the negated code.
 */
int refusal_classify(const struct http_response *response, const struct answer *answer,
                     const struct infisical_address *address, const char *url,
                     struct infisical_verdict *verdict, struct error *err);

/** refusal_advise() - the remedy of a code with the settings in question, for codes where there are
 * any */
void refusal_advise(struct error *err, enum diagnosis code,
                    const struct infisical_address *address);
