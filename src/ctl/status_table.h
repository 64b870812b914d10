/*
 * `forge-brokerctl status`: how the daemon, its Infisical servers and its tokens stand.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/** status_is_degraded() - true if anything is not as it should be */
bool status_is_degraded(const json_t *status);

/** status_print() - for people: a table that fits 80 columns as long as the names do, then what is
 * wrong, with remedies */
void status_print(const json_t *status, FILE *out);
