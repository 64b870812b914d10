/*
 * Points in time as journalctl's --since and --until take them.
 *
 *      48h   -48h   1h30min   "2 days ago"     so long before now
 *      +10min                                  so long after now
 *      now  today  yesterday  tomorrow         the last three: 00:00 of that day
 *      2026-11-20   "2026-11-20 10:00"   "Fri 2026-11-20 10:00:30.5"   10:00      local time, or with " UTC" or
 *      2026-11-20T10:00:00Z                                                       " Europe/Berlin" behind it
 *      @1795223749                             seconds since 1970 UTC
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"

/**
 * audit_time_parse() - reads one
 * @now: realtime; what is relative counts from it
 *
 * Unlike journalctl a bare "48h" is the same as "-48h": nobody audits the future.
 * Return: true, or false and *ret untouched.
 */
bool audit_time_parse(const char *text, usec_t now, usec_t *ret);
