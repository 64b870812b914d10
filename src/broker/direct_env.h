/*
 * The last source: a forge token in the daemon's own environment, only where a token's section
 * names the variable.
 *
 * A variable is read once, into locked memory, and then wiped where it stood, so that
 * /proc/PID/environ and any child show nothing.  It stays known over reloads: the environment
 * cannot be asked again.
 */
#pragma once

#include "base/secret.h"
#include "config/config.h"

struct direct_env;

struct direct_env *direct_env_new(void);
struct direct_env *direct_env_free(struct direct_env *env);

/** direct_env_capture() - takes the variables that @config names out of the environment; those
 * already taken stay */
int direct_env_capture(struct direct_env *env, const struct config *config, struct error *err);

/**
 * direct_env_get() - the value for a token, if its rules allow it now
 * @now: wall clock
 * @ret: a new reference
 *
 * Return: 0, -DIAG_FALLBACK_DISABLED (the variable is not set), -DIAG_FALLBACK_EXPIRED,
 * -DIAG_SECRET_MALFORMED.
 */
int direct_env_get(const struct direct_env *env, const struct token_config *token, usec_t now,
                   struct secret **ret, struct error *err);
