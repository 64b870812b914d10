"""GitHub: who is asking, what the token may do in a repository, and the headers that tell of it."""
from forge.server import Routes
from forge.state import ADMIN, NONE, READ, RIGHTS, WRITE
from forge.web import Answer

NOT_ACCESSIBLE = {"installation": "Resource not accessible by integration",
                  "fine-grained": "Resource not accessible by personal access token"}


class Caller:
    """kind is classic, fine-grained or installation; permissions are those of the latter two."""

    def __init__(self, token):
        self.token = token
        self.kind = token.get("kind", "classic")
        self.login = token.get("user")
        self.name = self.login or token.get("app", "github-actions[bot]")     # who a ruleset knows
        self.scopes = token.get("scopes", ["repo"]) if self.kind == "classic" else []
        self.permissions = token.get("permissions", {})

    def selected(self, full_name):
        return self.kind == "classic" or full_name in self.token.get("repositories", [])


class GitHub(Routes):
    api = "/api/v3"
    def answer(self, request):
        """With the headers of every answer: what a token is, and what the route wants of one."""
        request.caller, request.accepts = None, {}
        if (request.headers.get("Host") or "").startswith("api.") and not request.path.startswith(self.api):
            request.path = self.api + request.path
        answer = super().answer(request)
        if request.path.startswith(self.api + "/"):
            answer.headers = {**self.headers(request.caller), **request.accepts, **answer.headers}
        return answer

    def headers(self, caller):
        found = {"X-GitHub-Media-Type": "github.v3; format=json", "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4990"}
        if caller and caller.kind == "classic":
            found["X-OAuth-Scopes"] = ", ".join(caller.scopes)
        if caller and "expires" in caller.token:
            found["github-authentication-token-expiration"] = caller.token["expires"]
        return found

    def error(self, status, message, headers=None, page="rest"):
        return Answer(status, {"message": message, "documentation_url": "https://docs.github.com/" + page,
                               "status": str(status)}, headers)

    def not_found(self):
        return self.error(404, "Not Found")

    def value_of(self, request):
        basic = request.basic()
        return request.bearer("token", "bearer") or (basic and (basic[1] or basic[0]))

    def known(self, value):
        """The caller with this value, None for one that is not known (and counted)."""
        token = self.state.token(value)
        if token is None or token.get("state", "alive") != "alive":
            self.state.refused += 1
            return None
        return Caller(token)

    def authenticate(self, request):
        if not request.headers.get("User-Agent"):
            raise Answer(403, b"Request forbidden by administrative rules.", content_type="text/html")
        if self.state.refused >= self.state.setting("lockout", 10):
            raise self.error(403, "Maximum number of login attempts exceeded. Please try again later.")
        if self.state.setting("rate_limited") == "secondary":
            raise self.error(429, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                             {"Retry-After": "60"})
        if self.state.setting("rate_limited"):
            raise self.error(403, "API rate limit exceeded for user ID 7.",
                             {"X-RateLimit-Remaining": "0", "Retry-After": "60"})
        value = self.value_of(request)
        if not value:
            raise self.error(401, "Requires authentication")
        request.caller = self.known(value)
        if request.caller is None:
            raise self.error(401, "Bad credentials")
        return request.caller

    def role(self, caller, full_name, repository):
        """What the person may do, whatever the token says."""
        return self.state.right(full_name, repository, caller.login) if caller.login else NONE

    def granted(self, caller, full_name, repository, permission):
        """What person and token together may do: NONE where the token does not see the repository."""
        private = repository.get("private")
        if not caller.selected(full_name):
            return NONE if private else READ
        if caller.kind == "installation":
            return RIGHTS[caller.permissions.get(permission, "read" if permission == "metadata" else "none")]
        role = self.role(caller, full_name, repository)
        if caller.kind == "fine-grained":
            return min(role, RIGHTS[caller.permissions.get(permission, "read" if permission == "metadata" else "none")])
        if "repo" in caller.scopes or (not private and "public_repo" in caller.scopes):
            return role
        return NONE if private else READ

    def is_visible(self, caller, full_name, repository):
        return self.granted(caller, full_name, repository, "metadata") != NONE

    def place(self, request, owner, name, permission="metadata", level=READ):
        """(caller, full name, repository) for one who has this permission, in the order visible, SSO, permission."""
        caller = self.authenticate(request)
        words = {READ: "read", WRITE: "write", ADMIN: "admin"}
        if caller.kind == "classic":
            request.accepts["X-Accepted-OAuth-Scopes"] = "repo"
        else:
            request.accepts["X-Accepted-GitHub-Permissions"] = f"{permission}={words[level]}"
        full_name, repository = self.state.repository(f"{owner}/{name}")
        if repository is None or not self.is_visible(caller, full_name, repository):
            raise self.not_found()
        if "moved_to" in repository:
            raise Answer(301, {"message": "Moved Permanently", "documentation_url": "https://docs.github.com/rest"},
                         {"Location": f"{self.origin}{self.api}/repositories/{repository.get('id', 1)}"})
        self.require_sso(caller, full_name)
        if self.granted(caller, full_name, repository, permission) < level:
            raise self.lacking(caller, request)
        return caller, full_name, repository

    def lacking(self, caller, request):
        if caller.kind in NOT_ACCESSIBLE:
            return self.error(403, NOT_ACCESSIBLE[caller.kind])
        return self.not_found()

    def require_sso(self, caller, full_name):
        owner = full_name.partition("/")[0]
        wants = self.state.data["organizations"].get(owner, {}).get("saml")
        if wants and caller.kind == "classic" and owner not in caller.token.get("sso", []):
            raise self.error(403, "Resource protected by organization SAML enforcement. You must grant your Personal Access "
                                  "token access to this organization.",
                             {"X-GitHub-SSO": f"required; url=https://github.com/orgs/{owner}/sso?authorization_request=AAAA"})


