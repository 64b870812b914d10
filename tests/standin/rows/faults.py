"""What the stand-in does on demand, whatever its type."""
from rows import ANY

TYPES = ("forgejo",)
STATE = {"users": {"deploy-bot": {}}, "tokens": {"all": {"user": "deploy-bot"}},
         "repositories": {"platform/app": {"access": {"deploy-bot": "write"}}}}
RELEASES = "/api/v1/repos/platform/app/releases"


def under(is_, fault, ask="GET /api/v1/user", **row):
    return {"is": is_, "with": {"fault": fault}, "ask": ask, "as": "token all", "says": ANY, **row}


def rows(forge_type):
    html = {"Content-Type": "text/html; charset=utf-8"}
    yield under("a proxy's page", {"kind": "html"}, status=403, sends=html)
    yield under("another status", {"kind": "html", "status": 502}, status=502, sends=html)
    yield under("a login page", {"kind": "redirect"}, status=302, sends={"Location": "https://login.example.org/"})
    yield under("other JSON", {"kind": "json", "status": 403, "body": {"error": "x"}}, status=403, says={"error": "x"})
    yield under("no header arrives", {"kind": "drop-header"}, status=401, says={"message": "token is required"})
    yield under("broken off", {"kind": "truncated"}, status=200, cut=True)
    yield under("byte by byte", {"kind": "slow", "seconds_per_byte": 0.0001}, status=200, says={"login": "deploy-bot"})
    yield under("no answer", {"kind": "close"}, "POST " + RELEASES, body={"tag_name": "a", "draft": True}, status=0,
                left={"repositories": {}}, keep=True)
    yield under("no answer, and done", {"kind": "lost"}, "POST " + RELEASES, body={"tag_name": "a", "draft": True}, status=0,
                left={"repositories": {"platform/app": {"releases": [{"tag_name": "a"}]}}})
    yield under("another path", {"kind": "html", "path": "/releases"}, status=200)
    yield under("another method", {"kind": "html", "method": "POST"}, status=200)
    yield under("once", {"kind": "html", "count": 1}, status=403, keep=True)
    yield {**under("and no more", {}, status=200), "with": {}}
