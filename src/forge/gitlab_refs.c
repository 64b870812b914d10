/*
 * What protects a ref at GitLab.  Of a branch that is there GitLab says whether who asks may push
 * to it; of one that is to be made, and of a tag, the list of protected names and their access
 * levels tells.
 */
#include <fnmatch.h>
#include <string.h>

#include "forge/gitlab_probes.h"

enum push { PUSH_NO, PUSH_CANNOT_TELL, PUSH_YES };

/* One entry of "push_access_levels": a role, a person, or a group, of which the members are not
 * seen. */
static enum push entry_allows(const struct forge_inquiry *inquiry, const json_t *entry) {
        json_int_t level, id, self;

        if (json_member_int(entry, "user_id", &id)) {
                if (!json_member_int(inquiry_object(inquiry, USER, 200), "id", &self))
                        return PUSH_CANNOT_TELL;
                return id == self ? PUSH_YES : PUSH_NO;
        }
        if (json_member_int(entry, "group_id", &id))
                return PUSH_CANNOT_TELL;
        if (json_member_int(entry, "deploy_key_id", &id))
                return PUSH_NO;
        if (!json_member_int(entry, "access_level", &level))
                return PUSH_CANNOT_TELL;
        if (level == 0)
                return PUSH_NO;
        if (gitlab_level(inquiry) < 0)
                return PUSH_CANNOT_TELL;
        return gitlab_level(inquiry) >= level ? PUSH_YES : PUSH_NO;
}

static enum push levels_allow(const struct forge_inquiry *inquiry, const json_t *levels) {
        enum push allows = json_is_array(levels) ? PUSH_NO : PUSH_CANNOT_TELL;
        const json_t *entry;
        size_t i;

        json_array_foreach(levels, i, entry) {
                enum push one = entry_allows(inquiry, entry);

                if (one > allows)
                        allows = one;
        }
        return allows;
}

/* Of several names that fit any one that lets the push through is enough (GitLab's
 * doc/user/project/protected_branches.md).
 */
static bool find_protection(const struct forge_inquiry *inquiry, const json_t *list,
                            const char *ref, const char *levels, enum push *ret) {
        bool found = false;
        const json_t *entry;
        size_t i;

        *ret = PUSH_NO;
        json_array_foreach(list, i, entry) {
                const char *name = json_member_string(entry, "name");
                enum push one = levels_allow(inquiry, json_object_get(entry, levels));

                if (!name || fnmatch(name, ref, 0) != 0)
                        continue;
                found = true;
                if (one > *ret)
                        *ret = one;
        }
        return found;
}

static void judge_push(const struct forge_inquiry *inquiry, enum push push,
                       struct forge_finding *ret) {
        if (push == PUSH_YES)
                forge_finding_yes(inquiry, ret, "{ref} is protected, and {who} may push to it");
        else if (push == PUSH_NO)
                forge_finding_set(
                    inquiry, ret, DIAG_FORGE_BRANCH_PROTECTED,
                    "{ref} of {repository} is protected, and the role of {who} may not push to it",
                    "Allow the role of {who}, or {who}, on it "
                    "({url}/{repository}/-/settings/repository), or open a merge "
                    "request.");
        else
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "{ref} is protected, and whether {who} may push to it depends on "
                                  "a group or a role that is not shown",
                                  "Look at {url}/{repository}/-/settings/repository.");
}

static void judge_listed(const struct forge_inquiry *inquiry, size_t probe, const char *name,
                         const char *levels, struct forge_finding *ret) {
        bool is_whole;
        const json_t *list = inquiry_list(inquiry, probe, &is_whole);
        bool is_protected;
        enum push push;

        if (!list) {
                forge_finding_refused(inquiry, probe, ret);
                forge_finding_unseen(ret);
                return;
        }
        is_protected = find_protection(inquiry, list, name, levels, &push);
        if (!is_whole && push != PUSH_YES) {
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "{repository} has more protected names than are read here, and "
                                  "{ref} may be one of them",
                                  "Look at {url}/{repository}/-/settings/repository.");
        } else if (is_protected) {
                judge_push(inquiry, push, ret);
        } else {
                forge_finding_yes(inquiry, ret, "{ref} is not protected");
        }
}

void gitlab_judge_ref(const struct forge_inquiry *inquiry, struct forge_finding *ret) {
        const json_t *may = json_object_get(inquiry_object(inquiry, BRANCH, 200), "can_push");

        if (gitlab_is_job(inquiry))
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "a job's own token does not see what protects {ref}",
                                  "Ask with a token of a project or a person.");
        else if (inquiry_tag(inquiry))
                judge_listed(inquiry, PROTECTED_TAGS, inquiry_tag(inquiry), "create_access_levels",
                             ret);
        else if (!inquiry_branch(inquiry))
                forge_finding_set(inquiry, ret, DIAG_FORGE_CANNOT_TELL,
                                  "{ref} is neither a branch nor a tag",
                                  "Name a branch (refs/heads/NAME) or a tag (refs/tags/NAME).");
        else if (json_is_true(may))
                forge_finding_yes(inquiry, ret, "GitLab says that {who} may push to {branch}");
        else if (json_is_false(may))
                judge_push(inquiry, PUSH_NO, ret);
        else if (inquiry_status(inquiry, BRANCH) == 404)
                judge_listed(inquiry, PROTECTED, inquiry_branch(inquiry), "push_access_levels",
                             ret);
        else {
                forge_finding_refused(inquiry, BRANCH, ret);
                forge_finding_unseen(ret);
        }
}
