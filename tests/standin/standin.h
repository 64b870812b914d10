/*
 * What the stand-in knows: settings, projects, identities and tokens, as the state file describes
 * them, plus what happened since.  All of it is kept as JSON trees, because the control API and the
 * state file speak JSON; every access holds the lock, and pointers into the trees are borrowed
 * until it is released.
 *
 * The protocol facts come from docs/upstream/infisical.md.
 */
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* The server's age, oldest first: comparisons rely on the order. */
enum generation { GENERATION_2024, GENERATION_A, GENERATION_B, GENERATION_C };

struct standin {
        pthread_mutex_t lock;
        json_t *settings;     /* settings.c: every key has a default */
        json_t *organization; /* id, name, slug */
        json_t *projects;     /* array; environments -> folders -> secrets */
        json_t *identities;   /* array */
        json_t *tokens;       /* array of access tokens, issued ones included */
        json_t *faults;       /* array, faults.c */
        json_t *counters;     /* counters.c */
        json_t *limiter;      /* client address and class -> requests in this window */
        double clock_offset;  /* seconds that POST /clock has moved the clock */
        int stop_fd;          /* readable once the program stops: ends every wait */
};

/** standin_load() - reads the state file; says on stderr what is wrong with it */
bool standin_load(struct standin *s, const char *path);

void standin_done(struct standin *s);

/** standin_now() - the stand-in's own wall clock in seconds, as moved by POST /clock */
double standin_now(const struct standin *s);

/** standin_wait() - sleeps @ms; false: the program stops or the peer on @fd (or -1) left before
 * that */
bool standin_wait(const struct standin *s, int fd, int ms);

/* settings.c */
json_t *settings_defaults(void);
enum generation settings_generation(const struct standin *s);
const char *settings_text(const struct standin *s, const char *key);
double settings_number(const json_t *object, const char *key, double fallback);

/** settings_true() - a setting that is null goes by @fallback, the generation's own way */
bool settings_true(const struct standin *s, const char *key, bool fallback);

/** settings_change() - takes over known keys; NULL, or the first unknown key or wrong value */
const char *settings_change(struct standin *s, json_t *changes);

/* Small makers, in text.c.  Memory that runs out ends the program: it is a test's tool. */
char *format_text(const char *format, ...) _printf_(1, 2);
void random_uuid(char uuid[static 37]);
void random_word(char *word, size_t length);
const char *iso_date(double seconds, char buffer[static 32]);
const char *member_text(const json_t *object, const char *key, const char *fallback);
