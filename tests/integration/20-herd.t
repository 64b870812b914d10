#!/bin/sh
# Many at once: one upstream read for a cold herd, one record for each issuance.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
ulimit -n 8192 2>/dev/null || ulimit -n "$(ulimit -H -n)"
herd="python3 $top_srcdir/tests/integration/herd.py"

standin_state >"$work/state.json"
standin_start "$work/state.json"
# Slow enough that the whole herd arrives while the first fetch is under way.
standin_ask /fault -X POST -d '{"kind":"delay","class":"secret","ms":3000,"count":1}' >/dev/null
token_deploy | write_config
daemon_start
result=$($herd "$jobs_socket" /v1/tokens/deploy 1000 1000)
is "a thousand cold requests are all answered, with one value" "$(printf '%s' "$result" | jq -c .)" \
        '{"status":{"200":1000},"bodies":1}'
is "they made one upstream read" "$(standin_ask /counters | jq .requests)" 1
is "and a thousand records" "$(records issued | wc -l)" 1000

result=$($herd "$jobs_socket" /v1/tokens/deploy 9000 50)
is "nine thousand more are answered" "$(printf '%s' "$result" | jq -c .status)" '{"200":9000}'
is "ten thousand requests are ten thousand records" "$(records issued | wc -l)" 10000
is "with ten thousand different sequence numbers" \
        "$(records issued | sed -n 's/.* seq=\([0-9]*\) .*/\1/p' | sort -un | wc -l)" 10000
is "without a gap among all records" \
        "$(sed -n 's/.* seq=\([0-9]*\).*/\1/p' "$work/daemon.log" | sort -n | awk 'NR > 1 && $1 != last + 1 { gaps++ } { last = $1 } END { print gaps + 0 }')" 0
is "and still one upstream read" "$(standin_ask /counters | jq .requests)" 1
daemon_stop
is "it stops cleanly afterwards" $? 0
done_testing
