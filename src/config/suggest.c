#include "config/suggest.h"

#include <stddef.h>
#include <string.h>

/* Longer words are not compared: no key is as long. */
#define WORD_MAX 64

static unsigned least(unsigned a, unsigned b, unsigned c) {
        unsigned ab = a < b ? a : b;

        return ab < c ? ab : c;
}

/* Levenshtein's distance: single-character insertions, deletions and replacements. */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
        unsigned row[WORD_MAX + 1];

        for (size_t j = 0; j <= b_length; j++)
                row[j] = (unsigned)j;
        for (size_t i = 1; i <= a_length; i++) {
                unsigned diagonal = row[0];

                row[0] = (unsigned)i;
                for (size_t j = 1; j <= b_length; j++) {
                        unsigned above = row[j];

                        row[j] =
                            least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
                        diagonal = above;
                }
        }
        return row[b_length];
}

void suggestion_consider(struct suggestion *suggestion, const char *written,
                         const char *candidate) {
        size_t written_length = strlen(written), candidate_length = strlen(candidate);
        unsigned distance;

        if (written_length > WORD_MAX || candidate_length > WORD_MAX)
                return;
        distance = edit_distance(written, written_length, candidate, candidate_length);
        /* Half a word replaced is another word. */
        if (distance > 3 || distance * 2 > candidate_length)
                return;
        if (suggestion->word && suggestion->distance <= distance)
                return;
        *suggestion = (struct suggestion){ .word = candidate, .distance = distance };
}
