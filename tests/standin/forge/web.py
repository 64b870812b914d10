"""A request as the forges see it, and an answer that ends its handling."""
import base64
import json
import urllib.parse

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Access denied</body></html>"


class Answer(Exception):
    """Raised or returned: what is sent."""

    def __init__(self, status, body=b"", headers=None, content_type="application/json; charset=utf-8"):
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {**({"Content-Type": content_type} if status != 204 else {}), **(headers or {})}


def page(status):
    return Answer(status, PAGE, content_type="text/html; charset=utf-8")


def text(status, words, headers=None):
    return Answer(status, words.encode(), headers, "text/plain; charset=utf-8")


class Request:
    """path is what stands below the forge's base, as it came (not decoded); query its first values."""

    def __init__(self, method, target, headers, body, base):
        self.method = method
        path, _, query = target.partition("?")
        self.path = path[len(base):] if path.startswith(base + "/") or path == base else None
        self.query = dict(reversed(urllib.parse.parse_qsl(query)))
        self.headers = headers
        self.body = body

    def basic(self):
        """(user, password) of HTTP Basic, or None."""
        scheme, _, rest = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except ValueError:
            return None
        return user, password

    def bearer(self, *schemes):
        """What follows one of the schemes in Authorization, or None."""
        scheme, _, rest = (self.headers.get("Authorization") or "").partition(" ")
        return rest.strip() if scheme.lower() in schemes and rest.strip() else None

    def json(self):
        """The body's object; None where it is none."""
        try:
            value = json.loads(self.body or b"")
        except ValueError:
            return None
        return value if isinstance(value, dict) else None
