/*
 * What a job wants to know of a token before it relies on it: the needs, the place, and whose
 * token.
 */
#pragma once

#include <stdbool.h>

#include "job/failure.h"
#include "job/locked_buffer.h"

/* The needs that can be asked for, in the order in which they are listed. */
enum preflight_need {
        PREFLIGHT_CONTENTS_READ,
        PREFLIGHT_CONTENTS_WRITE,
        PREFLIGHT_RELEASE_WRITE,
        PREFLIGHT_PACKAGES_WRITE,
        PREFLIGHT_ISSUES_WRITE,
        PREFLIGHT_PULL_WRITE,
        PREFLIGHT_NEED_COUNT
};

/* bytes of a repository, image or ref, with its NUL: the broker takes no more */
#define PREFLIGHT_PLACE_MAX 256

struct preflight_question {
        const char *name; /* the broker's token, or whose forge is asked */
        /* "owner/name"; "": none */
        char repository[PREFLIGHT_PLACE_MAX], image[PREFLIGHT_PLACE_MAX];
        char ref[PREFLIGHT_PLACE_MAX]; /* "refs/heads/main"; "": none */
        unsigned needs;                /* 1u << enum preflight_need; 0: who is it? */
        bool write_probe;
        /* of the job's own environment, in place of the broker's; empty: none */
        struct locked_buffer token;
};

/** preflight_question_done() - for _cleanup_ too */
void preflight_question_done(struct preflight_question *question);

/** preflight_need_name() - "contents:write" */
const char *preflight_need_name(enum preflight_need need);

/** preflight_needs_add() - adds a need, or several with commas.  Return: 0, or -EXIT_USAGE with the
 * names there are. */
int preflight_needs_add(struct preflight_question *question, const char *list,
                        struct failure *failure);

/** preflight_repository_set() - "owner/name", checked.  Return: 0, or -EXIT_USAGE. */
int preflight_repository_set(struct preflight_question *question, const char *repository,
                             struct failure *failure);

/** preflight_image_set() - the same for a container image */
int preflight_image_set(struct preflight_question *question, const char *image,
                        struct failure *failure);

/** preflight_ref_set() - "refs/heads/main" or a bare name, which is the job's own ref of that name
 * or a branch */
int preflight_ref_set(struct preflight_question *question, const char *ref,
                      struct failure *failure);

/** preflight_token_read() - copies a token of this process' environment to locked memory.  Return:
 * 0, or -EXIT_USAGE. */
int preflight_token_read(struct preflight_question *question, const char *variable,
                         struct failure *failure);

/** preflight_question_write() - as the request's body; false for lack of memory */
bool preflight_question_write(const struct preflight_question *question,
                              struct locked_buffer *body);
