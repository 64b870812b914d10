/*
 * What differs from forge to forge: where the API is, how a token is sent, what an answer of the
 * forge's own looks like and what its texts mean.  One file for each kind; what is the same for all
 * is in adapter.c, alive.c and answer.c.
 *
 * Facts about the forges, with where they were read: docs/upstream/forges.md.
 */
#pragma once

#include "forge/alive.h"
#include "forge/answer.h"

/* One refusal in the forge's own words.  The first row that fits decides. */
struct forge_meaning {
        int status;       /* 0: any */
        const char *text; /* a glob on answer->text */
        enum forge_life life;
        enum diagnosis code; /* DIAG_NONE for ALIVE */
        const char *what;    /* what the forge said, in our words, behind "answered 401: " */
        const char *remedy;  /* NULL: the diagnosis' own */
};

struct forge_evidence;

struct forge_adapter {
        /* Where the API of the forge at @url begins: a new string, or NULL for lack of memory. */
        char *(*api_url)(const char *url);
        const char *scheme;  /* of the Authorization header: "token" */
        const char *accept;  /* NULL: application/json */
        const char *headers; /* further header lines "Name: value\n", or NULL */

        const char *login; /* the member of a user object that is its login name */
        /* True if a refusal has the shape that this kind of forge gives all of its own. */
        bool (*is_refusal)(const struct forge_answer *answer);
        const struct forge_meaning *meanings;
        size_t n_meanings;
        const struct forge_evidence *evidence; /* forge/inquiry.h */
};

/* and Gitea, which is the same in all of this */
extern const struct forge_adapter forge_adapter_forgejo;
extern const struct forge_adapter forge_adapter_github;
extern const struct forge_adapter forge_adapter_gitlab;

extern const struct forge_evidence forge_evidence_forgejo; /* and Gitea */
extern const struct forge_evidence forge_evidence_github;
extern const struct forge_evidence forge_evidence_gitlab;

/** forge_adapter_find() - of that type of forge, or NULL for `other` */
const struct forge_adapter *forge_adapter_find(enum forge_type type);

/** forge_cannot_be_asked() - -DIAG_FORGE_CANNOT_TELL, for a forge without an adapter */
int forge_cannot_be_asked(const struct forge_config *forge, struct error *err);

/**
 * forge_refusal_life() - what an answer that is not the one that was hoped for says of the token
 * (alive.c)
 * @url: what was asked
 * @err: as for forge_alive_done
 */
enum forge_life forge_refusal_life(const struct forge_adapter *adapter,
                                   const struct forge_config *forge, const char *url,
                                   const struct forge_answer *answer, struct error *err);

/** forge_authorization() - the Authorization header's value "SCHEME TOKEN"; NULL when no locked
 * memory is left */
struct secret *forge_authorization(const char *scheme, const struct secret *token);

/** forge_authorization_basic() - the same for HTTP Basic, with the token as the password */
struct secret *forge_authorization_basic(const char *username, const struct secret *token);
