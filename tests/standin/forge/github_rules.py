"""GitHub: branches, what protects them, and who may pass."""
from forge.state import ADMIN, branches_of, matching
from forge.web import Answer


def rulesets_of(repository, branch):
    """The active rulesets of a branch, which need not exist."""
    return [ruleset for ruleset in repository.get("rulesets", []) if ruleset.get("enforcement", "active") == "active"
            and matching(dict.fromkeys(ruleset["branches"], True), branch)[1]]


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


def get_ruleset(forge, request, owner, name, number):
    caller, full_name, repository = forge.place(request, owner, name)
    for ruleset in repository.get("rulesets", []):
        if ruleset["id"] == int(number):
            return Answer(200, {
                "id": ruleset["id"], "name": ruleset.get("name", "main"), "target": "branch", "source_type": "Repository",
                "source": full_name, "enforcement": ruleset.get("enforcement", "active"),
                "conditions": {"ref_name": {"include": ["refs/heads/" + pattern for pattern in ruleset["branches"]],
                                            "exclude": []}},
                "rules": [{"type": rule} for rule in ruleset["rules"]],
                "current_user_can_bypass": can_bypass(caller, ruleset)})
    raise forge.not_found()


HERE = r"/api/v3/repos/([^/]+)/([^/]+)"
ROUTES = [
    ("GET", HERE + r"/branches/(.+)/protection", get_protection),
    ("GET", HERE + r"/branches/(.+)", get_branch),
    ("GET", HERE + r"/rules/branches/(.+)", get_rules),
    ("GET", HERE + r"/rulesets/(\d+)", get_ruleset),
]
