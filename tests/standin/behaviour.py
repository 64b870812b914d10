"""The stand-in's own promises, where no recording exists; TAP on stdout.  Each test starts from the lab anew."""
import base64
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
import time

from lab import Lab

STATE, STANDIN = sys.argv[1], sys.argv[2]
CLIENT, SECRET = "9c79f956-d2f0-4d8a-bc91-8a9156cd6915", "5" * 64
PROJECT = "a5db14e9-3090-42e4-a6a0-514a805f306f"
FOLDER = "/home-platform/forgejo_accounts"
TAIL = f"environment=prod&secretPath={FOLDER}"
SECOND = f"/api/v3/secrets/raw/SECOND?workspaceId={PROJECT}&{TAIL}"
SECOND_V4 = f"/api/v4/secrets/SECOND?projectId={PROJECT}&{TAIL}"


def claims(token):
    text = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def expect(answer, status, text=None):
    assert answer.status == status, f"{answer.status} {answer.body[:200]!r}"
    if text:
        assert text in answer.body.decode(), answer.body[:300]


def settings(lab, **changes):
    lab.control("POST", "/settings", changes)


def fault(lab, kind, **more):
    lab.control("POST", "/fault", dict(more, kind=kind))


def lockout_after_three(lab):
    settings(lab, lockout={"enabled": True})
    for _ in range(3):
        expect(lab.try_login(CLIENT, "wrong"), 401, "Invalid credentials")
    expect(lab.try_login(CLIENT, SECRET), 401, "temporarily locked")
    lab.advance(299)
    expect(lab.try_login(CLIENT, SECRET), 401, "temporarily locked")
    lab.advance(2)
    expect(lab.try_login(CLIENT, SECRET), 200)


def lockout_forgets_old_failures(lab):
    settings(lab, lockout={"enabled": True})
    for _ in range(5):
        expect(lab.try_login(CLIENT, "wrong"), 401, "Invalid credentials")
        lab.advance(31)


def generation_a_renews_the_same_jwt(lab):
    settings(lab, generation="A")
    token = lab.token("reader", ttl=60, max_ttl=600)["value"]
    assert lab.renew(token).json()["accessToken"] == token
    limited = lab.token("reader", uses_limit=1)["value"]
    expect(lab.read(limited, SECOND), 200)
    expect(lab.read(limited, SECOND), 400, "number of uses")
    expect(lab.renew(token, "revoke"), 200)
    expect(lab.read(token, SECOND), 401, "You are not allowed to access this resource")


def generation_c_tells_in_its_claims(lab):
    settings(lab, generation="C")
    token = lab.login(CLIENT, SECRET)
    told = claims(token)
    assert told["jti"] == told["identityAccessTokenId"] and told["accessTokenMaxTTL"] == 7200
    endless = claims(lab.token("reader")["value"])
    assert endless["exp"] - endless["iat"] == 7776000 and endless["clientSecretId"] == ""


def generation_c_shrinks_on_renewal(lab):
    settings(lab, generation="C")
    token = lab.token("reader", ttl=60, max_ttl=100)["value"]
    lab.advance(55)
    answer = lab.renew(token).json()
    assert 40 <= answer["expiresIn"] <= 45, answer
    lab.advance(40)
    expect(lab.read(answer["accessToken"], SECOND), 200)


def generation_c_says_what_was_revoked(lab):
    settings(lab, generation="C")
    for reason, text in (("token", "token has been"), ("identity", "identity tokens have been"),
                         ("client-secret", "client secret has been"), ("auth-method", "auth method has been")):
        made = lab.token("reader")
        lab.control("POST", f"/tokens/{made['name']}/revoke", {"reason": reason})
        expect(lab.read(made["value"], SECOND), 401, f"Failed to authorize: {text} revoked")
        expect(lab.renew(made["value"]), 401, f"Cannot renew: {text} revoked")
    limited = lab.token("reader", uses_limit=1)["value"]
    lab.read(limited, SECOND)
    expect(lab.read(limited, SECOND), 401, "Failed to authorize: token usage limit reached")


def generation_c_refuses_old_tokens(lab):
    old, dated = lab.token("reader")["value"], lab.token("reader", ttl=3600)
    settings(lab, generation="C")
    expect(lab.read(old, SECOND), 401, "exceeded max age")
    expect(lab.read(dated["value"], SECOND), 200)
    lab.control("POST", f"/tokens/{dated['name']}/revoke")
    expect(lab.read(dated["value"], SECOND), 401, "Cannot renew revoked or unknown access token")


def wrong_addresses_are_refused(lab):
    made = lab.token("reader", trusted_ips=["10.0.0.0/8"], uses_limit=1)
    expect(lab.read(made["value"], SECOND), 403, "from the current IP address")
    expect(lab.read(made["value"], SECOND, **{"X-Forwarded-For": "10.1.2.3, 1.1.1.1"}), 200)
    settings(lab, generation="C")
    burnt = lab.token("reader", trusted_ips=["10.0.0.0/8"], uses_limit=1)["value"]
    expect(lab.read(burnt, SECOND), 403, "from the current IP address")
    expect(lab.read(burnt, SECOND), 401, "usage limit reached")


