#!/usr/bin/env python3
"""Journals for tests: writes what `journalctl -o export` prints, for systemd-journal-remote to make a journal of.

Each line of standard input is a record, in words:

    at=-48h kind=issued seq=2 run=1948          one of the daemon's, exactly as it writes them, but for the words
    at=-47h forged uid=1000 exe=/usr/bin/logger unit=session-1.scope kind=issued    the same fields by somebody else
    at=-47h line                                something else that root logged: where the journal begins, say
    repeat=100000 at=-48h step=1s kind=issued seq=1 run=1       that many, seq and run counting up

"at" is seconds since 1970, or so long before --now (48h, 30m, 5s).  Words in capitals set a field (FORGE_BROKER_X=y; the
same one twice makes two fields, and one without a value takes the field away).  The fields and their order are those of a
real daemon's records under systemd 252: `journalctl -o export -u forge-brokerd`.
"""
import re
import shlex
import sys

IDS = {
    "issued": "01903ac0641242c18f4db65e8f7108f7",
    "refused": "1b24b7d652d14bd592e1f0b493b4d4a9",
    "unavailable": "a55325ad9aca4bfda3c0c6e9cb618f1c",
    "source-changed": "2bf591862e7948dda8d12db31a83d057",
    "token-rotated": "fc1228b2951d4f9b8117a64a96734f1c",
    "upstream-failed": "662efc3e2853494dbe380a5acdbe4b05",
    "upstream-recovered": "1931ed8fc11546c696d568601c092da3",
    "config-loaded": "d531f8dcdb0e40b399be734e929f5c52",
    "config-rejected": "edb9e4841aef4da2b234cf2af834c06b",
    "fallback-expired": "db3b5794e99a49d6962655d5f5cdcce1",
}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WITH_VALUE = ("issued", "source-changed", "token-rotated")


def seconds(text, now):
    match = re.fullmatch(r"-([0-9]+)([smhd])", text)
    return now - int(match[1]) * UNITS[match[2]] if match else float(text)


def span(text):
    return int(text[:-1]) * UNITS[text[-1]]


def daemon_fields(words):
    """What the daemon writes itself: (name, value) in its order."""
    kind, seq = words.get("kind", "issued"), words["seq"]
    token, source = words.get("token", "deploy"), words.get("source", "infisical-token-auth")
    fresh, code = words.get("freshness", "fresh"), words.get("code")
    bad = source == "direct-env-fallback" or fresh == "stale"
    priority = {"issued": "4" if bad else "6", "config-loaded": "6", "unavailable": "3", "config-rejected": "3",
                "fallback-expired": "3", "upstream-failed": "4"}.get(kind, "5")
    claims = [("REPOSITORY", "repo", words.get("repo", "example/site" if "run" in words else "")),
              ("RUN_ID", "run", words.get("run", "")), ("RUN_ATTEMPT", "attempt", words.get("attempt", "1" if "run" in words else "")),
              ("EVENT", "event", words.get("event", "push" if "run" in words else ""))]
    text = [kind]
    fields = [("PRIORITY", priority), ("SYSLOG_IDENTIFIER", "forge-brokerd"),
              ("FORGE_BROKER_INSTANCE", words["instance"]), ("FORGE_BROKER_SEQ", seq)]
    if kind not in ("config-loaded", "config-rejected") and words.get("token") != "":
        fields.append(("FORGE_BROKER_TOKEN", token))
        text.append(f"token={token}")
    if kind in WITH_VALUE:
        fields += [("FORGE_BROKER_SOURCE", source), ("FORGE_BROKER_FRESHNESS", fresh), ("FORGE_BROKER_VERSION", "7"),
                   ("FORGE_BROKER_FINGERPRINT", "d4ee85eb")]
        text.append(f"forgejo_token_source={source} freshness={fresh} version=7 fp=d4ee85eb")
    if code:
        fields += [("FORGE_BROKER_CODE", code), ("FORGE_BROKER_REMEDY", "See forge-brokerd(8).")]
        text.append(f"code={code}")
    if "count" in words:
        fields.append(("FORGE_BROKER_COUNT", words["count"]))
        text.append(f"count={words['count']}")
    text.append(f"seq={seq}")
    if kind in ("issued", "refused", "unavailable"):
        peer = words.get("peer", "forgejo-runner.service")
        fields += [("FORGE_BROKER_PEER_UID", "0"), ("FORGE_BROKER_PEER_PID", "4711"), ("FORGE_BROKER_PEER_UNIT", peer),
                   ("FORGE_BROKER_PEER_CGROUP", f"/system.slice/{peer}")]
        text.append(f"peer_uid=0 peer_pid=4711 peer_unit={peer}")
    if kind == "issued":
        verified = words.get("verified", "no")
        # Whoever vouches names the repository; a proof by the repository alone leaves the rest to the job's word.
        told = {"no": (), "repository": ("REPOSITORY",)}.get(verified, ("REPOSITORY", "RUN_ID", "RUN_ATTEMPT", "EVENT"))
        proven = [claim for claim in claims if claim[2] and claim[0] in told]
        claims = [claim for claim in claims if claim[2] and claim[0] not in told]
        fields.append(("FORGE_BROKER_VERIFIED", verified))
        text.append(f"verified={verified}")
        fields += [(f"FORGE_BROKER_PROVEN_{name}", value) for name, _, value in proven]
        text += [f"proven_{key}={value}" for _, key, value in proven]
        fields += [(f"FORGE_BROKER_CLAIM_{name}", value) for name, _, value in claims]
        text += [f"{key}={value}" for _, key, value in claims]
    return [("MESSAGE", " ".join(text)), ("MESSAGE_ID", IDS[kind])] + fields


