"""Forgejo and Gitea."""
from rows import ANY, exact

TYPES = ("forgejo", "gitea")
OTHER, JOB, FORK, ENDED = "0" * 39 + "b", "1" * 40, "2" * 40, "3" * 40
STATE = {
    "users": {"deploy-bot": {}, "reader": {}, "alice": {"password": "correct horse"}, "gone": {"disabled": True}},
    "organizations": {"platform": {}, "secret": {"private": True}},
    "packages": {"platform": {"deploy-bot": "write"}},
    "tokens": {
        "all": {"user": "deploy-bot"},
        "narrow": {"user": "deploy-bot", "scopes": ["write:repository", "write:issue"]},
        "readonly": {"user": "deploy-bot", "scopes": ["read:repository", "read:user"]},
        "public": {"user": "deploy-bot", "scopes": ["public-only", "write:repository", "write:package"]},
        "selected": {"user": "deploy-bot", "scopes": ["write:repository"], "repositories": ["platform/open"]},
        "reader": {"user": "reader"},
        "stranger": {"user": "stranger"},
        "revoked": {"user": "deploy-bot", "state": "revoked"},
        "inactive": {"user": "gone", "account": "This account is not activated."},
        "disabled": {"user": "gone"},
        JOB: {"kind": "job", "job": {"repository": "platform/app", "run": 42, "actor": "alice"}},
        FORK: {"kind": "job", "job": {"repository": "platform/app", "fork": True, "event": "pull_request"}},
        ENDED: {"kind": "job", "state": "ended", "job": {"repository": "platform/app"}},
    },
    "repositories": {
        "platform/app": {"private": True, "access": {"deploy-bot": "write", "reader": "read", "gone": "read"},
                         "branches": ["main", "release/1"], "protected_branches": {"release/*": {"push": ["alice"]}},
                         "protected_tags": {"v*": ["alice"]}},
        "platform/open": {"access": {"deploy-bot": "write"}},
        "platform/attic": {"archived": True, "access": {"deploy-bot": "write"}},
        "platform/copy": {"mirror": True, "access": {"deploy-bot": "write"}},
        "platform/new": {"empty": True, "access": {"deploy-bot": "write"}},
        "platform/full": {"quota_exceeded": True, "access": {"deploy-bot": "write"}},
        "platform/team": {"private": True, "access": {"deploy-bot": {"code": "write", "releases": "read"}}},
        "platform/bare": {"units": ["code"], "access": {"deploy-bot": "write"}},
        "platform/old": {"moved_to": "platform/app"},
    },
}
LEFT_NOTHING = exact(repositories={"": "exact"}, uploads=[], blobs=[])
NO_SCOPE = "token does not have at least one of required scope(s): [{}]"
APP = "/api/v1/repos/platform/app"
PUSH = "/info/refs?service=git-receive-pack"
ZEROS = "?digest=sha256:" + "0" * 64
EMPTY_SHA = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def says(message):
    return exact(message=message, url=ANY)


def refused(status, message, **row):
    return {"status": status, "says": says(message), "left": LEFT_NOTHING, **row}


def probe(is_, path, as_, status, message, **row):
    return {"is": is_, "ask": "POST " + path, "as": "token " + as_, "body": {}, **refused(status, message), **row}


