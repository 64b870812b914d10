#!/usr/bin/env python3
"""Lets each place that asks for memory get none, in turn, in a real daemon and a real forge-brokerctl.

usage: memory.py LIBRARY DAEMON CTL WORK

LIBRARY is failing-alloc.so; WORK has etc/forge-broker.conf with a token `deploy` and one, `proven`, that requires proof, and the
stand-ins run.  Prints TAP:
one case for each phase, and the places that did not do as they should.  A daemon that lacks memory may refuse and may end
with a message; it must not crash, hang, give a value that is not on record, or stay broken once there is memory again.
"""
import json
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

OFF, LIST, FAIL_ONCE, FAIL_ALWAYS = range(4)
HEAD = struct.Struct("=IIQQ")
WRAPPER = struct.Struct("=II")
WRAPPERS_MAX, PLACES_MAX = 16, 8192
PLACES_AT = HEAD.size + WRAPPERS_MAX * WRAPPER.size
STATE_BYTES = PLACES_AT + PLACES_MAX * 8
PREFLIGHT = '{"repository":"o/r","ref":"refs/heads/main","needs":["contents:write","release:write"]}'
PATIENCE = 10
SOON = 0.5              # by when a daemon is ready that met no fault
BATCH = 2               # places for each daemon: more reads than the budget of a server has are put off
library, daemon, ctl, work = sys.argv[1:5]
value = os.environ["FORGE_BROKER_TEST_SECRET"]
id_token, id_token_url = os.environ["FORGE_BROKER_TEST_ID_TOKEN"], os.environ["FORGE_BROKER_TEST_ID_TOKEN_URL"]
jobs, control, credentials = f"{work}/run/broker.sock", f"{work}/control.sock", f"{work}/credentials.sock"
config = f"{work}/etc/forge-broker.conf"
log_path = f"{work}/memory.log"
number = 0
begun = time.monotonic()


def case(good, name):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    print(f"# after {time.monotonic() - begun:.0f} s", flush=True)


class State:
    """What is shared with failing-alloc.so."""

    def __init__(self, program):
        self.program = program
        self.path = f"{work}/places"
        with open(self.path, "wb") as file:
            file.truncate(STATE_BYTES)
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), STATE_BYTES)
        for i, (start, size) in enumerate(self.wrappers()):
            WRAPPER.pack_into(self.map, HEAD.size + i * WRAPPER.size, start, start + size)

    def wrappers(self):
        names = subprocess.run(["nm", "--print-size", self.program], capture_output=True, text=True, check=True).stdout
        for line in names.splitlines():
            fields = line.split()
            if len(fields) == 4 and re.match(r"(wiping|openssl)_(m|re|c)alloc|wiping_strdup", fields[3]):
                yield int(fields[0], 16), int(fields[1], 16)

    def arm(self, mode, target=0):
        # mode last: the other side reads without a lock
        struct.pack_into("=QQ", self.map, 8, target, 0)
        struct.pack_into("=I", self.map, 0, mode)

    def failed(self):
        return struct.unpack_from("=Q", self.map, 16)[0]

    def places(self):
        count = struct.unpack_from("=I", self.map, 4)[0]
        return list(struct.unpack_from(f"={count}Q", self.map, PLACES_AT))

    def forget(self):
        struct.pack_into("=I", self.map, 4, 0)

    def describe(self, place):
        calls = [hex((place >> 32) - 1), hex((place & 0xFFFFFFFF) - 1)]
        lines = subprocess.run(["addr2line", "-e", self.program, *calls], capture_output=True, text=True).stdout
        return " from ".join(re.sub(r".*/src/", "src/", line).split(" ")[0] for line in lines.split("\n")[:2])

    def environment(self):
        return dict(os.environ, LD_PRELOAD=library, FAILING_ALLOC_STATE=self.path, STATE_DIRECTORY=f"{work}/state")


def ask(path, method="GET", sock=jobs, body=None, headers=()):
    """Status and body; 0 for a connection that was closed without an answer, -1 for one that hangs."""
    data = (body or "").encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(data)}")
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(PATIENCE)
            peer.connect(sock)
            peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
            answer = b""
            while part := peer.recv(65536):
                answer += part
    except TimeoutError:
        return -1, b""
    except OSError:
        return 0, b""
    head, _, content = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]), content) if head.startswith(b"HTTP/1.1 ") else (0, b"")


def load_credential():
    """As systemd for a unit, by a process that is in none. Return: a problem or None: the whole refusal, or, while there is no
    memory for one, no end; a unit would start with less."""
    received = 0
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(1)
            peer.bind(f"\0f{os.getpid():x}/unit/none.service/deploy".encode())
            peer.connect(credentials)
            while part := peer.recv(65536):
                received += len(part)
    except OSError:
        return None
    return None if received > 1024 * 1024 else f"a unit starts with a credential of {received} bytes"


