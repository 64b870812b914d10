#!/usr/bin/env python3
"""A container registry of a few lines: says who asked, and lets one user in.

usage: registry.py basic|bearer PORT-FILE LOG USER PASSWORD-FILE

Every request is a line of LOG: method, path, and the scheme of its Authorization with, for Basic, "user:" and whether the
password was the right one.  The password itself is not written down.
"""
import base64
import hashlib
import http.server
import json
import os
import sys

scheme, port_file, log_file, user, password_file = sys.argv[1:]
with open(password_file, encoding="ascii") as file:
    password = file.read().strip()
TOKEN = "a-token-of-the-registry"
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
MANIFEST = json.dumps({
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(CONFIG),
               "digest": "sha256:" + hashlib.sha256(CONFIG).hexdigest()},
    "layers": [],
}).encode()


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"{}", kind="application/json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def who(self):
        """What the Authorization says, and whether it is the user's."""
        value = self.headers.get("Authorization")
        if value is None:
            return "anonymous", False
        kind, _, rest = value.partition(" ")
        if kind == "Basic":
            name, _, given = base64.b64decode(rest).decode().partition(":")
            if not name and not given:  # how skopeo says that it has no credentials
                return "anonymous", False
            right = given == password
            return f"Basic {name} {'right' if right else 'wrong'}", right and name == user
        return kind, rest == TOKEN

    def do_GET(self):
        said, good = self.who()
        with open(log_file, "a", encoding="ascii") as log:
            log.write(f"{self.command} {self.path.partition('?')[0]} {said}\n")
        if self.path.startswith("/token"):
            if not good:
                return self.answer(401)
            return self.answer(200, json.dumps({"token": TOKEN}).encode())
        if not good:
            here = self.headers["Host"]
            challenge = 'Basic realm="test"'
            if scheme == "bearer":
                challenge = f'Bearer realm="http://{here}/token",service="test",scope="*"'
            return self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":""}]}',
                               headers=[("WWW-Authenticate", challenge)])
        if "/manifests/" in self.path:
            return self.answer(200, MANIFEST, "application/vnd.oci.image.manifest.v1+json")
        if "/blobs/" in self.path:
            return self.answer(200, CONFIG, "application/octet-stream")
        return self.answer(200)

    do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
with open(port_file + ".new", "w", encoding="ascii") as file:
    file.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
