#!/bin/sh
# Peers that send a byte now and then, or never read their answer, on more connections than there may be: a good peer gets its
# token all the while.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need python3 python3

standin_state >"$work/state.json"
standin_start "$work/state.json"
# All are in one cgroup here, and would share its budget.
broker_settings='max_connections = 16
requests_per_second = 0'
token_deploy | write_config
daemon_start
ok "the token is usable" daemon_ready
descriptors() { find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l; }
before=$(descriptors)

cat >"$work/slow.py" <<'PY'
import socket, sys, time

path, kind, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
HEAD = b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\n"

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(path)
    return s

def begin():
    """A slow peer: its connection and what it still has to send."""
    s = connect()
    s.setblocking(False)
    if kind == "mute":          # asks again and again, and reads nothing
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        return [s, (HEAD + b"\r\n") * 64]
    return [s, HEAD + b"X-Slow: " + b"a" * 4000]

def step(peer):
    try:
        sent = peer[0].send(peer[1] if kind == "mute" else peer[1][:1])
        peer[1] = peer[1][sent:]
    except BlockingIOError:
        pass

def good():
    s = connect()
    s.sendall(HEAD + b"Connection: close\r\n\r\n")
    answer = b""
    while more := s.recv(65536):
        answer += more
    return answer.startswith(b"HTTP/1.1 200 ")

peers = [begin() for _ in range(64)]
replaced, asked, served = 0, 0, 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    for peer in peers:
        try:
            step(peer)
        except OSError:         # cut off: another one takes its place
            peer[0].close()
            peer[:] = begin()
            replaced += 1
    asked += 1
    served += good()
print("all" if asked and served == asked else f"{served} of {asked}", "some" if replaced else "none")
PY
for kind in drip mute; do
        result=$(python3 "$work/slow.py" "$jobs_socket" "$kind" 5)
        is "64 peers that $kind for 5 s: the good peer gets every token" "${result% *}" all
        [ "$kind" != drip ] || is "the slow ones are cut off" "${result#* }" some
done
settled() { [ "$(descriptors)" -le "$before" ]; }
ok "their descriptors come back" wait_for 15 settled
is "the broker is as well as before" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
daemon_stop
is "it stops cleanly" $? 0
done_testing
