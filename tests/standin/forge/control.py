"""The tests' side, on a unix socket: forge-standin.md says what it takes."""
import copy
import json
import socketserver

from forge.server import Handler
from forge.state import EMPTY
from forge.web import Answer


def summary(requests):
    """How often each method and path was asked, in the order of the first time."""
    counted = {}
    for entry in requests:
        key = (entry["method"], entry["path"])
        line = counted.setdefault(key, {"method": key[0], "path": key[1], "count": 0, "token_in_url": False})
        line["count"] += 1
        line["token_in_url"] = line["token_in_url"] or entry["token_in_url"]
    return list(counted.values())


class Control(Handler):
    def address_string(self):
        return "control"

    def change(self, state, path, body):
        """What is sent back.  PUT of a member of the state changes what the body names; null takes it away."""
        member = path.strip("/")
        answers = {("GET", "/state"): lambda: state.data, ("GET", "/requests"): lambda: state.requests,
                   ("GET", "/requests/summary"): lambda: summary(state.requests), ("GET", "/left"): state.left}
        if (self.command, path) in answers:
            return answers[self.command, path]()
        if (self.command, path) == ("PUT", "/state"):
            state.data = {**copy.deepcopy(EMPTY), **body}
        elif (self.command, path) == ("PUT", "/fault"):
            state.data["fault"] = body
        elif (self.command, path) == ("DELETE", "/requests"):
            state.requests = []
        elif (self.command, path) == ("POST", "/reset"):
            state.reset()
        elif (self.command, path) == ("POST", "/id-token"):
            return {"value": state.issuer.mint(body)}
        elif self.command == "PUT" and isinstance(state.data[member], dict):
            state.data[member].update(body)
            for name in [name for name, value in body.items() if value is None]:
                del state.data[member][name]
        else:
            raise KeyError(path)
        return {}

    def any_method(self):
        state = self.server.state
        body = self.body()
        try:
            with state.lock:
                answer = Answer(200, self.change(state, self.path, json.loads(body) if body else {}))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            answer = Answer(400, {"error": repr(error)})
        self.send(answer)

    do_GET = do_PUT = do_POST = do_DELETE = any_method


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("control", 0)
