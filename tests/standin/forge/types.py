"""What each type is put together from.  The first route that fits a request answers it."""
from forge import gitea_git, gitea_registry, gitea_releases, gitea_repository, gitea_user, github, gitlab
from forge.gitea import Forgejo, Gitea
from forge.github import GitHub
from forge.gitlab import GitLab

REPOSITORIES = gitea_repository.ROUTES + gitea_releases.ROUTES + gitea_registry.ROUTES + gitea_git.ROUTES

TYPES = {
    "forgejo": (Forgejo, gitea_user.FORGEJO + REPOSITORIES),
    "gitea": (Gitea, gitea_user.GITEA + REPOSITORIES),
    "github": (GitHub, github.ROUTES),
    "gitlab": (GitLab, gitlab.ROUTES),
}


def make(name, state, origin):
    forge_class, routes = TYPES[name]
    return forge_class(state, origin, routes)
