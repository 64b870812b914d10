"""Forgejo and Gitea: the container registry, on the forge's own host (routers/api/packages)."""
import base64
import hashlib
import json
import re

from forge.gitea import Caller
from forge.state import READ, RIGHTS, WRITE
from forge.web import Answer, text

VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
IMAGE = r"[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*"


def defined(status, code, headers=None):
    return Answer(status, {"errors": [{"code": code, "message": ""}]}, {**VERSION, **(headers or {})}, "application/json")


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def caller_of(forge, request):
    """With HTTP Basic as everywhere; a bearer is what get_token gave out."""
    bearer = request.bearer("bearer")
    if bearer is None:
        return forge.caller_of(request)
    try:
        claims = json.loads(base64.urlsafe_b64decode(bearer.split(".")[1] + "=="))
        return Caller({"user": claims["login"]}, claims["login"], claims["scopes"])
    except (IndexError, KeyError, ValueError, TypeError):
        return False


def authenticated(forge, request):
    caller = caller_of(forge, request)
    if not caller:
        raise defined(401, "UNAUTHORIZED", {
            "WWW-Authenticate": f'Bearer realm="{forge.origin}/v2/token",service="container_registry",scope="*"'})
    return caller


def get_token(forge, request):
    """Getting one proves nothing: whoever is nobody gets one as well."""
    caller = forge.caller_of(request)
    if caller is False:
        raise defined(401, "UNAUTHORIZED")
    claims = {"login": caller.login if caller else "Ghost", "scopes": caller.scopes if caller else []}
    return Answer(200, {"token": f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}.{encoded('signature')}"})


def right_on(forge, caller, owner):
    if caller.job:
        granted = caller.job.get("permissions", {}).get("packages", "none") if forge.name != "Forgejo" else "none"
        return RIGHTS[granted] if caller.job["repository"].partition("/")[0] == owner else 0
    if caller.login == owner:
        return WRITE
    given = RIGHTS[forge.state.data["packages"].get(owner, {}).get(caller.login, "none")]
    is_private = forge.state.data["organizations"].get(owner, {}).get("private")
    return max(given, 0 if is_private else READ)


def require_access(forge, request, owner, wanted):
    caller = authenticated(forge, request)
    if not forge.state.owner_exists(owner):
        raise text(404, "")
    if caller.has_scope("write" if wanted == WRITE else "read", "package"):
        if caller.public_only and forge.state.data["organizations"].get(owner, {}).get("private"):
            raise text(403, "reqToken\n")
        if right_on(forge, caller, owner) >= wanted:
            return caller
    raise text(401, "reqPackageAccess\n", {"WWW-Authenticate": 'Basic realm="Gitea Package API"'})


def support(forge, request):
    authenticated(forge, request)
    return Answer(200, b"", VERSION)


def start_upload(forge, request, owner, image):
    require_access(forge, request, owner, WRITE)
    if not re.fullmatch(IMAGE, image):
        raise defined(400, "NAME_INVALID")
    digest = request.query.get("digest")
    if digest:
        if digest != "sha256:" + hashlib.sha256(request.body).hexdigest():
            raise defined(400, "DIGEST_INVALID")
        forge.state.blobs.append(f"{owner}/{image}@{digest}")
        return Answer(201, b"", {**VERSION, "Location": f"/v2/{owner}/{image}/blobs/{digest}", "Docker-Content-Digest": digest})
    upload = f"upload-{forge.state.next_id()}"
    forge.state.uploads[upload] = f"{owner}/{image}"
    return Answer(202, b"", {**VERSION, "Location": f"/v2/{owner}/{image}/blobs/uploads/{upload}", "Range": "0-0",
                             "Docker-Upload-Uuid": upload})


def cancel_upload(forge, request, owner, image, upload):
    require_access(forge, request, owner, WRITE)
    if forge.state.uploads.pop(upload, None) is None:
        raise defined(404, "BLOB_UPLOAD_UNKNOWN")
    return Answer(204, b"", VERSION)


ROUTES = [
    ("GET", r"/v2/?", support),
    ("GET", r"/v2/token", get_token),
    ("POST", r"/v2/([^/]+)/(.+)/blobs/uploads/?", start_upload),
    ("DELETE", r"/v2/([^/]+)/(.+)/blobs/uploads/([^/]+)", cancel_upload),
]
