"""GitLab: git over HTTP.  A protected branch is looked at by the hook."""
from forge.gitlab import DEVELOPER
from forge.gitlab_project import may_push
from forge.web import text

DENIED = ("HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're "
          "required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or "
          "improperly scoped.")


def is_scoped(token, is_push):
    if token.get("kind") == "job":
        return not is_push
    wanted = {"api", "write_repository"} if is_push else {"api", "write_repository", "read_repository"}
    return bool(wanted & set(token.get("scopes", ["api"])))


def gate(forge, request, path, service):
    full_name, project = forge.state.repository(path)
    is_push = service == "git-receive-pack"
    value = forge.value_of(request)
    if not value and project and not project.get("private") and not is_push:
        return full_name, project
    token = forge.state.token(value)
    if token is None or token.get("state", "alive") != "alive":
        raise text(401, DENIED, {"WWW-Authenticate": 'Basic realm="GitLab"'})
    level = forge.level(token, full_name, project) if project else 0
    if project is None or (not level and project.get("private")):
        raise text(404, "The project you were looking for could not be found or you don't have permission to view it.")
    if not is_scoped(token, is_push) or (is_push and (level < DEVELOPER or project.get("archived"))):
        raise text(403, f"You are not allowed to {'push code to' if is_push else 'download code from'} this project.")
    return full_name, project


def hook(forge, request, full_name, project, branch):
    token = forge.state.token(forge.value_of(request))
    if may_push(token, forge.level(token, full_name, project), project, branch):
        return None
    return (["GitLab: You are not allowed to push code to protected branches on this project."], "pre-receive hook declined")
