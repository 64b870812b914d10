"""GitHub: branches, what protects them, and who may pass."""
from forge.state import ADMIN, branches_of, matching
from forge.web import Answer


def is_active(ruleset):
    return ruleset.get("enforcement", "active") == "active"


def rulesets_of(repository, branch):
    """The active rulesets of a branch, which need not exist."""
    return [ruleset for ruleset in repository.get("rulesets", []) if is_active(ruleset)
            and matching(dict.fromkeys(ruleset.get("branches", []), True), branch)[1]]


def target_of(ruleset):
    return "tag" if "tags" in ruleset else "branch"


def get_branch(forge, request, owner, name, branch):
    _, full_name, repository = forge.place(request, owner, name, "contents")
    if branch not in branches_of(repository):
        raise forge.error(404, "Branch not found")
    classic = matching(repository.get("protected_branches"), branch)[1] is not None
    here = f"{forge.origin}{forge.api}/repos/{full_name}/branches/{branch}"
    return Answer(200, {"name": branch, "commit": {"sha": "6" * 40, "url": f"{forge.origin}/{full_name}/commit/" + "6" * 40},
                        "protected": classic or bool(rulesets_of(repository, branch)),
                        "protection": {"enabled": classic, "required_status_checks": {
                            "enforcement_level": "off", "contexts": [], "checks": []}},
                        "protection_url": here + "/protection"})


def get_protection(forge, request, owner, name, branch):
    _, full_name, repository = forge.place(request, owner, name, "administration", ADMIN)
    protection = matching(repository.get("protected_branches"), branch)[1]
    if protection is None:
        raise forge.error(404, "Branch not protected")
    return Answer(200, {"url": f"{forge.origin}{forge.api}/repos/{full_name}/branches/{branch}/protection",
                        "enforce_admins": {"enabled": True},
                        "restrictions": {"users": [{"login": login} for login in protection.get("push", [])], "teams": [],
                                         "apps": []}})


def get_rules(forge, request, owner, name, branch):
    _, full_name, repository = forge.place(request, owner, name)
    return Answer(200, [{"type": rule, "ruleset_source_type": "Repository", "ruleset_source": full_name,
                         "ruleset_id": ruleset["id"]}
                        for ruleset in rulesets_of(repository, branch) for rule in ruleset["rules"]])


def can_bypass(caller, ruleset):
    """A job's own token is never one that may."""
    return ruleset.get("bypass", {}).get(caller.name, "never") if caller.name != "github-actions[bot]" else "never"


def get_rulesets(forge, request, owner, name):
    """Those of a repository, active or not; targets= narrows the list."""
    _, full_name, repository = forge.place(request, owner, name)
    targets = request.query.get("targets", "branch,tag,push").split(",")
    return Answer(200, [{"id": ruleset["id"], "name": ruleset.get("name", "main"), "target": target_of(ruleset),
                         "source_type": "Repository", "source": full_name, "enforcement": ruleset.get("enforcement", "active")}
                        for ruleset in repository.get("rulesets", []) if target_of(ruleset) in targets])


def get_ruleset(forge, request, owner, name, number):
    caller, full_name, repository = forge.place(request, owner, name)
    for ruleset in repository.get("rulesets", []):
        if ruleset["id"] == int(number):
            target = target_of(ruleset)
            prefix, patterns = ("refs/tags/", ruleset["tags"]) if target == "tag" else ("refs/heads/", ruleset["branches"])
            return Answer(200, {
                "id": ruleset["id"], "name": ruleset.get("name", "main"), "target": target, "source_type": "Repository",
                "source": full_name, "enforcement": ruleset.get("enforcement", "active"),
                "conditions": {"ref_name": {"include": [prefix + pattern for pattern in patterns], "exclude": []}},
                "rules": [{"type": rule} for rule in ruleset["rules"]],
                "current_user_can_bypass": can_bypass(caller, ruleset)})
    raise forge.not_found()


HERE = r"/api/v3/repos/([^/]+)/([^/]+)"
ROUTES = [
    ("GET", HERE + r"/branches/(.+)/protection", get_protection),
    ("GET", HERE + r"/branches/(.+)", get_branch),
    ("GET", HERE + r"/rules/branches/(.+)", get_rules),
    ("GET", HERE + r"/rulesets", get_rulesets),
    ("GET", HERE + r"/rulesets/(\d+)", get_ruleset),
]
