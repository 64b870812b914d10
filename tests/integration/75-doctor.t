#!/bin/sh
# `forge-brokerctl doctor`: each kind of breakage crosses its own step, with a remedy, and what is behind it is not checked;
# logins and reads count once, whoever makes them; nothing shows a secret.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
need openssl openssl
client_id=22222222-3333-4444-8555-666666666666
client_secret=cs-test-0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab
direct_pat=direct-pat-0123456789abcdef
universal="client_id_file = $work/etc/client-id
client_secret_file = $work/etc/client-secret"

# doctor - the report in $report, as JSON; its status in $status
doctor() {
        report=$(STATE_DIRECTORY=$work/state "$brokerctl" --json --socket "$control_socket" doctor --config "$config_file" \
                2>>"$work/doctor.err")
        status=$?
        printf '%s\n' "$report" >>"$work/reports"
}
# crossed - "step code" of each step that is broken
crossed() {
        printf '%s' "$report" | jq -r '[.. | objects | select(.state? == "broken" and (.steps | length) == 0) |
                .step + (if .code then " " + .code else "" end)] | join(", ")'
}
# branch WORD... - "step=state ..." of the steps below, found by their fixed words or names
branch() {
        branch_filter=.
        for branch_word in "$@"; do
                branch_filter="$branch_filter | [.steps[] | select(.step == \"$branch_word\" or .name == \"$branch_word\")][0]"
        done
        printf '%s' "$report" | jq -r "$branch_filter | [.steps[] | .step + \"=\" + .state] | join(\" \")"
}
remedy() { # code
        printf '%s' "$report" | jq -r --arg code "$1" '[.. | objects | select(.code? == $code)][0].remedy'
}
detail() { # step
        printf '%s' "$report" | jq -r --arg step "$1" '[.. | objects | select(.step? == $step)][0].detail'
}
# breaks NAME CROSSED REMEDY BRANCH STEPS - what a check-up by this process finds
breaks() {
        doctor
        is "$1: one step is crossed, status 1" "$(crossed) $status" "$2 1"
        like "$1: with its remedy" "$(remedy "${2##* }")" "$3"
        # shellcheck disable=SC2086
        is "$1: what is behind it is not checked" "$(branch $4)" "$5"
}
counter() { standin_ask /counters | jq -r "$1 // 0"; }
configure() { # [SED EXPRESSION]
        rm -f "$work/etc/access-token"
        token_deploy | write_config
        sed -i -e "s|https://git.example.org|$forge_url|" ${1:+-e "$1"} "$config_file"
}
pair() {
        put_credential client-id "$client_id"
        put_credential client-secret "$1"
}

standin_state | jq --arg id "$client_id" --arg secret "$client_secret" \
        '.identities[0].universal_auth = {client_id: $id, ttl: 3600, max_ttl: 7200, client_secrets: [{secret: $secret}]}' \
        >"$work/state.json"
standin_start "$work/state.json"

# Two that listen: one answers as late as a request_timeout allows, the other never.  The first is waited for at the end.
cat >"$work/late.py" <<'PY'
import socket, sys, time
path, seconds = sys.argv[1:]
listening = socket.socket(socket.AF_UNIX)
listening.bind(path)
listening.listen()
while True:
    peer, _ = listening.accept()
    peer.recv(65536)
    time.sleep(float(seconds))
    if float(seconds) > 0:
        body = b'{"name":"deploy","state":"fresh","source":"infisical-token-auth","fingerprint":"00000000"}'
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    peer.close()
PY
python3 "$work/late.py" "$work/late.sock" 35 &
lib_pids="$lib_pids $!"
python3 "$work/late.py" "$work/mute.sock" 0 &
lib_pids="$lib_pids $!"
wait_for 5 test -S "$work/late.sock" -a -S "$work/mute.sock"
"$brokerctl" --socket "$work/late.sock" refresh deploy >"$work/late" 2>&1 &
late=$!
printf '{"users":{"deploy-bot":{"id":7}},"tokens":{"%s":{"user":"deploy-bot"}}}\n' "$secret_value" >"$work/forge.json"
forge_start forgejo "$work/forge.json"
good_url=$standin_url
good_forge=$forge_url
source_branch="token infisical-token-auth"
proven="credential=ok project=ok folder=ok secret=ok forge-token=ok"
unproven="credential=not-checked project=not-checked folder=not-checked secret=not-checked forge-token=not-checked"

# All is well, without a daemon and with one.
configure
doctor
is "without a daemon all is proven" "$status $(crossed)" "0 "
is "by this process, which says so" "$(printf '%s' "$report" | jq -r .by)" process
like "and as whom" "$(detail daemon)" 'checks as uid 0, without'
is "up to the forge" "$(branch token infisical-token-auth)" "$proven"
is "one read was made" "$(counter .class.secret)" 1
is "and one look at the status" "$(counter .class.status)" 1
is "the forge was asked once about the token" "$(forge_ask /requests | jq '[.[] | select(.path | endswith("/user"))] | length')" 1
daemon_start
daemon_ready
reads=$(counter .class.secret)
doctor
is "with a daemon all is proven" "$status $(crossed)" "0 "
is "by the daemon" "$(printf '%s' "$report" | jq -r .by)" daemon
is "the daemon made one read more" "$(($(counter .class.secret) - reads))" 1
is "what a restart would read is seen as well" "$(branch next-start)" "configuration=ok identity=ok"
is "no Authorization header was sent to public routes" "$(counter .authorization_on_public)" 0
is "nothing was issued for it" "$(records issued | wc -l)" 0

# A budget: two at the same time are one, and the next begins 10 s after.
ended=$(date +%s%N)
news_is_old() { [ "$(date +%s%N)" -gt $((ended + 700000000)) ]; }
wait_for 3 news_is_old
standin_ask /counters/reset -X POST >/dev/null
began=$(date +%s)
for i in 1 2 3 4; do
        STATE_DIRECTORY=$work/state "$brokerctl" --json --socket "$control_socket" doctor --config "$config_file" >"$work/out.$i" &
        eval "doctor_$i=\$!"
done
# shellcheck disable=SC2154
wait "$doctor_1" "$doctor_2" "$doctor_3" "$doctor_4"
is "four at the same time are one check-up" "$(counter .class.status) $(counter .class.secret)" "1 1"
is "and each gets its report" "$(cat "$work"/out.? | jq -r .result | sort | uniq -c | tr -s ' ')" " 4 ok"
[ $(($(date +%s) - began)) -ge 7 ] && pass "they waited for the read that was made before" ||
        fail "they waited for the read that was made before" "$(($(date +%s) - began)) s"
is "a token is served while a check-up waits" "$(ask /v1/tokens/deploy | jq -r .source)" infisical-token-auth

# A check-up that takes longer than a request may, and a reload in the middle of one.
standin_ask /fault -X POST -d '{"kind":"delay","class":"status","ms":2500}' >/dev/null
daemon_stop
broker_settings="request_timeout = 1s"
configure
daemon_start
daemon_ready
doctor
is "a check-up may take longer than a request" "$status $(crossed)" "0 "
STATE_DIRECTORY=$work/state "$brokerctl" --json --socket "$control_socket" doctor --config "$config_file" >"$work/out.1" &
asking=$!
asked() { [ "$(standin_ask /counters | jq .in_flight)" -ge 1 ]; }
wait_for 15 asked
ok "a reload in the middle of one" "$brokerctl" --socket "$control_socket" reload
wait "$asking"
is "it begins anew and ends well" "$? $(jq -r .result "$work/out.1")" "0 ok"
standin_ask /fault -X DELETE >/dev/null
broker_settings=
daemon_stop
is "the daemon stops cleanly" $? 0

# The configuration.
configure "s/^secret_name = .*/secret_nme = x/"
doctor
is "a mistake in the configuration: status 1" "$status" 1
like "... with file and line" "$(printf '%s' "$report" | jq -r '[.. | objects | select(.step? == "problem")] | map(.name + ": " + .detail) | .[]')" \
        "^$config_file:[0-9]+: .*secret_nme"
is "... and nothing else is checked" "$(printf '%s' "$report" | jq -r '[.steps[] | .step + "=" + .state] | .[1:5] | join(" ")')" \
        "configuration=broken identities=not-checked forges=not-checked tokens=not-checked"

# Credential files.
configure
rm "$work/etc/access-token"
breaks "a credential file that is missing" "credential-file credential-missing" "token_file" "$source_branch" "$unproven"
configure
chmod 0644 "$work/etc/access-token"
breaks "one that others may read" "credential-file credential-permissions" "0600" "$source_branch" "$unproven"

# The URL, from the name to who answers.
identity_settings="connect_timeout = 1s"
configure "s|^url = $good_url|url = https://no-such-host.invalid|"
doctor
like "a name that is none: crossed there" "$(crossed)" '^dns upstream-(unreachable|timeout)$'
is "... and nothing behind it is checked" "$(branch identity https://no-such-host.invalid) $(branch token infisical-token-auth)" \
        "dns=broken tcp=not-checked tls=not-checked infisical=not-checked $unproven"
identity_settings=
configure "s|^url = $good_url|url = http://127.0.0.1:9|"
breaks "a port where nobody listens" "tcp upstream-unreachable" "url" "identity http://127.0.0.1:9" "tcp=broken infisical=not-checked"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=stranger \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
mv "$work/standin.sock" "$work/plain.sock"
plain_standin_control=$work/plain.sock
standin_start "$work/state.json" --tls-cert "$work/cert.pem" --tls-key "$work/key.pem"
tls_url=https://127.0.0.1:$standin_port
tls_pid=$standin_pid
standin_url=$good_url
configure "s|^url = $good_url|url = $tls_url|"
breaks "a certificate of an unknown CA" "tls upstream-tls" "ca_file" "identity $tls_url" \
        "tcp=ok tls=broken infisical=not-checked"
configure "s|^url = $good_url|url = $tls_url\nca_file = $work/cert.pem|"
doctor
is "... with its ca_file all is proven" "$status $(branch identity "$tls_url")" "0 tcp=ok tls=ok infisical=ok"
kill -TERM "$tls_pid"
python3 -c "import socket, time
s = socket.create_server(('127.0.0.1', 0))
open('$work/silent.port', 'w').write(str(s.getsockname()[1]))
time.sleep(600)" &
lib_pids="$lib_pids $!"
wait_for 5 test -s "$work/silent.port"
tls_url=https://127.0.0.1:$(cat "$work/silent.port")
identity_settings="connect_timeout = 500ms"
configure "s|^url = $good_url|url = $tls_url|"
breaks "somebody who takes the connection and says nothing" "tls upstream-timeout" "connect_timeout" "identity $tls_url" \
        "tcp=ok tls=broken infisical=not-checked"
identity_settings=
standin_control=$plain_standin_control
configure "s|^url = $good_url|url = $good_forge|"
breaks "a web server that is not Infisical" "infisical upstream-blocked" "url" "identity $good_forge" "tcp=ok infisical=broken"
standin_ask /fault -X POST -d '{"kind":"html-200","class":"status"}' >/dev/null
configure
breaks "one that answers everything with a page" "infisical upstream-malformed" "url" "identity $good_url" "tcp=ok infisical=broken"
standin_ask /fault -X DELETE >/dev/null
standin_ask /fault -X POST -d '{"kind":"rate-limit","class":"status"}' >/dev/null
doctor
is "a limit is no defect, and nothing is known: status 7" "$status $(branch identity "$good_url")" "7 tcp=ok infisical=not-checked"
standin_ask /fault -X DELETE >/dev/null
identity_settings="url = $good_url"
standin_url=http://127.0.0.1:9
configure
standin_url=$good_url
doctor
is "of two URLs one that works is enough for the tokens" "$(crossed) $(branch token infisical-token-auth)" "tcp upstream-unreachable $proven"
identity_settings=

# The access token, the project, the place, the secret.
configure
standin_ask /tokens/test/expire -X POST >/dev/null
breaks "an access token that has expired" "credential credential-expired" "new access token" "$source_branch" \
        "credential=broken project=not-checked folder=not-checked secret=not-checked forge-token=not-checked"
standin_ask /tokens/test/set -X POST -d '{"expired":false}' >/dev/null
printf 'at-of-another-server\n' >"$work/etc/access-token"
breaks "one that the server does not know" "credential credential-rejected" "." "$source_branch" \
        "credential=broken project=not-checked folder=not-checked secret=not-checked forge-token=not-checked"
configure "s/^project_id = .*/project_id = 99999999-2222-4333-8444-555555555555/"
breaks "a project that is none" "project project-not-found" "project_id" "$source_branch" \
        "credential=ok project=broken folder=not-checked secret=not-checked forge-token=not-checked"
configure "s/^environment = .*/environment = staging/"
breaks "an environment that is none" "folder folder-not-found" "environment" "$source_branch" \
        "credential=ok project=ok folder=broken secret=not-checked forge-token=not-checked"
configure "s|^secret_path = .*|secret_path = /nowhere|"
breaks "a folder that is none" "folder folder-not-found" "secret_path|folder" "$source_branch" \
        "credential=ok project=ok folder=broken secret=not-checked forge-token=not-checked"
configure "s/^secret_name = .*/secret_name = nobody/"
breaks "a secret that is none" "secret secret-not-found" "secret_name|nobody" "$source_branch" \
        "credential=ok project=ok folder=ok secret=broken forge-token=not-checked"

# The forge.
configure
forge_ask /tokens -X PUT -d "{\"$secret_value\":{\"user\":\"deploy-bot\",\"state\":\"revoked\"}}" >/dev/null
breaks "a token that the forge does not know" "forge-token forge-token-rejected" "." "$source_branch" \
        "credential=ok project=ok folder=ok secret=ok forge-token=broken"
forge_ask /tokens -X PUT -d "{\"$secret_value\":{\"user\":\"deploy-bot\"}}" >/dev/null
forge_stop
breaks "a forge that is down" "tcp upstream-unreachable" '\[forge home\]' forge "tcp=broken answer=not-checked"
is "... the value is proven, and that the forge knows it is not" "$(branch token infisical-token-auth)" \
        "credential=ok project=ok folder=ok secret=ok forge-token=not-checked"
forge_start forgejo "$work/forge.json"
good_forge=$forge_url
configure "s/^type = forgejo/type = other/"
doctor
is "a forge that cannot be asked about tokens leaves status 7" "$status $(crossed)" "7 "

# The keys that it signs ID tokens with, where some token's rules rely on them.
with_rules() { # [SETTING of the forge]
        rm -f "$work/etc/access-token"
        forge_settings="oidc_audience = forge-broker
${1-}"
        { token_deploy; printf 'proof = required\njob_repositories = platform/*\n'; } | write_config
        forge_settings=
}
asked_for() { forge_ask /requests | jq --arg path "$1" '[.[] | select(.path | test($path))] | length'; }
forge_ask /requests -X DELETE >/dev/null
configure "s/^type = forgejo/&\noidc_audience = forge-broker/"
doctor
is "a forge whose ID tokens no rule relies on is not asked for its keys" "$status $(branch forge) $(asked_for 'openid|keys')" "0 tcp=ok answer=ok 0"
with_rules
doctor
is "one that a rule relies on is" "$status $(branch forge) $(asked_for openid) $(asked_for keys)" "0 tcp=ok answer=ok id-token-keys=ok 1 1"
{ token_deploy; printf 'proof = required\nvouched_by = away\njob_repositories = platform/*\n[forge away]\ntype = gitea\nurl = %s\n' "$forge_url"; } | write_config
doctor
is "rules that no proof of the forge can meet are a note" "$status $(crossed)" "0 "
like "... which says why" "$(detail rules)" "^no job gets it: forge 'away' proves no more than the repository, and job_events or job_refs asks for more$"
like "... and what to do" "$(printf '%s' "$report" | jq -r '[.. | objects | select(.step? == "rules")][0].remedy')" 'job_events = .* \[token deploy\]'
with_rules "oidc_issuer = $forge_url/api/action"
breaks "an issuer that is none" "id-token-keys upstream-blocked" 'oidc_issuer .*\[forge home\]' forge "tcp=ok answer=ok id-token-keys=broken"
is "... the token is proven all the same" "$(branch token infisical-token-auth)" "$proven"
like "... and what was asked is said" "$(detail id-token-keys)" "$forge_url/api/action/.well-known/openid-configuration answered 404"
with_rules
forge_ask /fault -X PUT -d '{"kind":"json","status":200,"path":"keys","body":{"keys":[]}}' >/dev/null
breaks "a key set without a key" "id-token-keys upstream-malformed" 'oidc_issuer' forge "tcp=ok answer=ok id-token-keys=broken"
forge_ask /fault -X PUT -d '{"kind":"json","status":429,"path":"keys","body":{"message":"Too many"}}' >/dev/null
doctor
is "a limit of the forge is no defect: status 7" "$status $(branch forge)" "7 tcp=ok answer=ok id-token-keys=not-checked"
forge_ask /fault -X PUT -d '{}' >/dev/null
daemon_start
daemon_ready
forge_ask /requests -X DELETE >/dev/null
doctor
is "the daemon proves them too" "$status $(branch forge) $(asked_for keys)" "0 tcp=ok answer=ok id-token-keys=ok 1"
doctor
is "and reads them once a minute, whoever asks" "$status $(branch forge) $(asked_for keys)" "0 tcp=ok answer=ok id-token-keys=ok 1"
like "... which it says" "$(detail id-token-keys)" '^read [0-9]+(\.[0-9]+)?(m?s|m) ago$'
forge_ask /id-token -d '{"job":{"repository":"platform/app"}}' | jq -r '"Authorization: Bearer \(.value)"' >"$work/proof"
is "what was read serves the jobs" "$(ask /v1/tokens/deploy -H "@$work/proof" | jq -r .source) $(asked_for keys)" "infisical-token-auth 1"
forge_ask /fault -X PUT -d '{"kind":"html","delay":1,"path":"keys"}' >/dev/null
control /v1/reload -X POST >/dev/null
STATE_DIRECTORY=$work/state "$brokerctl" --json --socket "$control_socket" doctor --config "$config_file" >"$work/out.1" &
asking=$!
keys_are_asked() { [ "$(asked_for openid)" -ge 2 ]; }
wait_for 20 keys_are_asked
forge_ask /fault -X PUT -d '{}' >/dev/null
ok "a reload while they are read" "$brokerctl" --socket "$control_socket" reload
wait "$asking"
is "the check-up begins anew and ends well" "$? $(jq -r .result "$work/out.1")" "0 ok"
daemon_stop
is "and the daemon stops cleanly" $? 0
forge_stop
with_rules
doctor
is "a forge that is down is crossed once" "$(crossed) $(branch forge)" "tcp upstream-unreachable tcp=broken answer=not-checked id-token-keys=not-checked"
forge_start forgejo "$work/forge.json"

# Universal Auth: every source is proven, by logins that count once.
identity_settings=$universal
configure
pair "$client_secret"
standin_ask /counters/reset -X POST >/dev/null
doctor
is "both sources are proven" "$status $(branch token infisical-token-auth) $(branch token infisical-universal-auth)" "0 $proven $proven"
is "one login, and its access token is revoked" "$(counter .logins_ok) $(counter .class.revoke)" "1 1"
is "the value that both gave was shown to the forge once" \
        "$(forge_ask /requests | jq '[.[] | select(.path | endswith("/user"))] | length')" 1
daemon_start
daemon_ready
standin_ask /counters/reset -X POST >/dev/null
doctor
is "with the daemon too" "$status $(branch token infisical-universal-auth)" "0 $proven"
doctor
is "two check-ups of a daemon are one login" "$(counter .logins_ok) $(counter .class.revoke)" "1 0"
session=$(standin_ask /tokens | jq -r '[.. | strings | select(test("login"))] | last')
session_token=$(standin_ask "/tokens/$session" | jq -r '.value // .token.value')
for canary in "$secret_value" "$access_token" "$client_secret" "$session_token"; do
        if sanitized; then
                skip "they leave nothing in the daemon's open memory" "the sanitizers' shadow of the memory is too large to scan"
        else
                printf '%s\n' "$canary" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
                like "they leave nothing in the daemon's open memory" "$(cat "$work/scan")" '^open=0 '
        fi
done
daemon_stop
is "which the daemon revokes at its stop" "$(counter .class.revoke)" 1
rm -f "$work"/state/login-*
pair wrong-secret-0123456789abcdef
standin_ask /counters/reset -X POST >/dev/null
breaks "a pair that is rejected" "credential credential-rejected" "." "token infisical-universal-auth" \
        "credential=broken project=not-checked folder=not-checked secret=not-checked forge-token=not-checked"
doctor
is "it is not tried again so soon" "$(crossed) $(counter .logins_failed)" "credential credential-rejected 1"
like "that is told, with when" "$(printf '%s' "$report" | jq -r '[.. | objects | select(.state? == "broken")] | last.detail')" 'rejected 1 times; the next try is in'
daemon_start
daemon_ready
doctor
doctor
is "not by the daemon either" "$(crossed) $(counter .logins_failed)" "credential credential-rejected 1"
daemon_stop
identity_settings=

# The direct value, which only the daemon has.
with_direct() { # last day
        { token_deploy; echo "direct_env = TEST_DIRECT_PAT"; echo "direct_env_until = $1"; } | write_config
        sed -i "s|https://git.example.org|$forge_url|" "$config_file"
}
with_direct "$(date -u -d '+30 days' +%F)"
doctor
is "without the daemon its environment is not known" "$status $(branch token direct-env-fallback)" \
        "7 date=not-checked variable=not-checked forge-token=not-checked"
forge_ask /tokens -X PUT -d "{\"$direct_pat\":{\"user\":\"deploy-bot\"}}" >/dev/null
TEST_DIRECT_PAT=$direct_pat
export TEST_DIRECT_PAT
daemon_start
unset TEST_DIRECT_PAT
daemon_ready
doctor
is "the daemon's is proven up to the forge, though Infisical works" "$status $(branch token direct-env-fallback)" "0 date=ok variable=ok forge-token=ok"
daemon_stop
daemon_start
daemon_ready
doctor
is "one that is not set is crossed" "$(crossed) $(branch token direct-env-fallback)" \
        "variable fallback-disabled date=ok variable=broken forge-token=not-checked"
daemon_stop
with_direct "$(date -u -d '-1 day' +%F)"
daemon_start
daemon_ready
doctor
is "one whose time is over is crossed" "$(crossed) $(branch token direct-env-fallback)" \
        "date fallback-expired date=broken variable=not-checked forge-token=not-checked"

# Others.
chmod 0755 "$work/etc"
doctor_as_nobody() {
        setpriv --reuid 65534 --regid 65534 --clear-groups env STATE_DIRECTORY="$work/state" "$brokerctl" --json --socket "$control_socket" \
                doctor --config "$config_file"
}
report=$(doctor_as_nobody 2>>"$work/doctor.err")
is "who may not ask the daemon makes no logins of their own" "$? $(crossed)" "1 state-directory"
like "and is told why" "$(detail daemon)" 'may not connect'
daemon_stop

# For people.
configure
text=$(STATE_DIRECTORY=$work/state LC_ALL=C.UTF-8 "$brokerctl" --socket "$control_socket" doctor --config "$config_file")
like "ticks where the locale has them" "$text" '^    ✓ known to forge home'
unlike "no colour where there is no terminal" "$text" "$(printf '\033')"
unlike "nothing is wider than 80 columns but words that are" "$(printf '%s\n' "$text" | LC_ALL=C.UTF-8 grep -vF "$work")" '^.{81,}'
rm "$work/etc/access-token"
text=$(STATE_DIRECTORY=$work/state LC_ALL=C "$brokerctl" --socket "$control_socket" doctor --config "$config_file")
like "crosses with code, detail and remedy in a locale without" "$text" '^  XX token_file .*: credential-missing$'
like "... the remedy" "$text" '^       remedy: '
like "... and what was not checked" "$text" '^    \?\? access token: not checked: '
like "the last line sums up" "$text" '^[0-9]+ proven, 1 broken, 5 not checked$'
configure
reads=$(counter .class.secret)
report=$(STATE_DIRECTORY=$work/state "$brokerctl" --json --socket "$work/mute.sock" doctor --config "$config_file")
like "a daemon that is there and does not answer is broken" "$(crossed)" '^daemon '
is "and nothing is asked in its place" "$(counter .class.secret)" "$reads"
is "neither its identities nor its tokens" "$(printf '%s' "$report" | jq -c '[.steps[] | select(.step == "identities" or .step == "tokens").state]')" \
        '["not-checked","not-checked"]'
wait "$late"
is "an answer that comes late is waited for" "$? $(cat "$work/late")" "0 deploy: fresh from infisical-token-auth, fingerprint 00000000"
is "a wrong option is a matter of usage" "$("$brokerctl" doctor --nonsense 2>/dev/null; echo $?)" 2
is "what the unit runs does nothing for others" "$("$brokerctl" doctor --as-unit </dev/null 2>/dev/null; echo $?)" 2

is "no secret in any report" "$(cat "$work/reports" "$work/doctor.err" "$work/daemon.log" | grep -acF -e "$secret_value" -e "$access_token" \
        -e "$client_secret" -e "$direct_pat" -e wrong-secret)" 0
is "none in the state directory" "$(grep -rlaF -e "$secret_value" -e "$access_token" -e "$client_secret" "$work/state")" ""
is "nothing was said on standard error" "$(cat "$work/doctor.err")" ""
done_testing
