"""Runs the stand-in with a state file, and talks to both of its sides."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("control", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Lab:
    """A running stand-in."""

    def __init__(self, program, state, *arguments):
        self.dir = tempfile.mkdtemp(prefix="standin.")
        self.tls = None
        self.control_path = os.path.join(self.dir, "control")
        port_file = os.path.join(self.dir, "port")
        self.process = subprocess.Popen(
            [program, "--state", state, "--port-file", port_file, "--control", self.control_path, *arguments],
            stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not os.path.exists(port_file):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit("Bail out! the stand-in does not start")
            time.sleep(0.01)
        with open(port_file, encoding="ascii") as file:
            self.port = int(file.read())
        self.made = 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        shutil.rmtree(self.dir)
        return code

    def control(self, method, path, body=None):
        connection = Unix(self.control_path)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        text = json.loads(answer.read())
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {text}")
        return text

    def send(self, method, target, headers=None, body=None):
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        data = body.encode() if body is not None else None
        if data is not None:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        result = Answer(answer.status, answer.getheaders(), answer.read())
        connection.close()
        return result

    def send_raw(self, text):
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(text.encode())
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return Answer(answer.status, answer.getheaders(), answer.read())

    def token(self, identity, **more):
        self.made += 1
        return self.control("POST", "/tokens", dict(more, name=f"made-{self.made}", identity=identity))

    def post(self, target, body):
        return self.send("POST", target, {"Content-Type": "application/json"}, json.dumps(body))

    def try_login(self, client_id, client_secret):
        return self.post("/api/v1/auth/universal-auth/login", {"clientId": client_id, "clientSecret": client_secret})

    def login(self, client_id, client_secret):
        return self.try_login(client_id, client_secret).json()["accessToken"]

    def renew(self, token, how="renew"):
        return self.post(f"/api/v1/auth/token/{how}", {"accessToken": token})

    def read(self, token, target, times=1, **headers):
        answer = None
        for _ in range(times):
            answer = self.send("GET", target, dict(headers, Authorization="Bearer " + token))
        return answer

    def advance(self, seconds):
        self.control("POST", "/clock", {"advance": seconds})


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def json(self):
        return json.loads(self.body)
