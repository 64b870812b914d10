/*
 * What a check-up found: a tree of steps as JSON, made by whoever checks and read by whoever shows
 * it.
 *
 *      {"step": "dns", "name": "DNS", "state": "ok", "detail": "...", "code": null, "remedy": null, "steps": [...]}
 *
 * A step is "not-checked" until somebody says otherwise, so that nothing counts as proven by having
 * been forgotten.  The words of docs/api.md, "POST /v1/doctor": "step" is fixed, "name" is for
 * people.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* Embedded; findings_done() at the end. */
struct findings {
        json_t *steps; /* the roots: an array */
        bool lost;     /* no memory for some step: the whole is worth nothing */
};

/** findings_init() - false for lack of memory */
bool findings_init(struct findings *findings);
void findings_done(struct findings *findings);

/**
 * finding_add() - a new step, not checked yet
 * @parent: NULL: a root
 * @step:   the fixed word
 * @name:   for people; clean
 *
 * Return: borrowed, or NULL for lack of memory, which every call below accepts.
 */
json_t *finding_add(struct findings *findings, json_t *parent, const char *step, const char *name);

/** finding_ok() - proven; @format may be NULL */
void finding_ok(json_t *finding, const char *format, ...) _printf_(2, 3);

/** finding_broken() - with the code, the detail and the remedy of @err; a code of DIAG_NONE is
 * null, its remedy err's own */
void finding_broken(json_t *finding, const struct error *err);

/** finding_unchecked() - why it could not be checked */
void finding_unchecked(json_t *finding, const char *format, ...) _printf_(2, 3);

/** finding_note() - something to know, neither proven nor broken */
void finding_note(json_t *finding, const char *format, ...) _printf_(2, 3);

/** finding_remedy() - what to do about a note, or about what could not be checked */
void finding_remedy(json_t *finding, const char *remedy);

/** finding_is() - true if its state is that word */
bool finding_is(const json_t *finding, const char *state);

struct findings_count {
        unsigned ok, broken, unchecked;
};

/**
 * findings_close() - gives each step that has steps the worst of their states, and counts those
 * that have none
 *
 * Worse to better: broken, not-checked, ok, note.
 */
void findings_close(json_t *steps, struct findings_count *ret);
