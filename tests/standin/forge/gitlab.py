"""GitLab: who is asking, and with which access level."""
from forge.server import Routes
from forge.state import ADMIN, READ, WRITE
from forge.web import Answer

REPORTER, DEVELOPER, MAINTAINER, OWNER = 20, 30, 40, 50
LEVELS = {READ: REPORTER, WRITE: DEVELOPER, ADMIN: MAINTAINER}
API = ("api", "read_api")


class GitLab(Routes):
    api = "/api/v4"

    def not_found(self):
        return Answer(404, {"error": "404 Not Found"})

    def missing(self, what):
        return Answer(404, {"message": f"404 {what} Not Found"})

    def unauthorized(self):
        return Answer(401, {"message": "401 Unauthorized"})

    def value_of(self, request):
        basic = request.basic()
        return request.headers.get("PRIVATE-TOKEN") or request.bearer("bearer") or (basic and basic[1])

    def authenticate(self, request, scopes, job=False):
        """The token, with one of the scopes; a job's token only where it is taken."""
        value = request.headers.get("JOB-TOKEN")
        token = self.state.token(value) if value else self.state.token(self.value_of(request))
        if token is None or (value and token.get("kind") != "job"):
            raise self.unauthorized()
        if token.get("kind") == "job":
            if not job or token.get("state", "alive") != "alive":
                raise self.unauthorized()
            return token
        if token.get("state") == "expired":
            raise Answer(401, {"error": "invalid_token", "error_description":
                               "Token is expired. You can either do re-authorization or token refresh."})
        if token.get("state") == "revoked":
            raise Answer(401, {"error": "invalid_token", "error_description":
                               "Token was revoked. You have to re-authorize from the user."})
        if scopes and not set(scopes) & set(token.get("scopes", ["api"])):
            raise Answer(403, {"error": "insufficient_scope", "error_description":
                               "The request requires higher privileges than provided by the access token.",
                               "scope": " ".join(scopes)})
        return token

    def level(self, token, full_name, repository):
        """The access level of the token's user in a project: 0 for one who is no member."""
        if token.get("kind") == "job":
            return DEVELOPER if token["job"]["repository"] == full_name else 0
        if full_name not in token.get("repositories", [full_name]):
            return 0
        if token["user"] == full_name.partition("/")[0]:
            return OWNER
        member = {**repository, "private": True}    # a public one makes nobody a member
        return LEVELS.get(self.state.right(full_name, member, token["user"]), 0)

    def project(self, token, name):
        """(full name, project, level) of a project by its path or number."""
        full_name, repository = self.state.repository(name)
        if name.isdigit():
            full_name, repository = next(((path, project) for path, project in self.state.data["repositories"].items()
                                          if project.get("id", 1) == int(name)), (None, None))
        if repository is None:
            raise self.missing("Project")
        level = self.level(token, full_name, repository)
        if not level and repository.get("private"):
            raise self.missing("Project")
        return full_name, repository, level


def get_user(forge, request):
    user = forge.state.user(forge.authenticate(request, ["api", "read_api", "read_user"])["user"])
    return Answer(200, {"id": user["id"], "username": user["login"], "name": user.get("full_name", user["login"]),
                        "state": "active", "bot": user["login"].startswith(("project_", "group_"))})


def get_self(forge, request):
    """A token describes itself, whatever its scopes."""
    token = forge.authenticate(request, [])
    return Answer(200, {"id": 3, "name": token.get("name", "ci"), "revoked": False, "created_at": "2026-01-02T03:04:05.000Z",
                        "scopes": token.get("scopes", ["api"]), "user_id": forge.state.user(token["user"])["id"],
                        "last_used_at": "2026-01-02T03:04:05.000Z", "active": True, "expires_at": token.get("expires")})


def get_job(forge, request):
    token = forge.authenticate(request, API, job=True)
    if token.get("kind") != "job":
        raise forge.missing("Job")
    job = token["job"]
    ref, run = job.get("ref", "main"), job.get("run", 42)
    user = forge.state.user(job.get("actor", "alice"))
    project = forge.state.repository(job["repository"])[1].get("id", 1)
    return Answer(200, {"id": run * 10, "status": job.get("status", "running"), "stage": "deploy", "name": job.get("name", "release"),
                        "ref": ref, "tag": bool(job.get("tag")), "created_at": "2026-01-02T03:04:05.000Z",
                        "user": {"id": user["id"], "username": user["login"], "state": "active"},
                        "pipeline": {"id": run, "iid": 7, "project_id": project, "sha": "6" * 40, "ref": ref,
                                     "status": "running", "source": job.get("event", "push")},
                        "project": {"ci_job_token_scope_enabled": False},
                        "web_url": f"{forge.origin}/{job['repository']}/-/jobs/{run * 10}"})


ROUTES = [
    ("GET", r"/api/v4/user", get_user),
    ("GET", r"/api/v4/personal_access_tokens/self", get_self),
    ("GET", r"/api/v4/job", get_job),
]
