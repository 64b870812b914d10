"""GitHub: releases, with drafts that only those see who may push."""
import re

from forge.state import WRITE
from forge.web import Answer

DATE = "2026-01-02T03:04:05Z"


def release_object(forge, full_name, row):
    here = f"{forge.origin}{forge.api}/repos/{full_name}/releases/{row['id']}"
    return {"id": row["id"], "tag_name": row["tag_name"], "target_commitish": row["target"], "name": row["name"],
            "body": row["body"], "draft": row["draft"], "prerelease": False, "url": here, "assets_url": here + "/assets",
            "upload_url": here + "/assets{?name,label}", "assets": [], "created_at": DATE, "published_at": None,
            "author": {"login": row["author"]}, "html_url": f"{forge.origin}/{full_name}/releases/tag/untagged-{row['id']}"}


def invalid(forge, words):
    return Answer(422, {"message": "Invalid request.\n\n" + words, "documentation_url": "https://docs.github.com/rest/releases/"
                        "releases#create-a-release", "status": "422"})


def create(forge, request, owner, name):
    """Whether the body or the permission is looked at first is not known: the setting tells, the body unless it says so."""
    form = request.json()
    if form is not None and not form.get("tag_name") and not forge.state.setting("permission_first"):
        forge.place(request, owner, name)
        raise invalid(forge, "\"tag_name\" wasn't supplied.")
    caller, full_name, repository = forge.place(request, owner, name, "contents", WRITE)
    if form is None:
        raise forge.error(400, "Problems parsing JSON")
    if not form.get("tag_name"):
        raise invalid(forge, "\"tag_name\" wasn't supplied.")
    if repository.get("archived"):
        raise forge.error(403, "Repository was archived so is read-only.")
    may_workflows = "workflow" in caller.scopes or caller.permissions.get("workflows") == "write"
    if re.fullmatch("[0-9a-f]{40}", form.get("target_commitish", "")) and not may_workflows:
        raise forge.lacking(caller, request)
    rows = repository.setdefault("releases", [])
    if any(row["tag_name"] == form["tag_name"] and not row["draft"] for row in rows):
        raise Answer(422, {"message": "Validation Failed", "errors": [{"resource": "Release", "code": "already_exists",
                           "field": "tag_name"}], "documentation_url": "https://docs.github.com/rest", "status": "422"})
    row = {"id": forge.state.next_id(), "tag_name": form["tag_name"], "name": form.get("name", ""), "body": form.get("body", ""),
           "draft": bool(form.get("draft")), "target": form.get("target_commitish", "main"), "author": caller.name}
    rows.append(row)
    return Answer(201, release_object(forge, full_name, row))


def get_list(forge, request, owner, name):
    caller, full_name, repository = forge.place(request, owner, name, "contents")
    pushes = forge.granted(caller, full_name, repository, "contents") >= WRITE
    return Answer(200, [release_object(forge, full_name, row) for row in repository.get("releases", [])
                        if pushes or not row["draft"]])


def delete(forge, request, owner, name, number):
    _, _, repository = forge.place(request, owner, name, "contents", WRITE)
    for row in repository.get("releases", []):
        if row["id"] == int(number):
            repository["releases"].remove(row)
            return Answer(204)
    raise forge.not_found()


HERE = r"/api/v3/repos/([^/]+)/([^/]+)"
ROUTES = [
    ("GET", HERE + r"/releases", get_list),
    ("POST", HERE + r"/releases", create),
    ("DELETE", HERE + r"/releases/(\d+)", delete),
]
