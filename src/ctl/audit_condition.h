/*
 * The gate's conditions, as they are written on the command line and as they come out.
 *
 *      [TOKEN/]SOURCE>=N               so many issuances
 *      [TOKEN/]SOURCE:runs>=N          so many distinct runs, proven or claimed
 *      [TOKEN/]SOURCE:proven-runs>=N   so many distinct runs that the forge vouched for
 *      [TOKEN/]SOURCE                  forbidden: not one issuance
 *
 * Neither a token's name nor a source's has a '/', so what stands before it is the token.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ctl/audit_report.h"

enum audit_measure { MEASURE_ISSUANCES, MEASURE_RUNS, MEASURE_PROVEN_RUNS };

struct audit_condition {
        bool forbid;
        char token[65]; /* "": all that the report covers */
        enum source source;
        enum audit_measure measure;
        uint64_t least;
};

/**
 * audit_condition_parse() - reads what stands behind --require or --forbid
 *
 * Return: 0, or -DIAG_MALFORMED_REQUEST with the mistake and what would be right.
 */
int audit_condition_parse(const char *text, bool forbid, struct audit_condition *ret,
                          struct error *err);

/** audit_condition_judge() - whether it is met, and by how much not */
void audit_condition_judge(const struct audit_condition *condition,
                           const struct audit_report *report, struct audit_outcome *ret);

/** audit_condition_format() - as it would be written: "--require
 * deploy/infisical-token-auth:runs>=16" */
#define AUDIT_CONDITION_TEXT_MAX 160
void audit_condition_format(const struct audit_condition *condition,
                            char text[static AUDIT_CONDITION_TEXT_MAX]);