def an_identity_can_leave(lab):
    token = lab.token("reader")["value"]
    lab.control("POST", "/identities/reader", {"in_organization": False})
    expect(lab.read(token, SECOND), 400, "does not belong to this organization")


def v4_can_be_switched_on(lab):
    token = lab.token("reader")["value"]
    expect(lab.read(token, SECOND_V4), 404, "Route GET:/api/v4")
    settings(lab, v4=True)
    secret = lab.read(token, SECOND_V4).json()["secret"]
    assert secret["secretPath"] == FOLDER and secret["secretValue"] == "lab-value-0002"
    expect(lab.read(token, "/api/v4/secrets/SECOND?environment=prod"), 422, '"path":["projectId"]')
    expect(lab.read(token, f"/api/v4/secrets/SECOND?projectId={PROJECT}"), 400, "Missing environment")


def an_import_tells_its_own_path(lab):
    settings(lab, v4=True, imports_parameter="includeImports")
    token = lab.token("viewer")["value"]
    target = SECOND_V4.replace("SECOND", "CI_ONLY")
    assert lab.read(token, target).json()["secret"]["secretPath"] == "/home-platform/ci"
    expect(lab.read(token, target + "&includeImports=false"), 404, "CI_ONLY")


def a_secret_can_be_masked(lab):
    lab.control("PUT", "/secret", {"path": FOLDER, "name": "SECOND", "value": "v", "masked": True})
    secret = lab.read(lab.token("reader")["value"], SECOND).json()["secret"]
    assert secret["secretValueHidden"] is True and secret["secretValue"] == "<hidden-by-infisical>"
    assert secret["version"] == 2


def values_of_any_size_and_name(lab):
    token = lab.token("reader")["value"]
    for name, value in (("zażółć 🔑", "x"), ("NEWLINE", "pat\n"), ("NONE", ""), ("BIG", "b" * 65536)):
        lab.control("PUT", "/secret", {"path": FOLDER, "name": name, "value": value})
        target = SECOND.replace("SECOND", "".join(f"%{byte:02X}" for byte in name.encode()))
        assert lab.read(token, target).json()["secret"]["secretValue"] == value, name
    lab.control("PUT", "/secret", {"path": FOLDER, "name": "MIB", "value_bytes": 1048576})
    assert len(lab.read(token, SECOND.replace("SECOND", "MIB")).json()["secret"]["secretValue"]) == 1048576


def weak_tags_match(lab):
    token = lab.token("reader")["value"]
    etag = lab.read(token, SECOND).headers["etag"]
    for tag in (etag, "W/" + etag):
        answer = lab.read(token, SECOND, **{"If-None-Match": tag})
        assert answer.status == 304 and answer.body == b"" and answer.headers["etag"] == etag
    lab.control("PUT", "/secret", {"path": FOLDER, "name": "SECOND", "value": "new"})
    expect(lab.read(token, SECOND, **{"If-None-Match": etag}), 200, '"version":2')


def faults_replace_answers(lab):
    token = lab.token("reader", uses_limit=1)["value"]
    wanted = (("html-403", 403, "text/html", "403 Forbidden"), ("html-502", 502, "text/html", "Bad Gateway"),
              ("html-200", 200, "text/html; charset=utf-8", "<!DOCTYPE"), ("redirect", 302, "text/html", ""),
              ("garbage", 200, "application/json; charset=utf-8", "unfin"),
              ("error-500", 500, "application/json; charset=utf-8", "Something went wrong"))
    for kind, status, content_type, text in wanted:
        fault(lab, kind, **{"class": "secret", "count": 1})
        answer = lab.read(token, SECOND)
        expect(answer, status, text)
        assert answer.headers["content-type"] == content_type, answer.headers
    fault(lab, "rate-limit", count=1, retry_after=3)
    assert lab.read(token, SECOND).headers["retry-after"] == "3"
    fault(lab, "rate-limit", count=1, header=False)
    assert "retry-after" not in lab.read(token, SECOND).headers
    expect(lab.read(token, SECOND), 200)


def faults_spoil_answers(lab):
    token = lab.token("reader")["value"]
    fault(lab, "duplicate-keys", count=1)
    assert lab.read(token, SECOND).body.count(b'"secretValue":') == 2
    fault(lab, "content-type", count=1)
    assert lab.read(token, SECOND).headers["content-type"] == "text/plain"
    fault(lab, "truncated", count=1)
    try:
        lab.read(token, SECOND)
        assert False, "the answer was whole"
    except http.client.IncompleteRead as error:
        assert error.expected > 0 and error.partial
    fault(lab, "drop", count=1)
    try:
        lab.read(token, SECOND)
        assert False, "an answer came"
    except (http.client.RemoteDisconnected, ConnectionResetError):
        pass
    fault(lab, "slow", count=1, ms=1)
    started = time.monotonic()
    expect(lab.read(token, SECOND), 200)
    assert time.monotonic() - started > 0.3


