/*
 * Addresses of servers: what may be configured as one, and its normal form.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * url_normalise() - checks an http or https URL
 * @with_path: false for a URL that ends with its host and port
 * @ret:       a new string: scheme and host in lower case, no slash at the end
 * @ret_why:   on failure what is wrong, to be put behind the key: "has no host in it"; never quotes
 *             the URL
 *
 * Refuses user names and passwords, queries, fragments, and what servers and proxies read
 * differently: empty or dot segments, bytes that must be escaped, hosts that are neither a name nor
 * an address.
 */
bool url_normalise(const char *text, bool with_path, char **ret, const char **ret_why);

/** url_origin_length() - of a normal form: the bytes of scheme, host and port, without a port that
 * goes without saying */
size_t url_origin_length(const char *url);

/**
 * url_origin_of() - scheme, host and port of an address from outside, which may have a path and a
 * query
 *
 * In the form in which origins are compared: lower case, without a port that goes without saying.
 * Return: a new string, or NULL: it is no http or https address, has a user name, a fragment or a
 * byte that no address has, or lack of memory.
 */
char *url_origin_of(const char *text);

/** url_is_same_origin() - true if both are addresses of one scheme, host and port */
bool url_is_same_origin(const char *a, const char *b);

/** url_is_plaintext() - true for http:// (of a normal form) */
bool url_is_plaintext(const char *url);

/**
 * url_is_loopback() - true if the host of a normal form is this one for certain
 *
 * 127.0.0.0/8 and ::1 as addresses, and the name localhost; other names are not looked up.
 */
bool url_is_loopback(const char *url);

/** host_port_normalise() - the same for "host" or "host:port" */
bool host_port_normalise(const char *text, char **ret, const char **ret_why);
