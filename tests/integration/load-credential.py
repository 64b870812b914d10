#!/usr/bin/env python3
"""What systemd does for LoadCredential=ID:SOCKET, and what somebody who forges it may do.

usage: load-credential.py SOCKET UNIT ID           binds the name that systemd binds, connects, reads to the end
       load-credential.py SOCKET --name BYTES      binds any abstract name; BYTES as in a Python literal
       load-credential.py SOCKET --path PATH       binds a file's name
       load-credential.py SOCKET --unnamed         binds nothing

options after these:
       --slow SECONDS      reads nothing for so long
       --count N           N connections at once; one line for each
       --times N           one after the other, so often
       --uid N             as that user
       --hold              keeps all of them open and unread until standard input ends
       --leave             ends the connection without reading

Prints what came: the bytes if they can be a credential, "refusal" for more than 1 MiB of newlines (systemd then fails the
unit), "empty" (systemd would start it), or what else there was.
"""
import ast
import os
import socket
import sys
import time

LIMIT = 1024 * 1024


def connect(arguments, number):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(60)
    kind = arguments[1]
    if kind == "--name":
        connection.bind(b"\0" + ast.literal_eval("b'" + arguments[2] + "'"))
    elif kind == "--path":
        connection.bind(arguments[2])
    elif kind != "--unnamed":
        random = f"{int.from_bytes(os.urandom(7), 'big') * 64 + number:x}"
        connection.bind(f"\0{random}/unit/{kind}/{arguments[2]}".encode())
    connection.connect(arguments[0])
    return connection


def answer(connection):
    data = b""
    try:
        while len(data) <= LIMIT:
            more = connection.recv(65536)
            if not more:
                break
            data += more
    except ConnectionError as error:
        return f"cut off after {len(data)} bytes: {type(error).__name__}"
    except socket.timeout:
        return f"no end after {len(data)} bytes"
    if len(data) > LIMIT and not data.strip(b"\n"):
        return "refusal"
    if not data:
        return "empty"
    return data.decode("latin-1") if len(data) < 4096 else f"{len(data)} bytes, {len(data.strip())} of them not blank"


def main():
    arguments, options = sys.argv[1:], {}
    first = 2 if arguments[1] == "--unnamed" else 3
    words = iter(arguments[first:])
    for word in words:
        options[word] = float(next(words)) if word in ("--slow", "--count", "--times", "--uid") else True
    if "--uid" in options:
        os.setgroups([])
        os.setresuid(*[int(options["--uid"])] * 3)
    for number in range(1, int(options.get("--times", 1))):
        print(answer(connect(arguments, number)))
    connections = [connect(arguments, number) for number in range(int(options.get("--count", 1)))]
    time.sleep(options.get("--slow", 0))
    if "--hold" in options:
        print("connected", flush=True)
        sys.stdin.read()
    elif "--leave" not in options:
        for connection in connections:
            print(answer(connection))


main()
