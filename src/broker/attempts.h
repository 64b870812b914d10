/*
 * What was tried for a token and how it ended; kept for status and for answers.  Tokens are many
 * and failures few: what worked takes little memory.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

struct attempt {
        enum source source;
        char url[160];       /* "" for a source without one */
        struct error *error; /* error_keep(); NULL: it worked */
};

#define ATTEMPTS_MAX 12

/* Embedded; zeroed is empty. */
struct attempts {
        struct attempt *items;
        size_t count; /* at most ATTEMPTS_MAX */
        size_t room;  /* items that there is memory for */
};

/** attempts_reserve() - makes room for the first, so that what is kept for long does not lie among
 * what is not */
int attempts_reserve(struct attempts *attempts, struct error *err);

/**
 * attempts_add() - one more
 * @url: may be NULL
 *
 * Those beyond ATTEMPTS_MAX are left out, and so is one for which there is no memory.
 */
void attempts_add(struct attempts *attempts, enum source source, const char *url,
                  const struct error *error);

/** attempts_take() - replaces those of @to with those of @from, which is empty afterwards; without
 * memory both are */
void attempts_take(struct attempts *to, struct attempts *from);

void attempts_done(struct attempts *attempts);
