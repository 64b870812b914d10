"""Forgejo and Gitea: what a token says of itself, and of the job that it belongs to."""
import json

from forge.web import Answer

DATE = "2026-01-02T03:04:05Z"


def user_object(forge, login):
    user = forge.state.user(login)
    return {"id": user["id"], "login": login, "login_name": "", "full_name": user.get("full_name", ""),
            "email": f"{login}@noreply.example.org", "is_admin": bool(user.get("admin")), "active": True,
            "visibility": "public", "created": DATE}


def version(forge, request):
    return Answer(200, {"version": forge.version_text()})


def get_user(forge, request):
    caller = forge.authenticate(request, "user")
    if caller.job:
        return Answer(200, {**user_object(forge, caller.login), "id": -2, "is_admin": False})
    return Answer(200, user_object(forge, caller.login))


def token_object(forge, number, value, token):
    found = {"id": number, "name": token.get("name", "ci"), "sha1": "", "token_last_eight": value[-8:],
             "scopes": token.get("scopes", ["all"])}
    if forge.name == "Forgejo" and forge.is_at_least(15, 0):
        selected = token.get("repositories")
        found["repositories"] = selected and [dict(zip(("owner", "name"), name.split("/"))) for name in selected]
    if forge.name != "Forgejo" or forge.is_at_least(16, 0):
        found.update(created_at=DATE, last_used_at=DATE)
    return found


def list_tokens(forge, request, login):
    """By the user itself and with HTTP Basic only, which at Forgejo may carry a token and at Gitea wants the password."""
    caller = forge.authenticate(request, "user", required=False)
    if login not in forge.state.data["users"] and not any(
            token.get("user") == login for token in forge.state.data["tokens"].values()):
        raise forge.not_found()
    if caller is None or caller.login != login:
        raise forge.error(403, "doer should be the site admin or be same as the contextUser")
    if request.basic() is None or (forge.name != "Forgejo" and not caller.with_password):
        raise forge.error(401, "auth required")
    return Answer(200, [token_object(forge, number, value, token)
                        for number, (value, token) in enumerate(forge.state.data["tokens"].items(), 1)
                        if token.get("user") == login and token.get("kind") != "job"])


def get_token(forge, request):
    """Gitea after 1.26: a token describes itself, whatever its scopes."""
    if not forge.is_at_least(1, 27):
        raise forge.not_found()
    caller = forge.authenticate(request)
    if caller.scopes is None:
        raise forge.not_found("token not found")
    return Answer(200, {"id": 1, "name": caller.token.get("name", "ci"), "scopes": caller.scopes, "created_at": DATE,
                        "last_used_at": DATE, "user": user_object(forge, caller.login)})


def get_run(forge, request):
    """Forgejo since 16: the run that the job's own token belongs to."""
    if not forge.is_at_least(16, 0):
        raise forge.not_found()
    caller = forge.authenticate(request)
    if not caller.job:
        raise forge.error(403, "must use an automatic actions token")
    job = caller.job
    full_name, repository = forge.state.repository(job["repository"])
    owner, _, name = full_name.partition("/")
    event = job.get("event", "push")
    ref = job.get("ref", "refs/heads/main")
    payload = job.get("event_payload", {"ref": ref, "repository": {"full_name": full_name}})
    return Answer(200, {
        "id": job.get("run", 42), "title": job.get("title", "Release"),
        "repository": {"id": repository.get("id", 1), "name": name, "full_name": full_name,
                       "owner": user_object(forge, owner), "private": bool(repository.get("private")),
                       "permissions": {"admin": False, "push": not job.get("fork"), "pull": True}},
        "workflow_id": job.get("workflow", "release.yml"), "index_in_repo": job.get("index", 7),
        "trigger_user": user_object(forge, job.get("actor", "alice")), "ScheduleID": 0,
        "prettyref": ref.removeprefix("refs/heads/").removeprefix("refs/tags/"), "is_ref_deleted": False,
        "commit_sha": job.get("sha", "6" * 40), "is_fork_pull_request": bool(job.get("fork")),
        "need_approval": bool(job.get("need_approval")), "approved_by": 0, "event": event,
        "event_payload": payload if isinstance(payload, str) else json.dumps(payload),
        "trigger_event": job.get("trigger_event", event), "status": job.get("status", "running"),
        "started": DATE, "stopped": "1970-01-01T00:00:00Z", "created": DATE, "updated": DATE, "duration": 5000000000,
        "html_url": f"{forge.origin}/{full_name}/actions/runs/{job.get('index', 7)}"})


COMMON = [("GET", r"/api/v1/version", version), ("GET", r"/api/v1/user", get_user),
          ("GET", r"/api/v1/users/([^/]+)/tokens", list_tokens)]
GITEA = COMMON + [("GET", r"/api/v1/token", get_token)]
FORGEJO = COMMON + [("GET", r"/api/v1/actions/run", get_run)]