def trusted_fields(words, uid, exe, unit):
    """What journald adds."""
    comm = exe.rsplit("/", 1)[-1]
    return [("_TRANSPORT", words.get("transport", "journal")), ("_PID", words.get("pid", "87")), ("_UID", uid), ("_GID", uid),
            ("_COMM", comm[:15]), ("_EXE", exe), ("_CMDLINE", exe), ("_CAP_EFFECTIVE", "0"),
            ("_SYSTEMD_CGROUP", f"/system.slice/{unit}"), ("_SYSTEMD_UNIT", unit), ("_SYSTEMD_SLICE", "system.slice"),
            ("_SYSTEMD_INVOCATION_ID", "c8d8756c686a4463a9f9f3c41fc21231"), ("_MACHINE_ID", words["machine"]),
            ("_HOSTNAME", words["host"]), ("_RUNTIME_SCOPE", "system")]


def record(words, overrides, number, out):
    at = int(words["realtime"] * 1000000) + number
    if "line" in words:
        fields = [("MESSAGE", words.get("message", "Started cron.service.")), ("PRIORITY", "6"), ("SYSLOG_IDENTIFIER", "systemd")]
        fields += trusted_fields(words, words.get("uid", "0"), "/usr/lib/systemd/systemd", words.get("unit", "init.scope"))
    elif "forged" in words:
        fields = daemon_fields(words)
        fields += trusted_fields(words, words.get("uid", "1000"), words.get("exe", "/usr/bin/logger"),
                                 words.get("unit", "session-1.scope"))
    else:
        fields = daemon_fields(words)
        fields += trusted_fields(words, words.get("uid", "997"), "/usr/sbin/forge-brokerd", words.get("unit", "forge-brokerd.service"))
    fields.append(("_SOURCE_REALTIME_TIMESTAMP", str(at - 7)))
    named = {name for name, _ in overrides}
    fields = [field for field in fields if field[0] not in named] + [field for field in overrides if field[1] != ""]
    boot = words.get("boot", words["machine"][::-1])
    out.write(f"__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={at - int(words['epoch']) * 1000000}\n_BOOT_ID={boot}\n".encode())
    for name, value in fields:
        bytes_ = value.encode("utf-8", "surrogateescape")
        if b"\n" in bytes_ or any(byte < 32 for byte in bytes_):
            out.write(name.encode() + b"\n" + len(bytes_).to_bytes(8, "little") + bytes_ + b"\n")
        else:
            out.write(name.encode() + b"=" + bytes_ + b"\n")
    out.write(b"\n")


def main():
    now = float(sys.argv[1])
    out, number = sys.stdout.buffer, 0
    common = {"instance": "30f7255a8e0e080c0c04941c7e7c5768", "machine": "342858857e4b4854a90d02c6fbf6a1d6", "host": "runner-1",
              "seq": "1", "at": "-1h", "epoch": str(int(now) - 90 * 86400)}
    for line in sys.stdin:
        words, overrides = dict(common), []
        for word in shlex.split(line, comments=True):
            name, _, value = word.partition("=")
            value = re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), value)
            if re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
                overrides.append((name, value))
            else:
                words[name] = value
        if words.keys() == common.keys() and not overrides:
            continue
        words["realtime"] = seconds(words["at"], now)
        for _ in range(int(words.get("repeat", "1"))):
            record(words, overrides, number, out)
            number += 1
            words["seq"] = str(int(words["seq"]) + 1)
            if "run" in words and "step" in words:
                words["run"] = str(int(words["run"]) + 1)
            words["realtime"] += span(words.get("step", "0s"))


main()
