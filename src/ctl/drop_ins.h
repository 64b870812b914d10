/*
 * The daemon's drop-ins for its check-up's unit.  systemd reads drop-ins from directories that bear
 * the unit's own name, and follows no link to another: so each file gets a link, in /run, every
 * time the unit is to be started.
 */
#pragma once

#include "base/error.h"

/**
 * drop_ins_mirror() - links what is in force for @from below @directory
 * @paths: the unit's DropInPaths: absolute, separated by blanks
 *
 * What was linked before and is not in force any more goes.
 * Return: 0, or -DIAG_INTERNAL_ERROR.
 */
int drop_ins_mirror(const char *paths, const char *directory, struct error *err);
