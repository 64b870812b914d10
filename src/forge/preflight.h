/*
 * What a token may do at its forge: as whom it comes, and for each need a verdict with its evidence
 * and remedy.
 *
 *      question -> who is it (alone: a dead token is refused once, not ten times) -> all that gives evidence, at once
 *               -> what depends on an answer -> report
 *
 * Proof without writing wherever the forge gives it; a draft release only where the question says
 * write_probe.  No request is repeated, no redirect followed, nothing of the token is in a URL.
 * "Cannot tell" is never a yes: an answer that is not the forge's proves nothing.
 */
#pragma once

#include "config/config.h"
#include "net/http.h"

enum forge_need {
        NEED_CONTENTS_READ,
        NEED_CONTENTS_WRITE, /* past the protection of the question's ref, where it has one */
        NEED_RELEASE_WRITE,
        NEED_PACKAGES_WRITE,
        NEED_ISSUES_WRITE,
        NEED_PULL_WRITE,
        NEED_REF, /* the protection of a ref alone */
        NEED_COUNT
};

/** forge_need_name() - "contents:write", ...; of NEED_REF "ref" */
const char *forge_need_name(enum forge_need need);

/** forge_need_find() - true and the need of that name; NEED_REF has none that can be asked for */
bool forge_need_find(const char *name, enum forge_need *ret);

/* In the order of how much they spoil: the least of several is the verdict on all. */
enum forge_verdict { FORGE_NO, FORGE_CANNOT_TELL, FORGE_YES };

/** forge_verdict_name() - "no", "cannot-tell", "yes" */
const char *forge_verdict_name(enum forge_verdict verdict);

#define FORGE_PLACE_MAX 256 /* a repository, a ref, an image: their NUL included */

struct forge_question {
        const struct forge_config *forge; /* borrowed, as long as the question runs */
        char username[128];               /* for HTTP Basic */
        char kept[160]; /* for remedies: "as secret 'x' in Infisical's /y"; "": a job has it */
        unsigned needs; /* 1u << enum forge_need */
        /* "owner/name"; "": none, and no need that wants one */
        char repository[FORGE_PLACE_MAX];
        char ref[FORGE_PLACE_MAX];   /* "refs/heads/main", "refs/tags/v1"; "": none */
        char image[FORGE_PLACE_MAX]; /* "owner/name"; "": none, and no packages:write */
        bool write_probe;
};

/* The remedy for a job's token that the forge does not know. */
#define FORGE_DEAD_OF_JOB                                                                          \
        "Give the job another token of that forge: this one is none of its own, was revoked or "   \
        "has ended; a job's automatic token "                                                      \
        "ends with its job."

struct forge_finding {
        enum forge_verdict verdict;
        /* detail: the evidence, whatever the verdict; code: DIAG_NONE for yes; the remedy, if
         * any */
        struct error error;
};

#define FORGE_WARNINGS_MAX 4

struct forge_report {
        struct forge_finding identity; /* yes: the forge knows the token */
        char login[128];               /* "": undisclosed */
        const char *kind;              /* "personal-access-token", ...; NULL: not known */
        bool scopes_known;
        char scopes[1024]; /* parted by single blanks */
        usec_t expires_at; /* wall clock; 0: never, or not known */
        unsigned needs;
        struct forge_finding findings[NEED_COUNT]; /* those of needs */
        char warnings[FORGE_WARNINGS_MAX][ERROR_DETAIL_MAX];
        size_t n_warnings;
        bool dead; /* the forge said that it does not know the token */
        /* how often it said so, also where the token turned out to be a job's */
        unsigned refusals;
        bool asked_too_often; /* it said that it is asked too often */
};

/** forge_refusals_max() - how often a forge may say of one token that it does not know it: each is
 * an authentication failure */
unsigned forge_refusals_max(enum forge_type type);

/** forge_question_writes() - true if answering it makes something at the forge, to be taken away
 * again before it ends */
bool forge_question_writes(const struct forge_question *question);

struct forge_preflight;

/* The outcome: @report is borrowed, valid during the call. */
typedef void (*forge_preflight_done)(void *userdata, const struct forge_report *report);

/**
 * forge_preflight_start() - asks
 * @question: copied
 * @token:    referenced
 * @done:     once, from the loop, never from forge_preflight_start()
 *
 * Ends by itself within some seconds; what a write probe made is taken away again before it ends.
 * Return: 0, or the negated diagnosis of a question that cannot be asked: -DIAG_FORGE_CANNOT_TELL
 * for a forge of type `other`, -DIAG_INTERNAL_ERROR.
 */
int forge_preflight_start(struct http_client *client, const struct forge_question *question,
                          struct secret *token, forge_preflight_done done, void *userdata,
                          struct forge_preflight **ret, struct error *err);

/** forge_preflight_cancel() - drops it without a word, what a write probe made included; NULL is
 * fine.  Return: NULL. */
struct forge_preflight *forge_preflight_cancel(struct forge_preflight *preflight);
