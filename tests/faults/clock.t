#!/bin/sh
# The wall clock jumps, and the machine sleeps: what is fresh goes by the time since boot, sleep included, and a date by the wall clock.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
sanitized && skip_all "the sanitizers must be loaded first"

# move REALTIME BOOTTIME - by so many seconds, from what the clocks really say
move() {
        python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as file:
    file.write(struct.pack("=qq", int(sys.argv[2]) * 10**9, int(sys.argv[3]) * 10**9))' "$work/moved" "$1" "$2"
}
printf '%016d' 0 | tr 0 '\000' >"$work/moved"
hour=3600 year=31536000
reads() { standin_ask /counters | jq '.class.secret // 0'; }
answer() { ask /v1/tokens/deploy | jq -r '"\(.source // .code) \(.freshness // "")"'; }
answer_is() { [ "$(answer)" = "$1" ]; }

standin_state >"$work/state.json"
standin_start "$work/state.json"
{ token_deploy; printf 'refresh = 10m\nmax_stale = 1h\ndirect_env = DIRECT_PAT\ndirect_env_until = %s\n' "$(date -u -d '+30 days' +%F)"; } | write_config
# start - a daemon whose clocks move() moves
start() {
        export MOVED_CLOCK="$work/moved"
        daemon_start env LD_PRELOAD="$top_builddir/tests/faults/moved-clock.so"
        unset MOVED_CLOCK
}
export DIRECT_PAT=pat-test-0123456789abcdef
start
unset DIRECT_PAT
ok "the token is usable" daemon_ready
is "it was read once" "$(reads)" 1

for jump in $((10 * year)) $((-10 * year)) $((-1 * hour)) 0; do
        move "$jump" 0
        is "the wall clock moved by $jump s: the value stays fresh" "$(answer)" "infisical-token-auth fresh"
done
like "status sees the moved clock, so the jumps were real" "$(move $((10 * year)) 0; control /v1/status)" "\"[a-z_]*at\":\"$(($(date -u +%Y) + 10))-"
move 0 0
is "no jump made it ask Infisical" "$(reads)" 1

# Asleep: the time since boot goes on, the monotonic clock does not.
move "$hour" "$hour"
is "after an hour's sleep the value is served at once" "$(ask_status /v1/tokens/deploy)" 200
read_again() { [ "$(reads)" = 2 ] && answer_is "infisical-token-auth fresh"; }
ok "and read again, once" wait_for 10 read_again
standin_ask /fault -X POST -d '{"class":"any","kind":"drop"}' >/dev/null
move $((hour + 2 * hour)) $((hour + 2 * hour))
is "after two hours' sleep and without Infisical the value is past max_stale: only what is configured for that is given" \
        "$(answer | sed 's/ .*//')" direct-env-fallback
# Past the fallback's date, by the wall clock alone.
move $((year + 3 * hour)) $((3 * hour))
no_value() { [ "$(ask_status /v1/tokens/deploy)" = 503 ]; }
ok "past its date the fallback is refused" wait_for 10 no_value
move $((3 * hour)) $((3 * hour))
standin_ask /fault -X DELETE >/dev/null
control /v1/tokens/deploy/refresh -X POST >/dev/null
back() { answer_is "infisical-token-auth fresh"; }
ok "with Infisical back the value is fresh" wait_for 60 back || note "$(control /v1/status)"
daemon_stop
is "it stops cleanly" $? 0

# What an ID token of hours proved is not believed for hours.
move 0 0
cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": {} }, "repositories": { "platform/app": {} }, "tokens": { "$secret_value": { "user": "deploy-bot" } },
  "oidc": { "requests": { "request-of-a-job": { "job": { "repository": "platform/app" }, "shift": { "exp": 7200 } } } } }
EOT
forge_start forgejo "$work/forge.json"
forge_settings='oidc_audience = forge-broker'
{ token_deploy; printf 'proof = required\njob_repositories = platform/*\n'; } | write_config
start
ok "with a rule about jobs the token is usable" daemon_ready
proven() {
        printf 'Authorization: Bearer request-of-a-job\nForge-Broker-Id-Token-Url: %s/api/actions/_apis/pipelines/workflows/42/idtoken\n' \
                "$forge_url" | ask /v1/tokens/deploy -H @- | jq -r '.source // .code'
}
is "a job is proven by an ID token of two hours" "$(proven)" infisical-token-auth
forge_ask /oidc -X PUT -d '{"requests":{}}' >/dev/null
is "its end is not seen at once" "$(proven)" infisical-token-auth
move 360 360
is "but minutes later" "$(proven)" proof-rejected
daemon_stop
is "it stops cleanly again" $? 0
done_testing
