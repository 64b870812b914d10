"""GitLab: who is asking, and what its answers have in common."""
from forge.server import Routes
from forge.web import Answer


class GitLab(Routes):
    api = "/api/v4"

    def not_found(self):
        return Answer(404, {"error": "404 Not Found"})

    def authenticate(self, request, scopes):
        basic = request.basic()
        token = self.state.token(request.headers.get("PRIVATE-TOKEN") or request.bearer("token", "bearer") or
                                 (basic and basic[1]))
        if token is None:
            raise Answer(401, {"message": "401 Unauthorized"})
        if token.get("state") == "expired":
            raise Answer(401, {"error": "invalid_token", "error_description":
                               "Token is expired. You can either do re-authorization or token refresh."})
        if token.get("state") == "revoked":
            raise Answer(401, {"error": "invalid_token", "error_description":
                               "Token was revoked. You have to re-authorize from the user."})
        if not set(scopes) & set(token.get("scopes", ["api"])):
            raise Answer(403, {"error": "insufficient_scope", "error_description":
                               "The request requires higher privileges than provided by the access token.",
                               "scope": " ".join(scopes)})
        return token


def get_user(forge, request):
    user = forge.state.user(forge.authenticate(request, ["api", "read_api", "read_user"])["user"])
    return Answer(200, {"id": user["id"], "username": user["login"], "state": "active"})


ROUTES = [("GET", r"/api/v4/user", get_user)]
