/*
 * An upload to a registry that wants a bearer, as proof of the right to push an image: opened, and
 * closed again.
 *
 *      CHALLENGE names the token endpoint -> BEARER is given for HTTP Basic -> OPEN -> 202 -> CLOSE -> failed -> CLOSE_AGAIN
 *
 * The five stand one behind the other in a forge's table; @challenge is the index of the first.
 * The token goes to no other host than the forge's and its registry's, and the bearer to the
 * registry alone.
 */
#pragma once

#include "forge/inquiry.h"

#define UPLOAD_BEARER_URL "{realm}?service={service%}&scope=repository:{image}:pull,push"

/** upload_service() - what the challenge calls the registry, or NULL */
const char *upload_service(const struct forge_inquiry *inquiry, size_t challenge,
                           char made[static FORGE_MADE_MAX]);

/** upload_realm() - where the token endpoint is: a new string, or NULL if that is no address of the
 * forge or its registry */
char *upload_realm(const struct forge_inquiry *inquiry, size_t challenge);

/** upload_bearer() - what the token endpoint gave, borrowed; NULL: nothing */
const char *upload_bearer(const struct forge_inquiry *inquiry, size_t challenge);

/** upload_location() - where the upload is that was opened: a new string, or NULL if that is no
 * address of the registry */
char *upload_location(const struct forge_inquiry *inquiry, size_t challenge);

/** upload_wants_bearer(), upload_wants_open(), ... - what the request needs is there */
bool upload_wants_bearer(const struct forge_inquiry *inquiry, size_t challenge);
bool upload_wants_open(const struct forge_inquiry *inquiry, size_t challenge);
bool upload_wants_close(const struct forge_inquiry *inquiry, size_t challenge);

/** upload_judge() - packages:write */
void upload_judge(const struct forge_inquiry *inquiry, size_t challenge, struct forge_finding *ret);

/** upload_warn() - of one that is left open, or may be */
void upload_warn(const struct forge_inquiry *inquiry, size_t challenge,
                 struct forge_report *report);
