#!/bin/sh
# What /metrics counts, and that it is what Prometheus' own tool takes.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq

standin_state >"$work/state.json"
standin_start "$work/state.json"
{
        token_deploy
        printf 'refresh = 10s\n'
        printf '[token second]\nforge = home\nsecret_path = /forges\nsecret_name = nowhere\n'
} | write_config
daemon_start
states_are() { [ "$(control /v1/status | jq -r '[.tokens[].state] | join(" ")')" = "$1" ]; }
wait_for 10 states_are "fresh failed"
# count SERIES - its value, or nothing
count() { control /metrics | awk -v series="forge_broker_$1" '$1 == series { print $2 }'; }

is "what an alert may ask for is there from the start" \
        "$(count 'issuances_total{token="deploy",source="infisical-token-auth",freshness="fresh"}')" 0
is "so are refusals of a token" "$(count 'refusals_total{token="deploy",code="no-usable-value"}')" 0
is "and of none" "$(count 'refusals_total{token="",code="unknown-token"}')" 0
is "and failures of a server" "$(count "upstream_requests_total{identity=\"default\",url=\"$standin_url\",code=\"upstream-unreachable\"}")" 0
is "a source that the token has not is not" \
        "$(count 'issuances_total{token="deploy",source="direct-env-fallback",freshness="fresh"}')" ""
requests=$(standin_ask /counters | jq .requests)
good=$(count "upstream_requests_total{identity=\"default\",url=\"$standin_url\",code=\"ok\"}")
missing=$(count "upstream_requests_total{identity=\"default\",url=\"$standin_url\",code=\"secret-not-found\"}")
is "each request to the server is counted once" "$((good + missing))" "$requests"

ask /v1/tokens/deploy >/dev/null
ask /v1/tokens/deploy >/dev/null
ask /v1/tokens/deploy >/dev/null
ask /v1/tokens/nope >/dev/null
ask '/v1/tokens/x%22%7D%20evil' >/dev/null
ask /v1/tokens/second >/dev/null
is "three issuances" "$(count 'issuances_total{token="deploy",source="infisical-token-auth",freshness="fresh"}')" 3
is "an unknown name is counted without the name" "$(count 'refusals_total{token="",code="unknown-token"}')" 2
unlike "which is nowhere" "$(control /metrics)" 'nope|evil'
is "a token without a value" "$(count 'refusals_total{token="second",code="no-usable-value"}')" 1

ok "a reload" "$brokerctl" --socket "$control_socket" reload
is "takes nothing away" "$(count 'issuances_total{token="deploy",source="infisical-token-auth",freshness="fresh"}')" 3
sed -i 's/^\[token second\]/[token third]/' "$config_file"
"$brokerctl" --socket "$control_socket" reload >/dev/null
is "not even of a token that is gone" "$(count 'refusals_total{token="second",code="no-usable-value"}')" 1
is "the new one begins" "$(count 'refusals_total{token="third",code="no-usable-value"}')" 0

standin_stop
control /v1/tokens/deploy/refresh -X POST >/dev/null
unreachable() { [ "$(count "upstream_requests_total{identity=\"default\",url=\"$standin_url\",code=\"upstream-unreachable\"}")" -ge 1 ]; }
ok "a server that is gone is counted" wait_for 10 unreachable
ok "the token goes stale" wait_for 15 states_are "stale failed"
ask /v1/tokens/deploy >/dev/null
is "stale issuances are counted apart" \
        "$(count 'issuances_total{token="deploy",source="infisical-token-auth",freshness="stale"}')" 1
is "the sum of issuances is the number of records" \
        "$(control /metrics | awk '/^forge_broker_issuances_total/ { n += $2 } END { print n }')" "$(records issued | wc -l)"
daemon_stop
done_testing
