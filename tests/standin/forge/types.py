"""What each type is put together from.  The first route that fits a request answers it."""
from forge import (gitea_git, gitea_registry, gitea_releases, gitea_repository, gitea_user, github, github_git,
                   github_registry, github_releases, github_rules, gitlab, gitlab_project, gitlab_registry)
from forge.gitea import Forgejo, Gitea
from forge.github import GitHub
from forge.gitlab import GitLab

REPOSITORIES = gitea_repository.ROUTES + gitea_releases.ROUTES + gitea_registry.ROUTES + gitea_git.ROUTES
GITHUB = github.ROUTES + github_rules.ROUTES + github_releases.ROUTES + github_registry.ROUTES + github_git.ROUTES
GITLAB = gitlab.ROUTES + gitlab_registry.ROUTES + gitlab_project.ROUTES

# Its class, its routes, and the module of its registry where that wants a bearer.
TYPES = {
    "forgejo": (Forgejo, gitea_user.FORGEJO + REPOSITORIES, None),
    "gitea": (Gitea, gitea_user.GITEA + REPOSITORIES, None),
    "github": (GitHub, GITHUB, github_registry),
    "gitlab": (GitLab, GITLAB, gitlab_registry),
}


def make(name, state, origin):
    forge_class, routes, registry = TYPES[name]
    return forge_class(state, origin, routes, registry)
