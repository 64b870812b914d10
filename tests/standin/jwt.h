/*
 * JSON Web Tokens, HS256 only: made for issued access tokens, checked in the order of the library
 * behind the real server, whose error texts reach the client.
 */
#pragma once

#include <jansson.h>

/** jwt_make() - a new token text */
char *jwt_make(const json_t *claims, const char *key);

/**
 * jwt_check() - reads a token text
 * @now:        seconds, decides about "exp"
 * @ret_claims: a new reference, also for "jwt expired"; NULL for all other errors
 *
 * Return: NULL, or the library's error text.
 */
const char *jwt_check(const char *token, const char *key, double now, json_t **ret_claims);
