/*
 * A command's words and options.  Options may stand before and behind the words, as `--name value`
 * or `--name=value`; "--" ends them, and begins the words of the program to run where a command
 * takes one.  What every command takes is read here.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "job/failure.h"

struct inherited; /* job/child.h */

#define DEFAULT_SOCKET "/run/forge-broker/broker.sock"

#define OPTION_LIST_MAX 16

struct option_list {
        const char *texts[OPTION_LIST_MAX];
        size_t count;
};

/* An option of one command: a flag has no value, a text has one, and a list has one each time that
 * it is given. */
struct option {
        const char *name; /* "--json" */
        bool *flag;       /* one of these three is not NULL */
        const char **text;
        struct option_list *list;
};

struct arguments {
        const char *socket; /* --socket, else FORGE_BROKER_SOCKET, else the default */
        usec_t timeout;     /* --timeout; 0: not given */
        bool quiet, help;
        char **words; /* not options; an array of the caller's argv */
        int count;
        /* set by a command that runs another program: what stands behind "--" is that */
        bool takes_rest;
        char **rest; /* those words, NULL terminated; NULL if there was no "--" */
        const struct inherited *inherited; /* for the programs that a command runs */
};

/** arguments_init() - the defaults, with those of the environment */
void arguments_init(struct arguments *arguments);

/**
 * arguments_parse() - reads options and collects the words
 * @argv: words behind the command's name, NULL terminated; reordered
 * @options: the command's own, the last one all zero
 * @only_leading: ends at the first word, which then begins the words with everything behind it
 *
 * Return: 0, or -EXIT_USAGE.
 */
int arguments_parse(struct arguments *arguments, const char *command, char **argv,
                    const struct option *options, bool only_leading, struct failure *failure);

/** arguments_name() - the one word there is, else FORGE_BROKER_TOKEN, checked.  Return: 0, or
 * -EXIT_USAGE. */
int arguments_name(const struct arguments *arguments, const char *command, const char **ret,
                   struct failure *failure);

/** arguments_none() - complains about words.  Return: 0, or -EXIT_USAGE. */
int arguments_none(const struct arguments *arguments, const char *command, struct failure *failure);
