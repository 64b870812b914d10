"""GitHub, as a server of one's own has it: the API below /api/v3."""
from rows import ANY, exact

TYPES = ("github",)
STATE = {
    "users": {"octo": {}, "reader": {}, "owner": {}},
    "organizations": {"acme": {}, "saml": {"saml": True}},
    "packages": {"acme": {"octo": "write", "github-actions[bot]": "write"}},
    "tokens": {
        "classic": {"user": "octo", "scopes": ["repo", "workflow", "write:packages"],
                    "expires": "2026-12-31 00:00:00 UTC"},
        "narrow": {"user": "octo", "scopes": ["public_repo"]},
        "reader": {"user": "reader"},
        "owner": {"user": "owner"},
        "fine": {"user": "octo", "kind": "fine-grained", "repositories": ["acme/app"], "permissions": {"contents": "read"}},
        "job": {"kind": "installation", "repositories": ["acme/app"], "permissions": {"contents": "write", "packages": "write"}},
        "clamped": {"kind": "installation", "repositories": ["acme/app"], "permissions": {"contents": "read"}},
        "app": {"kind": "installation", "app": "release-app[bot]", "repositories": ["acme/app"],
                "permissions": {"contents": "write", "administration": "write"}},
        "dead": {"user": "octo", "state": "revoked"},
    },
    "repositories": {
        "acme/app": {"private": True, "access": {"octo": "write", "reader": "read", "owner": "admin"},
                     "protected_branches": {"legacy": {"push": ["owner"]}}, "branches": ["main", "legacy"],
                     "rulesets": [{"id": 5, "branches": ["main"], "rules": ["pull_request", "deletion"],
                                   "bypass": {"owner": "always", "github-actions[bot]": "always"}},
                                  {"id": 6, "tags": ["v*"], "rules": ["creation"], "bypass": {"owner": "always"}},
                                  {"id": 7, "tags": ["*"], "rules": ["update"], "enforcement": "disabled"}]},
        "acme/other": {"private": True, "access": {"octo": "write"}},
        "acme/open": {"access": {"octo": "write"}},
        "acme/attic": {"private": True, "archived": True, "access": {"octo": "write"}},
        "acme/old": {"moved_to": "acme/app", "id": 12},
        "saml/app": {"private": True, "access": {"octo": "write"}},
    },
}
APP = "/api/v3/repos/acme/app"
LEFT_NOTHING = exact(repositories={"": "exact"}, uploads=[], blobs=[])
INTEGRATION = "Resource not accessible by integration"
PERSONAL = "Resource not accessible by personal access token"
DRAFT = {"tag_name": "probe-1", "draft": True, "name": "probe"}
PUSH = ".git/info/refs?service=git-receive-pack"


def says(message, status):
    return exact(message=message, documentation_url=ANY, status=str(status))


def refused(status, message, **row):
    return {"status": status, "says": says(message, status), "left": LEFT_NOTHING, **row}


def get(is_, path, as_, status, answer=ANY, **row):
    answer = says(answer, status) if isinstance(answer, str) else answer
    return {"is": is_, "ask": "GET " + path, "as": as_ and "Bearer " + as_, "status": status, "says": answer, **row}


def identity():
    yield get("a classic token", "/api/v3/user", "classic", 200, {"login": "octo"}, sends={
        "X-OAuth-Scopes": "repo, workflow, write:packages", "github-authentication-token-expiration": "2026-12-31 00:00:00 UTC"})
    yield get("a fine-grained one", "/api/v3/user", "fine", 200, {"login": "octo"}, sends={"X-OAuth-Scopes": None})
    yield get("an installation", "/api/v3/user", "job", 403, exact(
        message=INTEGRATION, status="403", documentation_url="https://docs.github.com/rest/users/users#get-the-authenticated-user"))
    yield get("its one repository", "/api/v3/installation/repositories", "job", 200,
              {"total_count": 1, "repositories": [{"full_name": "acme/app"}]})
    yield get("not for persons", "/api/v3/installation/repositories", "classic", 403)
    yield get("unknown", "/api/v3/user", "dead", 401, "Bad credentials")
    yield get("none", "/api/v3/user", None, 401, "Requires authentication")
    yield {**get("no User-Agent", "/api/v3/user", "classic", 403), "headers": {"User-Agent": ""}}
    yield get("the rate", "/api/v3/user", "classic", 403, "API rate limit exceeded for user ID 7.",
              **{"with": {"settings": {"rate_limited": True}}}, sends={"X-RateLimit-Remaining": "0"})
    yield get("the other rate", "/api/v3/user", "classic", 429, **{"with": {"settings": {"rate_limited": "secondary"}}},
              sends={"Retry-After": "60"})
    yield get("one too many", "/api/v3/user", "dead", 401, "Bad credentials", **{"with": {"settings": {"lockout": 1}}}, keep=True)
    yield get("locked out", "/api/v3/user", "classic", 403, "Maximum number of login attempts exceeded. Please try again later.")


