/*
 * What a registry's token endpoint granted: the `access` that its JWT lists (distribution,
 * docs/spec/auth/jwt.md).  The token came from the forge over TLS; its signature is the registry's
 * to check.
 */
#pragma once

/**
 * registry_token_grants() - whether a JWT lists an action on an image
 *
 * Return: 1 or 0; -1 if it is no JWT, or lists nothing that can be read.
 */
int registry_token_grants(const char *jwt, const char *image, const char *action);
