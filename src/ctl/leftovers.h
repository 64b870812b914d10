/*
 * Direct tokens that are still in the environment of a unit: the daemon's own, and the runners'.
 *
 * A value is compared by its keyed fingerprint with what Infisical has now, so that no value has to
 * cross from one process to another, and none is ever printed.
 */
#pragma once

#include "base/fingerprint.h"
#include "broker/findings.h"
#include "config/config.h"

#define LEFTOVER_UNITS_MAX 16

struct leftovers {
        const struct config *config;       /* names the variables; NULL: not known */
        const struct fingerprint_key *key; /* NULL: values cannot be compared */
        const json_t *steps;               /* of the check-up: fingerprints of what Infisical has */
        const char *units[LEFTOVER_UNITS_MAX]; /* further ones */
        size_t n_units;
};

/** leftovers_check() - adds a finding for each unit that is there */
void leftovers_check(struct findings *findings, const struct leftovers *leftovers);
