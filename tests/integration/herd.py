#!/usr/bin/env python3
"""Many requests at a unix socket at once, and what came back.

usage: herd.py SOCKET PATH COUNT CONCURRENCY [--method POST] [--seconds LIMIT]

Connects and sends CONCURRENCY requests, one per connection, before it reads the first answer, and goes on until COUNT
answers came.  Prints one JSON line: how many answers of each status, how many connections ended without an answer,
how many distinct bodies there were.  Never prints a body.
"""
import argparse
import collections
import hashlib
import json
import selectors
import socket
import sys
import time


def begin(args, results):
    """One request under way, or None."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.connect(args.socket)
        peer.sendall(f"{args.method} {args.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     "Content-Length: 0\r\n\r\n".encode())
    except OSError as error:
        results["connect: " + error.__class__.__name__] += 1
        peer.close()
        return None
    peer.setblocking(False)
    return peer


def finish(answer, results, bodies):
    head, separator, body = answer.partition(b"\r\n\r\n")
    try:
        if not separator:
            raise ValueError
        results[str(int(head.split(b" ", 2)[1]))] += 1
        bodies[hashlib.sha256(body).hexdigest()] += 1
    except (ValueError, IndexError):
        results["no answer"] += 1


def run(args):
    results, bodies = collections.Counter(), collections.Counter()
    deadline = time.monotonic() + args.seconds
    left = args.count
    while left > 0:
        with selectors.DefaultSelector() as selector:
            for _ in range(min(left, args.concurrency)):
                peer = begin(args, results)
                left -= 1
                if peer:
                    selector.register(peer, selectors.EVENT_READ, bytearray())
            while selector.get_map():
                if time.monotonic() > deadline:
                    results["too late"] += len(selector.get_map())
                    return {"status": dict(results), "bodies": len(bodies)}
                for key, _ in selector.select(1):
                    try:
                        more = key.fileobj.recv(65536)
                    except OSError:
                        more = b""
                    key.data.extend(more)
                    if not more:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
                        finish(bytes(key.data), results, bodies)
    return {"status": dict(results), "bodies": len(bodies)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("path")
    parser.add_argument("count", type=int)
    parser.add_argument("concurrency", type=int)
    parser.add_argument("--method", default="GET")
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    json.dump(run(args), sys.stdout)
    print()


if __name__ == "__main__":
    main()