def repository():
    yield get("the person's role", APP, "fine", 200, {"full_name": "acme/app", "permissions": {"push": True, "admin": False}},
              sends={"X-Accepted-GitHub-Permissions": "metadata=read"})
    yield get("a reader", APP, "reader", 200, {"permissions": {"push": False}}, sends={"X-Accepted-OAuth-Scopes": "repo"})
    for as_, path in (("narrow", "acme/app"), ("fine", "acme/other"), ("job", "acme/other"), ("classic", "acme/typo")):
        yield get("not visible", "/api/v3/repos/" + path, as_, 404, "Not Found")
    yield get("moved", "/api/v3/repos/acme/old", "narrow", 301, {"message": "Moved Permanently"})
    yield get("single sign-on", "/api/v3/repos/saml/app", "classic", 403, sends={
        "X-GitHub-SSO": "required; url=https://github.com/orgs/saml/sso?authorization_request=AAAA"})
    yield get("authorised", "/api/v3/repos/saml/app", "sso", 200,
              **{"with": {"tokens": {"sso": {"user": "octo", "sso": ["saml"]}}}})
    yield get("the toggle is the administrator's", APP + "/actions/permissions/workflow", "job", 403, INTEGRATION)
    yield get("the toggle", APP + "/actions/permissions/workflow", "owner", 200, {"default_workflow_permissions": "read"})


def rules():
    yield get("rules", APP + "/rules/branches/main", "job", 200, [{"type": "pull_request", "ruleset_id": 5}, {"type": "deletion"}])
    yield get("none", APP + "/rules/branches/other", "job", 200, [])
    for as_, bypass in (("owner", "always"), ("classic", "never"), ("app", "never"), ("job", "never")):
        yield get("who passes", APP + "/rulesets/5", as_, 200, {"current_user_can_bypass": bypass, "enforcement": "active"})
    yield get("rulesets for tags", APP + "/rulesets?targets=tag", "job", 200, [
        {"id": 6, "target": "tag", "enforcement": "active"}, {"id": 7, "enforcement": "disabled"}])
    yield get("all rulesets", APP + "/rulesets", "job", 200, [{"id": 5, "target": "branch"}, {"id": 6}, {"id": 7}])
    yield get("one for tags", APP + "/rulesets/6", "classic", 200, {
        "conditions": {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}}, "rules": [{"type": "creation"}],
        "current_user_can_bypass": "never"})
    yield get("a branch", APP + "/branches/main", "fine", 200, {"protected": True, "protection": {"enabled": False}})
    yield get("classic", APP + "/branches/legacy", "fine", 200, {"protected": True, "protection": {"enabled": True}})
    yield get("no such branch", APP + "/branches/other", "fine", 404, "Branch not found")
    yield get("classic, for the administrator", APP + "/branches/legacy/protection", "owner", 200, {"restrictions": ANY})
    yield get("rulesets are not there", APP + "/branches/main/protection", "owner", 404, "Branch not protected")
    yield get("not for others", APP + "/branches/main/protection", "fine", 403, PERSONAL)


