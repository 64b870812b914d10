"""Forgejo and Gitea: git over HTTP (routers/web/repo/githttp.go).  Readers get the advertisement of a push as well:
for refs/for/* the right is looked at later, by the hook (routers/private/hook_pre_receive.go)."""
from forge.state import WRITE, matching
from forge.web import text


def unauthorized(forge):
    realms = ['Basic realm="Gitea"']
    if forge.name != "Forgejo":
        realms.append('Basic realm="Gitea (Basic Auth)"')
    return text(401, "Unauthorized\n", {"WWW-Authenticate": realms})


def gate(forge, request, path, service):
    owner = path.partition("/")[0]
    if not forge.state.owner_exists(owner):
        raise text(404, "Not found.\n")
    is_push = service == "git-receive-pack"
    full_name, repository = forge.state.repository(path)
    if repository and repository.get("archived") and is_push:
        raise text(403, "This repo is archived. You can view files and clone it, but cannot push or open issues/pull-requests.")
    caller = forge.caller_of(request)
    if is_push or repository is None or repository.get("private") or forge.state.setting("require_signin"):
        if not caller:
            raise unauthorized(forge)
        require_access(forge, request, caller, full_name, repository, is_push)
    if repository is None and not (is_push and forge.state.setting("push_to_create")):
        if not is_push:
            raise text(404, "Repository not found")
        kind = "organizations" if forge.state.is_organization(owner) else "users"
        raise text(403, f"Push to create is not enabled for {kind}.")
    return full_name, repository


def require_access(forge, request, caller, full_name, repository, is_push):
    scoped = request.basic() is not None    # with a bearer the scopes are not looked at
    if scoped and not caller.has_scope("write" if is_push else "read", "repository"):
        raise text(403, "Forbidden\n")
    if scoped and caller.public_only and repository and repository.get("private"):
        raise text(403, "Forbidden\n")
    if caller.login and forge.state.data["users"].get(caller.login, {}).get("disabled"):
        raise text(403, "Your account is disabled.")
    if repository is None:
        return
    if caller.job and caller.job["repository"] != full_name:
        raise text(403, "User permission denied") if forge.name == "Forgejo" else text(404, "Repository not found")
    if not forge.right(caller, full_name, repository, "code"):
        raise text(404, "Repository not found")
    if is_push and repository.get("mirror"):
        raise text(403, "mirror repository is read-only")


def hook(forge, request, full_name, repository, branch):
    caller = forge.caller_of(request)
    words = None
    if forge.right(caller, full_name, repository, "code") < WRITE:
        words = "User permission denied for writing."
    elif repository.get("quota_exceeded"):
        words = "Quota exceeded"
    else:
        protection = matching(repository.get("protected_branches"), branch)[1]
        if protection is not None and caller.login not in protection.get("push", []):
            words = f"Not allowed to push to protected branch {branch}"
    return words and ([f"{forge.name}: {words}"], "pre-receive hook declined")
