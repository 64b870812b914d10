/*
 * The command line: options that every command takes, and a command's own ones beside them.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>

struct options {
        const char *socket; /* of the daemon: --socket, else the default */
        bool json;
        bool help;
        char **words; /* not options; set at the end */
        int count;
};

#define OPTIONS_OWN_MAX 24

enum { OPTIONS_END = -1, OPTIONS_WRONG = '?' };

/**
 * options_next() - the next of the command's own options, in any order with its words; common ones
 * are taken here
 * @own: as for getopt_long(), at most OPTIONS_OWN_MAX, ended by an empty one; "val" is what is
 *       returned, above 255
 *
 * Return: the option's val (its value in optarg), OPTIONS_END, or OPTIONS_WRONG after the mistake
 * was printed.
 */
int options_next(struct options *options, int argc, char **argv, const struct option *own);

/**
 * options_words() - what most commands need: no option of their own, and so many words
 *
 * Return: true, or false after the mistake was printed; with options->help set the words do not
 * matter.
 */
bool options_words(struct options *options, int argc, char **argv, int least, int most);

/** options_count() - true if there are as many words; else says so */
bool options_count(const struct options *options, const char *command, int least, int most);

/** options_name() - true if the first word can be a token's name; else says so */
bool options_name(const struct options *options);