def identity(forge_type):
    unknown = {"forgejo": "user does not exist [uid: 0, name: ]", "gitea": "invalid username, password or token"}[forge_type]
    job_login = forge_type + "-actions"
    yield {"is": "the user", "ask": "GET /api/v1/user", "as": "token all", "status": 200,
           "says": {"login": "deploy-bot", "is_admin": False}}
    for how in ("Bearer all", "basic x:all", "basic all:", "basic all:x-oauth-basic"):
        yield {"is": f"sent as {how}", "ask": "GET /api/v1/user", "as": how, "status": 200}
    yield {"is": "a token in the URL is none", "ask": "GET /api/v1/user?token=all", **refused(401, "token is required")}
    for value in ("nothing", "revoked", ENDED):
        yield {"is": "a token that it does not know", "ask": "GET /api/v1/user", "as": "token " + value, **refused(401, unknown)}
    yield {"is": "no scope for it", "ask": "GET /api/v1/user", "as": "token narrow",
           **refused(403, NO_SCOPE.format("read:user"))}
    yield {"is": "an account that is not active", "ask": "GET /api/v1/user", "as": "token inactive",
           **refused(403, "This account is not activated.")}
    yield {"is": "who must sign in", "ask": "GET /api/v1/user", "with": {"settings": {"require_signin": True}},
           **refused(403, "Only signed in user is allowed to call APIs.")}
    yield {"is": "a job's own user", "ask": "GET /api/v1/user", "as": "token " + JOB, "status": 200,
           "says": {"id": -2, "login": job_login}}
    yield {"is": "not a route", "ask": "GET /api/v1/nothing", "as": "token all", "status": 404,
           "says": exact(errors=[], message="The target couldn't be found.", url=ANY)}
    yield {"is": "not the forge", "ask": "GET /somewhere", "status": 404, "sends": {"Content-Type": "text/html; charset=utf-8"}}


def of_forgejo(forge_type):
    yield {"is": "its tokens, with itself as the password", "ask": "GET /api/v1/users/reader/tokens", "as": "basic reader:reader",
           "status": 200, "says": [{"id": 6, "name": "ci", "sha1": "", "token_last_eight": "reader", "scopes": ["all"],
                                    "repositories": None, "created_at": "2026-01-02T03:04:05Z",
                                    "last_used_at": "2026-01-02T03:04:05Z"}]}
    yield {"is": "not without Basic", "ask": "GET /api/v1/users/reader/tokens", "as": "token reader",
           **refused(401, "auth required")}
    yield {"is": "not another's", "ask": "GET /api/v1/users/reader/tokens", "as": "basic x:all",
           **refused(403, "doer should be the site admin or be same as the contextUser")}
    yield {"is": "not without the scope", "ask": "GET /api/v1/users/deploy-bot/tokens", "as": "basic x:narrow",
           **refused(403, NO_SCOPE.format("read:user"))}
    yield {"is": "the job's run", "ask": "GET /api/v1/actions/run", "as": "Bearer " + JOB, "status": 200,
           "says": {"id": 42, "repository": {"full_name": "platform/app"}, "event": "push", "is_fork_pull_request": False,
                    "trigger_user": {"login": "alice"}, "need_approval": False, "prettyref": "main",
                    "event_payload": '{"ref": "refs/heads/main", "repository": {"full_name": "platform/app"}}'}}
    yield {"is": "a fork's run", "ask": "GET /api/v1/actions/run", "as": "Bearer " + FORK, "status": 200,
           "says": {"event": "pull_request", "is_fork_pull_request": True}}
    yield {"is": "no run for a user's token", "ask": "GET /api/v1/actions/run", "as": "Bearer all",
           **refused(403, "must use an automatic actions token")}
    yield {"is": "no run after the job", "ask": "GET /api/v1/actions/run", "as": "Bearer " + ENDED, "status": 401}
    yield {"is": "no such route before 16", "ask": "GET /api/v1/actions/run", "as": "Bearer " + JOB, "status": 404,
           "with": {"settings": {"version": "15.0.3"}}}
    yield probe("archived, with its name", "/api/v1/repos/platform/attic/branches", "all", 423,
                "<Repository 1:platform/attic> is archived")
    yield {"is": "another repository's job", "ask": "GET /platform/open.git" + PUSH, "as": "basic x:" + JOB, "status": 403,
           "says": "User permission denied"}


