/*
 * A job says that the forge rejected a token: what is true of it.
 *
 *      reported value -was the value before-----------------------------------> changed
 *                     -was never ours-----------------------------------------> not-ours
 *                     -is the value -> the forge: knows it--------------------> still-valid
 *                                                 does not, -> read again --.-> changed     another value came
 *                                                 or cannot tell            '-> rejected    the forge does not know it
 *                                                                            -> the forge's or upstream's diagnosis
 *
 * The value is served on whatever the verdict: a forge that errs for a minute must not take a token
 * from every job.
 */
#pragma once

#include "broker/verify.h"

/**
 * rejected_decide() - one step; the same call is to be made again when the ask's waiter was woken
 * @value: the one held now
 * @print: the fingerprint of the value that was rejected
 * @ret_reason: for VERDICT_REJECTED, what the forge said
 *
 * Return: ASK_DONE, ASK_WAIT, -DIAG_TOO_MANY_REQUESTS with ask->retry_after, or why nothing can be
 * told: -DIAG_FORGE_CANNOT_TELL or a negated upstream code.
 */
int rejected_decide(struct refresh *refresh, struct verify *verify, const struct value *value,
                    struct ask *ask, const char *print, enum verdict *ret, struct error *ret_reason,
                    struct error *err);
