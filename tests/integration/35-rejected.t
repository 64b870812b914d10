#!/bin/sh
# A job reports that the forge rejected a token: it is verified, never believed, and costs the forge next to nothing.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3

standin_state >"$work/state.json"
standin_start "$work/state.json"

# report FINGERPRINT [TOKEN] - the whole answer
report() {
        ask "/v1/tokens/${2:-deploy}/rejected" -X POST -d "{\"fingerprint\":\"$1\"}"
}
verdict() {
        report "$@" | jq -r '.verdict // .code'
}
fingerprint() {
        ask "/v1/tokens/${1:-deploy}" | jq -r .fingerprint
}
calls() {
        forge_ask /requests | jq length
}
reads() {
        standin_ask /counters | jq .class.secret
}
fault() {
        forge_ask /fault -X PUT -d "$1" >/dev/null
}
# token VALUE JSON - what the forge knows of a token
token() {
        forge_ask /tokens -X PUT -d "{\"$1\":$2}" >/dev/null
}
rotate() {
        standin_ask /secret -X PUT -d "{\"project\":\"platform\",\"environment\":\"prod\",\"path\":\"/forges\",\"name\":\"$1\",\"value\":\"$2\"}" >/dev/null
}
forge_state() {
        cat <<EOT
{ "users": { "deploy-bot": { "id": 7 } },
  "tokens": { "$secret_value": { "user": "deploy-bot" }, "$secret_value-2": { "user": "deploy-bot" },
              "new-$secret_value": { "user": "deploy-bot" } } }
EOT
}
forge_state >"$work/forge.json"

# begin TYPE - a daemon without a history, and a forge of that type
begin() {
        forge_start "$1" "$work/forge.json"
        : >"$work/daemon.log"
        {
                token_deploy
                printf '\n[token second]\nforge = home\nsecret_path = /forges\nsecret_name = second\n'
        } | write_config
        daemon_start
        daemon_ready || bail "not ready"
        fp=$(fingerprint)
}
finish() {
        daemon_stop
        is "$1: a clean stop" $? 0
        unlike "$1: no value is in the log" "$(cat "$work/daemon.log" "$work/forge.log")" "$secret_value|$access_token"
        forge_stop
}

begin forgejo
like "a fingerprint is 8 hex digits" "$fp" '^[0-9a-f]{8}$'

# What can be told without the forge.
is "a value that was never ours is not-ours" "$(verdict 01234567)" not-ours
is "and the forge is not asked about it" "$(calls)" 0
is "an unknown token is 404" "$(verdict "$fp" nope)" unknown-token

# What is not a report.
for body in '' '{}' '[]' '"x"' "{\"fingerprint\":\"$fp\",\"x\":1}" '{"fingerprint":1}' '{"fingerprint":null}' \
        '{"fingerprint":"3F9A1C02"}' '{"fingerprint":"0123456"}' '{"fingerprint":"012345678"}' \
        "{\"fingerprint\":\"$fp\",\"fingerprint\":\"$fp\"}" "{\"fingerprint\":\"$fp\"}x" "{\"fingerprint\":\"$fp\""; do
        is "refused: $body" "$(ask /v1/tokens/deploy/rejected -X POST -d "$body" | jq -r .code)" malformed-request
done
head -c 16385 /dev/zero | tr '\0' ' ' >"$work/big"
is "a body over 16 KiB is refused" "$(ask_status /v1/tokens/deploy/rejected -X POST --data-binary "@$work/big")" 413
{ head -c 16000 /dev/zero | tr '\0' ' '; printf '{"fingerprint":"01234567"}'; } >"$work/padded"
is "one under it is read whole" \
        "$(ask /v1/tokens/deploy/rejected -X POST --data-binary "@$work/padded" | jq -r .verdict)" not-ours
is "and so is one in chunks" \
        "$(ask /v1/tokens/deploy/rejected -X POST -H 'Transfer-Encoding: chunked' --data-binary "@$work/padded" | jq -r .verdict)" not-ours
is "GET is not for this path" "$(ask_status /v1/tokens/deploy/rejected)" 405
is "and a query neither" "$(ask '/v1/tokens/deploy/rejected?x=1' -X POST -d "{\"fingerprint\":\"$fp\"}" | jq -r .code)" malformed-request
is "none of these reached the forge" "$(calls)" 0