def of_gitea(forge_type):
    yield {"is": "a token of itself", "ask": "GET /api/v1/token", "as": "token narrow", "status": 200,
           "says": {"scopes": ["write:repository", "write:issue"], "user": ANY}}
    yield {"is": "not before", "ask": "GET /api/v1/token", "as": "token narrow", "status": 404,
           "with": {"settings": {"version": "1.26.0"}}}
    yield {"is": "not for a job", "ask": "GET /api/v1/token", "as": "token " + JOB, "status": 404,
           "says": exact(errors=["token not found"], message="The target couldn't be found.", url=ANY)}
    yield {"is": "tokens are listed for the password only", "ask": "GET /api/v1/users/reader/tokens", "as": "basic reader:reader",
           **refused(401, "auth required")}
    yield {"is": "its tokens, with the password", "ask": "GET /api/v1/users/alice/tokens", "as": "basic alice:correct horse",
           "status": 200, "says": []}
    yield {"is": "before 1.25, in other words", "ask": "GET /api/v1/user", "as": "token nothing",
           "with": {"settings": {"version": "1.24.0"}}, **refused(401, "user does not exist [uid: 0, name: ]")}
    yield probe("archived", "/api/v1/repos/platform/attic/branches", "all", 423, "repo is archived")
    yield {"is": "another repository's job", "ask": "GET /platform/open.git" + PUSH, "as": "basic x:" + JOB, "status": 404,
           "says": "Repository not found"}


def repository(forge_type):
    for value, push in (("all", True), ("readonly", True), ("reader", False), (JOB, True), (FORK, False)):
        yield {"is": "the person's right", "ask": "GET " + APP, "as": "token " + value, "status": 200,
               "says": {"full_name": "platform/app", "private": True, "archived": False, "mirror": False, "empty": False,
                        "default_branch": "main", "permissions": exact(admin=False, push=push, pull=True)}}
    for value in ("stranger", "selected"):
        yield {"is": "not visible", "ask": "GET " + APP, "as": "token " + value, "status": 404}
    yield {"is": "not visible to nobody", "ask": "GET " + APP, "status": 404}
    yield {"is": "public for all", "ask": "GET /api/v1/repos/platform/open", "status": 200,
           "says": {"permissions": exact(admin=False, push=False, pull=True)}}
    yield {"is": "another repository's job sees nothing", "ask": "GET /api/v1/repos/platform/open", "as": "token " + JOB,
           "status": 404}
    yield {"is": "scope before visible", "ask": "GET /api/v1/repos/platform/nothing", "as": "token narrow", "status": 404}
    yield {"is": "for the public only", "ask": "GET " + APP, "as": "token public",
           **refused(403, "token scope is limited to public repos")}
    yield {"is": "moved", "ask": "GET /api/v1/repos/platform/old", "as": "token all", "status": 307,
           "sends": {"Location": "/api/v1/repos/platform/app"}}
    for branch, as_, protected, may in (("main", "all", False, True), ("main", "reader", False, False),
                                        ("release/1", "all", True, False), ("main", JOB, False, False)):
        yield {"is": f"{branch} for {as_[:8]}", "ask": f"GET {APP}/branches/{branch}", "as": "token " + as_, "status": 200,
               "says": {"name": branch, "protected": protected, "user_can_push": may,
                        "effective_branch_protection_name": "release/*" if protected else ""}}
    yield {"is": "no such branch", "ask": f"GET {APP}/branches/other", "as": "token all", "status": 404}
    yield {"is": "protections are the administrator's", "ask": f"GET {APP}/branch_protections", "as": "token all",
           **refused(403, "user should be an owner or a collaborator with admin write of a repository")}


