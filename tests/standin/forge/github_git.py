"""GitHub: git over HTTP.  The advertisement of a push is for those who may push, and says nothing of rulesets."""
from forge import git
from forge.github_rules import branches_of
from forge.state import READ, WRITE
from forge.web import text


def info_refs(forge, request, path):
    service = request.query.get("service", "")
    full_name, repository = forge.state.repository(path)
    if service not in git.CAPABILITIES:
        return text(403, "Please upgrade your git client.")
    is_push = service == "git-receive-pack"
    value = forge.value_of(request)
    if not value and repository and not repository.get("private") and not is_push:
        return git.advertisement(service, branches_of(repository))
    caller = forge.known(value) if value else None
    if caller is None:
        return text(401, "Invalid username or token. Password authentication is not supported for Git operations.\n",
                    {"WWW-Authenticate": 'Basic realm="GitHub"'})
    if repository is None or not forge.is_visible(caller, full_name, repository):
        return text(404, "Repository not found.\n")
    if forge.granted(caller, full_name, repository, "contents") < (WRITE if is_push else READ):
        if caller.kind == "fine-grained" or not is_push:
            return text(403, "Write access to repository not granted.\n")
        return text(403, f"Permission to {full_name}.git denied to {caller.name}.\n")
    if is_push and repository.get("archived"):
        return text(403, "This repository was archived so it is read-only.\n")
    return git.advertisement(service, branches_of(repository))


ROUTES = [("GET", git.PATH, info_refs)]
