/*
 * What the tests ask about: how many requests of which kind were made.  Counts only, so it stays
 * small however long the stand-in runs.
 */
#pragma once

#include "standin.h"

/** counters_reset() - all to zero */
void counters_reset(struct standin *s);

/** counters_add() - one more in @group (NULL: at the top) under @name */
void counters_add(struct standin *s, const char *group, const char *name, int by);
