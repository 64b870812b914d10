#!/bin/sh
# Infisical comes and goes: jobs get their tokens all the while, what is asked upstream stays within its budget, the log has a line for
# a change of state and not for a request, and in the end all is fresh.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3

standin_state >"$work/state.json"
standin_start "$work/state.json"
broker_settings='requests_per_second = 0'
identity_settings='connect_timeout = 500ms
timeout = 1s'
{ token_deploy; echo 'refresh = 10s'; } | write_config
daemon_start
ok "the token is usable" daemon_ready
reads() { standin_ask /counters | jq '.class.secret // 0'; }

# Fourteen times down and up, in as many ways as there are, within more than two refresh intervals; a reload asks anew.
begun=$(date +%s)
: >"$work/served"
for kind in drop error-500 hang html-502 html-403 garbage truncated drop error-500 redirect rate-limit html-200 garbage drop; do
        standin_ask /fault -X POST -d "{\"class\":\"any\",\"kind\":\"$kind\",\"retry_after\":1}" >/dev/null
        control /v1/tokens/deploy/refresh -X POST >/dev/null
        python3 "$top_srcdir/tests/integration/herd.py" "$jobs_socket" /v1/tokens/deploy 500 8 | jq -c .status >>"$work/served"
        standin_ask /fault -X DELETE >/dev/null
        control /v1/tokens/deploy/refresh -X POST >/dev/null
        python3 "$top_srcdir/tests/integration/herd.py" "$jobs_socket" /v1/tokens/deploy 500 8 | jq -c .status >>"$work/served"
        sleep 1.5       # the flapping itself: down and up must fall into several refresh intervals
done
elapsed=$(($(date +%s) - begun))
is "each of 14000 requests has its token" "$(sort "$work/served" | uniq -c | sed 's/^ *//')" '28 {"200":500}'
note "$elapsed s, $(reads) reads, $(records upstream-failed | wc -l) times failed, $(records upstream-recovered | wc -l) times recovered"
ok "it did fail meanwhile" test "$(records upstream-failed | wc -l)" -ge 1
# One in ten seconds by refresh, as many by force, each with a repetition or two: far below one for each of 28 changes.
ok "the reads stay within the budget" test "$(reads)" -le $((elapsed * 6 / 10 + 6))
ok "no line for each request" test "$(grep -vc 'issued token=' "$work/daemon.log")" -le $((4 * 28))
fresh() { [ "$(ask /v1/tokens/deploy | jq -r .freshness)" = fresh ] && [ "$(control /v1/status | jq -r '.tokens[0].state')" = fresh ]; }
ok "in the end it is fresh" wait_for 40 fresh || note "$(control /v1/status)"
daemon_stop
is "it stops cleanly" $? 0
done_testing
