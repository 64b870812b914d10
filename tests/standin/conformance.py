"""Replays recorded exchanges against the stand-in and compares the answers; TAP on stdout.

Compared: status, content type, the body (members, types and values, recursively; ids, dates, reqId and counted
seconds only by their form), the sizes of issued tokens, and the ETag wherever a body has no random part.
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import sys

from lab import Lab

RECORDED, STANDIN = sys.argv[1], sys.argv[2]
SECRETS = {
    "9c79f956-d2f0-4d8a-bc91-8a9156cd6915": "5" * 64,
    "49507526-928a-4bfc-b7ba-789f5d75111a": "6" * 64,
    "e7af7bd6-f27a-40c3-9ec5-857584b760fb": "7" * 64,
}
PROJECT = "a5db14e9-3090-42e4-a6a0-514a805f306f"
FOLDER = "/home-platform/forgejo_accounts"
WHERE = f"?workspaceId={PROJECT}&environment=prod&secretPath=%2Fhome-platform%2Fforgejo_accounts"
SECOND = "/api/v3/secrets/raw/SECOND" + WHERE
ROTATED = {"environment": "prod", "path": FOLDER, "name": "ROTATED"}
ROTATED_FIRST = dict(ROTATED, value="first", id="4f8df9e1-c379-47b8-bb33-94bb71ca1f81",
                     created_at="2026-11-20T19:31:12.808Z", updated_at="2026-11-20T19:31:12.808Z")
ROTATED_SECOND = dict(ROTATED, value="second", updated_at="2026-11-20T19:31:12.898Z")

# Who asks, where it is not the reader.
WHO = {
    "auth-identity-without-project": "no-member",
    "permission-denied-not-project-member": "no-member",
    "project-get-nomember": "no-member",
    "permission-denied-no-access-role": "no-access",
    "permission-denied-missing-secret": "no-access",
    "list-denied": "no-access",
    "list-describe-only": "describer",
    "secret-read-describe-only-denied-value": "describer",
    "secret-read-describe-only-hidden": "describer",
    "import-read-ok": "viewer",
    "list-ok-viewer-root": "viewer",
    "secret-read-path-default-root": "viewer",
    "secret-read-large-value": "viewer",
    "secret-by-id-missing": "viewer",
    "tokenauth-create-token-ok": "operator",
    "tokenauth-list-tokens": "operator",
    "tokenauth-revoke-by-admin-ok": "operator",
    "tokenauth-revoke-by-admin-again": "operator",
    "tokenauth-trusted-ip-plan-restricted": "operator",
}
SKIPPED = {
    "dynamic-": "leases are not served: the broker does not use them",
    "http-content-length-conflict": "refused by the HTTP library below, with its own text",
    "http-missing-host": "refused by the HTTP library below, with its own text",
}


def login(lab, client_id):
    return lab.login(client_id, SECRETS[client_id])


def part(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forged(token, alg):
    """The token's claims again, signed with another key, or not at all."""
    body = part({"alg": alg, "typ": "JWT"}) + "." + token.split(".")[1]
    if alg == "none":
        return body + "."
    digest = hashlib.sha512 if alg == "HS512" else hashlib.sha256
    return body + "." + part(hmac.new(b"another key", body.encode(), digest).digest())


SHORT, PERIODIC, LOGIN = ("49507526-928a-4bfc-b7ba-789f5d75111a", "e7af7bd6-f27a-40c3-9ec5-857584b760fb",
                          "9c79f956-d2f0-4d8a-bc91-8a9156cd6915")


def expired(lab):
    token = lab.token("reader", ttl=60, max_ttl=100)["value"]
    lab.advance(61)
    return token


def expired_login(lab):
    token = login(lab, SHORT)
    lab.advance(31)
    return token


def revoked(lab):
    made = lab.token("reader")
    lab.control("POST", f"/tokens/{made['name']}/revoke")
    return made["value"]


def old_login(lab):
    token = login(lab, SHORT)
    lab.advance(20)
    return token


def after_failed_login_renewal(lab):
    token = old_login(lab)
    assert lab.renew(token).status == 401
    return token


def after_failed_renewal(lab):
    token = lab.token("reader", ttl=60, max_ttl=100)["value"]
    lab.advance(50)
    assert lab.renew(token).status == 401
    return token


def used(times, target=SECOND):
    def make(lab):
        token = lab.token("reader", uses_limit=2)["value"]
        lab.read(token, target, times)
        return token
    return make


