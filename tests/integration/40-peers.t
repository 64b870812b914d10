#!/bin/sh
# Who may ask: root, by the mode of the file and by the daemon itself; and what rude peers get.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
need setpriv util-linux

standin_state >"$work/state.json"
standin_start "$work/state.json"
broker_settings='request_timeout = 3s
max_connections = 16'
token_deploy | write_config
daemon_start
daemon_ready
as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"

is "the socket is 0600 root from its first moment" "$(stat -c '%a %U' "$jobs_socket")" "600 root"
is "and so is the control socket" "$(stat -c '%a %U' "$control_socket")" "600 root"
not_ok "a peer that is not root is stopped by the mode" $as_nobody curl -s --unix-socket "$jobs_socket" http://localhost/healthz
$as_nobody "$broker" get deploy --socket "$jobs_socket" >"$work/out" 2>"$work/err"
is "forge-broker then exits with 6" $? 6
like "and names the uid" "$(cat "$work/err")" '65534'
chmod 0666 "$jobs_socket"
is "with the mode loosened by hand the daemon refuses" \
        "$($as_nobody curl -s --unix-socket "$jobs_socket" http://localhost/v1/tokens/deploy | jq -r '.code, .status' | tr '\n' ' ')" "peer-refused 403 "
ok "the refusal is on record with the uid" in_log '^refused .*code=peer-refused .*peer_uid=65534'
is "root is served meanwhile" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
chmod 0600 "$jobs_socket"

cat >"$work/rude.py" <<'PY'
import socket, sys, time

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(8)
    s.connect(sys.argv[1])
    return s

def answer(s):
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                break
            data += more
    except (ConnectionError, socket.timeout) as error:
        if isinstance(error, socket.timeout):
            return "timeout"
    return data.split(b"\r\n", 1)[0].decode("latin-1") or "closed"

def send(data, hold=False):
    s = connect()
    try:
        s.sendall(data)
    except ConnectionError:
        pass
    return answer(s)

HEAD = b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
what = sys.argv[2]
if what == "half":
    start = time.monotonic()
    print(send(b"GET /v1/tokens/dep"), "in time" if time.monotonic() - start < 5 else "late")
elif what == "big-head":
    print(send(HEAD + b"X-Filler: " + b"a" * (10 * 1024 * 1024) + b"\r\n\r\n"))
elif what == "nul":
    print(send(b"GET /v1/tokens/dep\x00loy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
elif what == "both-lengths":
    print(send(b"POST /v1/tokens/deploy/refresh HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
elif what == "big-body":
    print(send(b"POST /v1/tokens/deploy/refresh HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n" + b"a" * 20000))
elif what == "garbage":
    print(send(bytes(range(256)) * 16))
elif what == "crowd":
    crowd = []
    for _ in range(1000):
        try:
            s = connect()
            s.sendall(b"GET /v1/tok")
            crowd.append(s)
        except OSError:
            pass
    good = [send(HEAD + b"\r\n") for _ in range(20)]
    print(len(crowd), good.count("HTTP/1.1 200 OK"))
PY
rude() { python3 "$work/rude.py" "$jobs_socket" "$1"; }
like "half a request is cut off in time" "$(rude half)" '(closed|HTTP/1.1 4..).* in time'
like "a head of 10 MiB is refused" "$(rude big-head)" '^(HTTP/1.1 431|closed)'
unlike "a NUL in the request is not served" "$(rude nul)" ' 200 '
like "two lengths are refused" "$(rude both-lengths)" '^HTTP/1.1 400'
like "a body above 16 KiB is refused" "$(rude big-body)" '^HTTP/1.1 413'
unlike "garbage is not served" "$(rude garbage)" ' 200 '
is "a thousand idle halves do not keep root's jobs out" "$(rude crowd)" "1000 20"
is "and the broker is as well as before" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
for method in PUT DELETE PATCH POST; do
        is "$method on a token is 405" "$(ask_status /v1/tokens/deploy -X $method)" 405
done
is "HEAD does not issue" "$(curl -s -I --max-time 5 --unix-socket "$jobs_socket" -o /dev/null -w '%{http_code}' http://localhost/v1/tokens/deploy)" 405
is "reload is not for jobs" "$(ask_status /v1/reload -X POST)" 400
daemon_stop
is "it stops cleanly" $? 0
done_testing
