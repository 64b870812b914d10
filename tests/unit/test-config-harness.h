/*
 * Loading configurations from texts, and looking at what was found.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "config/config.h"

#define MAIN "main.conf"

#define IDENTITY                                                                                   \
        "[identity default]\n"                                                                     \
        "url = https://infisical.example.org\n"                                                    \
        "token_file = infisical-token\n"                                                           \
        "project_id = 00000000-0000-0000-0000-000000000000\n"                                      \
        "environment = prod\n"
#define FORGE                                                                                      \
        "[forge home]\n"                                                                           \
        "type = forgejo\n"                                                                         \
        "url = https://git.example.org\n"
#define TOKEN                                                                                      \
        "[token deploy]\n"                                                                         \
        "forge = home\n"                                                                           \
        "secret_path = /platform/forgejo_accounts\n"                                               \
        "secret_name = deploy-bot@example.org\n"
#define LEAST IDENTITY FORGE TOKEN

/* Whole texts that end inside of the section where a line is tried. */
#define IN_BROKER   LEAST "[broker]\n"
#define IN_TOKEN    LEAST
#define IN_FORGE    IDENTITY TOKEN FORGE
#define IN_IDENTITY FORGE TOKEN IDENTITY
/* The same without the key that the line sets. */
#define URL_IN_IDENTITY                                                                            \
        FORGE TOKEN "[identity default]\ntoken_file = t\nproject_id = p\nenvironment = prod\n"
#define PROJECT_IN_IDENTITY                                                                        \
        FORGE TOKEN "[identity default]\nurl = https://h\ntoken_file = t\nenvironment = e\n"
#define URL_IN_FORGE  IDENTITY TOKEN "[forge home]\ntype = gitea\n"
#define PATH_IN_TOKEN IDENTITY FORGE "[token deploy]\nforge = home\nsecret_name = n\n"
#define NAME_IN_TOKEN IDENTITY FORGE "[token deploy]\nforge = home\nsecret_path = /p\n"

/* Everything one load answers: the configuration or the problems. */
struct loaded {
        struct config *config;
        struct config_problems problems;
};

void loaded_done(struct loaded *loaded);

/** load_texts() - reads the texts of files, in order: MAIN, then 1.conf, 2.conf, ...; ends with
 * NULL */
struct loaded load_texts(const char *const *texts);

#define load(...) load_texts((const char *const[]){ __VA_ARGS__, NULL })

/** load_with_line() - one more line behind @text; its number is counted */
struct loaded load_with_line(const char *text, const char *line, unsigned *ret_number);

/** assert_loads() - the configuration, borrowed */
const struct config *assert_loads(const struct loaded *loaded);

/** assert_problem() - one of the problems is there and has these words */
void assert_problem(const struct loaded *loaded, const char *file, unsigned line, const char *part);

/** assert_only_problem() - and it is the only one, in the main file */
void assert_only_problem(const struct loaded *loaded, unsigned line, const char *part);

/** assert_refused() - @line behind @text is the one problem, with these words */
void assert_refused(const char *text, const char *line, const char *part);

/** assert_accepted() - @text and @line load */
void assert_accepted(const char *text, const char *line);
