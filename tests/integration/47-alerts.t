#!/bin/sh
# Each alert rule against the real daemon in the state that it is for, and all of them against a healthy one.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
# tests/install-packages puts it there: Debian has it in a package that starts a server.
PATH=$PATH:${FORGE_BROKER_TEST_CACHE:-${XDG_CACHE_HOME:-/var/cache}/forge-broker-tests}/bin
command -v promtool >/dev/null || skip_all "promtool is missing (Debian: prometheus; tests/install-packages check unpacks it)"

rules=$top_srcdir/docs/forge-broker-alerts.yml
mkdir -p "$work/prom"
# scrape NAME - what the textfile collector reads now
scrape() { "$brokerctl" --socket "$control_socket" metrics --textfile "$work/prom/$1.prom" >/dev/null 2>&1; }
# fires NAME ALERTS SCRAPE... - exactly these, once the last scrape has been there for a while
fires() {
        what=$1
        alerts=$2
        shift 2
        files=
        for name in "$@"; do files="$files $work/prom/$name.prom"; done
        # shellcheck disable=SC2086
        python3 "$top_srcdir/tests/integration/scrapes.py" "$rules" "$alerts" $files >"$work/test.yml"
        result=$(promtool test rules "$work/test.yml" 2>&1)
        is "$what: $alerts" "$?" 0 || note "$result"
}
state_is() { [ "$(control /v1/status | jq -r '.tokens[0] | .state + " " + (.degraded | tostring)')" = "$1" ]; }
in_days() { date -u -d "+$1 days" +%F; }
new_token() { # NAME TTL
        standin_ask /tokens -X POST -d "{\"name\":\"$1\",\"identity\":\"broker\",\"ttl\":$2,\"max_ttl\":$2}" | jq -r '.value // .token.value'
}

result=$(promtool check rules "$rules" 2>&1)
is "promtool takes the rules" "$?" 0 || note "$result"

standin_state >"$work/state.json"
standin_start "$work/state.json"
standin_ask /settings -X POST -d '{"generation":"C"}' >/dev/null
{ token_deploy; echo 'refresh = 10s'; echo "direct_env = TEST_DIRECT_PAT"; echo "direct_env_until = $(in_days 200)"; } | write_config
put_credential access-token "$(new_token long 2592000)"
export TEST_DIRECT_PAT=direct-pat-0123456789abcdef
daemon_start
daemon_ready
scrape first
result=$(promtool check metrics <"$work/prom/first.prom" 2>&1)
is "promtool takes the metrics, and has nothing to say of them" "$? $result" "0 "

ask /v1/tokens/deploy >/dev/null
ask /v1/tokens/nope >/dev/null
scrape healthy
fires "a healthy daemon" - first healthy
cp -p "$work/prom/healthy.prom" "$work/prom/old.prom"
touch -d '1 hour ago' "$work/prom/old.prom"
fires "a file that nobody writes" ForgeBrokerMetricsStale healthy old

python3 "$top_srcdir/tests/integration/herd.py" "$jobs_socket" /v1/tokens/nope 60 10 >/dev/null
scrape refusals
fires "requests for what there is not" ForgeBrokerRefusals healthy refusals

echo 'nonsense = 1' >>"$config_file"
"$brokerctl" --socket "$control_socket" reload >/dev/null 2>&1
scrape rejected
fires "a configuration that is rejected" ForgeBrokerReloadRejected refusals rejected
sed -i '$d' "$config_file"
"$brokerctl" --socket "$control_socket" reload >/dev/null
daemon_ready
scrape healed
fires "the mended one" - rejected healed

# Infisical goes away: stale is degraded, and later the direct value is all there is.
standin_stop
failed() { [ "$(control /metrics | awk '/^forge_broker_upstream_requests_total.*upstream-unreachable/ { print $2 }')" -ge 3 ]; }
ok "the server fails some times" wait_for 30 failed
ok "the token goes stale" wait_for 20 state_is "stale true"
scrape unreachable
fires "a server that is gone" ForgeBrokerTokenDegraded,ForgeBrokerUpstreamFailing healed unreachable
standin_start "$work/state.json" # on another port
daemon_stop
standin_ask /settings -X POST -d '{"generation":"C"}' >/dev/null

