"""git's smart HTTP: the first step of a fetch and of a push."""
from forge.web import Answer

NO_CACHE = {"Expires": "Fri, 01 Jan 1980 00:00:00 GMT", "Pragma": "no-cache",
            "Cache-Control": "no-cache, max-age=0, must-revalidate"}
PATH = r"/(.+?)(?:\.git)?/info/refs"
CAPABILITIES = {"git-receive-pack": "report-status delete-refs side-band-64k quiet atomic ofs-delta",
                "git-upload-pack": "multi_ack thin-pack side-band side-band-64k ofs-delta shallow no-progress"}


def packet(line):
    return f"{len(line) + 4:04x}{line}".encode()


def advertisement(service, branches):
    """What git answers to info/refs: each branch, its capabilities with the first line."""
    references = [("6" * 40, f"refs/heads/{branch}") for branch in branches] or [("0" * 40, "capabilities^{}")]
    lines = [f"{sha} {name}" for sha, name in references]
    lines[0] += f"\0{CAPABILITIES[service]} object-format=sha1 agent=git/2.39.5"
    body = packet(f"# service={service}\n") + b"0000" + b"".join(packet(line + "\n") for line in lines) + b"0000"
    return Answer(200, body, NO_CACHE, f"application/x-{service}-advertisement")