def used_login(lab):
    lab.control("POST", "/identities/login-limited", {
        "name": "login-limited", "universal_auth": {"client_id": "limited", "ttl": 3600, "uses_limit": 2,
                                                    "client_secrets": [{"secret": "limited"}]}})
    body = json.dumps({"clientId": "limited", "clientSecret": "limited"})
    answer = lab.send("POST", "/api/v1/auth/universal-auth/login", {"Content-Type": "application/json"}, body)
    token = json.loads(answer.body)["accessToken"]
    lab.read(token, SECOND, 2)
    return token


def revoked_by_itself(lab):
    token = lab.token("reader")["value"]
    assert lab.renew(token, "revoke").status == 200
    return token


# What stands for <token>, where it is not a fresh token of the one who asks.
TOKENS = {
    "auth-expired-token": expired,
    "auth-expired-token-ua": expired_login,
    "auth-revoked-token-by-admin": revoked,
    "auth-token-after-failed-renew": after_failed_login_renewal,
    "auth-tokenauth-after-failed-renew": after_failed_renewal,
    "token-renew-expired": expired,
    "token-renew-ok-1h": lambda lab: lab.token("token-auth-1h")["value"],
    "token-renew-ok-periodic": lambda lab: login(lab, PERIODIC),
    "token-renew-ok-tokenauth": lambda lab: lab.token("reader", ttl=60, max_ttl=100)["value"],
    "token-renew-ok-ua": lambda lab: login(lab, LOGIN),
    "token-renew-past-max-ttl-ua": old_login,
    "token-renew-revoked": revoked,
    "token-renew-uselimit-exhausted": used_login,
    "token-revoke-self-again": revoked_by_itself,
    "token-revoke-self-expired": expired,
    "token-ttl-fresh-read-ok": lambda lab: lab.token("reader", ttl=60)["value"],
    "ua-token-read-ok": lambda lab: login(lab, LOGIN),
    "uselimit-consumed-by-404s": used(2, SECOND.replace("SECOND", "NO_SUCH_SECRET")),
    "uselimit-second-ok": used(1),
    "uselimit-third-exhausted": used(2),
    "uselimit-fourth-gone": used(3),
    "uselimit-first": used(0),
}


def wrong_logins(count):
    def prepare(lab, _entry):
        for _ in range(count):
            lab.send("POST", "/api/v1/auth/universal-auth/login", {"Content-Type": "application/json"},
                     json.dumps({"clientId": LOGIN, "clientSecret": "wrong-secret"}))
    return prepare


def client_secret(text, more, seconds=0, logins=0, revoke=False):
    """The exchange uses a client secret of its own."""
    def prepare(lab, entry):
        lab.control("POST", "/client-secrets/login", dict(more, secret=text))
        entry["request"]["body"] = entry["request"]["body"].replace("<client-secret>", text)
        for _ in range(logins):
            lab.send("POST", entry["request"]["target"], {"Content-Type": "application/json"},
                     entry["request"]["body"])
        if revoke:
            lab.control("POST", "/client-secrets/login/revoke", {"secret": text})
        lab.advance(seconds)
    return prepare


def rotated(*steps):
    def prepare(lab, _entry):
        lab.control("PUT", "/secret", ROTATED_FIRST)
        for step in steps:
            if step == "delete":
                lab.control("DELETE", "/secret", ROTATED)
            else:
                lab.control("PUT", "/secret", step)
    return prepare


def limited(count):
    def prepare(lab, _entry):
        lab.control("POST", "/settings", {"rate_limit": {"secret": 40}})
        lab.read(lab.token("reader")["value"], SECOND, count)
    return prepare


def database_down(name):
    return lambda lab, _entry: lab.control("POST", "/fault", {"kind": "error-500", "error": name, "count": 1})


def made_by_operator(revoke):
    def prepare(lab, entry):
        made = lab.token("reader")
        if revoke:
            lab.control("POST", f"/tokens/{made['name']}/revoke")
        entry["request"]["target"] = re.sub("tokens/[^/]*/", f"tokens/{made['id']}/", entry["request"]["target"])
        entry["response"]["body"] = re.sub("with ID [^ ]* ", f"with ID {made['id']} ", entry["response"]["body"])
    return prepare


