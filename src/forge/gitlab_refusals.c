#include "forge/gitlab_probes.h"

#define NEW_SCOPE                                                                                  \
        "Create {new_token} with such a scope ({url}/-/user_settings/personal_access_tokens) and " \
        "store it {kept}."
#define ADD_MEMBER                                                                                 \
        "Check the spelling, and add {who} to {repository}: {url}/{repository}/-/project_members."
#define ADD_DEVELOPER                                                                              \
        "Give {who} the role Developer in {repository} ({url}/{repository}/-/project_members), "   \
        "and the token "                                                                           \
        "write_repository."
#define NEW_TOKEN                                                                                  \
        "Store a new token {kept}. Do not rotate the old one through the API: that revokes the "   \
        "new one as well."

const struct forge_refusal gitlab_refusals[] = {
        { STEP_API, 403, "insufficient_scope", DIAG_FORGE_SCOPE_MISSING,
          "{token} lacks the scope api or read_api", NEW_SCOPE },
        { STEP_API, 403, "403 Forbidden*", DIAG_FORGE_PERMISSION_MISSING,
          "{who} may not see that part of {repository}",
          "Give {who} the role Reporter or more in {repository}: "
          "{url}/{repository}/-/project_members." },
        { STEP_API, 404, "404 Project Not Found", DIAG_FORGE_REPOSITORY_INVISIBLE,
          "{repository} does not exist, or {who} cannot see it", ADD_MEMBER },

        { STEP_GIT, 401, "HTTP Basic: Access denied*", DIAG_FORGE_TOKEN_REJECTED,
          "git's side of {forge} does not accept the token", NEW_TOKEN },
        { STEP_GIT, 403, "You are not allowed to push code to this project.*",
          DIAG_FORGE_PERMISSION_MISSING, "{who} may not push to {repository}", ADD_DEVELOPER },
        { STEP_GIT, 403, "You are not allowed to download code from this project.*",
          DIAG_FORGE_PERMISSION_MISSING, "{who} may not fetch {repository}",
          "Give {who} the role Reporter in {repository} ({url}/{repository}/-/project_members), "
          "and the token "
          "read_repository." },
        { STEP_GIT, 404, "The project you were looking for *", DIAG_FORGE_REPOSITORY_INVISIBLE,
          "{repository} does not exist, or {who} cannot see it", ADD_MEMBER },

        { STEP_REGISTRY, 403, "DENIED: access forbidden*", DIAG_FORGE_PERMISSION_MISSING,
          "{who} may neither pull nor push {image}",
          "Give {who} the role Developer in the project of {image}, and the token the scope "
          "write_registry." },
        { STEP_REGISTRY, 401, "UNAUTHORIZED*", DIAG_FORGE_TOKEN_REJECTED,
          "the registry does not accept the token", NEW_TOKEN },
        { .text = NULL },
};
