/*
 * Docker's config.json, and podman's auth.json, as far as credential helpers go:
 *
 *      { ..., "credHelpers": { "registry.example.org:5000": "forge-broker" } }
 *
 * What is not added here stays as it is, byte for byte.  The text may hold other people's
 * credentials.
 */
#pragma once

#include <stdbool.h>

#include "job/locked_buffer.h"
#include "job/failure.h"

#define DOCKER_HELPER "forge-broker" /* docker-credential-forge-broker */

enum { DOCKER_CONFIG_ADDED, DOCKER_CONFIG_UNCHANGED };

/**
 * docker_config_add() - makes this program the helper of a registry
 * @text:    the file's; empty stands for an empty object
 * @host:    plain text, without scheme
 * @replace: takes over from another helper
 *
 * Return: DOCKER_CONFIG_ADDED, DOCKER_CONFIG_UNCHANGED (it is that already), or -EXIT_UNMET, and
 * @text is as before: it is not what docker writes, or the registry has another helper.
 */
int docker_config_add(struct locked_buffer *text, const char *host, bool replace,
                      struct failure *failure);