def probes(forge_type):
    writer = "user should have a permission to write to a repo"
    for path, field in (("/releases", "TagName"), ("/branches", "BranchName"), ("/tags", "TagName"), ("/issues", "Title"),
                        ("/labels", "Name"), ("/pulls", "Head")):
        category = "issue" if path in ("/issues", "/labels") else "repository"
        yield probe("allowed", APP + path, "all", 422, f"[{field}]: Required")
        yield probe("allowed", APP + path, "narrow", 422, f"[{field}]: Required")
        yield probe("no scope", APP + path, "readonly", 403, NO_SCOPE.format("write:" + category))
        yield probe("scope before visible", "/api/v1/repos/no/no" + path, "readonly", 403, NO_SCOPE.format("write:" + category))
        yield {**probe("not visible", APP + path, "stranger", 404, ""), "says": ANY}
        may_read = path in ("/issues", "/pulls")
        yield probe("a reader", APP + path, "reader", 422 if may_read else 403, f"[{field}]: Required" if may_read else writer)
    yield {**probe("nobody", "/api/v1/repos/platform/open/releases", "", 401, "token is required"), "as": None}
    yield probe("no content type", APP + "/releases", "all", 422, "[]: Empty Content-Type", body="")
    yield probe("a release at an archived one is not refused yet", "/api/v1/repos/platform/attic/releases", "all", 422,
                "[TagName]: Required")
    yield probe("releases have a unit of their own", "/api/v1/repos/platform/team/releases", "all", 403, writer)
    yield probe("no such unit", "/api/v1/repos/platform/bare/releases", "all", 404, "", says=ANY)
    yield probe("no such unit", "/api/v1/repos/platform/bare/pulls", "all", 404, "", says=ANY)
    yield probe("its body is read before its unit", "/api/v1/repos/platform/bare/issues", "all", 422, "[Title]: Required")
    yield {"is": "which this one tells", "ask": "GET /api/v1/repos/platform/bare/issues/pinned", "as": "token all",
           **refused(403, "user should have specific read permission or be a repo admin or a site admin")}
    yield {"is": "issues", "ask": f"GET {APP}/issues/pinned", "as": "token reader", "status": 200, "says": []}


def releases(forge_type):
    draft = {"tag_name": "probe-1", "draft": True, "name": "probe"}
    row = {"id": 101, "tag_name": "probe-1", "draft": True, "is_tag": False}
    where = APP + "/releases"

    def left(**change):
        return {"repositories": {"platform/app": {"releases": [{**row, **change}]}}}

    def step(is_, ask, status, **more):
        return {"is": is_, "ask": f"{ask.split(' ')[0]} {APP}{ask.split(' ')[1]}", "as": "token all", "status": status, **more}

    create = {"is": "a draft", "ask": "POST " + where, "as": "token all", "body": draft, "status": 201,
              "says": {"id": 101, "tag_name": "probe-1", "draft": True}, "left": left(), "keep": True}
    yield create
    yield step("again", "POST /releases", 409, body=draft, says=says("Release has no Tag"), keep=True)
    yield step("a reader does not see it", "GET /releases", 200, **{"as": "token reader"}, says=[], keep=True)
    yield step("its tag is not deleted before it", "DELETE /tags/probe-1", 409, left=left(), keep=True,
               says=says("a tag attached to a release cannot be deleted directly"))
    yield step("a reader does not delete it", "DELETE /releases/101", 403, **{"as": "token reader"}, left=left(), keep=True)
    yield step("deleted, and there as a tag", "DELETE /releases/101", 204, left=left(is_tag=True), keep=True)
    yield step("not to be seen", "GET /releases", 200, says=[], keep=True)
    yield step("gone once", "DELETE /releases/101", 404, keep=True)
    yield step("with its tag", "DELETE /tags/probe-1", 204, left=LEFT_NOTHING, keep=True)
    yield step("and gone", "DELETE /tags/probe-1", 404)
    yield step("a protected tag", "POST /releases", 422, body={"tag_name": "v1", "draft": True}, left=LEFT_NOTHING,
               says=says("release tag name is protected [tag_name: v1]"))
    yield {**create, "is": "without a commit", "ask": "POST /api/v1/repos/platform/new/releases",
           **refused(422, "repo is empty"), "keep": False}
    yield {**create, "is": "over quota", "ask": "POST /api/v1/repos/platform/full/releases", "status": 413,
           "says": exact(message="quota exceeded", user_id=7, username="platform"), "left": LEFT_NOTHING, "keep": False}


