/*
 * The broker's errors: application/problem+json (RFC 9457) with the members code, remedy, attempts
 * and tokens.
 */
#pragma once

#include <stdbool.h>

#include "job/failure.h"
#include "job/http_answer.h"

/** problem_asks_for_proof() - the challenge: status 401 with the code proof-required */
bool problem_asks_for_proof(const struct http_answer *answer);

/**
 * problem_read() - an answer that is not a success, as a failure
 *
 * The code decides the exit code; an unknown code (a newer broker) or none (not the broker's
 * words), the status.
 * Return: the negated exit code.
 */
int problem_read(const struct http_answer *answer, struct failure *failure);
