#!/bin/sh
# Canaries: an access token and a forge token go through every path; afterwards they are in no log, no file, no argument,
# no environment, and in no memory but the locked region.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
need python3 python3
sanitized && skip_all "the sanitizers' shadow of the memory is too large to scan"
access_token=at-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
secret_value=fb-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
next_value=fb-newcan-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')

is_clean() {
        printf '%s\n' "$1" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
        grep -q '^open=0 ' "$work/scan"
}
# What must not be found outside the locked region once no request is under way: after a fault the daemon asks again by itself,
# and while libcurl sends that request its header is in a buffer.  What is left behind stays, however long one waits.
scan() {
        wait_for 15 is_clean "$2"
        like "$1" "$(cat "$work/scan")" '^open=0 '
}

refresh() {
        control /v1/tokens/deploy/refresh -X POST >/dev/null
}

fault() {
        standin_ask /fault -X POST -d "{\"kind\":\"$1\",\"class\":\"any\",\"count\":3}" >/dev/null
}

standin_state >"$work/state.json"
standin_start "$work/state.json"
token_deploy | write_config
daemon_start
daemon_ready
printf '%s\n' deploy-bot@example.org | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan"
like "the scan does find what is in the daemon's ordinary memory" "$(cat "$work/scan")" '^open=[1-9]'

scan "after the first fetch the forge token is in no open memory" "$secret_value"
scan "nor is the access token" "$access_token"
i=0
while [ $i -lt 20 ]; do
        ask /v1/tokens/deploy >/dev/null
        ask /v1/tokens/deploy -H 'Accept: text/plain' >/dev/null
        "$broker" get deploy --socket "$jobs_socket" >/dev/null 2>&1
        i=$((i + 1))
done
scan "after issuances the forge token is in no open memory" "$secret_value"

# As a credential of a unit: taken, refused, and left half-way.
if units_possible; then
        loads() {
                in_unit "leak-$units_tag.scope" python3 "$top_srcdir/tests/integration/load-credential.py" "$credential_socket" "$@"
        }
        is "a unit's credentials are the value" \
                "$(loads "leak-$units_tag.scope" deploy --times 20 | sort | uniq -c | sed 's/^ *//')" "20 $secret_value"
        loads other.service deploy --times 5 >/dev/null
        for _ in 1 2 3 4 5; do
                loads "leak-$units_tag.scope" deploy --leave
                loads "leak-$units_tag.scope" deploy --count 4 --slow 0.1 >/dev/null
        done
        scan "after credentials of units the forge token is in no open memory" "$secret_value"
else
        skip "credentials of units leave no copy" "$units_why"
fi

# Answers that break off, in which the value may have come half-way.
for kind in truncated slow garbage duplicate-keys content-type drop; do
        daemon_stop
        daemon_start
        daemon_ready
        standin_ask /secret -X PUT -d "{\"project\":\"platform\",\"environment\":\"prod\",\"path\":\"/forges\",\"name\":\"deploy-bot@example.org\",\"value\":\"$next_value-$kind\"}" >/dev/null
        fault "$kind"
        refresh
        standin_ask /fault -X DELETE >/dev/null
        scan "after an answer with the fault $kind the new value is in no open memory" "$next_value"
        scan "after an answer with the fault $kind the access token is in no open memory" "$access_token"
done

# A client that goes away in the middle, and one that asks wrongly with the value in hand.
python3 - "$jobs_socket" <<'PY'
import socket, sys
for _ in range(50):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\n\r\n")
    s.close()
PY
ask /healthz >/dev/null
scan "after clients that went away the value is in no open memory" "$next_value"
kill -HUP "$daemon_pid"
reloaded() { [ "$(records config-loaded | wc -l)" -ge 8 ]; }
wait_for 5 reloaded
ask /v1/tokens/deploy >/dev/null
scan "after a reload the value is in no open memory" "$next_value"
scan "after a reload the access token is in no open memory" "$access_token"

