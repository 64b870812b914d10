/*
 * This process: what it must not give away, and what it was given by who started it.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/** process_harden() - nothing of its memory may be read by others or written to a disk; first thing
 * in a program with secrets */
int process_harden(struct error *err);

/** process_spare_memory() - for a process that lives for long: what it does not use any more goes
 * back to the system */
void process_spare_memory(void);

/** process_allow_descriptors() - so many of them, or as many as the hard limit allows: who is not
 * started by systemd has 1024 */
void process_allow_descriptors(unsigned count);

/** process_has_journal() - standard error is the journal's stream, which systemd says as device and
 * inode */
bool process_has_journal(void);

/** process_state_directory() - where what must outlive it is kept */
const char *process_state_directory(void);