# The forge knows it.
before=$(reads)
answer=$(report "$fp")
is "a token that the forge knows is still-valid" "$(printf '%s' "$answer" | jq -r .verdict)" still-valid
is "with the token's state" "$(printf '%s' "$answer" | jq -c '[.name, .state, .degraded, .fingerprint, .code]')" \
        "[\"deploy\",\"fresh\",false,\"$fp\",null]"
is "for one question" "$(calls)" 1
is "with the value, in the header that a Forgejo wants" "$(forge_ask /requests | jq -c '[.[0].method, .[0].path, .[0].authorization]')" \
        "[\"GET\",\"/api/v1/user\",[\"token $secret_value\"]]"
is "and the value was not read again" "$(reads)" "$before"

# A storm of reports.
i=0
while [ $i -lt 40 ]; do
        report "$fp" >"$work/storm.$i" &
        storm="${storm-} $!"
        i=$((i + 1))
done
for pid in $storm; do wait "$pid"; done
is "each of 40 reports at once has its verdict" "$(cat "$work"/storm.* | jq -r .verdict | sort | uniq -c | tr -s ' ')" " 40 still-valid"
is "and none of them cost a question" "$(calls)" 1
like "what happened is in the log once" "$(grep -c "a job reported that it is not accepted, and forge 'home' knows it" "$work/daemon.log")" '^1$'
finish forgejo

# The forge does not know it any more, and Infisical has the same value.
begin forgejo
token "$secret_value" '{"user":"deploy-bot","state":"revoked"}'
before=$(reads)
fault '{"delay":0.3}'
storm=
rm -f "$work"/storm.*
i=0
while [ $i -lt 40 ]; do
        report "$fp" >"$work/storm.$i" &
        storm="$storm $!"
        i=$((i + 1))
done
for pid in $storm; do wait "$pid"; done
fault '{}'
is "a dead token is rejected, for each of 40 reports at once" "$(cat "$work"/storm.* | jq -r '.verdict + " " + .code' | sort | uniq -c | tr -s ' ')" \
        " 40 rejected forge-token-rejected"
is "for one question to the forge" "$(calls)" 1
is "and one read" "$(reads)" "$((before + 1))"
like "the answer says what the forge said" "$(jq -r .detail <"$work/storm.0")" "forge 'home': $forge_url/api/v1/user answered 401: it does not know the token"
like "and what to do" "$(jq -r .remedy <"$work/storm.0")" "deploy-bot@example.org.*forge-brokerctl refresh deploy"
unlike "and holds no value" "$(cat "$work/storm.0")" "$secret_value"
is "the value is served on" "$(ask_status /v1/tokens/deploy)" 200
is "as degraded, with the code" "$(ask /v1/tokens | jq -c '.tokens[0] | [.state, .degraded, .code]')" '["fresh",true,"forge-token-rejected"]'
is "status says so, too" "$(control /v1/status | jq -r '.broker.state + " " + .broker.summary')" \
        "degraded 2 of 2 tokens usable; deploy: forge-token-rejected"
like "it is on record once" "$(records upstream-failed | grep -c 'token=deploy .*code=forge-token-rejected')" '^1$'
like "and the issuances say it" "$(records issued | tail -n 1)" 'code=forge-token-rejected'
is "a reload forgets nothing of it" "$(control /v1/reload -X POST | jq -r .status; ask /v1/tokens | jq -r '.tokens[0].code')" "reloaded
forge-token-rejected"
is "another report in the next seconds costs no question" "$(verdict "$fp") $(calls)" "rejected 1"

# Then it is replaced.
rotate deploy-bot@example.org "new-$secret_value"
wait_for 15 eval '[ "$(control /v1/tokens/deploy/refresh -X POST | jq -r ".code")" = null ]'
is "a new value is no longer degraded" "$(ask /v1/tokens | jq -c '.tokens[0] | [.state, .degraded, .code]')" '["fresh",false,null]'
ok "which is on record" in_log '^upstream-recovered token=deploy'
is "a report about the old one is answered with changed" "$(verdict "$fp")" changed
is "without a question" "$(calls)" 1
finish revoked

