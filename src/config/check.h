/*
 * Rules between keys and sections; private to the files that have them.
 */
#pragma once

#include "config/draft.h"
#include "config/problems.h"

/* At the line that set a key; a default has none, then at the section's. */
#define report_at(draft, section, id, ...)                                                         \
        do {                                                                                       \
                const struct origin *_o = &(section)->settings[id].origin;                         \
                                                                                                   \
                _o = _o->file ? _o : &(section)->origin;                                           \
                config_problem_add((draft)->problems, _o->file, _o->line, __VA_ARGS__);            \
        } while (0)

/** check_reference() - the section that a key names, or NULL and a problem; NULL without one where
 * nothing is named */
const struct section *check_reference(const struct draft *draft, const struct section *section,
                                      enum key_id id, enum section_kind kind);

/**
 * check_job_rules() - of a token: what its rules about jobs need, and that they are enforced at all
 * @forge: the token's; NULL: reported already
 */
void check_job_rules(const struct draft *draft, const struct section *section,
                     const struct section *forge);

/** check_id_tokens() - of a forge: that it can issue the ID tokens that are to be accepted */
void check_id_tokens(const struct draft *draft, const struct section *section);
