"""Forgejo and Gitea: a repository, its branches, and what may be made in it."""
from forge.gitea import Place
from forge.gitea_user import DATE, user_object
from forge.state import ADMIN, READ, WRITE, branches_of, matching
from forge.web import Answer


def get_repository(forge, request, owner, name):
    place = Place(forge, request, "repository", owner, name)
    repository, right = place.repository, place.right("code")
    return Answer(200, {
        "id": repository.get("id", 1), "owner": user_object(forge, place.full_name.partition("/")[0]),
        "name": place.full_name.partition("/")[2], "full_name": place.full_name, "description": "",
        "empty": bool(repository.get("empty")), "private": bool(repository.get("private")), "fork": False,
        "template": False, "mirror": bool(repository.get("mirror")), "size": 24, "archived": bool(repository.get("archived")),
        "default_branch": repository.get("default_branch", "main"),
        "html_url": f"{forge.origin}/{place.full_name}", "clone_url": f"{forge.origin}/{place.full_name}.git",
        # The person's right on the code: what the token's scopes say is not mixed in.
        "permissions": {"admin": right >= ADMIN, "push": right >= WRITE, "pull": right >= READ},
        "has_issues": place.has_unit("issues"), "has_pull_requests": place.has_unit("pulls"),
        "has_releases": place.has_unit("releases"), "has_packages": True, "created_at": DATE, "updated_at": DATE})


def get_branch(forge, request, owner, name, branch):
    place = Place(forge, request, "repository", owner, name).reader("code")
    if branch not in branches_of(place.repository):
        raise forge.not_found(f"branch does not exist [name: {branch}]")
    rule, protection = matching(place.repository.get("protected_branches"), branch)
    # A job's token stands for a user that is in no list and has no access of its own.
    may_write = bool(place.caller) and not place.caller.job and place.right("code") >= WRITE
    allowed = may_write and (protection is None or place.caller.login in protection.get("push", []))
    may_merge = may_write and (protection is None or place.caller.login in protection.get("merge", protection.get("push", [])))
    return Answer(200, {
        "name": branch, "commit": {"id": "6" * 40, "message": "first", "url": f"{forge.origin}/{place.full_name}/commit/" + "6" * 40},
        "protected": protection is not None, "required_approvals": 0, "enable_status_check": False,
        "status_check_contexts": [], "user_can_push": allowed, "user_can_merge": may_merge,
        "effective_branch_protection_name": rule or ""})


def list_protections(forge, request, owner, name, kind):
    place = Place(forge, request, "repository", owner, name).signed_in().admin()
    table = place.repository.get("protected_branches" if kind == "branch" else "protected_tags", {})
    return Answer(200, [{"rule_name": pattern} if kind == "branch" else {"name_pattern": pattern} for pattern in table])


def made(forge, place, kind, entry):
    entry["id"] = forge.state.next_id()
    place.repository.setdefault(kind, []).append(entry)
    return Answer(201, {**entry, "url": f"{forge.origin}/{place.full_name}"})


def create_branch(forge, request, owner, name):
    place = Place(forge, request, "repository", owner, name).reader("code").signed_in().writer("code").not_archived()
    form = place.form("BranchName")
    place.within_quota()
    return made(forge, place, "new_branches", {"name": form["new_branch_name"]})


def create_tag(forge, request, owner, name):
    place = Place(forge, request, "repository", owner, name).reader("code").signed_in().writer("code").not_archived()
    form = place.form("TagName")
    place.within_quota()
    return made(forge, place, "new_tags", {"name": form["tag_name"]})


def pinned_issues(forge, request, owner, name):
    Place(forge, request, "issue", owner, name).reader("issues")
    return Answer(200, [])


def create_issue(forge, request, owner, name):
    place = Place(forge, request, "issue", owner, name).signed_in().not_archived()
    form = place.form("Title")
    place.reader("issues")      # after the body, here
    return made(forge, place, "new_issues", {"title": form["title"]})


def create_label(forge, request, owner, name):
    place = Place(forge, request, "issue", owner, name).signed_in().writer("issues", "pulls")
    form = place.form("Name", "Color")
    return made(forge, place, "new_labels", {"name": form["name"]})


def create_pull(forge, request, owner, name):
    place = Place(forge, request, "repository", owner, name)
    if place.right("pulls") < READ:
        raise forge.not_found()
    place.reader("code").signed_in().not_archived()
    form = place.form("Head", "Base", "Title")
    return made(forge, place, "new_pulls", {"title": form["title"]})


HERE = r"/api/v1/repos/([^/]+)/([^/]+)"
ROUTES = [
    ("GET", HERE, get_repository),
    ("GET", HERE + r"/branches/(.+)", get_branch),
    ("POST", HERE + r"/branches", create_branch),
    ("GET", HERE + r"/(branch|tag)_protections", list_protections),
    ("POST", HERE + r"/tags", create_tag),
    ("GET", HERE + r"/issues/pinned", pinned_issues),
    ("POST", HERE + r"/issues", create_issue),
    ("POST", HERE + r"/labels", create_label),
    ("POST", HERE + r"/pulls", create_pull),
]
