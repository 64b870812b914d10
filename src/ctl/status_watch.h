/*
 * `forge-brokerctl status --watch`: the table again and again, in place.
 */
#pragma once

#include "base/clock.h"

/**
 * status_watch() - until a signal ends it; the terminal is then as it was
 *
 * Return: the exit status: of the last look at the daemon, as `status` without --watch has it.
 */
int status_watch(const char *socket, usec_t interval);