def faults_wait_for_their_turn(lab):
    token = lab.token("reader")["value"]
    fault(lab, "html-403", skip=1, count=1, **{"class": "secret"})
    fault(lab, "delay", ms=200, count=1, **{"class": "secret"})
    started = time.monotonic()
    expect(lab.read(token, SECOND), 200)
    assert time.monotonic() - started > 0.2
    expect(lab.send("GET", "/api/status"), 200)
    expect(lab.read(token, SECOND), 403, "<html>")
    expect(lab.read(token, SECOND), 200)
    assert lab.control("GET", "/fault")["faults"] == []


def a_literal_token_works(lab):
    made = lab.token("reader", value="CANARY-token")
    expect(lab.read("CANARY-token", SECOND), 200)
    lab.control("POST", f"/tokens/{made['name']}/expire")
    expect(lab.read("CANARY-token", SECOND), 403, "Your token has expired")


def counters_count(lab):
    made = lab.token("reader")
    lab.control("POST", "/counters/reset")
    lab.read(made["value"], SECOND, 3)
    lab.try_login(CLIENT, "wrong")
    lab.login(CLIENT, SECRET)
    counters = lab.control("GET", "/counters")
    assert counters["requests"] == 5 and counters["class"] == {"secret": 3, "login": 2}, counters
    assert counters["token"][made["name"]] == 3 and counters["logins_ok"] == counters["logins_failed"] == 1
    assert counters["secret"][f"home-lab-x1/prod{FOLDER}/SECOND"] == 3


def an_access_proxy_can_stand_in_front(lab):
    settings(lab, access_proxy={"header": "X-Proxy-Key", "value": "k"})
    expect(lab.send("GET", "/api/status"), 302)
    expect(lab.send("GET", "/api/status", {"X-Proxy-Key": "k"}), 200)


def many_connections_at_once(lab):
    token = lab.token("reader")["value"]
    fault(lab, "delay", ms=500)
    results = []

    def read():
        results.append(lab.read(token, SECOND).status)

    threads = [threading.Thread(target=read) for _ in range(96)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [200] * 96, results
    # A client may have its answer before the server has counted it as gone.
    deadline = time.monotonic() + 10
    counters = lab.control("GET", "/counters")
    while counters["in_flight"] > 1 and time.monotonic() < deadline:
        counters = lab.control("GET", "/counters")
    assert counters["max_in_flight"] > 64 and counters["in_flight"] <= 1, counters


def connections_are_kept(lab):
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=20)
    for _ in range(5):
        connection.request("GET", "/api/status")
        assert connection.getresponse().read()
    connection.close()
    assert lab.control("GET", "/counters")["connections"] == 1


def it_ends_while_it_hangs(lab):
    fault(lab, "hang")
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=20)
    connection.request("GET", "/api/status")
    while lab.control("GET", "/counters")["in_flight"] == 0:
        pass
    lab.process.terminate()
    assert lab.process.wait(10) == 0
    connection.close()


def tls(lab):
    certificate, key = os.path.join(lab.dir, "cert.pem"), os.path.join(lab.dir, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    other = Lab(STANDIN, STATE, "--tls-cert", certificate, "--tls-key", key)
    try:
        other.tls = ssl.create_default_context(cafile=certificate)
        expect(other.read(other.token("reader")["value"], SECOND), 200, "lab-value-0002")
        fault(other, "slow", ms=1, count=1)
        expect(other.send("GET", "/api/status"), 200)
    finally:
        assert other.stop() == 0


TESTS = [lockout_after_three, lockout_forgets_old_failures, generation_a_renews_the_same_jwt,
         generation_c_tells_in_its_claims, generation_c_shrinks_on_renewal, generation_c_says_what_was_revoked,
         generation_c_refuses_old_tokens, wrong_addresses_are_refused, an_identity_can_leave, v4_can_be_switched_on,
         an_import_tells_its_own_path, a_secret_can_be_masked, values_of_any_size_and_name, weak_tags_match,
         faults_replace_answers, faults_spoil_answers, faults_wait_for_their_turn, a_literal_token_works,
         counters_count, an_access_proxy_can_stand_in_front, many_connections_at_once, connections_are_kept,
         it_ends_while_it_hangs, tls]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        lab, problem = Lab(STANDIN, STATE), None
        try:
            test(lab)
        except Exception as error:  # a test's failure is its result, whatever it is
            problem = f"{type(error).__name__}: {error}"
        code = lab.stop()
        if code and not problem:
            problem = f"exit status {code}"
        failed += problem is not None
        print(f"{'not ok' if problem else 'ok'} {number} - {test.__name__}")
        if problem:
            print("# " + problem.replace("\n", "\n# ")[:1500])
    return 1 if failed else 0


sys.exit(main())
