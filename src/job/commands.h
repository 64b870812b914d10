/*
 * The program's commands: one function each, in a file of its own; main.c has the table.
 */
#pragma once

#include "job/arguments.h"
#include "job/failure.h"

/*
 * A command gets the options that stood before its name and its own words, NULL terminated.
 * Return: 0, COMMAND_HELP (its help was asked for), COMMAND_CHILD plus an exit status that needs no
 * more words (of a program that it ran, or of a protocol whose errors it printed), or the negated
 * exit code.
 */
enum { COMMAND_HELP = 1, COMMAND_CHILD = 256 };

int command_docker_credential(struct arguments *arguments, char **argv, struct failure *failure);
int command_exec(struct arguments *arguments, char **argv, struct failure *failure);
int command_get(struct arguments *arguments, char **argv, struct failure *failure);
int command_git(struct arguments *arguments, char **argv, struct failure *failure);
int command_git_check(struct arguments *arguments, char **argv, struct failure *failure);
int command_git_credential(struct arguments *arguments, char **argv, struct failure *failure);
int command_list(struct arguments *arguments, char **argv, struct failure *failure);
int command_preflight(struct arguments *arguments, char **argv, struct failure *failure);
int command_rejected(struct arguments *arguments, char **argv, struct failure *failure);
int command_require(struct arguments *arguments, char **argv, struct failure *failure);
int command_setup(struct arguments *arguments, char **argv, struct failure *failure);
int command_wait(struct arguments *arguments, char **argv, struct failure *failure);
int command_whoami(struct arguments *arguments, char **argv, struct failure *failure);
