/*
 * A draft release as a write probe: made under a name that nobody else uses, and taken away again
 * by its number.
 *
 *      CREATE -> 201 -> DELETE -> failed -> DELETE_AGAIN
 *            '-> the answer was lost -> FIND -> DELETE -> ...
 *
 * The four stand one behind the other in a forge's table; @create is the index of the first.
 */
#pragma once

#include "forge/inquiry.h"

#define DRAFT_BODY                                                                                 \
        "{\"tag_name\":\"{probe}\",\"name\":\"{probe}\",\"draft\":true,"                           \
        "\"body\":\"A probe of forge-broker, which deletes it at once.\"}"

/** draft_may_be_there() - the answer to CREATE was lost: FIND is to tell whether there is one */
bool draft_may_be_there(const struct forge_inquiry *inquiry, size_t create);

/** draft_id() - its number, of the answer that made it or of the list that has it; false if none is
 * known to be there */
bool draft_id(const struct forge_inquiry *inquiry, size_t create, json_int_t *ret);

/** draft_number() - the same as text for "{draft}", or NULL */
const char *draft_number(const struct forge_inquiry *inquiry, size_t create,
                         char made[static FORGE_MADE_MAX]);

/** draft_wants_delete() - its number is known */
bool draft_wants_delete(const struct forge_inquiry *inquiry, size_t create);

/** draft_is_deleted() - by the first try or the second */
bool draft_is_deleted(const struct forge_inquiry *inquiry, size_t create);

/** draft_evidence() - of one that was made: what became of it */
const char *draft_evidence(const struct forge_inquiry *inquiry, size_t create);

/** draft_warn() - of one that is left, or may be */
void draft_warn(const struct forge_inquiry *inquiry, size_t create, struct forge_report *report);
