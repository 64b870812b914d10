"""A container registry that wants a bearer from a token endpoint, as GHCR and GitLab's do.

forge.registry is the module that says the rest: SERVICE, realm(forge), location(forge) before the paths that it gives out,
and require_push(forge, value, image, actions), which raises unless the token with that value may push to the image.
"""
from forge.web import Answer

VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


def error(status, code, message, headers=None):
    return Answer(status, {"errors": [{"code": code, "message": message}]}, {**VERSION, **(headers or {})}, "application/json")


def asked_for(request):
    """(image, actions) of a token endpoint's scope=repository:IMAGE:ACTION,ACTION."""
    kind, _, rest = request.query.get("scope", "").partition(":")
    image, _, actions = rest.rpartition(":")
    return (image, actions.split(",")) if kind == "repository" and image else ("", [])


def challenge(forge, image, reason=""):
    scope = f',scope="repository:{image}:pull,push"' if image else ""
    return error(401, "UNAUTHORIZED", "authentication required", {
        "WWW-Authenticate": f'Bearer realm="{forge.registry.realm(forge)}",service="{forge.registry.SERVICE}"{scope}{reason}'})


def support(forge, request):
    if request.bearer("bearer") not in forge.state.bearers:
        raise challenge(forge, "")
    return Answer(200, b"", VERSION)


def require_push(forge, request, image):
    value, granted_image, actions = forge.state.bearers.get(request.bearer("bearer"), (None, None, []))
    if value is None:
        raise challenge(forge, image)
    forge.registry.require_push(forge, value, image, actions if image == granted_image else [])


def start_upload(forge, request, image):
    require_push(forge, request, image)
    upload = f"upload-{forge.state.next_id()}"
    forge.state.uploads[upload] = image
    return Answer(202, b"", {**VERSION, "Location": f"{forge.registry.location(forge)}/v2/{image}/blobs/uploads/{upload}?_state=abc",
                             "Range": "0-0", "Docker-Upload-Uuid": upload})


def cancel_upload(forge, request, image, upload):
    require_push(forge, request, image)
    if forge.state.uploads.pop(upload, None) is None:
        raise error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    return Answer(204, b"", VERSION)


ROUTES = [
    ("GET", r"/v2/?", support),
    ("POST", r"/v2/(.+)/blobs/uploads/?", start_upload),
    ("DELETE", r"/v2/(.+)/blobs/uploads/([^/]+)", cancel_upload),
]
