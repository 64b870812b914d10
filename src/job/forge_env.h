/*
 * Whose job this is, from the environment that the runner made.  All of it can be overwritten by
 * the workflow: good enough for how something is printed and for the gate, never for what may be
 * issued.
 */
#pragma once

enum forge_env {
        FORGE_ENV_NONE,
        FORGE_ENV_FORGEJO,
        FORGE_ENV_GITEA,
        FORGE_ENV_GITHUB,
        FORGE_ENV_GITLAB
};

/** forge_env_detect() - FORGE_ENV_NONE outside of a job */
enum forge_env forge_env_detect(void);

/** forge_env_name() - "Forgejo", ...; "no forge" for none */
const char *forge_env_name(enum forge_env env);

/**
 * forge_env_get() - a variable of the runner's
 * @name: behind FORGEJO_, GITEA_ and GITHUB_, which are asked for in that order: forgejo-runner
 *        sets the first and the last, act_runner the second or the last
 *
 * Return: borrowed from the environment; NULL if none is set, or all are empty.
 */
const char *forge_env_get(const char *name);
