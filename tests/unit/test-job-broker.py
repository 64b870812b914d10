#!/usr/bin/env python3
"""A broker of a few lines for test-job-cli.t: each connection gets the next answer of a script.

usage: test-job-broker.py SOCKET LOG ANSWER...     the last answer is repeated; the requests are appended to LOG

An answer is a file with the bytes to send, or one of: close (before the first byte), hang, slow:FILE (a byte at a time).
"""
import os
import re
import socket
import sys
import time


def read_request(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(4096)
        if not piece:
            break
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *([0-9]+)\r?$", head)
    while length and len(body) < int(length.group(1)):
        piece = connection.recv(4096)
        if not piece:
            break
        request += piece
        body += piece
    return request


def answer(connection, what):
    if what == "close":
        return
    if what == "hang":
        connection.recv(1)  # until the client leaves
        return
    if what.startswith("slow:"):
        with open(what[5:], "rb") as file:
            for byte in file.read():
                connection.sendall(bytes([byte]))
                time.sleep(0.0005)
        return
    with open(what, "rb") as file:
        connection.sendall(file.read())


def main():
    path, log, answers = sys.argv[1], sys.argv[2], sys.argv[3:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    listener.listen(16)
    os.rename(path + ".new", path)  # who sees the socket can connect
    while True:
        connection, _ = listener.accept()
        what = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            request = read_request(connection)
            with open(log, "ab") as file:
                file.write(request)
            answer(connection, what)
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.close()


main()
