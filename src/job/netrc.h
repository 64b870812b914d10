/*
 * ~/.netrc, which libcurl reads on git's behalf: for a host that is in it, that credential is sent
 * with the first request, and git asks no helper.  Only who, and never the password, is read from
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct netrc_entry {
        char path[256]; /* clean, as is the login */
        unsigned line;
        char login[64]; /* "" if it has none */
};

/** netrc_find() - true and the entry for the host, or the default one, if there is such a file */
bool netrc_find(const char *host, struct netrc_entry *ret);

/** netrc_parse() - the same of a file's text; the path stays empty */
bool netrc_parse(const char *text, size_t length, const char *host, struct netrc_entry *ret);
