/*
 * forge-broker-doctor.service: the check-up as the daemon's user, with its credentials and in its
 * sandbox.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* What the unit's standard input is, and its standard output: systemd opens both, as root, before
 * it gives root up. */
#define DOCTOR_UNIT        "forge-broker-doctor.service"
#define DOCTOR_ASK_FILE    "/run/forge-broker-doctor.ask"
#define DOCTOR_ANSWER_FILE "/run/forge-broker-doctor.json"
#define DAEMON_UNIT        "forge-brokerd.service"

/* The words of the ask file. */
#define DOCTOR_ASK_ALL   "all"
#define DOCTOR_ASK_FILES "files"

/** doctor_unit_usable() - systemd runs here, knows the unit, and this process may start it */
bool doctor_unit_usable(void);

/** doctor_daemon_runs() - the daemon's unit has a process; asked of systemd, for a connection would
 * start one */
bool doctor_daemon_runs(void);

/**
 * doctor_unit_run() - starts the unit and waits for its end
 * @ret: what it found: an array of findings, a new reference
 *
 * Two at the same time wait for each other.
 * Return: 0 or -DIAG_INTERNAL_ERROR with what systemd says.
 */
int doctor_unit_run(bool files_only, json_t **ret, struct error *err);
