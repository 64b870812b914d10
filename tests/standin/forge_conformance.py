"""Asks the forge stand-in what tests/standin/rows say and compares; TAP on stdout."""
import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile

from lab import Unix
from rows import ANY, faults, gitea, github, gitlab


class Standin:
    def __init__(self, program, forge_type, state, path):
        with open(path + ".json", "w", encoding="utf-8") as file:
            json.dump(state, file)
        self.process = subprocess.Popen([sys.executable, program, "--type", forge_type, "--state", path + ".json",
                                         "--control", path + ".sock"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.control_path = path + ".sock"

    def control(self, method, path, body=None):
        connection = Unix(self.control_path)
        connection.request(method, path, body and json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def stop(self):
        self.process.terminate()
        return self.process.wait(10)

    def ask(self, row):
        """(status, headers, body, broken off) of the answer to a row's request; status 0 where there was none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"User-Agent": "test", **credential(row.get("as")), **row.get("headers", {})}
        body = row.get("body")
        if isinstance(body, dict):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(*row["ask"].split(" ", 1), body, {name: value for name, value in headers.items() if value})
        try:
            response = connection.getresponse()
            return response.status, response.headers, response.read(), False
        except http.client.IncompleteRead as error:
            return response.status, response.headers, error.partial, True
        except http.client.RemoteDisconnected:
            return 0, {}, b"", False
        finally:
            connection.close()


def credential(who):
    """"SCHEME VALUE" as a header; "basic USER:PASSWORD" is encoded."""
    if not who:
        return {}
    scheme, _, value = who.partition(" ")
    if scheme == "basic":
        value = base64.b64encode(value.encode()).decode()
    if scheme in ("PRIVATE-TOKEN", "JOB-TOKEN"):
        return {scheme: value}
    return {"Authorization": f"{scheme} {value}"}


def differs(got, wanted, where="body"):
    """What is different, None for nothing.  An object must have what is wanted; ANY is anything; exact() all of it."""
    if wanted is ANY:
        return None
    if isinstance(wanted, dict) and isinstance(got, dict):
        if wanted.get("") == "exact" and set(wanted) - {""} != set(got):
            return f"{where} has the members {sorted(got)}"
        for name in wanted:
            if name and name not in got:
                return f"{where} has no {name}"
        return next(filter(None, (differs(got[name], wanted[name], f"{where}.{name}") for name in wanted if name)), None)
    if isinstance(wanted, list) and isinstance(got, list) and len(got) == len(wanted):
        return next(filter(None, (differs(*pair, f"{where}[{at}]") for at, pair in enumerate(zip(got, wanted)))), None)
    return None if got == wanted else f"{where} is {got!r} and not {wanted!r}"


def failure(answer, row):
    status, headers, body, cut = answer
    if cut != row.get("cut", False):
        return f"broken off after {body[:200]!r}" if cut else "not broken off"
    if status != row["status"]:
        return f"status {status} and not {row['status']}: {body[:200]!r}"
    for name, value in row.get("sends", {}).items():
        if headers.get_all(name, []) != (value if isinstance(value, list) else [value] if value else []):
            return f"{name}: {headers.get_all(name)}"
    if "claims" in row:
        claims = json.loads(body)["token"].split(".")[1]
        return differs(json.loads(base64.urlsafe_b64decode(claims + "==")).get("access"), row["claims"], "access")
    wanted = row.get("says", ANY)
    if isinstance(wanted, dict | list):
        if not headers["Content-Type"].startswith("application/json"):
            return f"Content-Type: {headers['Content-Type']}"
        return differs(json.loads(body), wanted)
    if wanted is not ANY and body != (wanted if isinstance(wanted, bytes) else wanted.encode()):
        return f"body {body[:200]!r}"
    return None


def run(standin, row):
    for member, change in row.get("with", {}).items():
        standin.control("PUT", "/" + member, change)
    answer = standin.ask(row)
    problem = failure(answer, row)
    if not problem and "left" in row:
        problem = differs(standin.control("GET", "/left"), row["left"], "left")
    if not row.get("keep"):
        standin.control("POST", "/reset")
    return problem


def main():
    number = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for module in (gitea, github, gitlab, faults):
            for forge_type in module.TYPES:
                standin = Standin(sys.argv[1], forge_type, module.STATE, os.path.join(directory, module.__name__ + forge_type))
                for row in module.rows(forge_type):
                    number += 1
                    problem = run(standin, row)
                    failed += bool(problem)
                    print(f"{'not ok' if problem else 'ok'} {number} - {forge_type}: {row['ask']}: {row['is']}")
                    if problem:
                        print("# " + problem)
                if standin.stop():
                    failed += 1
                    print(f"# {forge_type}: ended with a status that is not 0")
    print(f"1..{number}", flush=True)
    return 1 if failed else 0


sys.exit(main())
