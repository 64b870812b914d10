#!/usr/bin/env python3
"""A hostile job: root in a container with the mount, which wants tokens that it may not have.

usage: hostile-job.py SOCKET CREDENTIAL_SOCKET TRANSCRIPT ACT...

Its own proof is in HOSTILE_PROOF, one that another job showed before it ended in STOLEN_PROOF, its own unit in HOSTILE_UNIT, and
where it would like the broker to ask in ELSEWHERE; whose ID tokens it forges in ISSUER.  Every byte that it is sent goes into TRANSCRIPT.  For each act a line says
what came of it: "ACT: ANSWER xCOUNT, ...", where an answer is the status with the problem's code, "refused" for more than a
credential may have, or "cut" for a connection that ended.
"""
import base64
import collections
import itertools
import json
import os
import re
import socket
import sys
import threading
import time

PATIENCE = 20
TOO_LONG = 1024 * 1024  # a credential of systemd's has at most that


class Job:
    def __init__(self, path, credentials, transcript):
        self.path, self.credentials = path, credentials
        self.transcript = open(transcript, "ab")
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)

    def keep(self, data):
        with self.lock:
            self.transcript.write(data)

    def connect(self):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(PATIENCE)
        peer.connect(self.path)
        return peer

    def ask(self, method, target, headers=(), body=b""):
        """One request on a connection of its own: "200", "403 peer-refused", "cut"."""
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}", *headers]
        try:
            with self.connect() as peer:
                peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                answer = b"".join(iter(lambda: peer.recv(65536), b""))
        except OSError:
            return "cut"
        self.keep(answer)
        return self.outcome(answer)

    @staticmethod
    def outcome(answer):
        status = re.match(rb"HTTP/1\.1 (\d{3})", answer)
        code = re.search(rb'"code":"([a-z-]+)"', answer) if answer[9:10] != b"2" else None
        return (status.group(1).decode() if status else "cut") + (" " + code.group(1).decode() if code else "")

    def each(self, calls, threads=1):
        """What came of many calls, counted."""
        results, calls = collections.Counter(), list(calls)

        def work():
            while True:
                with self.lock:
                    if not calls:
                        return
                    call = calls.pop()
                result = call()
                with self.lock:
                    results[result] += 1

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return results

    def credential(self, unit, name):
        """As PID 1 would ask for `LoadCredential=name:SOCKET` of that unit."""
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(PATIENCE)
        received = 0
        try:
            peer.bind("\0" + f"{next(self.numbers):x}/unit/{unit}/{name}")
            peer.connect(self.credentials)
            while data := peer.recv(65536):
                received += len(data)
                self.keep(data)
        except OSError:
            return "cut"
        finally:
            peer.close()
        return "refused" if received > TOO_LONG else "empty" if received == 0 else f"{received} bytes"


def bearer(value):
    return f"Authorization: Bearer {value}"


GUARDED = ["deploy", "tagged", "internal"]
SHARED = "shared"  # what every job may have, this one too
CLAIMS = ["Forge-Broker-Repository: platform/app", "Forge-Broker-Event: push", "Forge-Broker-Ref: refs/heads/main",
          "Forge-Broker-Run-Id: 42", "Forge-Broker-Actor: alice"]
OWN, STOLEN = bearer(os.environ["HOSTILE_PROOF"]), bearer(os.environ["STOLEN_PROOF"])
ELSEWHERE = "Forge-Broker-Id-Token-Url: " + os.environ["ELSEWHERE"]
UNIT, ISSUER = os.environ["HOSTILE_UNIT"], os.environ["ISSUER"]


def get(job, *headers):
    return job.each(lambda name=name: job.ask("GET", f"/v1/tokens/{name}", headers) for name in GUARDED)


def preflight(job, headers, names=GUARDED, **question):
    body = json.dumps(question).encode()
    return job.each(lambda name=name: job.ask("POST", f"/v1/tokens/{name}/preflight", headers, body) for name in names)


def guess_proofs(job):
    return job.each((lambda i=i: job.ask("GET", "/v1/tokens/deploy", [bearer(f"guess-{i}")]) for i in range(200)), threads=4)


def id_token(number):
    """One that nobody has signed, with the name of a key that the forge may have published just now."""
    now = int(time.time())
    parts = ({"alg": "RS256", "kid": f"key-{number}"},
             {"iss": ISSUER, "aud": "forge-broker", "iat": now, "exp": now + 300, "repository": "platform/app", "event_name": "push",
              "ref": "refs/heads/main"})
    text = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*text, "A" * 342])


def forge_id_tokens(job):
    return job.each((lambda i=i: job.ask("GET", "/v1/tokens/deploy", [bearer(id_token(i))]) for i in range(200)), threads=4)


