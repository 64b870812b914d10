/*
 * Telling the broker that a forge rejected a token, and what it made of that: POST
 * /v1/tokens/NAME/rejected.
 */
#pragma once

#include "job/client.h"

enum verdict {
        VERDICT_CHANGED,
        VERDICT_REJECTED,
        VERDICT_STILL_VALID,
        VERDICT_NOT_OURS,
        VERDICT_COUNT
};

struct rejection {
        enum verdict verdict;
        /* clean; "" where there is none */
        char code[48], detail[ERROR_DETAIL_MAX], remedy[ERROR_REMEDY_MAX];
};

/**
 * rejection_report() - waits for the verdict, which the broker gives after asking the forge
 * @fingerprint: of the value that was rejected
 *
 * Return: 0, or the negated exit code.
 */
int rejection_report(const struct client *client, const char *name, const char *fingerprint,
                     struct rejection *ret, struct failure *failure);

/** rejection_name() - "changed", "rejected", "still-valid", "not-ours" */
const char *rejection_name(enum verdict verdict);

/** rejection_note() - what it means and what to do, on standard error */
void rejection_note(const struct rejection *rejection, const char *name);
