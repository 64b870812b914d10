/*
 * Which token is for a place: GET /v1/match.  The daemon decides; nothing here compares hosts.
 */
#pragma once

#include "job/client.h"

/* Clean; a name that the broker's grammar allows. */
struct match {
        char name[72];
        char username[128];
        char forge_type[16];
};

enum { MATCH_FOUND = 0, MATCH_NONE = 1 };

/**
 * match_url() - the token for a URL's parts, as git has them
 * @host: with a port where the URL has one
 * @path: without the leading slash; "" if it is not known
 *
 * Return: MATCH_FOUND, MATCH_NONE (the broker has no token for it), or the negated exit code.
 */
int match_url(const struct client *client, const char *protocol, const char *host, const char *path,
              struct match *ret, struct failure *failure);

/** match_registry() - the same for a container registry: "registry.example.org",
 * "https://registry.example.org:5000/v2/" */
int match_registry(const struct client *client, const char *registry, struct match *ret,
                   struct failure *failure);
