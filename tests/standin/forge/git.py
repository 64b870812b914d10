"""git's smart HTTP: the first step of a fetch and of a push, and pushes that a hook looks at.

forge.git is the module that says the rest: gate(forge, request, path, service) gives (full name, repository) or raises what is
answered, and hook(forge, request, full_name, repository, branch) gives None or (lines for the pusher, reason) of a refusal;
with reason None the lines are said and the push goes on.  Repositories are bare ones below forge.git_root, as OWNER/NAME.git;
where there is none, the first step is answered from the state and nothing can be fetched or pushed.
"""
import gzip
import os
import subprocess

from forge.state import branches_of
from forge.web import Answer, text

NO_CACHE = {"Expires": "Fri, 01 Jan 1980 00:00:00 GMT", "Pragma": "no-cache",
            "Cache-Control": "no-cache, max-age=0, must-revalidate"}
CAPABILITIES = {"git-receive-pack": "report-status delete-refs side-band-64k quiet atomic ofs-delta",
                "git-upload-pack": "multi_ack thin-pack side-band side-band-64k ofs-delta shallow no-progress"}


def packet(line):
    data = line if isinstance(line, bytes) else line.encode()
    return f"{len(data) + 4:04x}".encode() + data


def bare(forge, full_name):
    directory = os.path.join(forge.git_root or "", f"{full_name}.git")
    return directory if forge.git_root and full_name and os.path.isdir(directory) else None


def git(directory, service, *options, stdin=b""):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1",
                   "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    return subprocess.run(["git", service.removeprefix("git-"), "--stateless-rpc", *options, directory], input=stdin,
                          stdout=subprocess.PIPE, env=environment, check=False).stdout


def references(branches, capabilities):
    """What git says of branches that nobody has."""
    found = [("6" * 40, f"refs/heads/{branch}") for branch in branches] or [("0" * 40, "capabilities^{}")]
    lines = [f"{sha} {name}" for sha, name in found]
    lines[0] += f"\0{capabilities} object-format=sha1 agent=git/2.39.5"
    return b"".join(packet(line + "\n") for line in lines) + b"0000"


def info_refs(forge, request, path):
    service = request.query.get("service", "")
    if service not in CAPABILITIES:
        raise text(403, "Unsupported service")
    full_name, repository = forge.git.gate(forge, request, path, service)
    directory = bare(forge, full_name)
    refs = (git(directory, service, "--advertise-refs") if directory
            else references(branches_of(repository) if repository else [], CAPABILITIES[service]))
    return Answer(200, packet(f"# service={service}\n") + b"0000" + refs, NO_CACHE, f"application/x-{service}-advertisement")


def commands(body):
    """The (reference, capabilities) that a push names, before its pack."""
    found = []
    while body[:4] not in (b"0000", b""):
        size = int(body[:4], 16)
        line, _, capabilities = body[4:size].rstrip(b"\n").partition(b"\0")
        found.append((line.split(b" ")[2].decode(), capabilities.decode().split()))
        body = body[size:]
    return found


def said(lines):
    """Lines for the pusher, in the band for messages."""
    return packet(b"\x02" + "".join(line + "\n" for line in lines).encode()) if lines else b""


def receive_pack(forge, request, full_name, repository, directory, body):
    pushed = commands(body)
    verdicts = {reference: forge.git.hook(forge, request, full_name, repository, reference.removeprefix("refs/heads/"))
                for reference, _ in pushed}
    lines = [line for verdict in verdicts.values() if verdict for line in verdict[0]]
    reasons = {reference: verdict[1] for reference, verdict in verdicts.items() if verdict and verdict[1]}
    if not reasons:
        return said(lines) + git(directory, "git-receive-pack", stdin=body)
    report = packet("unpack ok\n") + b"".join(
        packet(f"ng {reference} {reasons.get(reference, 'pre-receive hook declined')}\n") for reference in verdicts) + b"0000"
    return said(lines) + packet(b"\x01" + report) + b"0000"


def rpc(forge, request, path, service):
    full_name, repository = forge.git.gate(forge, request, path, service)
    directory = bare(forge, full_name)
    if directory is None:
        raise text(404, "Not found.\n")
    body = gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body
    answer = (receive_pack(forge, request, full_name, repository, directory, body) if service == "git-receive-pack"
              else git(directory, service, stdin=body))
    return Answer(200, answer, NO_CACHE, f"application/x-{service}-result")


ROUTES = [
    ("GET", r"/(.+?)(?:\.git)?/info/refs", info_refs),
    ("POST", r"/(.+?)(?:\.git)?/(git-upload-pack|git-receive-pack)", rpc),
]
