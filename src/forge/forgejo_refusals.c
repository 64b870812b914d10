#include "forge/forgejo_probes.h"

#define ROTATE "Rotate it: store a new token of {forge} {kept}."
#define NEW_SCOPE                                                                                  \
        "Create {new_token} with {scope} ({url}/user/settings/applications) and store it {kept}."
#define ADD_WRITER                                                                                 \
        "Give {who} write access to {repository}: as a collaborator "                              \
        "({url}/{repository}/settings/collaboration), or through "                                 \
        "a team of {owner} that may write Code and Releases."
#define ADD_READER                                                                                 \
        "Check the spelling, and add {who} as a collaborator: "                                    \
        "{url}/{repository}/settings/collaboration."
#define UNARCHIVE "Unarchive it ({url}/{repository}/settings), or use another repository."
#define ACCOUNT   "Let the administrator of {forge} look at the account of {who}."
#define QUOTA     "The quota of {owner} is used up: ask the administrator of {forge}."
#define PASSWORD  "Store an access token {kept}: what is there is a password."

const struct forge_refusal forgejo_refusals[] = {
        { STEP_API, 403, "token does not have at least one of required scope(s): *",
          DIAG_FORGE_SCOPE_MISSING, "{token} lacks the scope {scope}", NEW_SCOPE },
        { STEP_API, 403, "token scope is limited to public *", DIAG_FORGE_SCOPE_MISSING,
          "the token is limited to public repositories",
          "Create {new_token} without 'public only', and store it {kept}." },
        { STEP_API, 403, "user should have a permission to write to a repo",
          DIAG_FORGE_PERMISSION_MISSING, "{who} may not write to {repository}", ADD_WRITER },
        { STEP_API, 403,
          "user should have specific read permission or be a repo admin or a site admin",
          DIAG_FORGE_PERMISSION_MISSING, "{who} may not read that part of {repository}",
          ADD_WRITER },
        { STEP_API, 403,
          "user should be an owner or a collaborator with admin write of a repository",
          DIAG_FORGE_PERMISSION_MISSING, "{who} is no administrator of {repository}", ADD_WRITER },
        { STEP_API, 403, "user should have a permission to write to this branch",
          DIAG_FORGE_BRANCH_PROTECTED, "{who} may not write to that branch of {repository}", NULL },
        { STEP_API, 404, "*", DIAG_FORGE_REPOSITORY_INVISIBLE,
          "{repository} does not exist, or {who} cannot see it", ADD_READER },
        { STEP_API, 413, "*", DIAG_FORGE_READ_ONLY, "the quota is used up", QUOTA },
        { STEP_API, 422, "*tag name is protected*", DIAG_FORGE_BRANCH_PROTECTED,
          "tags of that name are protected in {repository} against {who}",
          "Add {who} to those who may make such tags: {url}/{repository}/settings/tags." },
        { STEP_API, 422, "user not allowed to *protected tag*", DIAG_FORGE_BRANCH_PROTECTED,
          "tags of that name are protected in {repository} against {who}",
          "Add {who} to those who may make such tags: {url}/{repository}/settings/tags." },
        { STEP_API, 422, "repo is empty", DIAG_FORGE_READ_ONLY, "{repository} has no commit yet",
          "Push a first commit to {repository}." },
        { STEP_API, 423, "*", DIAG_FORGE_READ_ONLY, "{repository} is archived", UNARCHIVE },

        { STEP_GIT, 401, "Users with two-factor authentication enabled *",
          DIAG_FORGE_TOKEN_REJECTED, "the forge was sent a password and wants a token", PASSWORD },
        { STEP_GIT, 401, "*", DIAG_FORGE_TOKEN_REJECTED,
          "git's side of {forge} does not accept the token", ROTATE },
        { STEP_GIT, 403, "Forbidden", DIAG_FORGE_SCOPE_MISSING,
          "the token lacks the scope for git (read:repository, to push write:repository), or is "
          "limited to public repositories",
          "Create {new_token} with write:repository ({url}/user/settings/applications) and store "
          "it {kept}." },
        { STEP_GIT, 403, "This repo is archived.*", DIAG_FORGE_READ_ONLY,
          "{repository} is archived", UNARCHIVE },
        { STEP_GIT, 403, "mirror repository is read-only", DIAG_FORGE_READ_ONLY,
          "{repository} is a pull mirror", "Push to the repository that it mirrors." },
        { STEP_GIT, 403, "User permission denied", DIAG_FORGE_PERMISSION_MISSING,
          "it is a job's token of another repository than {repository}",
          "Use a token of the broker, not the job's own: 'forge-broker git', or checkout with "
          "persist-credentials: false." },
        { STEP_GIT, 403, "Your account is disabled.", DIAG_FORGE_PERMISSION_MISSING,
          "the account of {who} is disabled", ACCOUNT },
        { STEP_GIT, 403, "Push to create is not enabled for *", DIAG_FORGE_REPOSITORY_INVISIBLE,
          "there is no {repository}", ADD_READER },
        { STEP_GIT, 404, "*", DIAG_FORGE_REPOSITORY_INVISIBLE,
          "{repository} does not exist, or {who} cannot see it", ADD_READER },

        { STEP_REGISTRY, 401, "reqPackageAccess*", DIAG_FORGE_SCOPE_MISSING,
          "the token lacks the scope write:package, or {who} may not write packages of "
          "{image_owner}",
          "Create {new_token} with write:package and store it {kept}; if it has that, give {who} a "
          "team of {image_owner} "
          "with Packages: write." },
        { STEP_REGISTRY, 403, "reqToken*", DIAG_FORGE_SCOPE_MISSING,
          "the token is limited to public owners, and {image_owner} is private",
          "Create {new_token} without 'public only', and store it {kept}." },
        { STEP_REGISTRY, 401, "UNAUTHORIZED*", DIAG_FORGE_TOKEN_REJECTED,
          "the registry does not accept the token", ROTATE },
        { .text = NULL },
};
