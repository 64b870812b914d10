"""GitHub: git over HTTP.  The advertisement of a push is for those who may push, and says nothing of rulesets."""
from forge.github_rules import can_bypass, rulesets_of
from forge.state import READ, WRITE, matching
from forge.web import text

RULES = {"pull_request": "Changes must be made through a pull request.", "creation": "Cannot create ref due to creations being "
         "restricted.", "update": "Cannot update this protected ref.", "required_signatures": "Commits must have verified "
         "signatures.", "required_status_checks": "Required status check is expected."}


def gate(forge, request, path, service):
    full_name, repository = forge.state.repository(path)
    is_push = service == "git-receive-pack"
    value = forge.value_of(request)
    if not value and repository and not repository.get("private") and not is_push:
        return full_name, repository
    request.caller = caller = forge.known(value) if value else None
    if caller is None:
        raise text(401, "Invalid username or token. Password authentication is not supported for Git operations.\n",
                   {"WWW-Authenticate": 'Basic realm="GitHub"'})
    if repository is None or not forge.is_visible(caller, full_name, repository):
        raise text(404, "Repository not found.\n")
    if forge.granted(caller, full_name, repository, "contents") < (WRITE if is_push else READ):
        if caller.kind == "fine-grained" or not is_push:
            raise text(403, "Write access to repository not granted.\n")
        raise text(403, f"Permission to {full_name}.git denied to {caller.name}.\n")
    if is_push and repository.get("archived"):
        raise text(403, "This repository was archived so it is read-only.\n")
    return full_name, repository


def hook(forge, request, full_name, repository, branch):
    """Classic protection first, then the rulesets; one that the pusher passes is said, and passed."""
    caller = request.caller
    protection = matching(repository.get("protected_branches"), branch)[1]
    if protection is not None and caller.name not in protection.get("push", []):
        return ([f"error: GH006: Protected branch update failed for refs/heads/{branch}.", "",
                 "- Changes must be made through a pull request."], "protected branch hook declined")
    violated = [ruleset for ruleset in rulesets_of(repository, branch) if set(ruleset["rules"]) & set(RULES)]
    if not violated:
        return None
    told = [f"- {RULES[rule]}" for ruleset in violated for rule in ruleset["rules"] if rule in RULES]
    if all(can_bypass(caller, ruleset) == "always" for ruleset in violated):
        return [f"Bypassed rule violations for refs/heads/{branch}:", "", *told], None
    return ([f"error: GH013: Repository rule violations found for refs/heads/{branch}.", "", *told],
            "push declined due to repository rule violations")
