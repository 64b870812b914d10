/*
 * As whom git would authenticate for a URL, in the order in which git and its HTTP library look:
 *
 *      a header of http.extraheader > a credential in the URL > ~/.netrc > (cookies) > the first credential helper
 *
 * docs/upstream/git.md has what was found by trying.
 */
#pragma once

#include "job/git.h"

enum identity_kind {
        IDENTITY_BROKER, /* the broker's helper is asked first, and nothing comes before it */
        IDENTITY_HEADER, /* http.extraheader */
        IDENTITY_URL,    /* user:password@ */
        IDENTITY_NETRC,
        /* http.cookieFile: whether it authenticates, nobody can tell from here */
        IDENTITY_COOKIE,
        IDENTITY_HELPER, /* another helper answers first, or alone */
        IDENTITY_NONE,   /* git would ask, or fail */
        IDENTITY_OTHER,  /* not over HTTP: ssh, a path */
};

struct git_identity {
        enum identity_kind kind;
        char who[160];   /* the user, or what kind of credential it is; never a secret; clean */
        char place[640]; /* file and line that it comes from; "" if unknown; clean */
        /* a helper behind the broker's: git gives it what worked, to be kept */
        bool is_followed;
};

/**
 * git_identity() - as whom git would speak to @url
 * @url: as git resolved it, after insteadOf
 *
 * Return: 0, or a negated exit code.
 */
int git_identity(const struct git *git, const char *url, struct git_identity *ret,
                 struct failure *failure);

/** git_identity_is_hijacked() - a credential that is not the broker's would be sent */
bool git_identity_is_hijacked(const struct git_identity *identity);

/** git_identity_says() - "checkout's header (user x-access-token) from .git/config:12", for
 * people */
void git_identity_says(const struct git_identity *identity, char *buffer, size_t size);
