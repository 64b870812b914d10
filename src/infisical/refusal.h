/*
 * What Infisical's refusals mean: the one table, from status, error name and text to a diagnosis.
 */
#pragma once

#include "infisical/answer.h"

/**
 * refusal_classify() - what an answer of 400 and above means
 * @address: of the secret asked for, for the remedy
 *
 * What fits no row is something in front of Infisical, or an upstream-error where Infisical itself answered.
 * Return: the negated code.
 */
int refusal_classify(const struct http_response *response, const struct answer *answer,
                     const struct infisical_address *address, const char *url, struct infisical_verdict *verdict,
                     struct error *err);

/** refusal_advise() - the remedy of a code with the settings in question, for codes where there are any */
void refusal_advise(struct error *err, enum diagnosis code, const struct infisical_address *address);
