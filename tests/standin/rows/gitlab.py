"""GitLab."""
from rows import ANY, exact

TYPES = ("gitlab",)
STATE = {
    "users": {"project_1_bot": {}, "reader": {}, "alice": {}},
    "tokens": {
        "glpat": {"user": "project_1_bot", "name": "release", "expires": "2026-12-31"},
        "reading": {"user": "project_1_bot", "scopes": ["read_api", "read_repository", "read_registry"]},
        "pushing": {"user": "project_1_bot", "scopes": ["write_repository"]},
        "reader": {"user": "reader"},
        "stranger": {"user": "alice"},
        "expired": {"user": "reader", "state": "expired"},
        "revoked": {"user": "reader", "state": "revoked"},
        "jobtoken": {"kind": "job", "job": {"repository": "group/sub/app", "run": 42, "actor": "alice", "ref": "main"}},
        "ended": {"kind": "job", "state": "ended", "job": {"repository": "group/sub/app"}},
    },
    "repositories": {
        "group/sub/app": {"id": 33, "private": True, "access": {"project_1_bot": "write", "reader": "read"},
                          "branches": ["main", "dev"],
                          "protected_branches": {"main": {"push_level": 40}, "v*": {"push": ["project_1_bot"]}, "no": {}},
                          "protected_tags": {"v*": {"push_level": 40}, "nightly-*": ["project_1_bot"]}},
        "group/open": {"id": 34},
        "group/attic": {"id": 35, "archived": True, "access": {"project_1_bot": "write"}},
    },
}
APP = "/api/v4/projects/group%2Fsub%2Fapp"
LEFT_NOTHING = exact(repositories={"": "exact"}, uploads=[], blobs=[])


def get(is_, path, as_, status, says=ANY, **row):
    return {"is": is_, "ask": "GET " + path, "as": as_, "status": status, "says": says, **row}


def scope(names):
    return exact(error="insufficient_scope", scope=names,
                 error_description="The request requires higher privileges than provided by the access token.")


def identity():
    for how in ("PRIVATE-TOKEN glpat", "Bearer glpat"):
        yield get("the user", "/api/v4/user", how, 200, {"username": "project_1_bot", "state": "active"})
    yield get("no scope", "/api/v4/user", "PRIVATE-TOKEN pushing", 403, scope("api read_api read_user"))
    yield get("unknown", "/api/v4/user", "PRIVATE-TOKEN nothing", 401, exact(message="401 Unauthorized"))
    yield get("none", "/api/v4/user", None, 401, exact(message="401 Unauthorized"))
    yield get("expired", "/api/v4/user", "PRIVATE-TOKEN expired", 401, exact(
        error="invalid_token", error_description="Token is expired. You can either do re-authorization or token refresh."))
    yield get("revoked", "/api/v4/user", "PRIVATE-TOKEN revoked", 401, exact(
        error="invalid_token", error_description="Token was revoked. You have to re-authorize from the user."))
    yield get("of itself", "/api/v4/personal_access_tokens/self", "PRIVATE-TOKEN glpat", 200,
              {"name": "release", "scopes": ["api"], "expires_at": "2026-12-31", "active": True, "revoked": False})
    yield get("with any scope", "/api/v4/personal_access_tokens/self", "PRIVATE-TOKEN pushing", 200, {"scopes": ["write_repository"]})
    yield get("the job", "/api/v4/job", "JOB-TOKEN jobtoken", 200,
              {"status": "running", "ref": "main", "user": {"username": "alice"}, "pipeline": {"id": 42, "source": "push"}})
    yield get("over", "/api/v4/job", "JOB-TOKEN ended", 401, exact(message="401 Unauthorized"))
    yield get("no job", "/api/v4/job", "PRIVATE-TOKEN glpat", 404, exact(message="404 Job Not Found"))
    yield get("a job's token is not a user's", "/api/v4/user", "PRIVATE-TOKEN jobtoken", 401)
    yield get("not a route", "/api/v4/nothing", "PRIVATE-TOKEN glpat", 404, exact(error="404 Not Found"))


