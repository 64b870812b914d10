#include "forge/forgejo_probes.h"

#include <string.h>

bool forgejo_is_job(const struct forge_inquiry *inquiry) {
        const char *login = json_member_string(inquiry->replies[USER].root, "login");

        return login &&
               (strcmp(login, "forgejo-actions") == 0 || strcmp(login, "gitea-actions") == 0);
}

/* "[TagName]: Required" with 422, and no other: all that stands before the body was passed. */
bool forgejo_is_refused_for_body(const struct forge_inquiry *inquiry, size_t probe) {
        static const char tail[] = ": Required";
        const char *text = inquiry->replies[probe].text;
        size_t length = strlen(text);

        return inquiry_status(inquiry, probe) == 422 && text[0] == '[' && length > sizeof(tail) &&
               strcmp(text + length - (sizeof(tail) - 1), tail) == 0 &&
               json_is_object(inquiry->replies[probe].root);
}

static bool wants_tokens(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return inquiry->question.forge->type == FORGE_FORGEJO &&
               inquiry_status(inquiry, USER) == 200 && !forgejo_is_job(inquiry);
}

static bool wants_token(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return inquiry->question.forge->type == FORGE_GITEA && !forgejo_is_job(inquiry);
}

/* Only where the right is there: what is refused anyway need not be tried. */
static bool wants_create(const struct forge_inquiry *inquiry, size_t releases) {
        return inquiry->question.write_probe && forgejo_is_refused_for_body(inquiry, releases);
}

#define REPO  "{api}/repos/{repository}"
#define ZEROS "0000000000000000"

const struct forge_probe forgejo_probes[FORGEJO_PROBES] = {
        [USER] = { "GET", "{api}/user", STEP_API, AUTH_API, .wanted = NULL },
        [TOKENS] = { "GET", "{api}/users/{login}/tokens", STEP_API, AUTH_BASIC,
                     .wanted = wants_tokens },
        [TOKEN] = { "GET", "{api}/token", STEP_API, AUTH_API, .wanted = wants_token },
        [REPOSITORY] = { "GET", REPO, STEP_API, AUTH_API, .needs = FORGE_NEEDS_REPOSITORY },
        [FETCH] = { "GET", FORGE_FETCH_URL, STEP_GIT, AUTH_BASIC,
                    .needs = 1u << NEED_CONTENTS_READ },
        [PUSH] = { "GET", FORGE_PUSH_URL, STEP_GIT, AUTH_BASIC,
                   .needs = 1u << NEED_CONTENTS_WRITE },
        [BRANCHES] = { "POST", REPO "/branches", STEP_API, AUTH_API, "{}",
                       .needs = 1u << NEED_CONTENTS_WRITE },
        [BRANCH] = { "GET", REPO "/branches/{branch}", STEP_API, AUTH_API,
                     .wanted = inquiry_wants_branch },
        [TAGS] = { "POST", REPO "/tags", STEP_API, AUTH_API, "{}", .wanted = inquiry_wants_tag },
        [TAG_RULES] = { "GET", REPO "/tag_protections", STEP_API, AUTH_API,
                        .wanted = inquiry_wants_tag },
        [RELEASES] = { "POST", REPO "/releases", STEP_API, AUTH_API, "{}",
                       .needs = 1u << NEED_RELEASE_WRITE },
        [ISSUES] = { "POST", REPO "/issues", STEP_API, AUTH_API, "{}",
                     .needs = 1u << NEED_ISSUES_WRITE },
        [PINNED] = { "GET", REPO "/issues/pinned", STEP_API, AUTH_API,
                     .needs = 1u << NEED_ISSUES_WRITE },
        [PULLS] = { "POST", REPO "/pulls", STEP_API, AUTH_API, "{}",
                    .needs = 1u << NEED_PULL_WRITE },
        [UPLOAD] = { "POST",
                     "{registry}/v2/{image}/blobs/uploads/?digest=sha256:" ZEROS ZEROS ZEROS ZEROS,
                     STEP_REGISTRY, AUTH_BASIC, .needs = 1u << NEED_PACKAGES_WRITE },
        [CREATE] = { "POST", REPO "/releases", STEP_API, AUTH_API, DRAFT_BODY,
                     .wanted = wants_create, .of = RELEASES },
        [FIND] = { "GET", REPO "/releases?draft=true&limit=10", STEP_API, AUTH_API,
                   .cleans_up = true, .wanted = draft_may_be_there, .of = CREATE },
        [DELETE] = { "DELETE", REPO "/releases/{draft}", STEP_API, AUTH_API, .cleans_up = true,
                     .wanted = draft_wants_delete, .of = CREATE },
        [DELETE_AGAIN] = { "DELETE", REPO "/releases/{draft}", STEP_API, AUTH_API,
                           .cleans_up = true, .wanted = inquiry_delete_failed, .of = DELETE },
        /* What a delete leaves is a row for the tag, though there is no such tag. */
        [UNTAG] = { "DELETE", REPO "/tags/{probe}", STEP_API, AUTH_API, .cleans_up = true,
                    .wanted = draft_is_deleted, .of = CREATE },
        [UNTAG_AGAIN] = { "DELETE", REPO "/tags/{probe}", STEP_API, AUTH_API, .cleans_up = true,
                          .wanted = inquiry_delete_failed, .of = UNTAG },
};

_Static_assert(FORGEJO_PROBES <= FORGE_PROBES_MAX, "more probes than an inquiry has room for");