PREPARE = {
    "backend-database-down": database_down("IdAccessTokenFindOne"),
    "backend-database-down-ua-login": database_down("Find one"),
    "rate-limit-headers-on-ok": limited(0),
    "rate-limit-exceeded-secret-read": limited(40),
    "rate-limit-exceeded-other-token": limited(40),
    "rate-limit-exceeded-bad-token": limited(40),
    "rate-limit-status-route": limited(40),
    "secret-rotated-before": rotated(),
    "secret-rotated-after": rotated(ROTATED_SECOND),
    "secret-rotated-old-version": rotated(ROTATED_SECOND),
    "secret-deleted": rotated(ROTATED_SECOND, "delete"),
    "secret-deleted-old-version": rotated(ROTATED_SECOND, "delete"),
    "tokenauth-revoke-by-admin-ok": made_by_operator(False),
    "tokenauth-revoke-by-admin-again": made_by_operator(True),
    "ua-login-bad-secret-repeat-12": wrong_logins(11),
    "ua-login-ok-after-bad-secrets": wrong_logins(12),
    "ua-login-secret-expired": client_secret("outlived" * 8, {"ttl": 5}, seconds=6),
    "ua-login-secret-revoked": client_secret("withdraw" * 8, {}, revoke=True),
    "ua-login-secret-uselimit-ok": client_secret("onlyonce" * 8, {"uses_limit": 1}),
    "ua-login-secret-uselimit-after": client_secret("usedonce" * 8, {"uses_limit": 1}, logins=2),
}


def clean_up(lab, entry):
    lab.control("DELETE", "/fault")
    lab.control("POST", "/settings", {"rate_limit": {"secret": 0}})
    if re.match("secret-(rotated|deleted)", entry["name"]):
        lab.control("DELETE", "/secret", dict(ROTATED, forget=True))


def authorization(lab, entry, header, token):
    meaning = {
        "<token with an HS512 header and a wrong signature>": lambda: forged(token(), "HS512"),
        "<token with alg none and no signature>": lambda: forged(token(), "none"),
        "<token signed with another key>": lambda: forged(token(), "HS256"),
        "<token cut by five characters>": lambda: token()[:-5],
        "<20000 bytes of x>": lambda: "x" * 20000,
        "<token>": token,
    }
    for marker, make in meaning.items():
        if marker in header:
            return header.replace(marker, make())
    return header


def replay(lab, entry):
    name, request = entry["name"], entry["request"]
    if name in PREPARE:
        PREPARE[name](lab, entry)
    if "raw" in request:
        return lab.send_raw(request["raw"])
    make = TOKENS.get(name, lambda lab: lab.token(WHO.get(name, "reader"))["value"])
    kept = []

    def token():
        if not kept:
            kept.append(make(lab))
        return kept[0]

    headers = {key: authorization(lab, entry, value, token) for key, value in request["headers"].items()}
    body = request.get("body")
    if body is not None:
        if "<token>" in body:
            body = body.replace("<token>", token())
        client_id = next((client for client in SECRETS if client in body), LOGIN)
        body = body.replace("<client-secret>", SECRETS[client_id])
        body = re.sub("<client secret with the right[^>]*>", "5555" + "0" * 60, body)
    return lab.send(request["method"], request["target"], headers, body)


