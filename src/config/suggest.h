/*
 * "Did you mean": the nearest of some known words.
 */
#pragma once

/* Begin with { 0 }; @word stays NULL while nothing was near. */
struct suggestion {
        const char *word;
        unsigned distance;
};

/** suggestion_consider() - keeps @candidate if it is near @written and nearer than what was kept
 * before */
void suggestion_consider(struct suggestion *suggestion, const char *written, const char *candidate);
