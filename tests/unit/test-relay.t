#!/bin/sh
# The relay, the real static executable: one request for one user and nothing else.  Its socket's path is fixed, so the test
# runs where /run is its own.
set -u
if [ -z "${RELAY_TEST_INSIDE-}" ]; then
        unshare --mount true 2>/dev/null || { echo '1..0 # SKIP needs a mount namespace of its own (root)'; exit 0; }
        RELAY_TEST_INSIDE=1 exec unshare --mount --propagation private sh "$0"
fi
. "${top_srcdir:-.}/tests/unit/job-lib.sh"
relay=${top_builddir:-.}/src/relay/relay
[ -x "$relay" ] || skip_all "$relay is not built"
mount -t tmpfs -o mode=0755 tmpfs /run || skip_all 'nothing can be mounted here'
mkdir /run/forge-broker
socket=/run/forge-broker/broker.sock

answer good '200 OK' "$json" "$(issuance forgejo fresh)"
cr=$(printf '\r')
# ask REQUEST: printf's escapes are undone
ask() {
        status=0
        # shellcheck disable=SC2059
        printf "$1" | SUDO_UID=1000 "$relay" >"$work/out" 2>"$work/err" || status=$?
}
sent() { grep -qxF -e "$1$cr" "$work/log"; }
nothing_sent() { [ ! -s "$work/log" ]; }
end='HTTP/1.1\r\nHost: localhost\r\n\r\n'

start "$work/good"
ask 'GET /v1/tokens/deploy HTTP/1.1\r\nHost: evil\r\nAccept: application/json\r\nConnection: keep-alive\r\nX-Odd: 1\r\nforge-broker-via-uid: 0\r\nForge-Broker-Repository: example/site\r\nForge-Broker-New: 1\r\nAuthorization: Bearer proof\r\nForge-Broker-Id-Token-Url: https://git.example/x?a=1\r\n\r\n'
ok 'the answer comes back as it is' all 'ends 0' 'cmp -s "$work/out" "$work/good"' '[ ! -s "$work/err" ]'
ok 'the request is written anew, for one connection' all 'sent "GET /v1/tokens/deploy HTTP/1.1"' 'sent "Host: localhost"' \
        'sent "Connection: close"' '! grep -qi -e keep-alive -e X-Odd -e evil -e Broker-New "$work/log"'
ok 'what the broker reads goes on' all 'sent "Accept: application/json"' 'sent "Forge-Broker-Repository: example/site"' \
        'sent "Authorization: Bearer proof"' 'sent "Forge-Broker-Id-Token-Url: https://git.example/x?a=1"'
ok 'the user is named by the relay and cannot be by the request' all 'sent "Forge-Broker-Via-Uid: 1000"' \
        '[ "$(grep -ci via-uid "$work/log")" = 1 ]'
start "$work/good"
ask "GET /v1/tokens/deploy HTTP/1.1\\r\\nAuthorization: Bearer $(printf '%04096d' 7)\\r\\n\\r\\n"
ok 'a proof of 4 KiB goes on' all 'ends 0' "sent 'Authorization: Bearer $(printf '%04096d' 7)'"
start "$work/good"
ask 'POST /v1/tokens/deploy/rejected HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\n{"fingerprint":"3f9a1c02"}'
ok 'a body goes on too' all 'ends 0' 'sent "POST /v1/tokens/deploy/rejected HTTP/1.1"' 'sent "Content-Length: 26"'
start "$work/good"
ask 'POST /v1/tokens/deploy/preflight HTTP/1.1\r\nHost: a\r\nContent-Length: 22\r\n\r\n{"token":"of-the-job"}'
ok 'so does one with a token of the job'\''s own' all 'ends 0' 'sent "POST /v1/tokens/deploy/preflight HTTP/1.1"' \
        'grep -qxF "{\"token\":\"of-the-job\"}" "$work/log"'
for target in '/v1/tokens' '/v1/match?protocol=https&host=a.example&path=x%%2fy' /healthz /readyz /readyz/deploy; do
        start "$work/good"
        ask "GET $target $end"
        ok "GET $target is a job's" ends 0
done

# Nothing of these reaches the broker.
refused() { # WORDS REQUEST
        start "$work/good"
        ask "$2"
        # Without the escapes, which echo would undo.
        ok "refused, $1: $(printf %s "$2" | sed 's/\\.*//')" all 'ends 3' silent "err_has 'forge-broker-relay: this request is not passed on: $1'" nothing_sent
}
for target in 'POST /v1/reload' 'GET /v1/status' 'GET /metrics' 'POST /v1/tokens/deploy/refresh' 'GET /v1/tokens/' \
        'GET /v1/tokens/a/b' 'GET /v1/tokens/../status' 'GET http://localhost/v1/tokens' 'DELETE /v1/tokens/deploy' \
        'get /healthz' 'GET /healthz?x' 'GET /v1/tokens/deploy?x' 'GET  /healthz'; do
        refused 'it is for nothing that jobs may ask for' "$target $end"
