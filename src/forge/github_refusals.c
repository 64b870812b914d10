#include "forge/github_probes.h"

#define CHECK_NAME                                                                                 \
        "Check the spelling; give {who} access to {repository}, or, if the token is for selected " \
        "repositories only, select "                                                               \
        "it "                                                                                      \
        "in the token's or the App's settings."
#define UNARCHIVE "Unarchive it ({url}/{repository}/settings), or use another repository."
#define WAIT                                                                                       \
        "Stop asking for a while: after repeated bad tokens GitHub locks the address out. Then "   \
        "store a new token {kept}."
#define JOB_PERMISSIONS                                                                            \
        "Give the job the permission (permissions: contents: write). If it has that, Settings > "  \
        "Actions > General > "                                                                     \
        "Workflow "                                                                                \
        "permissions of {repository} or of the organisation above it is read-only, or a caller's " \
        "permissions: is narrower; "                                                               \
        "runs "                                                                                    \
        "of forks and of Dependabot only read. An App needs it in its installation."
#define JOB_PACKAGES                                                                               \
        "Give the job permissions: packages: write; if it has that, let the organisation "         \
        "{image_owner} take packages from "                                                        \
        "jobs."
#define SSO                                                                                        \
        "Authorise the token for the organisation {owner}: {url}/settings/tokens, 'Configure "     \
        "SSO'."
#define ROTATE "Rotate it: store a new token of {forge} {kept}."

const struct forge_refusal github_refusals[] = {
        { STEP_API, 403, "Resource not accessible by integration", DIAG_FORGE_SCOPE_MISSING,
          "the job's or App's token lacks the permission", JOB_PERMISSIONS },
        { STEP_API, 403, "Resource not accessible by personal access token",
          DIAG_FORGE_SCOPE_MISSING,
          "the fine-grained token lacks the permission, {repository} is not selected, or the "
          "organisation has not approved "
          "it yet",
          "Give the token {repository} and the permission ({url}/settings/personal-access-tokens), "
          "and look for a pending "
          "approval "
          "of the organisation {owner}." },
        { STEP_API, 403, "Resource protected by organization SAML enforcement.*",
          DIAG_FORGE_SCOPE_MISSING,
          "the token is not authorised for the organisation {owner}, which wants single sign-on",
          SSO },
        { STEP_API, 403, "Maximum number of login attempts exceeded.*", DIAG_FORGE_CANNOT_TELL,
          "GitHub has locked this address out", WAIT },
        { STEP_API, 403, "Repository was archived so is read-only.*", DIAG_FORGE_READ_ONLY,
          "{repository} is archived", UNARCHIVE },
        { STEP_API, 404, "Not Found", DIAG_FORGE_REPOSITORY_INVISIBLE,
          "{repository} does not exist, or the token cannot see it", CHECK_NAME },

        { STEP_GIT, 401, "*", DIAG_FORGE_TOKEN_REJECTED,
          "git's side of {forge} does not accept the token", ROTATE },
        { STEP_GIT, 403, "*SAML SSO*", DIAG_FORGE_SCOPE_MISSING,
          "the token is not authorised for the organisation {owner}, which wants single sign-on",
          SSO },
        { STEP_GIT, 403, "This repository was archived *", DIAG_FORGE_READ_ONLY,
          "{repository} is archived", UNARCHIVE },
        { STEP_GIT, 403, "Permission to * denied to *", DIAG_FORGE_PERMISSION_MISSING,
          "{who} may not write to {repository}",
          "Give {who} the role Write in {repository}: {url}/{repository}/settings/access." },
        { STEP_GIT, 403, "Write access to repository not granted.*", DIAG_FORGE_PERMISSION_MISSING,
          "{who} or the token may not write to {repository}",
          "Give {who} the role Write in {repository}, and the token Contents: read and write." },
        { STEP_GIT, 404, "*", DIAG_FORGE_REPOSITORY_INVISIBLE,
          "{repository} does not exist, or the token cannot see it", CHECK_NAME },

        { STEP_REGISTRY, 403, "DENIED: permission_denied: write_package*",
          DIAG_FORGE_PERMISSION_MISSING, "the token may not write the package {image}",
          "In the package's settings, 'Manage Actions access', add the repository with the role "
          "Write; a person needs the "
          "role "
          "Write in {image_owner}." },
        { STEP_REGISTRY, 403,
          "DENIED: permission_denied: The token provided does not match expected scopes*",
          DIAG_FORGE_SCOPE_MISSING, "the token lacks the scope write:packages",
          "Create a classic token with write:packages ({url}/settings/tokens) and store it "
          "{kept}." },
        { STEP_REGISTRY, 403, "DENIED: installation not allowed to *", DIAG_FORGE_SCOPE_MISSING,
          "the job's or App's token lacks the permission packages: write", JOB_PACKAGES },
        { STEP_REGISTRY, 401, "UNAUTHORIZED*", DIAG_FORGE_CANNOT_TELL,
          "the registry does not take the bearer of its own token endpoint",
          "Check registry of [forge {forge}]." },
        { STEP_REGISTRY, 403, "DENIED: denied*", DIAG_FORGE_CANNOT_TELL,
          "the registry's token endpoint does not take the token, which the API knows",
          "Check registry of [forge {forge}]." },
        { .text = NULL },
};
