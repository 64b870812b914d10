"""Forgejo and Gitea: git over HTTP (routers/web/repo/githttp.go).  Readers get the advertisement of a push as well:
for refs/for/* the right is looked at later, by the hook."""
from forge import git
from forge.gitea_repository import branches_of
from forge.web import text


def unauthorized(forge):
    realms = ['Basic realm="Gitea"']
    if forge.name != "Forgejo":
        realms.append('Basic realm="Gitea (Basic Auth)"')
    return text(401, "Unauthorized\n", {"WWW-Authenticate": realms})


def info_refs(forge, request, path):
    owner, _, name = path.partition("/")
    service = request.query.get("service", "")
    if service not in git.CAPABILITIES or not forge.state.owner_exists(owner):
        return text(404, "Not found.\n")
    is_push = service == "git-receive-pack"
    full_name, repository = forge.state.repository(path)
    if repository and repository.get("archived") and is_push:
        return text(403, "This repo is archived. You can view files and clone it, but cannot push or open "
                         "issues/pull-requests.")
    caller = forge.caller_of(request)
    if is_push or repository is None or repository.get("private") or forge.state.setting("require_signin"):
        if not caller:
            return unauthorized(forge)
        answer = refusal(forge, request, caller, full_name, repository, is_push)
        if answer:
            return answer
    if repository is None:
        return not_there(forge, owner, service)
    return git.advertisement(service, branches_of(repository))


def refusal(forge, request, caller, full_name, repository, is_push):
    """Why this caller gets no advertisement; None for one that does."""
    scoped = request.basic() is not None    # with a bearer the scopes are not looked at
    if scoped and not caller.has_scope("write" if is_push else "read", "repository"):
        return text(403, "Forbidden\n")
    if scoped and caller.public_only and repository and repository.get("private"):
        return text(403, "Forbidden\n")
    if caller.login and forge.state.data["users"].get(caller.login, {}).get("disabled"):
        return text(403, "Your account is disabled.")
    if repository is None:
        return None
    if caller.job and caller.job["repository"] != full_name:
        return text(403, "User permission denied") if forge.name == "Forgejo" else text(404, "Repository not found")
    if not forge.right(caller, full_name, repository, "code"):
        return text(404, "Repository not found")
    if is_push and repository.get("mirror"):
        return text(403, "mirror repository is read-only")
    return None


def not_there(forge, owner, service):
    if service != "git-receive-pack":
        return text(404, "Repository not found")
    if forge.state.setting("push_to_create"):
        return git.advertisement(service, [])
    kind = "organizations" if forge.state.is_organization(owner) else "users"
    return text(403, f"Push to create is not enabled for {kind}.")


ROUTES = [("GET", git.PATH, info_refs)]
