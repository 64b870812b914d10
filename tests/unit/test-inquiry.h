/*
 * One question about a token, answered from a table instead of by a forge: for the tests of what
 * each kind of forge proves.
 */
#pragma once

#include "forge/inquiry.h"

struct canned {
        /* how "METHOD PATH" or "METHOD PATH BODY" begins: the first that fits answers */
        const char *request;
        int status; /* 0: no answer, upstream-timeout */
        const char *content_type, *body;
        const char *headers; /* "Name: value\n", or NULL */
};

struct canned_question {
        enum forge_type type;
        const char *url;      /* of the forge */
        const char *registry; /* or NULL */
        unsigned needs;
        const char *ref; /* "" for none */
        bool write_probe;
        const char *token; /* NULL: that of canned_ask() */
        bool handed_in;    /* the token is a job's */
        /* an address whose value is not known is not asked, and else fails the test */
        bool may_lack;
};

#define CANNED_LOG_MAX 4096

struct canned_result {
        struct forge_report report;
        /* "METHOD PATH\n" of each request, in their order; a body of its own behind a blank */
        char log[CANNED_LOG_MAX];
};

/**
 * canned_ask() - about the token "canary-0123456789" of deploy-bot, in o/r and for the image o/i
 * @first, @then: two tables, ended by a row without a request; a request that neither has fails the
 * test
 */
void canned_ask(const struct canned_question *question, const struct canned *first,
                const struct canned *then, struct canned_result *ret);

/* One question, and what its verdict has to be.  Ended by a row whose remedy is NULL. */
struct canned_row {
        enum forge_need need;
        const char *ref;
        /* the answers that are different, ended by one without a request */
        struct canned with[4];
        enum forge_verdict verdict;
        enum diagnosis code;
        const char *remedy; /* what it has to name */
        bool write_probe;
};

/** canned_rows() - asks each with @like's forge; @good answers what a row does not */
void canned_rows(const struct canned_question *like, const struct canned *good,
                 const struct canned_row *rows);