def git(forge_type):
    kind = "application/x-git-receive-pack-advertisement"
    for is_, as_ in (("a writer", "basic x:narrow"), ("a reader", "basic x:reader"), ("a fork's job", "basic x:" + FORK),
                     ("with a bearer no scope is looked at", "Bearer readonly")):
        yield {"is": is_, "ask": "GET /platform/app.git" + PUSH, "as": as_, "status": 200, "sends": {"Content-Type": kind}}
    for is_, path, as_, status, text in (
            ("no scope", "platform/app", "readonly", 403, "Forbidden\n"),
            ("public only", "platform/app", "public", 403, "Forbidden\n"),
            ("archived", "platform/attic", "all", 403, "This repo is archived. You can view files and clone it, but cannot "
                                                       "push or open issues/pull-requests."),
            ("a mirror", "platform/copy", "all", 403, "mirror repository is read-only"),
            ("an account", "platform/app", "disabled", 403, "Your account is disabled."),
            ("not visible", "platform/app", "stranger", 404, "Repository not found"),
            ("not there", "platform/typo", "all", 403, "Push to create is not enabled for organizations."),
            ("not there", "alice/typo", "all", 403, "Push to create is not enabled for users.")):
        yield {"is": is_, "ask": f"GET /{path}.git{PUSH}", "as": "basic x:" + as_, "status": status, "says": text}
    realms = ['Basic realm="Gitea"'] + (['Basic realm="Gitea (Basic Auth)"'] if forge_type == "gitea" else [])
    for as_ in (None, "basic x:revoked"):
        yield {"is": "nobody", "ask": "GET /platform/app.git" + PUSH, "as": as_, "status": 401, "says": "Unauthorized\n",
               "sends": {"WWW-Authenticate": realms}}
    fetch = "/info/refs?service=git-upload-pack"
    yield {"is": "a reader fetches", "ask": "GET /platform/app" + fetch, "as": "basic x:readonly", "status": 200}
    yield {"is": "nobody fetches what is public", "ask": "GET /platform/open" + fetch, "status": 200}
    yield {"is": "not there", "ask": "GET /platform/typo" + fetch, "as": "basic x:all", "status": 404,
           "says": "Repository not found"}


def registry(forge_type):
    upload = "/blobs/uploads/"
    denied = {"status": 401, "says": "reqPackageAccess\n", "sends": {"WWW-Authenticate": 'Basic realm="Gitea Package API"'}}
    for is_, owner, as_ in (("allowed", "platform", "all"), ("one's own", "deploy-bot", "all")):
        yield {"is": is_, "ask": f"POST /v2/{owner}/app{upload}{ZEROS}", "as": "basic x:" + as_, "status": 400,
               "says": exact(errors=[exact(code="DIGEST_INVALID", message="")]), "left": LEFT_NOTHING}
    for is_, as_ in (("no scope", "narrow"), ("no right", "reader"), ("a job", JOB)):
        yield {"is": is_, "ask": f"POST /v2/platform/app{upload}{ZEROS}", "as": "basic x:" + as_, **denied}
    yield {"is": "public only", "ask": f"POST /v2/secret/app{upload}{ZEROS}", "as": "basic x:public", "status": 403,
           "says": "reqToken\n"}
    yield {"is": "what a real digest stores", "ask": f"POST /v2/platform/app{upload}?digest={EMPTY_SHA}", "as": "basic x:all",
           "status": 201, "left": {"blobs": ["platform/app@" + EMPTY_SHA]}}
    yield {"is": "an upload", "ask": "POST /v2/platform/app" + upload, "as": "basic x:all", "status": 202,
           "sends": {"Location": "/v2/platform/app/blobs/uploads/upload-101"}, "left": {"uploads": ["platform/app"]}, "keep": True}
    yield {"is": "taken back", "ask": f"DELETE /v2/platform/app{upload}upload-101", "as": "basic x:all", "status": 204,
           "left": LEFT_NOTHING}
    yield {"is": "a token for nobody", "ask": "GET /v2/token", "status": 200, "says": {"token": ANY}}
    yield {"is": "an unknown token", "ask": "GET /v2/", "as": "basic x:revoked", "status": 401,
           "says": exact(errors=[exact(code="UNAUTHORIZED", message="")])}


def rows(forge_type):
    own = of_forgejo if forge_type == "forgejo" else of_gitea
    for part in (identity, own, repository, probes, releases, git, registry):
        yield from part(forge_type)
