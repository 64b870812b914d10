"""The forge's own side: HTTP on the loopback, the log of requests, and faults."""
import http.server
import re
import socketserver
import ssl
import time
import urllib.parse

from forge.web import Answer, Request, page


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    wbufsize = -1       # head and body in one segment

    def log_message(self, *arguments):
        pass

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if 0 < length <= 1 << 20 else b""

    def send(self, answer, cut=0, drip=0.0):
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            for line in value if isinstance(value, list) else [value]:
                self.send_header(name, line)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = answer.body[: len(answer.body) - cut] if self.command != "HEAD" else b""
        if drip:
            self.wfile.flush()
            for byte in body:
                time.sleep(drip)
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
        else:
            self.wfile.write(body)
        self.wfile.flush()
        if cut:
            self.close_connection = True


class Forge(Handler):
    disable_nagle_algorithm = True

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def fault(self, body):
        """The fault that this request meets, {} for none; one with a count wears off.  Under the state's lock."""
        fault = self.server.state.data["fault"]
        if not fault:
            return {}
        if not re.search(fault.get("path", ""), self.path) or fault.get("method", self.command) != self.command:
            return {}
        if not re.search(fault.get("sent", "").encode(), body):
            return {}
        if "count" in fault:
            if fault["count"] < 1:
                return {}
            fault["count"] -= 1
        return dict(fault)

    def has_token_in_url(self):
        target = urllib.parse.unquote(self.path)
        return any(value in target for value in self.server.state.data["tokens"]) or bool(
            re.search(r"[?&](access_token|private_token|token|job_token)=", target))

    def faulty(self, fault, request):
        """The answer under this fault.  Under the state's lock."""
        kind = fault.get("kind")
        if kind == "html":
            return Answer(fault.get("status", 403), page(403).body, content_type="text/html; charset=utf-8")
        if kind == "redirect":
            return Answer(302, b"", {"Location": fault.get("location", "https://login.example.org/")}, "text/html")
        if kind == "json":
            return Answer(fault.get("status", 401), fault.get("body", {"message": "Unauthorized"}))
        if kind == "drop-header":
            for name in ("Authorization", "PRIVATE-TOKEN", "JOB-TOKEN"):
                del request.headers[name]
        if request.path is None:
            return page(404)
        return self.server.forge.answer(request)

    def any_method(self):
        state = self.server.state
        with state.lock:
            state.in_flight += 1
        try:
            self.respond()
        finally:
            with state.lock:
                state.in_flight -= 1

    def respond(self):
        state = self.server.state
        body = self.body()
        with state.lock:
            entry = {"method": self.command, "path": self.path,
                     "authorization": self.headers.get_all("Authorization") or [],
                     "private_token": self.headers.get_all("PRIVATE-TOKEN") or [],
                     "user_agent": self.headers.get("User-Agent"), "host": self.headers.get("Host"),
                     "body": body[:4096].decode("latin-1"), "token_in_url": self.has_token_in_url(),
                     "in_flight": state.in_flight, "status": None}
            state.requests.append(entry)
            fault = self.fault(body)
        if fault.get("delay"):
            time.sleep(float(fault["delay"]))
        if fault.get("kind") == "close":
            self.close_connection = True
            return
        with state.lock:
            answer = self.faulty(fault, Request(self.command, self.path, self.headers, body, self.server.base))
            entry["status"] = answer.status
        if fault.get("kind") == "lost":
            self.close_connection = True
            return
        self.send(answer, cut=(len(answer.body) + 1) // 2 if fault.get("kind") == "truncated" else 0,
                  drip=float(fault.get("seconds_per_byte", 0.2)) if fault.get("kind") == "slow" else 0.0)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = any_method


class TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls = None

    def get_request(self):
        """The handshake is left to the connection's own thread, as the first read."""
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address


class Routes:
    """What the forges have in common: a table of (method, pattern of the path, function), answered from a state.

    A function gets the forge, the request and the pattern's groups, and returns or raises an Answer.  The table is put
    together in types.py; git and registry are the modules of the forge's own side of git.py and registry.py, git_root the
    directory of the repositories that can be pushed to, or None.
    """

    api = ""

    def __init__(self, state, origin, git_root, routes, git, registry):
        self.state = state
        self.origin = origin
        self.git_root = git_root
        self.routes = routes
        self.git = git
        self.registry = registry

    def answer(self, request):
        for method, pattern, function in self.routes:
            found = re.fullmatch(pattern, request.path) if method == request.method else None
            if found:
                try:
                    return function(self, request, *map(urllib.parse.unquote, found.groups("")))
                except Answer as answer:
                    return answer
        return self.no_route(request)

    def no_route(self, request):
        return self.not_found() if request.path.startswith(self.api + "/") else page(404)
