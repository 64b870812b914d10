"""Forgejo and Gitea: releases.  A release that is deleted stays as a row of the type "tag" until its tag is deleted."""
from forge.gitea import Place
from forge.gitea_user import DATE, user_object
from forge.state import WRITE, matching
from forge.web import Answer


def place_of(forge, request, owner, name):
    place = Place(forge, request, "repository", owner, name)
    if not place.has_unit("releases"):
        raise forge.not_found()
    return place.reader("releases")


def rows(place):
    return place.repository.setdefault("releases", [])


def row_of(forge, place, key, value):
    for row in rows(place):
        if row[key] == value:
            return row
    raise forge.not_found()


def release_object(forge, place, row):
    here = f"{forge.origin}/api/v1/repos/{place.full_name}/releases/{row['id']}"
    return {"id": row["id"], "tag_name": row["tag_name"], "target_commitish": row.get("target", "main"),
            "name": row["name"], "body": row.get("body", ""), "url": here, "upload_url": here + "/assets",
            "html_url": f"{forge.origin}/{place.full_name}/releases/tag/{row['tag_name']}", "draft": row["draft"],
            "prerelease": False, "created_at": DATE, "published_at": DATE, "assets": [],
            "author": user_object(forge, row.get("author", place.full_name.partition("/")[0]))}


def may_use_tag(place, tag):
    pattern, allowed = matching(place.repository.get("protected_tags"), tag)
    return pattern is None or place.caller.login in allowed


def create(forge, request, owner, name):
    place = place_of(forge, request, owner, name).signed_in().writer("releases")
    form = place.form("TagName")
    place.within_quota()
    tag = form["tag_name"]
    if place.repository.get("empty"):
        raise forge.error(422, "repo is empty")
    if not may_use_tag(place, tag):
        raise forge.error(422, f"release tag name is protected [tag_name: {tag}]")
    row = next((row for row in rows(place) if row["tag_name"] == tag), None)
    if row and not row["is_tag"]:
        raise forge.error(409, "Release has no Tag")
    if row is None:
        row = {"id": forge.state.next_id()}
        rows(place).append(row)
    row.update(tag_name=tag, name=form.get("name", ""), body=form.get("body", ""), draft=bool(form.get("draft")),
               target=form.get("target_commitish") or "main", is_tag=False, author=place.caller.login)
    return Answer(201, release_object(forge, place, row))


def get_list(forge, request, owner, name):
    place = place_of(forge, request, owner, name)
    shown = [row for row in rows(place) if not row["is_tag"] and (not row["draft"] or place.right("releases") >= WRITE)]
    return Answer(200, [release_object(forge, place, row) for row in shown])


def get_one(forge, request, owner, name, number):
    place = place_of(forge, request, owner, name)
    row = row_of(forge, place, "id", int(number))
    if row["is_tag"] or (row["draft"] and place.right("releases") < WRITE):
        raise forge.not_found()
    return Answer(200, release_object(forge, place, row))


def delete(forge, request, owner, name, number):
    place = place_of(forge, request, owner, name).signed_in().writer("releases")
    row = row_of(forge, place, "id", int(number))
    if row["is_tag"]:
        raise forge.not_found()
    row.update(is_tag=True, name="", body="")
    return Answer(204)


def delete_tag(forge, request, owner, name, tag):
    place = Place(forge, request, "repository", owner, name).reader("code").signed_in().writer("code").not_archived()
    row = row_of(forge, place, "tag_name", tag)
    if not row["is_tag"]:
        raise forge.error(409, "a tag attached to a release cannot be deleted directly")
    if not may_use_tag(place, tag):
        raise forge.error(422, "user not allowed to delete protected tag")
    rows(place).remove(row)
    return Answer(204)


HERE = r"/api/v1/repos/([^/]+)/([^/]+)"
ROUTES = [
    ("GET", HERE + r"/releases", get_list),
    ("POST", HERE + r"/releases", create),
    ("GET", HERE + r"/releases/(\d+)", get_one),
    ("DELETE", HERE + r"/releases/(\d+)", delete),
    ("DELETE", HERE + r"/tags/(.+)", delete_tag),
]