class Daemon:
    def __init__(self, state):
        self.log = open(log_path, "wb")
        self.process = subprocess.Popen([daemon, "--config", config], stdout=self.log, stderr=self.log,
                                        env=state.environment())

    def ended(self):
        return self.process.poll()

    def text(self):
        with open(log_path, "rb") as file:
            return file.read().decode(errors="replace")

    def records(self):
        return len(re.findall(r"(?m)(?:^|[> ])issued token=", self.text()))

    def ready(self, patience=PATIENCE):
        """The first answer is waited for in any case."""
        deadline = time.monotonic() + patience
        answered = False
        while time.monotonic() < deadline or not answered:
            if self.ended() is not None:
                return False
            status = ask("/readyz")[0]
            if status == 200:
                return True
            answered = status != 0
            if not answered and time.monotonic() > deadline + PATIENCE:
                return False
            time.sleep(0.01)
        return False

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self.log.close()


turn = 0


def rewrite():
    """The other secret of the two, so that a reload has something to fetch."""
    global turn
    turn += 1
    with open(config) as file:
        text = file.read()
    name = "second" if turn % 2 else "deploy-bot@example.org"
    with open(config, "w") as file:
        file.write(re.sub(r"secret_name = .*", f"secret_name = {name}", text))


def scenario():
    """Each kind of request once, but for doctor, which runs once in ten seconds. Return: (answers with a value, a problem or None)."""
    given = 0
    rewrite()
    requests = [
        ("/v1/reload", "POST", control, None, ()),
        ("/v1/tokens/deploy", "GET", jobs, None, ("Forge-Broker-Repository: o/r", "Forge-Broker-Event: push")),
        ("/v1/tokens/deploy", "GET", jobs, None, ("Accept: text/plain",)),
        ("/v1/tokens/proven", "GET", jobs, None, ("Authorization: Bearer token-of-a-job",)),
        ("/v1/tokens/proven", "GET", jobs, None, (f"Authorization: Bearer {id_token}",)),
        ("/v1/tokens/proven", "GET", jobs, None, ("Authorization: Bearer request-of-a-job",
                                                  f"Forge-Broker-Id-Token-Url: {id_token_url}")),
        ("/v1/tokens", "GET", jobs, None, ()),
        ("/v1/tokens/nobody", "GET", jobs, None, ()),
        ("/v1/match?protocol=http&host=127.0.0.1&path=o/r.git", "GET", jobs, None, ()),
        ("/v1/tokens/deploy/rejected", "POST", jobs, '{"fingerprint":"00000000"}', ()),
        ("/v1/tokens/deploy/rejected", "POST", jobs, '{"fingerprint":', ()),
        ("/v1/tokens/deploy/preflight", "POST", jobs, "{}", ()),
        ("/v1/tokens/deploy/preflight", "POST", jobs, PREFLIGHT, ()),
        ("/v1/tokens/deploy/refresh", "POST", control, None, ()),
        ("/v1/status", "GET", control, None, ()),
        ("/metrics", "GET", control, None, ()),
        ("/readyz", "GET", jobs, None, ()),
        ("/readyz/deploy", "GET", jobs, None, ()),
        ("/nowhere", "GET", jobs, None, ()),
    ]
    for path, method, sock, body, headers in requests:
        status, content = ask(path, method, sock, body, headers)
        if status < 0:
            return given, f"{method} {path} hangs"
        if path == "/v1/tokens/deploy" and status == 200:
            given += 1
            token = content.decode() if headers == ("Accept: text/plain",) else json.loads(content)["token"]
            if token.strip() not in (value, value + "-2"):
                return given, "a value that is none"
    return given, load_credential()


def recovers(one):
    """With another secret to fetch, so that no backoff of the one before it is waited for."""
    rewrite()
    return ask("/v1/reload", "POST", control)[0] == 200 and one.ready(PATIENCE)


def excerpt(text):
    return " | ".join(line for line in text.strip().splitlines()[-3:])[:300]


def start_phase(state):
    state.arm(LIST)
    first = Daemon(state)
    good = first.ready()
    state.arm(OFF)
    status = first.stop()
    places = state.places()
    state.forget()
    case(good and status == 0 and len(places) > 100, f"the daemon asks for memory in {len(places)} places as it starts")
    bad, ended, fired = [], 0, 0
    for place in places:
        state.arm(FAIL_ONCE, place)
        one = Daemon(state)
        ready = one.ready(SOON)
        fired += state.failed() > 0
        state.arm(OFF)
        if one.ended() is not None:
            ended += 1
            if one.ended() <= 0 or not one.text().strip():
                bad.append((place, f"ended with {one.ended()}", one.text()))
        elif not ready and not recovers(one):
            bad.append((place, "is not ready once there is memory", one.text()))
        status = one.stop()
        if status != 0 and one.ended() is None:
            bad.append((place, "does not stop", one.text()))
    for place, what, text in bad:
        print(f"# {state.describe(place)}: {what}: {excerpt(text)}")
    case(not bad, f"each of them without memory in turn ({fired} met again): {ended} ends with a message, the others serve")


