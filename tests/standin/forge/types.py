"""What each type is put together from.  The first route that fits a request answers it."""
from forge import (git, gitea_git, gitea_registry, gitea_releases, gitea_repository, gitea_user, github, github_git,
                   github_registry, github_releases, github_rules, gitlab, gitlab_git, gitlab_project, gitlab_registry, oidc)
from forge.gitea import Forgejo, Gitea
from forge.github import GitHub
from forge.gitlab import GitLab

REPOSITORIES = gitea_repository.ROUTES + gitea_releases.ROUTES + gitea_registry.ROUTES + git.ROUTES
GITHUB = oidc.routes("github") + github.ROUTES + github_rules.ROUTES + github_releases.ROUTES + github_registry.ROUTES + git.ROUTES
GITLAB = oidc.routes("gitlab") + gitlab.ROUTES + gitlab_project.ROUTES + gitlab_registry.ROUTES + git.ROUTES

# Its class, its routes, its side of git.py, and of registry.py where its registry wants a bearer.
TYPES = {
    "forgejo": (Forgejo, gitea_user.FORGEJO + oidc.routes("forgejo") + REPOSITORIES, gitea_git, None),
    "gitea": (Gitea, gitea_user.GITEA + REPOSITORIES, gitea_git, None),
    "github": (GitHub, GITHUB, github_git, github_registry),
    "gitlab": (GitLab, GITLAB, gitlab_git, gitlab_registry),
}


def make(name, state, origin, git_root):
    forge_class, *parts = TYPES[name]
    state.issuer = oidc.Issuer(name, origin) if name in oidc.PLACES else None
    return forge_class(state, origin, git_root, *parts)
