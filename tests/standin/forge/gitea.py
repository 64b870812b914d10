"""Forgejo and Gitea: who is asking, with which scopes, and what they may do in a repository.

The order of checks is that of routers/api/v1/api.go: scope, repository visible, public only, then what the route asks for.
"""
from forge.server import Routes
from forge.state import ADMIN, NONE, READ, UNITS, WRITE
from forge.web import Answer

LIMITED = {"repository": "repos", "issue": "issues", "user": "users"}


class Caller:
    """Who is asking.  scopes is None where no scope is checked: a password, or a job's token."""

    def __init__(self, token, login=None, scopes=None, with_password=False):
        self.token = token
        self.login = login
        self.scopes = scopes
        self.with_password = with_password
        self.job = token.get("job") if token.get("kind") == "job" else None
        self.public_only = bool(scopes) and "public-only" in scopes

    def has_scope(self, level, category):
        if self.scopes is None:
            return True
        wanted = {f"write:{category}", "all"} | ({f"read:{category}"} if level == "read" else set())
        return bool(wanted & set(self.scopes))


class Gitea(Routes):
    api = "/api/v1"
    name = "Gitea"
    default_version = "1.27.0"
    job_login = "gitea-actions"

    def version(self):
        """(major, minor) of what is played."""
        major, minor = str(self.state.setting("version", self.default_version)).split(".")[:2]
        return int(major), int(minor)

    def version_text(self):
        return str(self.state.setting("version", self.default_version))

    def is_at_least(self, *version):
        return self.version() >= version

    def unknown_token(self):
        return "invalid username, password or token" if self.is_at_least(1, 25) else "user does not exist [uid: 0, name: ]"

    def archived_text(self, full_name, repository):
        return "repo is archived"

    def error(self, status, message):
        return Answer(status, {"message": message, "url": self.origin + "/api/swagger"})

    def not_found(self, *errors):
        return Answer(404, {"errors": list(errors), "message": "The target couldn't be found.",
                            "url": self.origin + "/api/swagger"})

    def caller_of(self, request):
        """The caller, None without a credential, False with one that is not known."""
        value = request.bearer("token", "bearer")
        basic = request.basic()
        if basic:
            user, password = basic
            if password and self.state.data["users"].get(user, {}).get("password") == password:
                return Caller({"user": user}, user, with_password=True)
            value = password if password not in ("", "x-oauth-basic") else user
            if not user:
                return False
        if value is None:
            return None
        token = self.state.token(value)
        if token is None or token.get("state", "alive") != "alive":
            return False
        if token.get("kind") == "job":
            return Caller(token, self.job_login)
        return Caller(token, token["user"], token.get("scopes", ["all"]))

    def authenticate(self, request, *categories, required=True):
        """Who asks the API, with one of the scopes that a method of these categories wants."""
        caller = self.caller_of(request)
        if caller is False:
            raise self.error(401, self.unknown_token())
        if caller is None:
            if self.state.setting("require_signin"):
                raise self.error(403, "Only signed in user is allowed to call APIs.")
            if required:
                raise self.error(401, "token is required")
            return None
        if caller.token.get("account"):
            raise self.error(403, caller.token["account"])
        level = "read" if request.method in ("GET", "HEAD") else "write"
        if categories and not all(caller.has_scope(level, category) for category in categories):
            wanted = " ".join(f"{level}:{category}" for category in categories)
            raise self.error(403, f"token does not have at least one of required scope(s): [{wanted}]")
        return caller

    def right(self, caller, full_name, repository, unit):
        if caller and caller.job:
            if unit not in repository.get("units", UNITS):
                return NONE
            return READ if caller.job.get("fork") else WRITE
        right = self.state.right(full_name, repository, caller.login if caller else None, unit)
        selected = caller.token.get("repositories") if caller else None
        if selected is not None and full_name not in selected:
            return NONE if repository.get("private") else min(right, READ)
        return right

    def is_visible(self, caller, full_name, repository):
        if caller and caller.job:
            return caller.job["repository"] == full_name
        return any(self.right(caller, full_name, repository, unit) for unit in UNITS)


class Place:
    """A repository as one caller sees it: the middlewares of a repository's routes, in the order a route names them."""

    def __init__(self, forge, request, category, owner, name):
        self.forge = forge
        self.request = request
        self.caller = forge.authenticate(request, category, required=False)
        self.full_name, self.repository = forge.state.repository(f"{owner}/{name}")
        if self.repository is None:
            raise forge.not_found()
        if "moved_to" in self.repository:
            raise Answer(307, b"", {"Location": request.path.replace(f"{owner}/{name}", self.repository["moved_to"], 1)})
        if not forge.is_visible(self.caller, self.full_name, self.repository):
            raise forge.not_found()
        if self.caller and self.caller.public_only and self.repository.get("private"):
            raise forge.error(403, f"token scope is limited to public {LIMITED[category]}")

    def right(self, unit):
        return self.forge.right(self.caller, self.full_name, self.repository, unit)

    def has_unit(self, unit):
        return unit in self.repository.get("units", UNITS)

    def signed_in(self):
        if self.caller is None:
            raise self.forge.error(401, "token is required")
        return self

    def reader(self, unit):
        if self.right(unit) < READ:
            raise self.forge.error(403, "user should have specific read permission or be a repo admin or a site admin")
        return self

    def writer(self, *units):
        if max(self.right(unit) for unit in units) < WRITE:
            raise self.forge.error(403, "user should have a permission to write to a repo")
        return self

    def admin(self):
        if self.caller.job or self.right("code") < ADMIN:
            raise self.forge.error(403, "user should be an owner or a collaborator with admin write of a repository")
        return self

    def not_archived(self):
        if self.repository.get("archived"):
            raise self.forge.error(423, self.forge.archived_text(self.full_name, self.repository))
        return self

    def form(self, *required):
        """The body, with what it must have: the first member that is missing is named, by its name in the code."""
        content_type = (self.request.headers.get("Content-Type") or "").partition(";")[0]
        if not content_type:
            raise self.forge.error(422, "[]: Empty Content-Type")
        if content_type != "application/json":
            raise self.forge.error(422, "[]: Unsupported Content-Type")
        form = self.request.json()
        if form is None:
            raise self.forge.error(422, "[]: unexpected EOF")
        for field in required:
            key = "".join("_" + c.lower() if c.isupper() else c for c in field).lstrip("_")
            if not form.get({"branch_name": "new_branch_name"}.get(key, key)):
                raise self.forge.error(422, f"[{field}]: Required")
        return form

    def within_quota(self):
        if self.repository.get("quota_exceeded"):
            raise Answer(413, {"message": "quota exceeded", "user_id": 7, "username": self.full_name.partition("/")[0]})
        return self


class Forgejo(Gitea):
    name = "Forgejo"
    default_version = "16.0.0"
    job_login = "forgejo-actions"

    def unknown_token(self):
        return "user does not exist [uid: 0, name: ]"

    def version_text(self):
        return super().version_text() + "+gitea-1.22.0"

    def archived_text(self, full_name, repository):
        return f"<Repository {repository.get('id', 1)}:{full_name}> is archived"