def guess_names(job):
    return job.each((lambda i=i: job.ask("GET", f"/v1/tokens/secret-{i}") for i in range(500)), threads=4)


def wait_in_crowds(job, length=0):
    """Requests that wait for the forge, each with another proof, all at once; at last small ones, for the last bit of room."""
    peers, results = [], collections.Counter()
    for i in range(800):
        peer = job.connect()
        peer.sendall(f"GET /v1/tokens/deploy HTTP/1.1\r\nHost: a\r\n{bearer(f'crowd-{i}'.ljust(length if i < 600 else 0, '-'))}\r\n\r\n".encode())
        peers.append(peer)
    for peer in peers:
        answer = peer.recv(65536)
        peer.close()
        job.keep(answer)
        results[job.outcome(answer)] += 1
    return results


def storm_for_values(job):
    """Reports that the forge does not accept the value that everybody may have, and right they seem to be."""
    with job.connect() as peer:
        peer.sendall(f"GET /v1/tokens/{SHARED} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        fingerprint = re.search(rb'"fingerprint":"([0-9a-f]{8})"', b"".join(iter(lambda: peer.recv(65536), b""))).group(1)
    body = b'{"fingerprint":"' + fingerprint + b'"}'
    return job.each((lambda: job.ask("POST", f"/v1/tokens/{SHARED}/rejected", [], body) for _ in range(500)), threads=8)


def storm_of_questions(job):
    return job.each((lambda i=i: job.ask("POST", f"/v1/tokens/{SHARED}/preflight", [], json.dumps(
        {"repository": f"platform/app-{i}", "needs": ["contents:read"]}).encode()) for i in range(100)), threads=8)


def hold_connections(job):
    """Connections that never get further."""
    for text in (b"POST /v1/tokens/deploy/preflight HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{", b"GET /v1/to", b""):
        peers = []
        for _ in range(300):
            peers.append(job.connect())
            try:
                peers[-1].sendall(text)
            except OSError:
                pass
        for peer in peers:
            peer.close()
    return collections.Counter({"opened": 900})


ACTS = {
    "lists": lambda job: job.each([lambda: job.ask("GET", "/v1/tokens"), lambda: job.ask("GET", "/readyz")]),
    "asks without proof": get,
    "asks whether they are there": lambda job: job.each(lambda name=name: job.ask("GET", f"/readyz/{name}") for name in GUARDED),
    "claims to be another job": lambda job: get(job, *CLAIMS),
    "shows its own proof": lambda job: get(job, OWN),
    "shows it and claims": lambda job: get(job, OWN, *CLAIMS),
    "shows a stolen proof": lambda job: get(job, STOLEN, *CLAIMS),
    "shows two proofs": lambda job: get(job, OWN, STOLEN),
    "sends the broker elsewhere": lambda job: get(job, OWN, ELSEWHERE),
    "forges ID tokens": forge_id_tokens,
    "waits in crowds": wait_in_crowds,
    "waits in crowds with much to show": lambda job: wait_in_crowds(job, 4096),
    "guesses proofs": guess_proofs,
    "guesses names": guess_names,
    "asks for what is the operator's": lambda job: job.each([
        lambda: job.ask("POST", "/v1/reload"), lambda: job.ask("GET", "/v1/status"), lambda: job.ask("GET", "/metrics"),
        lambda: job.ask("POST", "/v1/tokens/deploy/refresh"), lambda: job.ask("POST", "/v1/doctor"),
        lambda: job.ask("GET", "/v1/tokens/deploy/explain")]),
    "probes without proof": lambda job: preflight(job, CLAIMS, repository="platform/app", needs=["contents:write"]),
    "probes by writing": lambda job: preflight(job, [OWN], repository="platform/app", needs=["release:write"], write_probe=True),
    "probes by writing with what it may have": lambda job: preflight(
        job, [], [SHARED], repository="platform/app", needs=["release:write"], write_probe=True),
    "has other tokens tried": lambda job: sum(
        (preflight(job, [], [SHARED], token=f"handed-in-{i}") for i in range(10)), collections.Counter()),
    "storms for fresh values": storm_for_values,
    "storms with questions": storm_of_questions,
    "asks systemd's way": lambda job: job.each(lambda name=name: job.credential(UNIT, name) for name in GUARDED),
    "forges unit names": lambda job: job.each(
        lambda name=name, unit=unit: job.credential(unit, name)
        for name in GUARDED for unit in ("backup.service", "forgejo-runner.service", "docker-1.scope", "a b", "..")),
    "holds connections": hold_connections,
}


def main():
    job = Job(*sys.argv[1:4])
    for act in sys.argv[4:] or ACTS:
        results = ACTS[act](job)
        print(f"{act}: " + ", ".join(f"{answer} x{count}" for answer, count in sorted(results.items())), flush=True)
    job.transcript.close()


main()
