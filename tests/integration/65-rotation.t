#!/bin/sh
# A hundred rotations of the access token under load, and a runner's move off a direct PAT: no request fails.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
herd="python3 $top_srcdir/tests/integration/herd.py"
requests=${FORGE_BROKER_TEST_REQUESTS:-100000}

standin_state >"$work/state.json"
standin_start "$work/state.json"
# One peer makes more requests than any job: what is tried here is not the limit.
broker_settings="requests_per_second = 0"
token_deploy | write_config
daemon_start
daemon_ready
$herd "$jobs_socket" /v1/tokens/deploy "$requests" 16 --seconds 240 >"$work/herd.out" 2>&1 &
load=$!
at_exit "kill $load 2>/dev/null"
used() { [ "$(standin_ask /counters | jq -r ".token[\"$1\"] // 0")" -gt 0 ]; }
old=test late=0 after=0 i=0
while [ $i -lt 100 ]; do
        i=$((i + 1))
        value=$(standin_ask /tokens -X POST -d "{\"name\":\"rotated-$i\",\"identity\":\"broker\"}" | jq -r '.value // .token.value')
        put_credential access-token "$value"
        wait_for 2 used "rotated-$i" || late=$((late + 1))
        count=$(standin_ask /counters | jq -r ".token[\"$old\"] // 0")
        [ -z "${last_count-}" ] || [ "$(standin_ask /counters | jq -r ".token[\"$older\"] // 0")" = "$last_count" ] || after=$((after + 1))
        older=$old last_count=$count old=rotated-$i
done
is "each of a hundred new credentials is used within two seconds" "$late" 0
is "and the one before never again" "$after" 0
wait $load
is "no request failed meanwhile" "$(jq -c .status "$work/herd.out")" "{\"200\":$requests}"
is "each has its record" "$(records issued | wc -l)" "$requests"
is "all with Infisical's marker" "$(records issued | grep -c 'forgejo_token_source=infisical-token-auth')" "$requests"
unlike "no access token is in the log" "$(tail -n 2000 "$work/daemon.log")" "$value"
daemon_stop

# The move: direct only, Infisical with the dated direct value behind it, Infisical alone.  The value is the same all along.
rm -f "$work/daemon.log"
until=$(date -u -d '+30 days' +%F)
cat >"$work/direct.conf" <<EOT
sources = direct-env-fallback
direct_env = TEST_DIRECT_PAT
direct_env_until = $until
EOT
cat >"$work/both.conf" <<EOT
direct_env = TEST_DIRECT_PAT
direct_env_until = $until
EOT
: >"$work/infisical.conf"
stage() { { token_deploy; cat "$work/$1.conf"; } | write_config; put_credential access-token "$value"; }
marker_is() { [ "$(ask /v1/tokens/deploy | jq -r .source)" = "$1" ]; }
stage direct
TEST_DIRECT_PAT=$secret_value
export TEST_DIRECT_PAT
daemon_start
unset TEST_DIRECT_PAT
daemon_ready
$herd "$jobs_socket" /v1/tokens/deploy 5000 4 --seconds 120 >"$work/herd.out" 2>&1 &
load=$!
ok "at first the direct value is served" marker_is direct-env-fallback
stage both
"$brokerctl" --socket "$control_socket" reload >/dev/null
ok "with Infisical configured it goes first" wait_for 12 marker_is infisical-token-auth
stage infisical
"$brokerctl" --socket "$control_socket" reload >/dev/null
ok "and alone it goes on" wait_for 5 marker_is infisical-token-auth
wait $load
is "no request failed in between" "$(jq -c . "$work/herd.out" | sed 's/"bodies":[0-9]*/"bodies":N/')" '{"status":{"200":5000},"bodies":N}'
last=$(records issued | tail -n 1)
like "the last marker is Infisical's" "$last" 'forgejo_token_source=infisical-token-auth'
daemon_stop
is "it stops cleanly" $? 0
done_testing
