/*
 * Rules of sudo that let a user reach the jobs' socket through the relay.  The broker does not open
 * it to others; with such a rule the operator does, so `forge-brokerctl doctor` names them.
 */
#pragma once

#include "broker/findings.h"

/** sudo_rules_check() - adds a note for each line that names the relay; nothing where there is
 * none */
void sudo_rules_check(struct findings *findings);
