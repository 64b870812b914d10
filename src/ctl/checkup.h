/*
 * What `forge-brokerctl doctor` checks in its own process: all of it while no daemon runs, else
 * only what the daemon's next start would read.  In the unit it has the daemon's user, credentials
 * and sandbox; without systemd it is who called it.
 */
#pragma once

#include <stdbool.h>

#include "broker/findings.h"

struct checkup {
        const char *config_file;
        bool files_only; /* a daemon runs: it asks Infisical and the forges itself */
        bool in_unit;    /* the environment is the daemon's */
};

/** checkup_run() - adds what it finds; returns when all is done, within some minutes at most */
void checkup_run(const struct checkup *checkup, struct findings *findings);