def releases():
    def post(is_, as_, status, answer, body=None, **row):
        row = {**get(is_, APP + "/releases", as_, status, answer), "left": LEFT_NOTHING, **row}
        return {**row, "ask": "POST " + APP + "/releases", "body": body if body is not None else DRAFT}

    empty = "Invalid request.\n\n\"tag_name\" wasn't supplied."
    for as_ in ("classic", "job", "clamped", "fine"):
        yield post("empty: says nothing of the permission", as_, 422, empty, body={})
    yield post("empty, where the permission is first", "clamped", 403, INTEGRATION, body={},
               **{"with": {"settings": {"permission_first": True}}})
    yield post("clamped to read", "clamped", 403, INTEGRATION)
    yield post("a fine-grained one that reads", "fine", 403, PERSONAL,
               sends={"X-Accepted-GitHub-Permissions": "contents=write"})
    yield post("a reader", "reader", 404, "Not Found")
    yield post("a commit as the target", "job", 403, INTEGRATION, body={**DRAFT, "target_commitish": "6" * 40})
    yield post("a draft", "job", 201, {"id": 101, "draft": True},
               left={"repositories": {"acme/app": {"releases": [{"id": 101, "tag_name": "probe-1"}]}}}, keep=True)
    yield get("a reader does not see it", APP + "/releases", "reader", 200, [], keep=True)
    yield get("a writer does", APP + "/releases", "classic", 200, [{"id": 101}], keep=True)
    yield {**post("deleted", "job", 204, ANY, keep=True), "ask": f"DELETE {APP}/releases/101", "body": None}
    yield {**post("once", "job", 404, "Not Found"), "ask": f"DELETE {APP}/releases/101", "body": None}


def git():
    for is_, path, as_, status, text in (
            ("a writer", "acme/app", "classic", 200, ANY),
            ("a job", "acme/app", "job", 200, ANY),
            ("a reader", "acme/app", "reader", 403, "Permission to acme/app.git denied to reader.\n"),
            ("a clamped job", "acme/app", "clamped", 403, "Permission to acme/app.git denied to github-actions[bot].\n"),
            ("no contents", "acme/app", "fine", 403, "Write access to repository not granted.\n"),
            ("not visible", "acme/other", "job", 404, "Repository not found.\n"),
            ("archived", "acme/attic", "classic", 403, "This repository was archived so it is read-only.\n")):
        yield {"is": is_, "ask": f"GET /{path}{PUSH}", "as": f"basic x-access-token:{as_}", "status": status, "says": text}
    yield {"is": "unknown", "ask": "GET /acme/app" + PUSH, "as": "basic x:dead", "status": 401,
           "sends": {"WWW-Authenticate": 'Basic realm="GitHub"'}}


def registry():
    upload = "/v2/acme/app/blobs/uploads/"
    ask = {"ask": "POST " + upload}
    yield {"is": "the challenge", **ask, "as": "basic x:classic", "status": 401}
    yield {"is": "an unknown token", "ask": "GET /token?scope=repository:acme/app:pull,push", "as": "basic x:dead", "status": 403,
           "says": exact(errors=[exact(code="DENIED", message="denied")])}
    for as_, message, change in (
            ("clamped", "installation not allowed to Write organization package", {}),
            ("narrow", "permission_denied: The token provided does not match expected scopes.", {}),
            ("classic", "permission_denied: write_package", {"settings": {"unlinked_packages": ["acme/app"]}}),
            ("classic", None, {}), ("job", None, {})):
        yield {"is": "a bearer", "ask": "GET /token?service=containers&scope=repository:acme/app:pull,push", "with": change,
               "as": "basic x:" + as_, "status": 200, "says": {"token": "bearer-101"}, "keep": True}
        if message:
            yield {"is": message, **ask, "as": "Bearer bearer-101", "status": 403, "left": LEFT_NOTHING,
                   "says": exact(errors=[exact(code="DENIED", message=message)])}
        else:
            yield {"is": "an upload", **ask, "as": "Bearer bearer-101", "status": 202, "left": {"uploads": ["acme/app"]}, "keep": True}
            yield {"is": "taken back", "ask": f"DELETE {upload}upload-102?_state=abc", "as": "Bearer bearer-101", "status": 204,
                   "left": LEFT_NOTHING}


def rows(forge_type):
    for part in (identity, repository, rules, releases, git, registry):
        yield from part()
