#include "forge/draft.h"

#include <stdio.h>
#include <string.h>

enum { CREATE, FIND, DELETE, DELETE_AGAIN };

/* Nobody knows whether an answer that was lost made the draft. */
bool draft_may_be_there(const struct forge_inquiry *inquiry, size_t create) {
        int status = inquiry_status(inquiry, create + CREATE);

        return inquiry_is_over(inquiry, create + CREATE) && (status == 0 || status >= 500);
}

bool draft_id(const struct forge_inquiry *inquiry, size_t create, json_int_t *ret) {
        const json_t *made = inquiry_object(inquiry, create + CREATE, 201), *release;
        size_t i;

        if (made)
                return json_member_int(made, "id", ret);
        if (inquiry_status(inquiry, create + FIND) != 200)
                return false;
        json_array_foreach(inquiry->replies[create + FIND].root, i, release) {
                const char *tag = json_member_string(release, "tag_name");

                if (tag && strcmp(tag, inquiry->tag) == 0)
                        return json_member_int(release, "id", ret);
        }
        return false;
}

const char *draft_number(const struct forge_inquiry *inquiry, size_t create,
                         char made[static FORGE_MADE_MAX]) {
        json_int_t id;

        if (!draft_id(inquiry, create, &id))
                return NULL;
        (void)snprintf(made, FORGE_MADE_MAX, "%" JSON_INTEGER_FORMAT, id);
        return made;
}

bool draft_wants_delete(const struct forge_inquiry *inquiry, size_t create) {
        json_int_t id;

        return draft_id(inquiry, create, &id);
}

bool draft_is_deleted(const struct forge_inquiry *inquiry, size_t create) {
        return inquiry_is_gone(inquiry, create + DELETE) ||
               inquiry_is_gone(inquiry, create + DELETE_AGAIN);
}

const char *draft_evidence(const struct forge_inquiry *inquiry, size_t create) {
        return draft_is_deleted(inquiry, create)
                   ? "a draft release was made, and taken away again"
                   : "a draft release was made, which could not be taken away again";
}

/* Who was too slow to answer may be at it still, and FIND came too early.  What was never sent has
 * no address. */
static bool may_be_under_way(const struct forge_inquiry *inquiry, size_t create) {
        const struct forge_reply *reply = &inquiry->replies[create + CREATE];

        return inquiry_status(inquiry, create + CREATE) == 504 ||
               (reply->state == REPLY_NONE && reply->url &&
                reply->error.code == DIAG_UPSTREAM_TIMEOUT);
}

void draft_warn(const struct forge_inquiry *inquiry, size_t create, struct forge_report *report) {
        json_int_t id;

        if (draft_id(inquiry, create, &id)) {
                if (!draft_is_deleted(inquiry, create))
                        forge_report_warn(inquiry, report,
                                          "the draft release {draft} ({probe}) of {repository} "
                                          "could not be deleted: "
                                          "delete it there");
        } else if (inquiry_status(inquiry, create + CREATE) == 201 ||
                   may_be_under_way(inquiry, create) ||
                   (draft_may_be_there(inquiry, create) &&
                    inquiry_status(inquiry, create + FIND) != 200)) {
                forge_report_warn(inquiry, report,
                                  "it is not known whether a draft release {probe} was made in "
                                  "{repository}: look "
                                  "there, and delete it");
        }
}