# It was rotated in Infisical, and the report comes before the next refresh.
rotate deploy-bot@example.org "$secret_value"
begin gitea
rotate deploy-bot@example.org "new-$secret_value"
token "$secret_value" '{"user":"deploy-bot","state":"revoked"}'
answer=$(report "$fp")
is "a rotated token is read again at once: changed" "$(printf '%s' "$answer" | jq -r .verdict)" changed
is "and the new value is issued" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "new-$secret_value"
is "the answer has its fingerprint" "$(printf '%s' "$answer" | jq -r .fingerprint)" "$(fingerprint)"
is "one question" "$(calls)" 1

# What is no verdict on a token.
unknown() { # name, fault, code
        forge_ask /requests -X DELETE >/dev/null
        fault "$2"
        before=$(reads)
        answer=$(report "$3" second)
        is "$1 is no verdict" "$(printf '%s' "$answer" | jq -r .code)" "$4"
        is "$1: it is served on, not degraded" "$(ask /v1/tokens | jq -c '.tokens[1] | [.state, .degraded]')" '["fresh",false]'
        unlike "$1: nothing of the page is in the answer" "$answer" 'Sign in|Access denied'
        like "$1: the remedy names the forge" "$(printf '%s' "$answer" | jq -r '.detail + .remedy')" "home"
}
fp=$(fingerprint second)
unknown "a proxy's page" '{"kind":"html"}' "$fp" upstream-blocked
is "nor is a question repeated at once" "$(report "$fp" second >/dev/null; calls)" 1
finish gitea

broken() { # as unknown, without the fingerprint
        begin gitea
        fp=$(fingerprint second)
        unknown "$1" "$2" "$fp" "$3"
        daemon_stop
        forge_stop
}
broken "a redirect" '{"kind":"redirect"}' upstream-blocked
broken "other JSON" '{"kind":"json"}' upstream-blocked
broken "a dropped header" '{"kind":"drop-header"}' upstream-blocked
broken "an answer that breaks off" '{"kind":"truncated"}' upstream-malformed
broken "a closed connection" '{"kind":"close"}' upstream-unreachable
broken "a gateway's error" '{"kind":"html","status":502}' upstream-error

begin forgejo
fault '{"delay":30}'
sed -i 's/^log = .*/&\nrequest_timeout = 2s/' "$config_file"
control /v1/reload -X POST >/dev/null
start=$(date +%s)
is "a forge that does not answer holds nobody up" "$(verdict "$fp")" upstream-timeout
ok "longer than request_timeout" test $(($(date +%s) - start)) -le 4
finish slow

begin forgejo
forge_stop
is "a forge that is down is no verdict" "$(verdict "$fp")" upstream-unreachable
is "and takes no token away" "$(ask_status /v1/tokens/deploy)" 200
ok "which is in the log" in_log "which cannot be verified: upstream-unreachable"
daemon_stop

# Narrow, but known; and each other type of forge.
begin forgejo
token "$secret_value" '{"user":"deploy-bot","scopes":["write:repository"]}'
is "a token that may not read its own user is still-valid" "$(verdict "$fp")" still-valid
finish narrow

rotate deploy-bot@example.org "$secret_value"
for type in github gitlab; do
        begin $type
        is "$type: known" "$(verdict "$fp")" still-valid
        fp=$(fingerprint second)
        token "$secret_value-2" '{"user":"deploy-bot","state":"revoked"}'
        is "$type: revoked" "$(verdict "$fp" second)" rejected
        is "$type: in the header that it wants" "$(forge_ask /requests | jq -c '[.[1].path, .[1].authorization]')" \
                "[\"/api/v$([ $type = github ] && echo 3 || echo 4)/user\",[\"Bearer $secret_value-2\"]]"
        finish $type
done
begin github
forge_ask /settings -X PUT -d '{"rate_limited":true}' >/dev/null
is "a rate limit is no verdict" "$(verdict "$fp")" upstream-rate-limited
finish limited
begin github
# When tokens end is asked for after the first: two questions for each of the two tokens, of which that one is asked once.
control /v1/doctor -X POST >/dev/null
all_asked() { [ "$(forge_ask /requests | jq '[.[] | select(.status and (.path | endswith("/user")))] | length')" -ge 4 ]; }
ok "a check-up, and what comes after it" wait_for 10 all_asked
forge_ask /settings -X PUT -d '{"rate_limited":true}' >/dev/null
control /v1/doctor -X POST >/dev/null
is "a forge that turned a check-up down is left alone" "$(verdict "$fp")" too-many-requests
finish "limited at a check-up"

