#include "forge/forgejo_probes.h"

#include <string.h>

bool forgejo_is_job(const struct forge_inquiry *inquiry) {
        const char *login = json_member_string(inquiry->replies[USER].root, "login");

        return login && (strcmp(login, "forgejo-actions") == 0 || strcmp(login, "gitea-actions") == 0);
}

/* "[TagName]: Required" with 422, and no other: all that stands before the body was passed. */
bool forgejo_is_refused_for_body(const struct forge_inquiry *inquiry, size_t probe) {
        static const char tail[] = ": Required";
        const char *text = inquiry->replies[probe].text;
        size_t length = strlen(text);

        return inquiry_status(inquiry, probe) == 422 && text[0] == '[' && length > sizeof(tail) &&
               strcmp(text + length - (sizeof(tail) - 1), tail) == 0 && json_is_object(inquiry->replies[probe].root);
}

static bool wants_tokens(const struct forge_inquiry *inquiry) {
        return inquiry->question.forge->type == FORGE_FORGEJO && inquiry_status(inquiry, USER) == 200 && !forgejo_is_job(inquiry);
}

static bool wants_token(const struct forge_inquiry *inquiry) {
        return inquiry->question.forge->type == FORGE_GITEA && !forgejo_is_job(inquiry);
}

static bool wants_repository(const struct forge_inquiry *inquiry) {
        return inquiry->question.repository[0] != '\0';
}

static bool wants_fetch(const struct forge_inquiry *inquiry) {
        return inquiry_needs(inquiry, NEED_CONTENTS_READ);
}

static bool wants_push(const struct forge_inquiry *inquiry) {
        return inquiry_needs(inquiry, NEED_CONTENTS_WRITE);
}

static bool wants_branch(const struct forge_inquiry *inquiry) {
        return inquiry_branch(inquiry) != NULL;
}

static bool wants_tags(const struct forge_inquiry *inquiry) {
        return inquiry_tag(inquiry) != NULL;
}

static bool wants_release(const struct forge_inquiry *inquiry) {
        return inquiry_needs(inquiry, NEED_RELEASE_WRITE);
}

static bool wants_issues(const struct forge_inquiry *inquiry) {
        return inquiry_needs(inquiry, NEED_ISSUES_WRITE);
}

static bool wants_pulls(const struct forge_inquiry *inquiry) {
        return inquiry_needs(inquiry, NEED_PULL_WRITE);
}

static bool wants_upload(const struct forge_inquiry *inquiry) {
        return inquiry_needs(inquiry, NEED_PACKAGES_WRITE);
}

/* Only where the right is there: what is refused anyway need not be tried. */
static bool wants_create(const struct forge_inquiry *inquiry) {
        return inquiry->question.write_probe && forgejo_is_refused_for_body(inquiry, RELEASES);
}

static bool wants_find(const struct forge_inquiry *inquiry) {
        return draft_may_be_there(inquiry, CREATE);
}

static bool wants_delete(const struct forge_inquiry *inquiry) {
        return draft_wants_delete(inquiry, CREATE);
}

static bool wants_delete_again(const struct forge_inquiry *inquiry) {
        return draft_wants_delete_again(inquiry, CREATE);
}

/* What a delete leaves is a row for the tag, though there is no such tag. */
static bool wants_untag(const struct forge_inquiry *inquiry) {
        return draft_is_deleted(inquiry, CREATE);
}

static bool wants_untag_again(const struct forge_inquiry *inquiry) {
        return inquiry_is_over(inquiry, UNTAG) && !inquiry_is_gone(inquiry, UNTAG);
}

#define REPO "{api}/repos/{repository}"
#define ZEROS "0000000000000000"

const struct forge_probe forgejo_probes[FORGEJO_PROBES] = {
        [USER] = { "GET", "{api}/user", STEP_API, AUTH_API, NULL, false, NULL },
        [TOKENS] = { "GET", "{api}/users/{login}/tokens", STEP_API, AUTH_BASIC, NULL, false, wants_tokens },
        [TOKEN] = { "GET", "{api}/token", STEP_API, AUTH_API, NULL, false, wants_token },
        [REPOSITORY] = { "GET", REPO, STEP_API, AUTH_API, NULL, false, wants_repository },
        [FETCH] = { "GET", "{base}/{repository}.git/info/refs?service=git-upload-pack", STEP_GIT, AUTH_BASIC, NULL, false,
                    wants_fetch },
        [PUSH] = { "GET", "{base}/{repository}.git/info/refs?service=git-receive-pack", STEP_GIT, AUTH_BASIC, NULL, false,
                   wants_push },
        [BRANCHES] = { "POST", REPO "/branches", STEP_API, AUTH_API, "{}", false, wants_push },
        [BRANCH] = { "GET", REPO "/branches/{branch}", STEP_API, AUTH_API, NULL, false, wants_branch },
        [TAGS] = { "POST", REPO "/tags", STEP_API, AUTH_API, "{}", false, wants_tags },
        [TAG_RULES] = { "GET", REPO "/tag_protections", STEP_API, AUTH_API, NULL, false, wants_tags },
        [RELEASES] = { "POST", REPO "/releases", STEP_API, AUTH_API, "{}", false, wants_release },
        [ISSUES] = { "POST", REPO "/issues", STEP_API, AUTH_API, "{}", false, wants_issues },
        [PINNED] = { "GET", REPO "/issues/pinned", STEP_API, AUTH_API, NULL, false, wants_issues },
        [PULLS] = { "POST", REPO "/pulls", STEP_API, AUTH_API, "{}", false, wants_pulls },
        [UPLOAD] = { "POST", "{registry}/v2/{image}/blobs/uploads/?digest=sha256:" ZEROS ZEROS ZEROS ZEROS, STEP_REGISTRY,
                     AUTH_BASIC, NULL, false, wants_upload },
        [CREATE] = { "POST", REPO "/releases", STEP_API, AUTH_API, DRAFT_BODY, false, wants_create },
        [FIND] = { "GET", REPO "/releases?draft=true&limit=10", STEP_API, AUTH_API, NULL, true, wants_find },
        [DELETE] = { "DELETE", REPO "/releases/{draft}", STEP_API, AUTH_API, NULL, true, wants_delete },
        [DELETE_AGAIN] = { "DELETE", REPO "/releases/{draft}", STEP_API, AUTH_API, NULL, true, wants_delete_again },
        [UNTAG] = { "DELETE", REPO "/tags/{probe}", STEP_API, AUTH_API, NULL, true, wants_untag },
        [UNTAG_AGAIN] = { "DELETE", REPO "/tags/{probe}", STEP_API, AUTH_API, NULL, true, wants_untag_again },
};

_Static_assert(FORGEJO_PROBES <= FORGE_PROBES_MAX, "more probes than an inquiry has room for");
