/*
 * The URLs that git may speak to: of the remotes of a repository and of its submodules, and those
 * on the command line.
 */
#pragma once

#include "job/git.h"

#define REMOTE_URLS_MAX 256

struct remote_url {
        const char *written;  /* as it stands in the configuration or on the command line */
        const char *resolved; /* after insteadOf */
};

struct remote_urls {
        struct locked_buffer strings;
        struct remote_url items[REMOTE_URLS_MAX];
        size_t count;
};

/** git_remotes_read() - all of them; released with git_remotes_done() whatever the outcome.
 * Return: 0 or a negated exit code. */
int git_remotes_read(const struct git *git, char *const words[], struct remote_urls *ret,
                     struct failure *failure);

/** git_remotes_done() - for _cleanup_ too */
void git_remotes_done(struct remote_urls *urls);

/**
 * git_remote_find() - the URL that a push to @remote goes to, or that of the remote git itself
 * would choose
 * @remote: a remote's name, a URL, or NULL
 *
 * Return: 0, -EXIT_UNMET if there is none, or another negated exit code.
 */
int git_remote_find(const struct git *git, const char *remote, struct locked_buffer *answer,
                    const char **ret, struct failure *failure);
