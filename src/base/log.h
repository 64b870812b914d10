/*
 * The daemon's own messages: start, stop, changes of state.  Not the audit records
 * (broker/audit.h).
 *
 * A message goes to the journal or to stderr, as one line; text from outside must be clean
 * (base/text.h).  Only the edges log: main, refresh, audit.  Layers below return errors.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"

enum log_level {
        LOG_LEVEL_ERR = 3,
        LOG_LEVEL_WARNING = 4,
        LOG_LEVEL_NOTICE = 5,
        LOG_LEVEL_INFO = 6
};

/**
 * log_use_journal() - where messages go from now on; before the first call they go to stderr
 *
 * On stderr each line begins with "<N>", which journald reads as the level, only if stderr is the
 * journal's stream.
 */
void log_use_journal(bool journal);

/** log_message() - one line; never blocks the loop: a message that cannot be written is dropped */
void log_message(enum log_level level, const char *format, ...) _printf_(2, 3);
