/*
 * A value that the broker handed out, with what the evidence line says about it.
 */
#pragma once

#include "job/client.h"
#include "job/marker.h"

struct issuance {
        const char *name;            /* borrowed from who asked */
        struct locked_buffer answer; /* the broker's JSON and what is around it */
        struct json json;            /* inside @answer */
        struct locked_buffer token;  /* the value alone */
        char username[128];          /* "" if none is configured; clean */
        struct marker marker;
};

/**
 * issuance_get() - asks for a value
 * @ret: zeroed by the caller, released with issuance_done() whatever the outcome
 *
 * Return: 0, or the negated exit code.
 */
int issuance_get(const struct client *client, const char *name, struct issuance *ret,
                 struct failure *failure);

/** issuance_done() - wipes it.  For _cleanup_ too. */
void issuance_done(struct issuance *issuance);

/** issuance_note() - the evidence line on standard error: which source the job's own log can
 * name */
void issuance_note(const struct issuance *issuance);

/**
 * issuance_mask() - makes a runner hide the value, and its forms that git and docker show: base64
 * of "user:value"
 *
 * Refused on GitLab, where nothing reads the command.
 * Return: 0, or -EXIT_UNMET: then the value must not be printed.
 */
int issuance_mask(const struct issuance *issuance, struct failure *failure);
