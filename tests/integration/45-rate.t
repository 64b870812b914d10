#!/bin/sh
# Who asks too often: the burst, the rate behind it, and one record for all that was too much.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
herd="python3 $top_srcdir/tests/integration/herd.py"

standin_state >"$work/state.json"
standin_start "$work/state.json"
broker_settings='requests_per_second = 1'
token_deploy | write_config
daemon_start
daemon_ready
start=$(date +%s)
result=$($herd "$jobs_socket" /v1/tokens/deploy 22000 50)
seconds=$(($(date +%s) - start + 1))
served=$(printf '%s' "$result" | jq '.status["200"]')
refused=$(printf '%s' "$result" | jq '.status["429"]')
is "each of 22,000 requests is answered" "$((served + refused))" 22000
ok "no fewer than the burst are served" test "$served" -ge 19900
ok "no more than the burst and one for each of $seconds s" test "$served" -le $((20000 + seconds))
is "each of them has its record" "$(records issued | wc -l)" "$served"
# The burst is used up, and the bucket fills so slowly that a few at once are too many.
$herd "$jobs_socket" /v1/tokens/deploy 50 50 >/dev/null
is_limited() { [ "$(ask_status /v1/tokens/deploy)" = 429 ]; }
ok "who asks then is told so" wait_for 10 is_limited
counts_too() { ask /healthz | jq -e '.code == "too-many-requests"' >/dev/null; }
ok "and nothing is too cheap to count" wait_for 10 counts_too
like "with the time when to come back" "$(cat "$work/head")" '^Retry-After: 1'
ok "the first refusal was recorded at once" in_log '^refused code=too-many-requests '
ok "the operator's socket answers" "$brokerctl" --socket "$control_socket" status
sed -i 's/^requests_per_second = .*/requests_per_second = 0/' "$config_file"
ok "a reload takes the limit away" "$brokerctl" --socket "$control_socket" reload
is "and it is felt at once" "$(printf '%s' "$($herd "$jobs_socket" /v1/tokens/deploy 500 50)" | jq -c .status)" '{"200":500}'
daemon_stop
is "it stops cleanly" $? 0
counted=$(records refused | sed -n 's/.* count=\([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }')
alone=$(records refused | grep -vc ' count=')
ok "few records stand for all refusals" test "$(records refused | wc -l)" -le 12
ok "and count every one" test "$((counted + alone))" -ge "$refused"
done_testing