def get_user(forge, request):
    caller = forge.authenticate(request)
    if caller.kind == "installation":
        raise forge.error(403, NOT_ACCESSIBLE["installation"], page="rest/users/users#get-the-authenticated-user")
    user = forge.state.user(caller.login)
    return Answer(200, {"login": user["login"], "id": user["id"], "type": "User", "site_admin": bool(user.get("admin"))})


def repository_object(forge, full_name, repository, role=None):
    owner, _, name = full_name.partition("/")
    found = {"id": repository.get("id", 1), "name": name, "full_name": full_name,
             "owner": {"login": owner, "id": 9, "type": "Organization" if forge.state.is_organization(owner) else "User"},
             "private": bool(repository.get("private")), "fork": False, "archived": bool(repository.get("archived")),
             "disabled": False, "default_branch": repository.get("default_branch", "main"), "has_issues": True,
             "visibility": "private" if repository.get("private") else "public"}
    if role is not None:
        found["permissions"] = {"admin": role >= ADMIN, "maintain": role >= ADMIN, "push": role >= WRITE,
                                "triage": role >= WRITE, "pull": role >= READ}
    return found


def get_repository(forge, request, owner, name):
    """permissions is the person's role, and says nothing of the grant; an installation has none."""
    caller, full_name, repository = forge.place(request, owner, name)
    role = forge.role(caller, full_name, repository) if caller.login else None
    return Answer(200, repository_object(forge, full_name, repository, role))


def installation_repositories(forge, request):
    caller = forge.authenticate(request)
    if caller.kind != "installation":
        raise forge.error(403, "You must authenticate with an installation access token in order to list repositories for an "
                               "installation.")
    found = [forge.state.repository(name) for name in caller.token.get("repositories", [])]
    return Answer(200, {"total_count": len(found), "repository_selection": "selected",
                        "repositories": [repository_object(forge, *one) for one in found if one[0]]})


def workflow_permissions(forge, request, owner, name):
    """The toggle behind founding cases of read-only tokens: for administrators only."""
    _, _, repository = forge.place(request, owner, name, "administration", ADMIN)
    return Answer(200, {"default_workflow_permissions": repository.get("workflow_permissions", "read"),
                        "can_approve_pull_request_reviews": False})


HERE = r"/api/v3/repos/([^/]+)/([^/]+)"
ROUTES = [
    ("GET", r"/api/v3/user", get_user),
    ("GET", r"/api/v3/installation/repositories", installation_repositories),
    ("GET", HERE, get_repository),
    ("GET", HERE + r"/actions/permissions/workflow", workflow_permissions),
]
