#!/bin/sh
# The main job: a root job gets a token that came from Infisical, and the record says so.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq

standin_state >"$work/state.json"
standin_start "$work/state.json"
token_deploy | write_config
daemon_start
ok "every token is usable soon after the start" daemon_ready

body=$(ask /v1/tokens/deploy)
is "an issuance brings the value" "$(printf '%s' "$body" | jq -r .token)" "$secret_value"
is "it names its source" "$(printf '%s' "$body" | jq -r .source)" infisical-token-auth
is "it is fresh" "$(printf '%s' "$body" | jq -r .freshness)" fresh
is "it carries version, name, user, forge and type" \
        "$(printf '%s' "$body" | jq -r '[.version, .name, .username, .forge, .forge_type, .forge_url] | join(" ")')" \
        "7 deploy deploy-bot home forgejo https://git.example.org"
like "it says when it was fetched and will be refreshed" \
        "$(printf '%s' "$body" | jq -r '.fetched_at + " " + .refresh_at')" '^20[0-9T:-]+Z 20[0-9T:-]+Z$'
like "answers are not to be stored" "$(cat "$work/head")" '^Cache-Control: no-store'
like "the source is in a header" "$(cat "$work/head")" '^Forge-Broker-Source: infisical-token-auth'
like "the freshness is in a header" "$(cat "$work/head")" '^Forge-Broker-Freshness: fresh'
is "text/plain is the bare value" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"

fp=$(printf '%s' "$body" | jq -r .fingerprint)
like "the record was written with marker, freshness, version, fingerprint and peer" "$(cat "$work/daemon.log")" \
        "^issued token=deploy forgejo_token_source=infisical-token-auth freshness=fresh version=7 fp=$fp seq=[0-9]+ peer_uid=0 peer_pid=[0-9]+ .*verified=no"

GITHUB_REPOSITORY=example/site GITHUB_RUN_ID=1948 "$broker" get deploy --socket "$jobs_socket" >"$work/out" 2>"$work/err"
is "forge-broker get exits with 0" $? 0
is "forge-broker get prints the value" "$(cat "$work/out")" "$secret_value"
is "and the evidence line" "$(cat "$work/err")" \
        "forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=fresh fp=$fp"
like "the job's claims stand last in the record" "$(records issued | tail -n 1)" 'verified=no repo=example/site run=1948$'

ask /v1/tokens/deploy -H 'Forge-Broker-Via-Uid: 1000' -H 'Forge-Broker-Run-Id: 7' >/dev/null
like "who came through the relay stands before what the job says" "$(records issued | tail -n 1)" 'verified=no via_uid=1000 run=7$'
ask /v1/tokens/deploy -H 'Forge-Broker-Via-Uid: 1000 x' -H 'Forge-Broker-Run-Id: 7' >/dev/null
like "what is no uid is not recorded as one" "$(records issued | tail -n 1)" 'verified=no run=7$'

list=$(ask /v1/tokens)
is "the list names the token" "$(printf '%s' "$list" | jq -r '.tokens[0].name + " " + .tokens[0].state')" "deploy fresh"
unlike "the list holds no value" "$list" "$secret_value"
is "an unknown name is 404" "$(ask_status /v1/tokens/nope)" 404
is "with its code" "$(ask /v1/tokens/nope | jq -r .code)" unknown-token
like "and the known names" "$(ask /v1/tokens/nope | jq -r .detail)" deploy
"$broker" get nope --socket "$jobs_socket" >"$work/out" 2>"$work/err"
is "forge-broker get of an unknown name exits with 3" $? 3
ok "forge-broker wait returns at once" "$broker" wait deploy --socket "$jobs_socket"

is "the jobs' socket does not serve the status" "$(ask /v1/status | jq -r .code)" malformed-request
is "the control socket does" "$(control /v1/status | jq -r .broker.state)" ok
status=$("$brokerctl" --socket "$control_socket" status)
is "forge-brokerctl status exits with 0 when all is well" $? 0
like "and shows the token's source" "$status" "^deploy +home +fresh +infisical-token-auth +7 +$fp"
unlike "and no value" "$status" "$secret_value"

before=$(standin_ask /counters | jq .requests)
i=0
while [ $i -lt 50 ]; do
        ask /v1/tokens/deploy >/dev/null
        i=$((i + 1))
done
is "a cached issuance makes no upstream call" "$(standin_ask /counters | jq .requests)" "$before"

standin_ask /secret -X PUT -d "{\"project\":\"platform\",\"environment\":\"prod\",\"path\":\"/forges\",\"name\":\"deploy-bot@example.org\",\"value\":\"rotated-$secret_value\"}" >/dev/null
is "a refresh answers with the new state and no value" \
        "$(control /v1/tokens/deploy/refresh -X POST | jq -r '[.state, .version, has("token")] | join(" ")')" "fresh 8 false"
is "the rotated value is issued" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "rotated-$secret_value"
ok "the rotation is on record" in_log '^token-rotated token=deploy forgejo_token_source=infisical-token-auth freshness=fresh version=8'
is "a second refresh within 10 s is refused" "$(control /v1/tokens/deploy/refresh -X POST | jq -r .code)" too-many-requests
like "and says when" "$(cat "$work/head")" '^Retry-After: ([1-9]|10)'

daemon_stop
is "SIGTERM is a clean stop" $? 0
not_ok "its sockets are gone" test -e "$jobs_socket"
unlike "no value is in the log" "$(cat "$work/daemon.log")" "$secret_value|$access_token"
done_testing
