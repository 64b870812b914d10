/*
 * The timeline of a report: for each source a lane of bars over the window, as SVG inside HTML.
 *
 * Each lane has its own scale, so that one issuance from a source is seen beside thousands from
 * another.  The drawing is stretched to whatever width there is; its words are HTML, so that they
 * stay readable on a phone.
 */
#pragma once

#include "ctl/audit_report.h"

void audit_chart(const struct audit_report *report, FILE *out);
