/*
 * A value that the broker handed out, with what the evidence line says about it.
 */
#pragma once

#include "job/client.h"

struct issuance {
        const char *name;               /* borrowed from who asked */
        struct locked_buffer answer;    /* the broker's JSON and what is around it */
        struct json json;               /* inside @answer */
        struct locked_buffer token;     /* the value alone */
        char username[128];             /* "" if none is configured; clean, as all below */
        char forge_type[16];
        char source[48], freshness[16], fingerprint[24];
};

/**
 * issuance_get() - asks for a value
 * @ret: zeroed by the caller, released with issuance_done() whatever the outcome
 *
 * Return: 0, or the negated exit code.
 */
int issuance_get(const struct client *client, const char *name, struct issuance *ret, struct failure *failure);

/** issuance_done() - wipes it.  For _cleanup_ too. */
void issuance_done(struct issuance *issuance);

#define ISSUANCE_LINE_MAX 512

/** issuance_line() - "NAME forgejo_token_source=... freshness=... fp=...": what the evidence line says */
void issuance_line(const struct issuance *issuance, char line[static ISSUANCE_LINE_MAX]);

/** issuance_note() - the evidence line on standard error: which source the job's own log can name */
void issuance_note(const struct issuance *issuance);

/**
 * issuance_mask() - makes a runner hide the value, and its forms that git and docker show: base64 of "user:value"
 *
 * Refused on GitLab, where nothing reads the command.
 * Return: 0, or -EXIT_UNMET: then the value must not be printed.
 */
int issuance_mask(const struct issuance *issuance, struct failure *failure);
