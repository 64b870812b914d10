#!/bin/sh
# Infisical away, back, slow, refusing: what is served meanwhile and what is not.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq

secret_ref='{"project":"platform","environment":"prod","path":"/forges","name":"deploy-bot@example.org"}'
code() { ask /v1/tokens/deploy | jq -r '.code // .freshness'; }
attempt() { ask /v1/tokens/deploy | jq -r '.attempts[0].code'; }
code_is() { [ "$(code)" = "$1" ]; }
refresh() { control /v1/tokens/deploy/refresh -X POST; }

# Down at the start: a port that nobody listens on, until the stand-in comes up there.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
standin_url=http://127.0.0.1:$port
token_deploy | write_config
daemon_start
ok "with Infisical down the answer is an error, at once" wait_for 5 code_is no-usable-value
is "its attempt says why" "$(attempt)" upstream-unreachable
is "the broker itself is alive" "$(ask_status /healthz)" 200
is "but not ready" "$(ask_status /readyz)" 503
"$brokerctl" --socket "$control_socket" status >"$work/out" 2>&1
is "forge-brokerctl status exits with 1" $? 1
"$broker" get deploy --socket "$jobs_socket" >"$work/out" 2>"$work/err"
is "forge-broker get exits with 5" $? 5
like "and tells code and remedy" "$(cat "$work/err")" 'remedy: Check url, DNS, routing'
standin_state >"$work/state.json"
standin_start "$work/state.json" --port "$port"
ok "once Infisical is up it is ready by itself within a backoff step" daemon_ready 62
ok "the recovery is on record" in_log '^upstream-recovered token=deploy'
is "the failure was recorded once, not once per try" "$(records upstream-failed | wc -l)" 1
daemon_stop

# Stale and the end of staleness.
rm -f "$work/daemon.log"
{ token_deploy; printf 'refresh = 10s\nmax_stale = 14s\n'; } | write_config
daemon_start
daemon_ready
is "a value is fresh at first" "$(code)" fresh
standin_ask /fault -X POST -d '{"kind":"drop","class":"any"}' >/dev/null
ok "with Infisical gone it is stale after its refresh interval" wait_for 15 code_is stale
like "the header says so" "$(ask /v1/tokens/deploy >/dev/null; cat "$work/head")" '^Forge-Broker-Freshness: stale'
ok "the record says so" in_log '^issued token=deploy .* freshness=stale .* code=upstream-unreachable'
ok "and after max_stale there is none" wait_for 10 code_is no-usable-value
standin_ask /fault -X DELETE >/dev/null
daemon_stop

# A refusal ends the value's life at once; anything else does not.
rm -f "$work/daemon.log"
{ token_deploy; printf 'refresh = 10s\nmax_stale = 1h\n'; } | write_config
for kind in html-403 redirect html-200 garbage error-500 html-502 duplicate-keys truncated content-type; do
        daemon_start
        daemon_ready
        # A new version, so that the answer is not "unchanged", which has no body to be wrong.
        standin_ask /secret -X PUT -d '{"project":"platform","environment":"prod","path":"/forges","name":"deploy-bot@example.org","value":"next-'"$kind"'"}' >/dev/null
        standin_ask /fault -X POST -d "{\"kind\":\"$kind\",\"class\":\"any\"}" >/dev/null
        refresh >/dev/null
        is "$kind is not Infisical's word: the value is served on" "$(code)" fresh
        unlike "$kind is never called permission-denied" "$(control /v1/status | jq -r '.tokens[0].code')" 'permission-denied|null'
        standin_ask /fault -X DELETE >/dev/null
        daemon_stop
done
daemon_start
daemon_ready
standin_ask /secret -X DELETE -d "$secret_ref" >/dev/null
refresh >/dev/null
is "a secret deleted in Infisical ends the value at once" "$(code)" no-usable-value
is "with its code" "$(attempt)" secret-not-found
ok "the end is on record" in_log '^upstream-failed token=deploy .*code=secret-not-found'
daemon_stop

# 429 pauses all calls.
rm -f "$work/daemon.log"
standin_stop
standin_start "$work/state.json" --port "$port"
standin_ask /fault -X POST -d '{"kind":"rate-limit","class":"any","retry_after":5}' >/dev/null
daemon_start
ok "a rate limit is told" wait_for 5 code_is no-usable-value
is "with its code" "$(attempt)" upstream-rate-limited
total=$(standin_ask /counters | jq .requests)
refresh >/dev/null
is "during the pause not even a demand is sent upstream" "$(standin_ask /counters | jq .requests)" "$total"
like "status says until when" "$(control /v1/status | jq -r '.servers[0].paused_until')" '^20.*Z$'
standin_ask /fault -X DELETE >/dev/null
ok "after the pause it recovers by itself" daemon_ready 30
daemon_stop
is "it stops cleanly" $? 0
done_testing
