"""GitLab's registry: the bearer is a JWT that lists the actions that were granted, of those that were asked for."""
import base64
import json

from forge import registry
from forge.gitlab import DEVELOPER
from forge.web import Answer

SERVICE = "container_registry"


def realm(forge):
    return forge.origin + "/jwt/auth"


def location(forge):
    return forge.origin.replace("https://", "https://registry.")


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def granted(forge, token, image):
    """The actions that a token has on an image, which belongs to the project whose path it begins with."""
    scopes = set(token.get("scopes", ["api"]))
    for full_name, project in forge.state.data["repositories"].items():
        if image == full_name or image.startswith(full_name + "/"):
            level = forge.level(token, full_name, project)
            job = token.get("kind") == "job"
            pull = (level or not project.get("private")) and (job or scopes & {"api", "read_registry", "write_registry"})
            push = level >= DEVELOPER and (job or scopes & {"api", "write_registry"})
            return (["pull"] if pull else []) + (["push"] if push else [])
    return []


def get_token(forge, request):
    image, asked = registry.asked_for(request)
    value = forge.value_of(request)
    token = forge.state.token(value)
    if token is None or token.get("state", "alive") != "alive":
        raise registry.error(401, "UNAUTHORIZED", "HTTP Basic: Access denied.")
    actions = [action for action in asked if action in granted(forge, token, image)]
    if asked and not actions:
        raise registry.error(403, "DENIED", "access forbidden")
    access = [{"type": "repository", "name": image, "actions": actions}] if image else []
    claims = {"iss": "gitlab-issuer", "aud": SERVICE, "sub": token.get("user", ""), "access": access}
    jwt = f"{encoded({'alg': 'RS256', 'typ': 'JWT'})}.{encoded(claims)}.{encoded(forge.state.next_id())}"
    forge.state.bearers[jwt] = (value, image, actions)
    return Answer(200, {"token": jwt})


def require_push(forge, value, image, actions):
    if "push" not in actions:
        raise registry.challenge(forge, image, ',error="insufficient_scope"')


ROUTES = [("GET", r"/jwt/auth", get_token)] + registry.ROUTES
