/*
 * Which ref of the other side a `git push` is about, as far as its words say.
 */
#pragma once

#include <stdbool.h>

#include "job/git.h"

/**
 * git_pushed_ref() - "refs/heads/main" or "refs/tags/v1" of the first refspec; without one, the
 * branch that is checked out
 * @words: git's, from "push" on, NULL terminated
 *
 * Return: false if they name none, or more than the words can tell (--all, --mirror, --tags).
 */
bool git_pushed_ref(const struct git *git, char *const words[], char *ref, size_t size);
