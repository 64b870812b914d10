#!/bin/sh
# No descriptor left: who is connected is served, who comes waits and is served, the value that is held is issued while none can be
# fetched, and with descriptors there again all is as before.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
need prlimit util-linux

standin_state >"$work/state.json"
standin_start "$work/state.json"
broker_settings='requests_per_second = 0'
token_deploy | write_config
daemon_start
ok "the token is usable" daemon_ready
descriptors() { find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l; }
limit() { prlimit --pid "$daemon_pid" --nofile="$1:"; }
# room COUNT - for so many more; of the numbers in use some may be far above the others, inherited from who runs this
room() {
        limit "$(find "/proc/$daemon_pid/fd" -mindepth 1 -printf '%f\n' |
                awk -v room="$1" '{ used[$1] = 1 } END { for (n = 0; room > 0; n++) if (!(n in used)) room--; print n }')"
}
before=$(descriptors)
usual=$(prlimit --pid "$daemon_pid" --nofile --output SOFT --noheadings | tr -d ' ')

# Room for three: the rest wait in the socket's backlog until one of them goes.
room 3
result=$(python3 "$top_srcdir/tests/integration/herd.py" "$jobs_socket" /v1/tokens/deploy 400 40 --seconds 60 | jq -c .status)
is "400 requests, 40 at once, with room for three: each is served" "$result" '{"200":400}'

# What the last connection frees is noticed, though nothing else happens any more: of two that connect before they ask the
# second is accepted when the first is done.
cat >"$work/second.py" <<'PY'
import socket, sys, time
peers = []
for _ in range(2):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(5)
    peer.connect(sys.argv[1])
    peers.append(peer)
# long enough for the daemon to have tried to accept both
time.sleep(0.3)
for peer in peers:
    try:
        peer.sendall(b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        print(peer.recv(65536).split(b"\r\n")[0].decode())
    except TimeoutError:
        print("not accepted")
PY
settled() { [ "$(descriptors)" -le "$1" ]; }
for some in 1 2 3; do
        ok "every connection is gone" wait_for 15 settled "$before"
        room $some
        is "two that connect before they ask, with room for $some" "$(python3 "$work/second.py" "$jobs_socket" | sort | uniq -c | tr -s ' ')" \
                " 2 HTTP/1.1 200 OK"
done

# No room at all, and peers that stay.
cat >"$work/hold.py" <<'PY'
import socket, sys
held = []
for _ in range(12):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    held.append(s)
first = held[0]
first.sendall(b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\n\r\n")
print(first.recv(65536).split(b"\r\n")[0].decode(), flush=True)
sys.stdin.read()
PY
mkfifo "$work/go"
python3 "$work/hold.py" "$jobs_socket" <"$work/go" >"$work/held" &
holder=$!
exec 9>"$work/go"
held() { [ -s "$work/held" ]; }
ok "12 peers that stay, with room for three" wait_for 10 held
is "the one that asks is served" "$(cat "$work/held")" "HTTP/1.1 200 OK"
# Idle ones are cut off for it after their time: until then it waits.
is "one more waits until there is room, and is served" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
cpu() { awk '{ print $14 + $15 }' "/proc/$daemon_pid/stat"; }
used=$(cpu)
is "and another" "$(ask_status /v1/tokens/deploy)" 200
exec 9>&-
wait "$holder"
note "processor time of the wait: $(($(cpu) - used)) ticks of 10 ms"

# None at all, not even for the first connection: it is tried again now and then, and not all the time.
ok "the peers are gone" wait_for 15 settled "$before"
limit 4
used=$(cpu)
control_answer=$(python3 - "$control_socket" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(3)
try:
    s.connect(sys.argv[1])
    s.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    print("answered" if s.recv(10) else "closed")
except TimeoutError:
    print("waits")
PY
)
is "with no room for any connection one waits" "$control_answer" waits
spent=$(($(cpu) - used))
ok "of three seconds less than one is spent on trying" test "$spent" -lt 100 || note "$spent ticks of 10 ms"
limit "$usual"
is "with room again it answers" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
standin_ask /secret -X PUT -d "{\"project\":\"platform\",\"environment\":\"prod\",\"path\":\"/forges\",\"name\":\"deploy-bot@example.org\",\"value\":\"$secret_value-next\"}" >/dev/null
refreshed() {
        control /v1/tokens/deploy/refresh -X POST >/dev/null
        [ "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" = "$secret_value-next" ]
}
ok "and fetches" wait_for 25 refreshed
ok "no descriptor is lost" wait_for 15 settled $((before + 1)) || note "$before before, $(descriptors) now"
daemon_stop
is "it stops cleanly" $? 0

# The usual limit of who is not started by systemd has no room for all the requests that may wait.
soft_limit() { prlimit --pid "$daemon_pid" --nofile --output SOFT --noheadings | tr -d ' '; }
daemon_start prlimit --nofile=1024:20000
is "it takes as many as the unit has, where they are to be had" "$(soft_limit)" \
        "$(sed -n 's/^LimitNOFILE=//p' "$top_srcdir/systemd/forge-brokerd.service.in")"
daemon_stop
daemon_start prlimit --nofile=512:2000
is "else what there is" "$(soft_limit)" 2000
daemon_stop
done_testing
