/*
 * What the forge says of a token: POST /v1/tokens/NAME/preflight.  The daemon asks the forge, and
 * the broker's own token does not leave it.
 *
 * Only what the answer says of a need is proof of it: a need that it leaves out, or a verdict that
 * is not known here, is one that cannot be told.
 */
#pragma once

#include "job/client.h"
#include "job/preflight_question.h"

/* In the order of how much they weigh. */
enum preflight_verdict { PREFLIGHT_YES, PREFLIGHT_CANNOT_TELL, PREFLIGHT_NO };

/* All texts are clean; "" where there is none. */
struct preflight_finding {
        char need[24]; /* "contents:write"; "ref": the protection of the question's ref */
        enum preflight_verdict verdict;
        char evidence[ERROR_DETAIL_MAX], code[48], remedy[ERROR_REMEDY_MAX];
};

#define PREFLIGHT_FINDINGS_MAX (PREFLIGHT_NEED_COUNT + 1)
#define PREFLIGHT_WARNINGS_MAX 8

struct preflight_report {
        struct locked_buffer answer;
        struct json json;                  /* inside @answer */
        struct preflight_finding identity; /* need: "identity" */
        char login[128];                   /* "": undisclosed */
        char kind[48], scopes[512], expires_at[32];
        bool scopes_known; /* a token may have none */
        struct preflight_finding findings[PREFLIGHT_FINDINGS_MAX];
        size_t count;
        char warnings[PREFLIGHT_WARNINGS_MAX][ERROR_DETAIL_MAX];
        size_t warning_count;
};

/**
 * preflight_ask() - asks and reads the answer
 * @ret: zeroed by the caller, released with preflight_report_done() whatever the outcome
 *
 * Return: 0, whatever the verdicts are, or the negated exit code.
 */
int preflight_ask(const struct client *client, const struct preflight_question *question,
                  struct preflight_report *ret, struct failure *failure);

/** preflight_report_read() - the same of an answer in ret->json.  Return: 0, or -EXIT_UNREACHABLE
 * if it is none. */
int preflight_report_read(const struct preflight_question *question, struct preflight_report *ret,
                          struct failure *failure);

/** preflight_report_done() - for _cleanup_ too */
void preflight_report_done(struct preflight_report *report);

/** preflight_count() - how many of the needs have that verdict */
size_t preflight_count(const struct preflight_report *report, enum preflight_verdict verdict);

/** preflight_verdict_name() - "yes", "cannot tell", "no" */
const char *preflight_verdict_name(enum preflight_verdict verdict);
