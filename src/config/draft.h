/*
 * A configuration while it is being read: sections and settings as they were merged, each with
 * where it was written.
 *
 *      draft_read() per file -> draft_finish() fills in defaults -> draft_check() -> [no problem:] draft_build()
 *
 * Works on bytes in memory; config.c brings the files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "config/keys.h"

/* More sections than this are a generated file gone wrong. */
#define DRAFT_SECTIONS_MAX 512
#define DRAFT_LIST_MAX     64

struct origin {
        const char *file; /* borrowed from the draft; NULL: not written anywhere */
        unsigned line;
};

struct setting_item {
        char *text;
        uint64_t number;
        struct origin origin;
};

/* A key of one section: at most one item, or any number for a list.  Without items and not bad:
 * not configured. */
struct setting {
        struct setting_item *items;
        size_t n_items;
        struct origin origin; /* where it was written last */
        unsigned occurrence;  /* in which section header's reach that was */
        bool bad;             /* something was written that is reported already */
};

struct section {
        enum section_kind kind;
        char *name;           /* NULL for a kind without names, and for one that was reported */
        struct origin origin; /* its first header */
        struct setting settings[KEY_COUNT];
};

struct draft {
        struct config_problems *problems;

        /* in the order of their first headers; [broker] first of all */
        struct section **sections;
        size_t n_sections;
        char **files;
        size_t n_files;

        struct section *current; /* NULL: settings here are skipped, the header was reported */
        unsigned occurrence;
        bool too_many_sections;
        bool skipped_section; /* a header that no section could be made of */
};

/** draft_new() - @problems is borrowed; NULL for lack of memory */
struct draft *draft_new(struct config_problems *problems);

struct draft *draft_free(struct draft *draft);
DEFINE_CLEANUP(struct draft *, draft_free);

/** draft_read() - merges one file's bytes; @file is its name in messages */
void draft_read(struct draft *draft, const char *file, const char *bytes, size_t length);

/** draft_finish() - defaults for what was not written; after the last file */
void draft_finish(struct draft *draft);

/** draft_check() - reports required keys that are missing, and what is wrong between keys and
 * sections (check.c) */
void draft_check(const struct draft *draft);

/**
 * draft_build() - the configuration; only for a draft without problems (build.c)
 *
 * Return: a reference, or NULL for lack of memory.
 */
struct config *draft_build(const struct draft *draft, const char *file);

/** draft_describe() - each setting in force, in the order of sections and of the table
 * (describe.c) */
void draft_describe(const struct draft *draft, const struct config *config, config_visitor visit,
                    void *userdata);

/** draft_find() - the section of that kind and name, or NULL */
struct section *draft_find(const struct draft *draft, enum section_kind kind, const char *name);

/** setting_is_set() - true if there is a value, default included */
bool setting_is_set(const struct section *section, enum key_id id);

/** setting_is_written() - true if something was written for it, good or bad: what no message should
 * call missing */
bool setting_is_written(const struct section *section, enum key_id id);

/** setting_is_left() - true if nothing was written for it, not even an empty value: its default
 * holds */
bool setting_is_left(const struct section *section, enum key_id id);

/** setting_text() - the value's text, borrowed; NULL where there is none */
const char *setting_text(const struct section *section, enum key_id id);

/** setting_number() - the value's number; 0 where there is none */
uint64_t setting_number(const struct section *section, enum key_id id);
