"""GitHub's registry: whoever has a token gets a bearer, and is refused with the first upload."""
from forge import registry
from forge.github import Caller
from forge.web import Answer

SERVICE = "containers"


def realm(forge):
    """On the registry's own host, where the forge has a name."""
    if not forge.origin.startswith("https://"):
        return forge.origin + "/token"
    return "https://containers." + forge.origin[8:] + "/token"


def location(forge):
    return ""


def denied(message):
    return registry.error(403, "DENIED", message)


def get_token(forge, request):
    image, actions = registry.asked_for(request)
    value = forge.value_of(request)
    if not value or forge.known(value) is None:
        raise denied("denied")
    bearer = f"bearer-{forge.state.next_id()}"
    forge.state.bearers[bearer] = (value, image, actions)
    return Answer(200, {"token": bearer})


def require_push(forge, value, image, actions):
    caller = Caller(forge.state.token(value))
    owner = image.partition("/")[0]
    if caller.kind == "installation":
        if caller.permissions.get("packages") != "write":
            raise denied("installation not allowed to Write organization package")
    elif "write:packages" not in caller.scopes:
        raise denied("permission_denied: The token provided does not match expected scopes.")
    allowed = forge.state.data["packages"].get(owner, {}).get(caller.name) == "write" or owner == caller.login
    if "push" not in actions or not allowed or image in forge.state.setting("unlinked_packages", []):
        raise denied("permission_denied: write_package")


ROUTES = [("GET", r"/token", get_token)] + registry.ROUTES
