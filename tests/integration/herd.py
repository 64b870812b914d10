#!/usr/bin/env python3
"""Many requests at a unix socket at once, and what came back.

usage: herd.py SOCKET PATH COUNT CONCURRENCY [--method POST] [--seconds LIMIT]

Opens CONCURRENCY connections before the first request is sent, sends one request on each, and goes on until COUNT
answers came.  Prints one JSON line: how many answers of each status, how many connections ended without an answer,
how many distinct bodies there were.  Never prints a body.
"""
import argparse
import asyncio
import collections
import hashlib
import json
import sys


async def read_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, await reader.readexactly(length)


async def one(args, results, bodies, gate, opened):
    try:
        reader, writer = await asyncio.open_unix_connection(args.socket)
    except OSError as error:
        results["connect:" + error.__class__.__name__] += 1
        opened.release()
        return
    opened.release()
    await gate.wait()
    try:
        writer.write(f"{args.method} {args.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     "Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        status, body = await read_answer(reader)
        results[str(status)] += 1
        bodies[hashlib.sha256(body).hexdigest()] += 1
    except (OSError, asyncio.IncompleteReadError, ValueError, IndexError):
        results["no answer"] += 1
    finally:
        writer.close()


async def run(args):
    results, bodies = collections.Counter(), collections.Counter()
    left = args.count
    while left > 0:
        batch = min(left, args.concurrency)
        gate, opened = asyncio.Event(), asyncio.Semaphore(0)
        tasks = [asyncio.create_task(one(args, results, bodies, gate, opened)) for _ in range(batch)]
        for _ in range(batch):
            await opened.acquire()
        gate.set()
        await asyncio.gather(*tasks)
        left -= batch
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
    result = asyncio.run(asyncio.wait_for(run(args), args.seconds))
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
