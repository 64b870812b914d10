/*
 * Which token is for a URL or a container registry: what git and docker ask before they ask for a
 * value.
 *
 *      place -> the forges that are there -> their tokens whose `for` fits -> the one that fits best
 *
 * Pure: a configuration and a place in, a token out.  Nothing is guessed: a token of an https://
 * forge is not for the same host over http://, and where two tokens fit equally well none is
 * chosen.
 */
#pragma once

#include "base/error.h"
#include "config/config.h"

/* Outside text, percent-decoded.  Either protocol, host and perhaps path, or registry; the rest is
 * NULL. */
struct match_query {
        const char *protocol; /* "https" */
        const char *host;     /* "git.example.org", "git.example.org:8443" */
        const char *path;     /* "owner/repository.git"; NULL or "": not known, all of the host's */
        /* "registry.example.org", with a scheme, a port, "/v2/" or an image's name or not */
        const char *registry;
};

/**
 * match_token() - the token for that place
 * @ret: borrowed from @config
 *
 * A token without `for` is for all of its forge.  One with `for` is for what one of its patterns
 * fits, and then comes before one without; of several the most exact pattern wins (glob_weight()).
 * Where the path is not known (docker tells no image) a token without `for` comes first, else the
 * only one of the forge.
 *
 * Return: 0, -DIAG_UNKNOWN_TOKEN (the detail says for which places there are tokens),
 * -DIAG_NO_USABLE_VALUE (several fit equally well: the detail names them, the remedy the key),
 * -DIAG_MALFORMED_REQUEST, -DIAG_INTERNAL_ERROR.
 */
int match_token(const struct config *config, const struct match_query *query,
                const struct token_config **ret, struct error *err);
