/*
 * Whether the journal keeps what it takes: looks for the line that a check-up had written.
 */
#pragma once

#include "broker/findings.h"

/**
 * journal_keeps() - adds what it finds below the finding "journal" of @steps
 * @unit: that the journal itself must name as the writer's; NULL: any
 *
 * Waits some seconds for the line.
 */
void journal_keeps(struct findings *findings, json_t *steps, const char *unit);