def projects():
    for path in (APP, "/api/v4/projects/33"):
        yield get("a developer", path, "PRIVATE-TOKEN reading", 200, {
            "path_with_namespace": "group/sub/app", "archived": False,
            "permissions": exact(project_access=exact(access_level=30, notification_level=3), group_access=None)})
    yield get("a reporter", APP, "PRIVATE-TOKEN reader", 200, {"permissions": {"project_access": {"access_level": 20}}})
    yield get("through a group", APP, "PRIVATE-TOKEN reader", 200, {"permissions": {"group_access": {"access_level": 40}}},
              **{"with": {"repositories": {"group/sub/app": {"access": {"reader": "read"}, "group_access": {"reader": 40}}}}})
    yield get("not visible", APP, "PRIVATE-TOKEN stranger", 404, exact(message="404 Project Not Found"))
    yield get("public", "/api/v4/projects/group%2Fopen", "PRIVATE-TOKEN stranger", 200,
              {"permissions": exact(project_access=None, group_access=None)})
    yield get("archived", "/api/v4/projects/group%2Fattic", "PRIVATE-TOKEN glpat", 200, {"archived": True})
    yield get("protected", APP + "/protected_branches", "PRIVATE-TOKEN glpat", 200, [
        {"name": "main", "push_access_levels": [{"access_level": 40, "user_id": None}]},
        {"name": "v*", "push_access_levels": [{"user_id": 7}]}, {"name": "no", "push_access_levels": [{"access_level": 0}]}])
    yield get("protected tags", APP + "/protected_tags?per_page=100", "PRIVATE-TOKEN glpat", 200, [
        {"name": "v*", "create_access_levels": [{"access_level": 40, "user_id": None}]},
        {"name": "nightly-*", "create_access_levels": [{"user_id": 7}]}])
    yield get("not this one", APP + "/protected_branches/dev", "PRIVATE-TOKEN glpat", 404, exact(message="404 Not found"))
    for branch, may in (("main", False), ("dev", True)):
        yield get("a branch", f"{APP}/repository/branches/{branch}", "PRIVATE-TOKEN glpat", 200, {"name": branch, "can_push": may})
    yield get("no such branch", f"{APP}/repository/branches/x", "PRIVATE-TOKEN glpat", 404, exact(message="404 Branch Not Found"))


def git():
    for is_, path, as_, status, text in (
            ("a developer", "group/sub/app", "pushing", 200, ANY),
            ("no scope", "group/sub/app", "reading", 403, "You are not allowed to push code to this project."),
            ("a reporter", "group/sub/app", "reader", 403, "You are not allowed to push code to this project."),
            ("archived", "group/attic", "glpat", 403, "You are not allowed to push code to this project."),
            ("not visible", "group/sub/app", "stranger", 404, "The project you were looking for could not be found or you don't "
                                                              "have permission to view it.")):
        yield get(is_, f"/{path}.git/info/refs?service=git-receive-pack", "basic oauth2:" + as_, status, text)
    yield get("reads", "/group/sub/app.git/info/refs?service=git-upload-pack", "basic oauth2:reading", 200)
    yield get("unknown", "/group/sub/app.git/info/refs?service=git-receive-pack", "basic oauth2:revoked", 401,
              sends={"WWW-Authenticate": 'Basic realm="GitLab"'})


def registry():
    ask = "/jwt/auth?service=container_registry&scope=repository:group/sub/app/web:push,pull"
    for as_, actions in (("glpat", ["push", "pull"]), ("reading", ["pull"]), ("reader", ["pull"])):
        yield get("what is granted", ask, "basic x:" + as_, 200, claims=[{"name": "group/sub/app/web", "actions": actions}])
    yield get("nothing", ask, "basic x:stranger", 403, exact(errors=[exact(code="DENIED", message="access forbidden")]))
    yield get("no such scope", ask, "basic x:pushing", 403, exact(errors=[exact(code="DENIED", message="access forbidden")]))
    yield get("unknown", ask, "basic x:revoked", 401)
    yield {"is": "the challenge", "ask": "POST /v2/group/sub/app/web/blobs/uploads/", "as": "basic x:glpat", "status": 401,
           "left": LEFT_NOTHING}


def rows(forge_type):
    for part in (identity, projects, git, registry):
        yield from part()