done
refused 'it is for nothing' 'GET /healthz HTTP/1.0\r\n\r\n'
refused 'something follows it' "GET /healthz ${end}GET /v1/tokens/deploy $end"
refused 'it has a Transfer-Encoding' 'POST /v1/tokens/a/rejected HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'
refused 'its Content-Length' 'POST /v1/tokens/a/rejected HTTP/1.1\r\nContent-Length: 16385\r\n\r\n{}'
refused 'one of its headers is there twice' 'POST /v1/tokens/a/rejected HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}'
for header in Authorization Forge-Broker-Id-Token-Url; do
        refused 'one of its headers is there twice' "GET /readyz HTTP/1.1\\r\\n$header: a\\r\\n$header: a\\r\\n\\r\\n"
done
refused 'one of its headers is too large' "GET /readyz HTTP/1.1\\r\\nAuthorization: Bearer $(printf '%04097d' 7)\\r\\n\\r\\n"
refused 'one of its headers is too large' "GET /readyz HTTP/1.1\\r\\nForge-Broker-Id-Token-Url: $(printf '%02049d' 7)\\r\\n\\r\\n"
refused 'it has a body' 'GET /healthz HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'
refused 'a header line has no proper name' 'GET /healthz HTTP/1.1\r\nAccept: a\r\n b\r\n\r\n'
refused 'there is a control character' 'GET /healthz HTTP/1.1\nAccept: a\n\n'
refused 'there is a control character' 'GET /healthz HTTP/1.1\r\nAccept: a\000b\r\n\r\n'
refused 'its head is too large' "GET /healthz HTTP/1.1\\r\\nAccept: $(printf '%07200d' 0)\\r\\n\\r\\n"
start "$work/good"
ask 'GET /v1/tokens/deploy HTTP/1.1\r\n'
ok 'a request that is cut off reaches nobody' all 'ends 3' 'err_has "the request is cut off"' nothing_sent

# Around it
start close
ask "GET /healthz $end"
ok 'a broker that closes without an answer has a status of its own' all 'ends 4' silent
stop
ask "GET /healthz $end"
ok 'no socket' all 'ends 3' 'err_has "cannot connect to /run/forge-broker/broker.sock: No such file"'
start "$work/good"
status=0
SUDO_UID=1000 "$relay" --help </dev/null >"$work/out" 2>"$work/err" || status=$?
ok 'it takes no arguments' all 'ends 3' silent 'err_has "takes no arguments"' nothing_sent
for uid in '' -1 0x0 4294967295 99999999999 1000a; do
        status=0
        SUDO_UID=$uid "$relay" </dev/null >"$work/out" 2>"$work/err" || status=$?
        ok "'$uid' is no SUDO_UID" all 'ends 3' silent 'err_has "sudo runs this"' nothing_sent
done
status=0
env -u SUDO_UID "$relay" </dev/null >"$work/out" 2>"$work/err" || status=$?
ok 'without SUDO_UID it does nothing' all 'ends 3' 'err_has "sudo runs this"' nothing_sent
status=0
SUDO_UID=1 "$relay" <&- >"$work/out" 2>"$work/err" || status=$?
ok 'with a closed standard descriptor it does nothing' all 'ends 3' nothing_sent
status=0
printf 'GET /v1/tokens/deploy %b' "$end" | SUDO_UID=1000 "$relay" 2>"$work/err" >/dev/full || status=$?
ok 'a standard output that takes nothing is noticed' ends 3

# While it waits for a request
mkfifo "$work/fifo"
: >"$work/out"
SUDO_UID=1000 LD_PRELOAD=/nowhere "$relay" <"$work/fifo" >"$work/out" 2>"$work/err" 7<"$work/good" &
client=$!
exec 8>"$work/fifo"
tries=0
until grep -qx 'Seccomp:	1' "/proc/$client/status" || [ $tries -eq 200 ]; do
        sleep 0.02
        tries=$((tries + 1))
done
ok 'the kernel lets it read, write and end' grep -qx 'Seccomp:	1' "/proc/$client/status"
ok 'it gets no new privileges' grep -qx 'NoNewPrivs:	1' "/proc/$client/status"
ok 'core dumps are off' grep -q '^Max core file size  *0  *0 ' "/proc/$client/limits"
is_open() { readlink "/proc/$client/fd/$1" >/dev/null; }
ok 'it holds the socket and nothing of its caller' all 'is_open 3' '! is_open 7' '! is_open 8'
kill "$client"
wait "$client" 2>/dev/null
client=
exec 8>&-

done_testing