# A direct value is verified as any other.
begin forgejo
daemon_stop
printf 'sources = direct-env-fallback\ndirect_env = DEPLOY_TOKEN\ndirect_env_until = 2099-12-31\n' >>"$config_file"
token "direct-$secret_value" '{"user":"deploy-bot","state":"revoked"}'
DEPLOY_TOKEN=direct-$secret_value daemon_start
daemon_ready
fp=$(fingerprint second)
is "a direct value that the forge does not know is rejected" "$(verdict "$fp" second)" rejected
finish direct

# Whatever a forge sends back, and whatever happens while it is asked.
begin forgejo
fault "{\"kind\":\"json\",\"status\":401,\"body\":{\"message\":\"user does not exist $secret_value\",\"url\":\"$secret_value/api/swagger\"}}"
answer=$(report "$fp")
is "a forge that repeats the token in its refusal is understood" "$(printf '%s' "$answer" | jq -r .verdict)" rejected
unlike "and not quoted" "$answer$(control /v1/status)" "$secret_value"
fp=$(fingerprint second)
fault "{\"kind\":\"json\",\"status\":418,\"body\":{\"message\":\"$secret_value-2\"}}"
unlike "nor is one that says anything else" "$(report "$fp" second)" "$secret_value"
if sanitized; then
        skip "nor is it left in open memory" "the sanitizers' shadow of the memory is too large to scan"
else
        printf '%s\n' "$secret_value" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
        like "nor is it left in open memory" "$(cat "$work/scan")" '^open=0 '
fi
finish echo

begin forgejo
fault '{"delay":1}'
report "$fp" >"$work/waiting" &
reporter=$!
wait_for 5 eval '[ "$(calls)" = 1 ]'
is "a reload while the forge is asked" "$(control /v1/reload -X POST | jq -r .status)" reloaded
wait "$reporter"
is "leaves nobody without a verdict" "$(jq -r .verdict <"$work/waiting")" still-valid
curl --silent --max-time 0.3 --unix-socket "$jobs_socket" -d "{\"fingerprint\":\"$(fingerprint second)\"}" http://localhost/v1/tokens/second/rejected >/dev/null
is "nor does a reporter that leaves" "$(verdict "$(fingerprint second)" second)" still-valid
rotate second "other-$secret_value"
wait_for 15 eval '[ "$(control /v1/tokens/second/refresh -X POST | jq -r ".code")" = null ]'
fault '{"delay":5}'
fp=$(fingerprint second)
forge_ask /requests -X DELETE >/dev/null
report "$fp" second >"$work/waiting" &
reporter=$!
wait_for 5 eval '[ "$(calls)" = 1 ]'
daemon_stop
is "a stop while the forge is asked is a clean one" $? 0
wait "$reporter"
is "and the reporter is told" "$(jq -r .code <"$work/waiting")" no-usable-value
forge_stop
rotate second "$secret_value-2"

# Not more than five dead tokens a minute, whatever is reported.
rotate second "$secret_value-2"
begin forgejo
daemon_stop
i=0
while [ $i -lt 8 ]; do
        printf '\n[token t%d]\nforge = home\nsecret_path = /forges\nsecret_name = second\n' $i
        i=$((i + 1))
done >>"$config_file"
token "$secret_value-2" '{"user":"deploy-bot","state":"revoked"}'
daemon_start
daemon_ready
fp=$(fingerprint second)
i=0
while [ $i -lt 8 ]; do
        verdict "$fp" "t$i"
        i=$((i + 1))
done >"$work/verdicts"
is "after five dead tokens a forge is left alone" "$(uniq -c <"$work/verdicts" | tr -s ' ' | tr '\n' ',')" " 5 rejected, 3 too-many-requests,"
is "five questions" "$(calls)" 5
report "$fp" t7 >/dev/null
like "and the answer says when it may be asked again" "$(cat "$work/head")" '^Retry-After: ([1-5]?[0-9]|60)'
is "what it said before still counts" "$(verdict "$fp" t0) $(calls)" "rejected 5"
finish many
done_testing