def form(value):
    """A value with its random parts replaced by what they are."""
    if isinstance(value, dict):
        return {key: form(member) for key, member in value.items()}
    if isinstance(value, list):
        return [form(member) for member in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"^req-[A-Za-z0-9]{14}$", "<reqId>", value)
    value = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "<date>", value)
    value = re.sub(r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$", "<uuid>", value)
    value = re.sub(r"again in \d+ seconds", "again in <n> seconds", value)
    return re.sub(r"^eyJ[\w-]+\.[\w-]+\.[\w-]+$", "<token>", value)


def parsed(text):
    try:
        return form(json.loads(text))
    except ValueError:
        return text


def differences(entry, answer):
    want = entry["response"]
    text = want["body"].replace("<65000 times A>", "A" * 65000)
    found = []

    def compare(what, expected, got):
        if expected != got:
            found.append(f"{what}: recorded {str(expected)[:300]!r}, got {str(got)[:300]!r}")

    compare("status", want["status"], answer.status)
    compare("content-type", want["headers"].get("content-type"), answer.headers.get("content-type"))
    compare("etag present", "etag" in want["headers"], "etag" in answer.headers)
    compare("body", parsed(text), parsed(answer.body.decode()))
    for header in want["headers"]:
        if header == "retry-after" or header.startswith("x-ratelimit-"):
            volatile = header in ("retry-after", "x-ratelimit-reset")
            compare(header, volatile or want["headers"][header], header in answer.headers if volatile
                    else answer.headers.get(header))
    if "content-length" in want["headers"]:
        compare("content-length", want["headers"]["content-length"], answer.headers.get("content-length"))
    if "etag" in want["headers"] and not want.get("redacted") and form(text) == text and exact(text):
        compare("etag", want["headers"]["etag"], answer.headers.get("etag"))
    return found


def exact(text):
    """True for a body without a random part: the lab has the recording's ids and dates."""
    return not re.search(r'"reqId"|"date"|"folders"|"tokens"', text)


def report(number, name, problems, skip=None):
    if skip:
        print(f"ok {number} - {name} # SKIP {skip}")
        return
    print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    for problem in problems:
        print(f"# {problem}")


# Requests of the server of 2024: the row's name says which; most were the same as in mid-2025.
SAME_AS = {
    "auth-empty-bearer": "auth-empty-bearer-space",
    "auth-revoked-token": "auth-revoked-token-by-admin",
    "status": "rate-limit-status-route",
    "token-renew-ok": "token-renew-ok-tokenauth",
    "ua-login-bad-secret": "ua-login-bad-secret-same-prefix",
    "uselimit-second": "uselimit-second-ok",
    "uselimit-third": "uselimit-third-exhausted",
    "uselimit-fourth": "uselimit-fourth-gone",
    "uselimit-first": "secret-read-comment-metadata",
    "list-path-missing": "list-ok",
    "param-bad-type": "secret-read-ok",
    "param-missing-environment": "secret-read-ok",
    "project-missing": "secret-read-ok",
    "secret-read-hidden-value-ignored": "secret-read-ok",
}
CHANGED = {
    "list-path-missing": ("forgejo_accounts", "nope"),
    "param-bad-type": ("&environment=prod", "&environment=prod&type=nope"),
    "param-missing-environment": ("&environment=prod", ""),
    "project-missing": (PROJECT, "00000000-0000-4000-8000-000000000000"),
    "secret-read-hidden-value-ignored": ("&environment=prod", "&environment=prod&viewSecretValue=false"),
}


def entry_of_2024(row, recorded):
    name, _method, status, error, message = row
    same = SAME_AS.get(name, name)
    if same not in recorded:
        return None
    entry = json.loads(json.dumps(recorded[same]))
    entry["name"] = name if name in TOKENS else same
    entry["request"]["target"] = entry["request"]["target"].replace(*CHANGED.get(name, ("\0", "")))
    entry["response"] = {"status": int(status), "error": error, "message": message}
    return entry


def differences_2024(entry, answer):
    want = entry["response"]
    found = []
    if want["status"] != answer.status:
        found.append(f"status: recorded {want['status']}, got {answer.status}: {answer.body[:200]!r}")
    body = json.loads(answer.body)
    if want["error"] != "-" and body.get("error") != want["error"]:
        found.append(f"error: recorded {want['error']!r}, got {body.get('error')!r}")
    message = body.get("message")
    if want["message"] == "[issues]":
        if not isinstance(message, list):
            found.append(f"message: recorded a list of issues, got {message!r}")
    elif want["message"] != "-" and not str(message).startswith(want["message"][:110]):
        found.append(f"message: recorded {want['message']!r}, got {message!r}")
    if want["status"] == 200 and "secret" in body and "secretValueHidden" in body["secret"]:
        found.append("servers of 2024 do not tell whether a value is hidden")
    return found


def main():
    with open(os.path.join(RECORDED, "recorded.jsonl"), encoding="utf-8") as file:
        recorded = {entry["name"]: entry for entry in map(json.loads, file)}
    with open(os.path.join(RECORDED, "v2024-07.tsv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    print(f"1..{len(recorded) + len(rows) + 1}")
    lab, number, failed, skipped = Lab(STANDIN, os.path.join(RECORDED, "lab.json")), 0, 0, {}
    for entry in recorded.values():
        number += 1
        reason = next((SKIPPED[prefix] for prefix in SKIPPED if entry["name"].startswith(prefix)), None)
        problems = [] if reason else attempt(lab, entry, differences)
        report(number, entry["name"], problems, reason)
        failed += bool(problems)
        if reason:
            skipped[reason] = skipped.get(reason, 0) + 1
    lab.control("POST", "/settings", {"generation": "2024"})
    for row in rows:
        number += 1
        entry = entry_of_2024(row, recorded)
        reason = None if entry else "the request is not known"
        problems = [] if reason else attempt(lab, entry, differences_2024)
        report(number, "server of 2024: " + row[0], problems, reason)
        failed += bool(problems)
        if reason:
            skipped[reason] = skipped.get(reason, 0) + 1
    code = lab.stop()
    report(number + 1, "the stand-in ends cleanly", [f"exit status {code}"] if code else [])
    left_out = sum(skipped.values())
    print(f"# {number - left_out} of {number} exchanges covered, {failed} differ, {left_out} left out:")
    for reason, count in skipped.items():
        print(f"#   {count}: {reason}")
    return 1 if failed or code else 0


def attempt(lab, entry, compare):
    try:
        return compare(entry, replay(lab, entry))
    except (OSError, RuntimeError, ValueError, AssertionError, http.client.HTTPException) as error:
        return [f"no answer to compare: {error!r}"]
    finally:
        clean_up(lab, entry)


sys.exit(main())
