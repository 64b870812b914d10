#!/usr/bin/env python3
"""How often a text stands in a process' readable memory.

usage: scan.py PID TEXT...

Prints one line per text: the number of copies in ordinary memory, and in memory that the kernel locks (VmFlags lo, or
a memfd_secret mapping, whose pages nobody can read: it counts as locked with 0 copies seen).  The texts come on
standard input, one per line, so that they are in no argv.
"""
import sys


def regions(pid):
    region = None
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            fields = line.split()
            if "-" in fields[0] and not fields[0].endswith(":"):
                region = [int(part, 16) for part in fields[0].split("-")] + [fields[1], " ".join(fields[5:])]
            elif fields[0] == "VmFlags:" and region and region[2].startswith("r"):
                yield region[0], region[1], "lo" in fields[1:], region[3]


def main():
    pid = int(sys.argv[1])
    texts = [line.rstrip("\n").encode() for line in sys.stdin if line.strip()]
    open_copies, locked_copies, where = [0] * len(texts), [0] * len(texts), [set() for _ in texts]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, locked, name in regions(pid):
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            for i, text in enumerate(texts):
                found = data.count(text)
                if found and locked:
                    locked_copies[i] += found
                elif found:
                    open_copies[i] += found
                    where[i].add(name or "anonymous")
    for i in range(len(texts)):
        print(f"open={open_copies[i]} locked={locked_copies[i]} {' '.join(sorted(where[i]))}".rstrip())


if __name__ == "__main__":
    main()
