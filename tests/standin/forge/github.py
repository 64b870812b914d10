"""GitHub: who is asking, and what its answers have in common."""
from forge.server import Routes
from forge.web import Answer


class GitHub(Routes):
    api = "/api/v3"

    def error(self, status, message, headers=None):
        return Answer(status, {"message": message, "documentation_url": "https://docs.github.com/rest",
                               "status": str(status)}, headers)

    def not_found(self):
        return self.error(404, "Not Found")

    def authenticate(self, request):
        if not request.headers.get("User-Agent"):
            raise Answer(403, b"Request forbidden by administrative rules.", content_type="text/html")
        if self.state.refused >= self.state.setting("lockout", 10):
            raise self.error(403, "Maximum number of login attempts exceeded. Please try again later.")
        if self.state.setting("rate_limited"):
            raise self.error(403, "API rate limit exceeded for user ID 7.",
                             {"X-RateLimit-Remaining": "0", "Retry-After": "60"})
        basic = request.basic()
        value = request.bearer("token", "bearer") or (basic and basic[1])
        if not value:
            raise self.error(401, "Requires authentication")
        token = self.state.token(value)
        if token is None or token.get("state", "alive") != "alive":
            self.state.refused += 1
            raise self.error(401, "Bad credentials")
        return token


def get_user(forge, request):
    token = forge.authenticate(request)
    if token.get("kind") == "installation":
        raise forge.error(403, "Resource not accessible by integration")
    headers = {}
    if token.get("kind", "classic") == "classic":
        headers["X-OAuth-Scopes"] = ", ".join(token.get("scopes", ["repo"]))
    user = forge.state.user(token["user"])
    return Answer(200, {"login": user["login"], "id": user["id"], "type": "User"}, headers)


ROUTES = [("GET", r"/api/v3/user", get_user)]
