/*
 * Base64url without padding, as JWTs and JWKs are written (RFC 7515, section 2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/secret.h"

/**
 * base64url_decode() - appends what @text says
 *
 * Takes the one canonical spelling: no padding, no white space, the bits left over at the end are
 * zero.
 * Return: false if it is something else, or empty, or does not fit into @into, which is then to be
 * dropped.
 */
bool base64url_decode(const char *text, size_t length, struct secret *into);