canaries="$secret_value|$next_value|$access_token"
unlike "no canary is in an argument of the daemon" "$(tr '\0' ' ' <"/proc/$daemon_pid/cmdline")" "$canaries"
unlike "no canary is in its environment" "$(tr '\0' ' ' <"/proc/$daemon_pid/environ")" "$canaries"
unlike "no canary is in its log" "$(cat "$work/daemon.log")" "$canaries"
unlike "no canary is in its state directory" "$(grep -ral -E "$canaries" "$work/state" || true)" .
unlike "no canary is in status, lists or problems" \
        "$(control /v1/status; ask /v1/tokens; ask /v1/tokens/nope; control /v1/tokens/deploy/refresh -X POST)" "$canaries"
is "it leaves no core behind" "$(grep -c '^Max core file size *0 *0' "/proc/$daemon_pid/limits")" 1
# The kernel gives the files of a process that is not dumpable to root.
is "and is not dumpable, for nobody but root may look into it" "$(setpriv --reuid=65534 --regid=65534 --clear-groups cat "/proc/$daemon_pid/environ" 2>&1 | grep -c 'Permission denied')" 1
daemon_stop
is "it stops cleanly" $? 0

# The other credentials: a client secret and its session, an access proxy's header, a direct value in the environment.
client_secret=cs-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
header_value=hd-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
direct_value=pat-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
standin_stop
standin_state | jq --arg secret "$client_secret" --arg header "$header_value" \
        '.identities[0].universal_auth = {client_id: "22222222-3333-4444-8555-666666666666", ttl: 3600, max_ttl: 7200,
                                          client_secrets: [{secret: $secret}]} |
         .settings.access_proxy = {header: "CF-Access-Client-Secret", value: $header}' >"$work/state.json"
standin_start "$work/state.json"
identity_settings="client_id_file = $work/etc/client-id
client_secret_file = $work/etc/client-secret
header_file = $work/etc/headers"
{ token_deploy; printf 'direct_env = CANARY_PAT\ndirect_env_until = %s\n' "$(date -u -d '+30 days' +%F)"; } | write_config
(umask 077; echo not-this-one >"$work/etc/access-token"; echo 22222222-3333-4444-8555-666666666666 >"$work/etc/client-id"
 echo "$client_secret" >"$work/etc/client-secret"; echo "CF-Access-Client-Secret: $header_value" >"$work/etc/headers")
CANARY_PAT=$direct_value
export CANARY_PAT
daemon_start
unset CANARY_PAT
daemon_ready
is "the value comes by Universal Auth through the access proxy" "$(ask /v1/tokens/deploy | jq -r .source)" infisical-universal-auth
session=$(standin_ask /tokens | jq -r '[.. | strings | select(test("login"))] | last')
session_token=$(standin_ask "/tokens/$session" | jq -r '.value // .token.value')
scan_all() { # when
        scan "$1 the client secret is in no open memory" "$client_secret"
        scan "$1 the session's access token is in no open memory" "$session_token"
        scan "$1 the access proxy's header is in no open memory" "$header_value"
        scan "$1 the direct value is in no open memory" "$direct_value"
        scan "$1 the forge token is in no open memory" "$secret_value"
}
scan_all "after a login"
for kind in truncated garbage drop; do
        fault "$kind"
        standin_ask "/tokens/$session/revoke" -X POST -d '{}' >/dev/null
        "$brokerctl" --socket "$control_socket" reload >/dev/null
        refresh
done
standin_ask /fault -X DELETE >/dev/null
scan_all "after failed logins and reloads"
standin_ask /secret -X DELETE -d '{"path":"/forges","name":"deploy-bot@example.org"}' >/dev/null
ask /v1/tokens/deploy >/dev/null
scan_all "with the secret gone"
canaries="$client_secret|$session_token|$header_value|$direct_value|$secret_value"
unlike "none is in the environment" "$(tr '\0' ' ' <"/proc/$daemon_pid/environ")" "$canaries"
unlike "none is in status, lists or problems" "$(control /v1/status; ask /v1/tokens; ask /v1/tokens/nope)" "$canaries"
daemon_stop
is "it stops cleanly" $? 0
unlike "none is in the log" "$(cat "$work/daemon.log")" "$canaries"
unlike "none is in the state directory" "$(grep -ral -E "$canaries" "$work/state" || true)" .
done_testing
