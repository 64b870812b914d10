#include "forge/gitlab_probes.h"

#include <string.h>

#include "base/text.h"

/* Newer ones have these for personal, project and group tokens, and for those of jobs. */
#define PREFIX_OF_USER "glpat-"
#define PREFIX_OF_JOB  "glcbt-"

static bool wants_user(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return !text_starts_with(secret_bytes(inquiry->token), PREFIX_OF_JOB);
}

/* A token that GitLab knows as no user's may be a job's own; what shows whose it is would only be
 * refused once more. */
static bool wants_job(const struct forge_inquiry *inquiry, size_t user) {
        if (!wants_user(inquiry, user))
                return true;
        return !text_starts_with(secret_bytes(inquiry->token), PREFIX_OF_USER) &&
               inquiry_status(inquiry, user) == 401 &&
               strcmp(inquiry->replies[user].text, "401 Unauthorized") == 0;
}

/* The API is not open to a job's own token, but for few routes. */
static bool is_no_job(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return !gitlab_is_job(inquiry);
}

static bool wants_branch(const struct forge_inquiry *inquiry, size_t of) {
        return is_no_job(inquiry, of) && inquiry_branch(inquiry);
}

static bool wants_tag(const struct forge_inquiry *inquiry, size_t of) {
        return is_no_job(inquiry, of) && inquiry_tag(inquiry);
}

#define PROJECT_URL "{api}/projects/{repository%}"

const struct forge_probe gitlab_probes[GITLAB_PROBES] = {
        [USER] = { "GET", "{api}/user", STEP_API, AUTH_API, .wanted = wants_user },
        [JOB] = { "GET", "{api}/job", STEP_API, AUTH_JOB, .wanted = wants_job, .of = USER },
        [SELF] = { "GET", "{api}/personal_access_tokens/self", STEP_API, AUTH_API,
                   .wanted = is_no_job },
        [PROJECT] = { "GET", PROJECT_URL, STEP_API, AUTH_API, .needs = FORGE_NEEDS_REPOSITORY,
                      .wanted = is_no_job },
        [FETCH] = { "GET", FORGE_FETCH_URL, STEP_GIT, AUTH_BASIC,
                    .needs = 1u << NEED_CONTENTS_READ },
        [PUSH] = { "GET", FORGE_PUSH_URL, STEP_GIT, AUTH_BASIC,
                   .needs = 1u << NEED_CONTENTS_WRITE },
        [BRANCH] = { "GET", PROJECT_URL "/repository/branches/{branch%}", STEP_API, AUTH_API,
                     .wanted = wants_branch },
        [PROTECTED] = { "GET", PROJECT_URL "/protected_branches?per_page=100", STEP_API, AUTH_API,
                        .wanted = wants_branch },
        [PROTECTED_TAGS] = { "GET", PROJECT_URL "/protected_tags?per_page=100", STEP_API, AUTH_API,
                             .wanted = wants_tag },
        [REGISTRY] = { "GET",
                       "{base}/jwt/"
                       "auth?service=container_registry&scope=repository:{image}:push,pull",
                       STEP_REGISTRY, AUTH_BASIC, .needs = 1u << NEED_PACKAGES_WRITE },
};

_Static_assert(GITLAB_PROBES <= FORGE_PROBES_MAX, "more probes than an inquiry has room for");