{ token_deploy; echo "direct_env = TEST_DIRECT_PAT"; echo "direct_env_until = $(in_days 3)"; } | sed 's/^secret_name.*/secret_name = nowhere/' | write_config
put_credential access-token "$(new_token short 259200)"
daemon_start
wait_for 10 state_is "fresh true"
scrape before
ask /v1/tokens/deploy >/dev/null
scrape fallback
fires "a direct value that ends, and a credential too" \
        ForgeBrokerCredentialExpiresSoon,ForgeBrokerFallbackEndsSoon,ForgeBrokerFallbackUsed,ForgeBrokerTokenDegraded before fallback
daemon_stop

# A token whose forge says when it ends.
jq -n --arg value "$secret_value" --arg day "$(in_days 3)" '{"users": {"deploy-bot": {}},
        "tokens": {($value): {"user": "deploy-bot", "expires": "\($day) 00:00:00 UTC"}}}' >"$work/forge.json"
forge_start github "$work/forge.json"
put_credential access-token "$(new_token long 2592000)"
token_deploy | write_config
daemon_start
daemon_ready
has_end() { control /metrics | grep -q '^forge_broker_token_expiry_timestamp_seconds{token="deploy"}'; }
control /v1/doctor -X POST >/dev/null
ok "a check-up asks the forge when the token ends" wait_for 10 has_end
scrape expiring
fires "a token that ends" ForgeBrokerTokenExpiresSoon expiring expiring
like "status says so" "$(control /v1/status | jq -r '.tokens[0].expires_at')" "^$(in_days 3)T00:00:00Z"
like "and the table" "$("$brokerctl" --socket "$control_socket" status)" 'token deploy: its forge says that it ends in [23]d'
like "and the log" "$(cat "$work/daemon.log")" "token 'deploy': forge 'home' says that it expires on $(in_days 3)"
before=$(forge_ask /requests | jq length)
control /v1/reload -X POST >/dev/null
daemon_ready
ok "and it is known still after a reload" has_end
is "without asking again" "$(forge_ask /requests | jq length)" "$before"
daemon_stop

# Many of them, at a forge that is slow.
{
        token_deploy
        for name in $(seq -f token-%g 20); do
                token_deploy | sed "s/deploy]/$name]/"
        done
} | write_config
daemon_start
daemon_ready
forge_ask /fault -X PUT -d '{"delay":2}' >/dev/null
before=$(forge_ask /requests | jq length)
is_asked() { [ "$(forge_ask /requests | jq length)" -gt "$before" ]; }
control /v1/doctor -X POST >/dev/null &
checkup=$!
wait_for 10 is_asked
is "what the broker itself asks leaves jobs their room" \
        "$(ask /v1/tokens/token-20/preflight -X POST -d '{"repository":"o/r","needs":["contents:read"]}' | jq -r .forge)" home
forge_ask /fault -X PUT -d '{}' >/dev/null
wait "$checkup"
some_have_ends() { [ "$(control /metrics | grep -c '^forge_broker_token_expiry_timestamp_seconds{token="token-')" -ge 4 ]; }
ok "and goes on" wait_for 30 some_have_ends
daemon_stop
forge_stop
unset forge_type forge_url

token_deploy | sed 's/^secret_name.*/secret_name = nowhere/' | write_config
daemon_start
wait_for 10 state_is "failed true"
scrape failed
fires "a token without a value" ForgeBrokerTokenUnusable failed failed
daemon_stop

# Nobody reads what the daemon records on: no record, no value.
token_deploy | write_config
mkfifo "$work/sink"
exec 7<>"$work/sink"
daemon_log=$work/sink
daemon_start_only
wait_for 10 state_is "fresh false"
scrape before
full() { [ "$(ask /v1/tokens/deploy | jq -r .code)" = audit-unavailable ]; }
python3 "$top_srcdir/tests/integration/herd.py" "$jobs_socket" /v1/tokens/deploy 600 50 >/dev/null
ok "a sink that is full keeps values from leaving" full
scrape silent
fires "a journal that takes nothing" ForgeBrokerAuditUnavailable before silent
kill -KILL "$daemon_pid"
daemon_wait 2>/dev/null
exec 7>&-
scrape down
fires "a daemon that does not answer" ForgeBrokerDown before down
done_testing