def serve_phase(state):
    state.arm(OFF)
    one = Daemon(state)
    good = one.ready()
    state.arm(LIST)
    for _ in range(2):
        _, problem = scenario()
        good = good and problem is None and one.ready(PATIENCE)
    state.arm(OFF)
    places = state.places()
    state.forget()
    case(good and len(places) > 100, f"and in {len(places)} places as it serves, reloads and fetches")
    bad, fired, served = [], 0, BATCH
    for place in places:
        if served == BATCH:
            good = one.stop() == 0 and good
            one, given, served = Daemon(state), 0, 0
            if not one.ready():
                break
        state.arm(FAIL_ALWAYS, place)
        count, problem = scenario()
        given, served = given + count, served + 1
        fired += state.failed() > 0
        state.arm(OFF)
        if one.ended() is not None:
            problem = f"ended with {one.ended()}"
        elif problem is None and not recovers(one):
            problem = "is not ready once there is memory"
        elif problem is None and one.records() < given:
            problem = f"{given} values and {one.records()} records"
        if problem is not None:
            bad.append((place, problem, one.text()))
            served = BATCH
    for place, what, text in bad:
        print(f"# {state.describe(place)}: {what}: {excerpt(text)}")
    case(not bad, f"each of them without memory ({fired} met again): it lives, and serves once there is memory")
    case(one.stop() == 0 and good, "and stops as it should")
    return places


def silence_phase(state, places):
    """A client without a word to say, of whom the daemon cannot even keep note."""
    mine = [place for place in places if "api/connection.c" in state.describe(place)]
    one, ends = Daemon(state), 0
    good = one.ready()
    for place in mine:
        state.arm(FAIL_ALWAYS, place)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(PATIENCE)
            peer.connect(jobs)
            try:
                ends += peer.recv(1) == b""
            except TimeoutError:
                pass
        state.arm(OFF)
    case(good and mine and ends == len(mine), f"a silent client without memory for it is not kept ({ends} of {len(mine)})")
    case(one.stop() == 0, "and leaves nothing behind")


def doctor_phase(state, known):
    """A daemon for each place, whose first doctor runs at once."""
    state.arm(OFF)
    one = Daemon(state)
    good = one.ready()
    state.arm(LIST)
    good = good and ask("/v1/doctor", "POST", control)[0] == 200
    state.arm(OFF)
    one.stop()
    places = [place for place in state.places() if place not in known]
    state.forget()
    case(good and len(places) > 10, f"and in {len(places)} more as it examines itself")
    bad, fired = [], 0
    for place in places:
        one = Daemon(state)
        problem = None if one.ready() else "is not ready"
        state.arm(FAIL_ALWAYS, place)
        if ask("/v1/doctor", "POST", control)[0] < 0:
            problem = "POST /v1/doctor hangs"
        fired += state.failed() > 0
        state.arm(OFF)
        if one.ended() is not None:
            problem = f"ended with {one.ended()}"
        elif problem is None and not recovers(one):
            problem = "is not ready once there is memory"
        if problem:
            bad.append((place, problem, one.text()))
        if one.ended() is None:
            one.stop()
    for place, what, text in bad:
        print(f"# {state.describe(place)}: {what}: {excerpt(text)}")
    case(not bad, f"each of them without memory ({fired} met again): it lives, and serves once there is memory")


def tool_phase(state, words):
    name = " ".join(["forge-brokerctl", *words])

    def run():
        done = subprocess.run([ctl, *words], capture_output=True, env=state.environment(), timeout=60)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    state.arm(LIST)
    status, report, _ = run()
    state.arm(OFF)
    places = state.places()
    state.forget()
    bad = []
    for place in places:
        state.arm(FAIL_ONCE, place)
        code, said, message = run()
        if code < 0 or (code != status and not message.strip() and said in ("", report)):
            bad.append((place, f"ended with {code}", message))
    state.arm(OFF)
    for place, what, text in bad:
        print(f"# {state.describe(place)}: {what}: {excerpt(text)}")
    case(len(places) > 5 and not bad, f"{name}: each of {len(places)} places without memory in turn: a message and no crash")


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    state = State(daemon)
    start_phase(state)
    places = serve_phase(state)
    silence_phase(state, places)
    doctor_phase(state, places)
    state = State(ctl)
    served = Daemon(State(daemon))
    served.ready()
    for words in (["check-config", config], ["show-config", config], ["--socket", control, "status"],
                  ["--socket", control, "status", "--json"]):
        tool_phase(state, words)
    served.stop()
    tool_phase(state, ["--socket", control, "doctor", "--config", config])
    print(f"1..{number}")


if __name__ == "__main__":
    main()
