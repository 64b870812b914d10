#!/usr/bin/env python3
"""The soak itself; tests/bench/soak prepares it.

usage: soak.py ISSUANCES SECONDS DAEMON WORK

WORK has etc/forge-broker.conf with a token `deploy`, and standin.sock, the control socket of Infisical's stand-in.
"""
import collections
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

KEPT, FRESH = 7, 1      # connections of a round: kept ones, and new ones
LINES = 20
issuances, seconds, daemon, work = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
secret = os.environ["FORGE_BROKER_TEST_SECRET"]
config = f"{work}/etc/forge-broker.conf"
jobs, control = f"{work}/run/broker.sock", f"{work}/control.sock"
keeping = b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n"
closing = keeping[:-2] + b"Connection: close\r\n\r\n"
# one after the other, with a time of peace after each
faults = ["error-500", "drop", "html-403", "rate-limit", "truncated", "garbage", "html-502", "redirect", "hang"]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def call(path, method, target, body=None):
    connection = UnixConnection(path)
    try:
        connection.request(method, target, json.dumps(body) if body is not None else None)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


class Troubles:
    """What goes on meanwhile, each at its interval."""

    def __init__(self, pid):
        self.pid, self.done = pid, collections.Counter()
        self.values = {secret.encode()}
        self.next = {self.rotate: 0.0, self.reload: 0.0, self.refresh: 0.0, self.fail: 0.0}
        self.failing = False

    def rotate(self):
        value = f"{secret}-{self.done['rotations']}"
        self.values.add(value.encode())
        call(f"{work}/standin.sock", "PUT", "/secret", {"path": "/forges", "name": "deploy-bot@example.org", "value": value})
        self.done["rotations"] += 1
        return 3

    def reload(self):
        with open(config) as file:
            text = file.read()
        with open(config, "w") as file:
            file.write(re.sub(r"refresh = \d+s", f"refresh = {10 + self.done['reloads'] % 7}s", text))
        os.kill(self.pid, signal.SIGHUP)
        self.done["reloads"] += 1
        return 0.5

    def refresh(self):
        call(control, "POST", "/v1/tokens/deploy/refresh")
        self.done["forced refreshes"] += 1
        return 5

    def fail(self):
        if self.failing:
            call(f"{work}/standin.sock", "DELETE", "/fault")
        else:
            kind = faults[self.done["upstream failures"] % len(faults)]
            call(f"{work}/standin.sock", "POST", "/fault", {"class": "any", "kind": kind})
            self.done["upstream failures"] += 1
        self.failing = not self.failing
        return 6

    def make(self):
        now = time.monotonic()
        for trouble, due in self.next.items():
            if now >= due:
                self.next[trouble] = now + trouble()


class Peer:
    def __init__(self, request):
        self.request, self.socket = request, None

    def send(self):
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(30)
            self.socket.connect(jobs)
        self.socket.sendall(self.request)

    def answer(self):
        """Status and body; 0 if the connection ended first, as a kept one's may."""
        data = b""
        while True:
            head, found, body = data.partition(b"\r\n\r\n")
            if found:
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                if length and len(body) >= int(length[1]):
                    break
            more = self.socket.recv(65536)
            if not more:
                self.close()
                return 0, data
            data += more
        if self.request is closing or re.search(rb"(?i)\r\nconnection: *close", head):
            self.close()
        return int(head[9:12]), body

    def close(self):
        self.socket.close()
        self.socket = None


def measure(pid):
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    return [int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon")] + [len(os.listdir(f"/proc/{pid}/fd"))]


def one_round(peers, troubles, results):
    for peer in peers:
        try:
            peer.send()
        except OSError:         # dropped by a reload while nobody asked
            peer.close()
            peer.send()
    for peer in peers:
        try:
            status, body = peer.answer()
        except ConnectionError:
            peer.close()
            status, body = 0, b""
        if status == 0:
            results["cut off in the middle" if body else "closed before the answer"] += 1
        elif status != 200:
            results[f"answered {status}"] += 1
        elif body.strip() in troubles.values:
            results["values"] += 1
        else:
            results["made up"] += 1


def main():
    counter = subprocess.Popen(["awk", "/(^|[> ])issued token=/ { n++; next } { print > other } END { print n + 0 }",
                                f"other={work}/daemon.log"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process = subprocess.Popen([daemon, "--config", config], stdout=counter.stdin, stderr=counter.stdin,
                               env=dict(os.environ, STATE_DIRECTORY=f"{work}/state"))
    counter.stdin.close()
    counter.stdin = None        # the daemon alone holds it now
    while call(jobs, "GET", "/readyz") != 200:
        if process.poll() is not None:
            sys.exit("the daemon does not start")
        time.sleep(0.02)
    troubles, results = Troubles(process.pid), collections.Counter()
    peers = [Peer(keeping) for _ in range(KEPT)] + [Peer(closing) for _ in range(FRESH)]
    began, next_line = time.monotonic(), issuances // LINES
    print(f"{'issuances':>10} {'seconds':>8} {'resident KiB':>13} {'anonymous KiB':>14} {'descriptors':>12}")
    one_round(peers, troubles, results)
    while True:
        if results["values"] >= next_line:
            rss, anonymous, descriptors = measure(process.pid)
            print(f"{results['values']:>10} {time.monotonic() - began:>8.0f} {rss:>13} {anonymous:>14} {descriptors:>12}", flush=True)
            next_line += max(1, issuances // LINES)
        if results["values"] >= issuances:
            break
        troubles.make()
        one_round(peers, troubles, results)
        ahead = results["values"] * seconds / issuances - (time.monotonic() - began)
        if ahead > 0.01:
            time.sleep(ahead)
    process.terminate()
    status = process.wait(30)
    records = int(counter.communicate()[0])
    print(", ".join(f"{count} {what}" for what, count in (troubles.done + results).items()))
    print(f"{records} records, {results['values']} values; the daemon ended with {status}")
    sys.exit(0 if records == results["values"] and not results["made up"] and status == 0 else 1)


if __name__ == "__main__":
    main()
