/*
 * Faults on demand: what proxies, networks and broken servers do.
 */
#pragma once

#include "request.h"

/** faults_add() - checks and stores a fault; NULL, or what is wrong with it */
const char *faults_add(struct standin *s, const json_t *fault);

/**
 * faults_take() - the faults for a request of @class, counted down; new references, NULL for none
 * @ret_delay: milliseconds to wait first
 */
json_t *faults_take(struct standin *s, const char *class, int *ret_delay);

/** faults_answer() - true if the fault makes the whole answer: the request has no other effect */
bool faults_answer(struct request *r, const json_t *fault);

/** fault_is() - compares the kind; a NULL fault is of no kind */
bool fault_is(const json_t *fault, const char *kind);
