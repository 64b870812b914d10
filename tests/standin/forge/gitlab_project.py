"""GitLab: projects and their branches."""
from forge.gitlab import API, DEVELOPER, MAINTAINER, REPORTER
from forge.state import branches_of, matching
from forge.web import Answer


def push_levels(forge, entry):
    """Who may push to a protected branch: a role, or persons; access_level 0 is nobody."""
    roles = [{"id": 1, "access_level": entry["push_level"], "access_level_description": "Maintainers", "user_id": None,
              "group_id": None}] if "push_level" in entry else []
    persons = [{"id": 2, "access_level": MAINTAINER, "access_level_description": login, "user_id": forge.state.user(login)["id"],
                "group_id": None} for login in entry.get("push", [])]
    return roles + persons or [{"id": 1, "access_level": 0, "access_level_description": "No one", "user_id": None,
                                "group_id": None}]


def may_push(token, level, project, branch):
    entry = matching(project.get("protected_branches"), branch)[1]
    if entry is None:
        return level >= DEVELOPER
    return level >= entry.get("push_level", 99) or token.get("user") in entry.get("push", [])


def get_project(forge, request, name):
    token = forge.authenticate(request, API)
    full_name, project, level = forge.project(token, name)
    group = project.get("group_access", {}).get(token["user"])
    return Answer(200, {
        "id": project.get("id", 1), "name": full_name.rpartition("/")[2], "path_with_namespace": full_name,
        "visibility": "private" if project.get("private") else "public", "archived": bool(project.get("archived")),
        "empty_repo": bool(project.get("empty")), "default_branch": project.get("default_branch", "main"),
        "mirror": bool(project.get("mirror")), "issues_enabled": True, "merge_requests_enabled": True,
        "http_url_to_repo": f"{forge.origin}/{full_name}.git", "permissions": {
            "project_access": {"access_level": level, "notification_level": 3} if level else None,
            "group_access": {"access_level": group, "notification_level": 3} if group else None}})


def protected_branches(forge, request, name, branch=""):
    token = forge.authenticate(request, API)
    _, project, level = forge.project(token, name)
    if level < REPORTER:
        raise Answer(403, {"message": "403 Forbidden"})
    found = [{"id": number, "name": pattern, "push_access_levels": push_levels(forge, entry), "merge_access_levels": [],
              "allow_force_push": False, "code_owner_approval_required": False}
             for number, (pattern, entry) in enumerate(project.get("protected_branches", {}).items(), 1)]
    if not branch:
        return Answer(200, found)
    for entry in found:
        if entry["name"] == branch:
            return Answer(200, entry)
    raise Answer(404, {"message": "404 Not found"})


def protected_tags(forge, request, name):
    """As for branches; in the state, a list of logins, or a level."""
    token = forge.authenticate(request, API)
    _, project, level = forge.project(token, name)
    if level < REPORTER:
        raise Answer(403, {"message": "403 Forbidden"})
    entries = {pattern: entry if isinstance(entry, dict) else {"push": entry}
               for pattern, entry in project.get("protected_tags", {}).items()}
    return Answer(200, [{"name": pattern, "create_access_levels": push_levels(forge, entry)} for pattern, entry in entries.items()])


def get_branch(forge, request, name, branch):
    token = forge.authenticate(request, API)
    full_name, project, level = forge.project(token, name)
    if branch not in branches_of(project):
        raise forge.missing("Branch")
    return Answer(200, {"name": branch, "merged": False, "default": branch == project.get("default_branch", "main"),
                        "protected": matching(project.get("protected_branches"), branch)[1] is not None,
                        "developers_can_push": False, "developers_can_merge": False,
                        "can_push": may_push(token, level, project, branch), "commit": {"id": "6" * 40},
                        "web_url": f"{forge.origin}/{full_name}/-/tree/{branch}"})


HERE = r"/api/v4/projects/([^/]+)"
ROUTES = [
    ("GET", HERE, get_project),
    ("GET", HERE + r"/protected_branches", protected_branches),
    ("GET", HERE + r"/protected_branches/([^/]+)", protected_branches),
    ("GET", HERE + r"/protected_tags", protected_tags),
    ("GET", HERE + r"/repository/branches/([^/]+)", get_branch),
]
