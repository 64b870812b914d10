#!/bin/sh
# The source chain: Universal Auth behind Token Auth, a dated direct value behind both, several servers, lockout.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
client_secret=cs-test-0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab
client_id=22222222-3333-4444-8555-666666666666

chain_state() {
        standin_state | jq --arg id "$client_id" --arg secret "$client_secret" \
                '.identities[0].universal_auth = {client_id: $id, ttl: 3600, max_ttl: 7200, client_secrets: [{secret: $secret}]}'
}
pair() { # write a pair
        put_credential client-id "$client_id"
        put_credential client-secret "$1"
}
universal="client_id_file = $work/etc/client-id
client_secret_file = $work/etc/client-secret"
source_of() { ask /v1/tokens/deploy | jq -r '.source // .code'; }
source_is() { [ "$(source_of)" = "$1" ]; }
attempts() { control /v1/status | jq -r '[.tokens[0].attempts[] | .source + ":" + (.code // "ok")] | join(" ")'; }
counter() { standin_ask /counters | jq -r "$1 // 0"; }

chain_state >"$work/state.json"
standin_start "$work/state.json"

# Universal Auth takes over where Token Auth's credential is no good, and hands back.
identity_settings=$universal
token_deploy | write_config
pair "$client_secret"
put_credential access-token not-a-token
daemon_start
ok "with a bad access token the value comes by Universal Auth" wait_for 5 source_is infisical-universal-auth
is "one login was made for it" "$(counter .logins_ok)" 1
is "both sources are told" "$(attempts)" "infisical-token-auth:credential-rejected infisical-universal-auth:ok"
is "the token is degraded" "$(control /v1/status | jq -r '.tokens[0].degraded, .broker.state' | tr '\n' ' ')" "true degraded "
ok "the issuance has the marker and the reason" in_log '^issued token=deploy forgejo_token_source=infisical-universal-auth .* code=credential-rejected'
is "the failure is recorded once" "$(records upstream-failed | wc -l)" 1
put_credential access-token "$access_token"
ok "a good access token is used within two seconds" wait_for 2 source_is infisical-token-auth
ok "the change of source is on record" in_log '^source-changed token=deploy forgejo_token_source=infisical-token-auth'
put_credential access-token "also-not-a-token with blanks"
noticed() { in_log 'the access token read before stays in use'; }
ok "a bad new file is told" wait_for 2 noticed
is "and the old credential stays in use" "$(control /v1/tokens/deploy/refresh -X POST | jq -r .source)" infisical-token-auth
is "no Authorization header was sent to public routes" "$(counter .authorization_on_public)" 0
is "a login is not revoked while it may be needed" "$(counter .class.revoke)" 0
daemon_stop
is "the daemon stops cleanly" $? 0
is "and revokes the session that it made" "$(counter .class.revoke)" 1
unlike "no credential is in the log" "$(cat "$work/daemon.log")" "$client_secret|$access_token|$secret_value"

# A session that dies before its time is made anew, once.
rm -f "$work/daemon.log" "$work/etc/access-token"
printf 'nothing' >/dev/null
standin_ask /counters/reset -X POST >/dev/null
sed -i '/^token_file/d' "$config_file"
daemon_start
ok "Universal Auth alone is enough" wait_for 5 source_is infisical-universal-auth
is "and is then no degradation" "$(control /v1/status | jq -r '.tokens[0].degraded')" false
login=$(standin_ask /tokens | jq -r '[.. | strings | select(test("login"))] | last')
standin_ask "/tokens/$login/revoke" -X POST -d '{}' >/dev/null
control /v1/tokens/deploy/refresh -X POST >/dev/null
like "a revoked session does not end in a storm of logins" "$(counter .logins_ok)" '^[12]$'
daemon_stop

# A session that ends soon is made anew ahead of its end, and nobody notices.
standin_ask /identities/broker -X POST -d "{\"universal_auth\":{\"client_id\":\"$client_id\",\"ttl\":15,\"max_ttl\":3600,\"client_secrets\":[{\"secret\":\"$client_secret\"}]}}" >/dev/null
standin_ask /counters/reset -X POST >/dev/null
rm -f "$work/daemon.log"
{ token_deploy; echo 'refresh = 10s'; } | write_config
sed -i '/^token_file/d' "$config_file"
daemon_start
wait_for 5 source_is infisical-universal-auth
twice() { [ "$(counter .logins_ok)" -ge 2 ]; }
ok "a session of 15 s is made anew" wait_for 40 twice
is "ahead of its end: no read failed" "$(records upstream-failed | wc -l)" 0
is "and no read was refused" "$(counter '.status["403"]')" 0
daemon_stop

# An access token that says when it ends is shown and warned of.
rm -f "$work/daemon.log"
identity_settings=
token_deploy | write_config
standin_ask /settings -X POST -d '{"generation":"C"}' >/dev/null
put_credential access-token "$(standin_ask /tokens -X POST -d '{"name":"ending","identity":"broker","ttl":432000,"max_ttl":432000}' | jq -r '.value // .token.value')"
daemon_start
daemon_ready
ok "an access token that ends in five days is warned of" in_log "identity 'default': its access token expires on 20.* within 5 days"
like "status shows when" "$("$brokerctl" --socket "$control_socket" status)" "warning: the access token ends in (4d|5d)"
like "and whose it is" "$("$brokerctl" --socket "$control_socket" status)" "access token of 'broker'"
metrics=$(control /metrics)
like "so do the metrics" "$metrics" '^forge_broker_credential_expiry_timestamp_seconds\{identity="default"\} [0-9]{10}$'
like "and that the token is usable" "$metrics" '^forge_broker_token_usable\{token="deploy"\} 1$'
like "and not degraded" "$metrics" '^forge_broker_token_degraded\{token="deploy"\} 0$'
is "the jobs' socket has no metrics" "$(ask_status /metrics)" 400
daemon_stop
identity_settings=$universal

# A wrong client secret: two logins, whatever the demand and however often the daemon restarts.
standin_ask /counters/reset -X POST >/dev/null
rm -rf "$work/state"
token_deploy | write_config
sed -i '/^token_file/d' "$config_file"
pair wrong-secret-0123456789abcdef
for i in 1 2 3 4 5 6 7 8 9 10; do
        daemon_start
        wait_for 5 source_is no-usable-value
        python3 "$top_srcdir/tests/integration/herd.py" "$jobs_socket" /v1/tokens/deploy 1000 50 >/dev/null
        daemon_stop
done
is "ten restarts with a wrong secret make one login within the first minute" "$(counter .logins_failed)" 1
daemon_start
is "the attempt says when the next one is" "$(ask /v1/tokens/deploy | jq -r '.attempts[0].code')" credential-rejected
like "and how to end the wait" "$(ask /v1/tokens/deploy | jq -r '.attempts[0].remedy')" 'Replace client_id_file'
pair "$client_secret"
ok "a new pair is tried at once" wait_for 3 source_is infisical-universal-auth
daemon_stop
unlike "the state directory holds nothing of the pair" "$(cat "$work"/state/login-*)" "$client_secret|wrong-secret|$client_id"

# The direct value: dated, last, with the reason, and gone from the environment.
identity_settings=
{ token_deploy; echo "direct_env = TEST_DIRECT_PAT"; echo "direct_env_until = $(date -u -d '+30 days' +%F)"; } | write_config
pat=direct-pat-0123456789abcdef
rm -f "$work/daemon.log"
TEST_DIRECT_PAT=$pat
export TEST_DIRECT_PAT
daemon_start
unset TEST_DIRECT_PAT
daemon_ready
is "Infisical goes first although a direct value is there" "$(source_of)" infisical-token-auth
unlike "the variable is gone from the environment" "$(tr '\0' '\n' <"/proc/$daemon_pid/environ")" "$pat"
standin_ask /fault -X POST -d '{"kind":"drop","class":"any"}' >/dev/null
control /v1/tokens/deploy/refresh -X POST >/dev/null
is "a value held from Infisical comes before the direct one" "$(source_of)" infisical-token-auth
standin_ask /fault -X DELETE >/dev/null
daemon_stop

# Infisical gone for long: fresh, stale, and at the end of max_stale the direct value.
rm -f "$work/daemon.log"
{ token_deploy; echo 'refresh = 10s'; echo 'max_stale = 14s'; echo "direct_env = TEST_DIRECT_PAT"
  echo "direct_env_until = $(date -u -d '+30 days' +%F)"; } | write_config
TEST_DIRECT_PAT=$pat
export TEST_DIRECT_PAT
daemon_start
unset TEST_DIRECT_PAT
daemon_ready
standin_ask /fault -X POST -d '{"kind":"drop","class":"any"}' >/dev/null
freshness_is() { [ "$(ask /v1/tokens/deploy | jq -r '.source + " " + .freshness')" = "$1" ]; }
ok "with Infisical gone the value is stale" wait_for 14 freshness_is "infisical-token-auth stale"
ok "and after max_stale the direct one takes its place" wait_for 8 freshness_is "direct-env-fallback fresh"
standin_ask /fault -X DELETE >/dev/null
ok "until Infisical is back" wait_for 62 freshness_is "infisical-token-auth fresh"
is "no request failed in between" "$(records unavailable | wc -l)" 0
daemon_stop
{ token_deploy; echo "direct_env = TEST_DIRECT_PAT"; echo "direct_env_until = $(date -u -d '+30 days' +%F)"; } | write_config
standin_ask /secret -X DELETE -d '{"path":"/forges","name":"deploy-bot@example.org"}' >/dev/null
TEST_DIRECT_PAT=$pat
export TEST_DIRECT_PAT
daemon_start
unset TEST_DIRECT_PAT
ok "a secret that is refused is served by the direct value, as documented" wait_for 5 source_is direct-env-fallback
is "it is the variable's" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$pat"
ok "each issuance says so, with the reason" in_log '^issued token=deploy forgejo_token_source=direct-env-fallback .* code=secret-not-found'
daemon_stop
daemon_start
is "without the variable the attempts say what is missing" \
        "$(wait_for 5 source_is no-usable-value; attempts)" "infisical-token-auth:secret-not-found direct-env-fallback:fallback-disabled"
daemon_stop
sed -i "s/^direct_env_until.*/direct_env_until = $(date -u -d '-1 day' +%F)/" "$config_file"
TEST_DIRECT_PAT=$pat
export TEST_DIRECT_PAT
daemon_start
unset TEST_DIRECT_PAT
wait_for 5 source_is no-usable-value
is "after direct_env_until it is refused" "$(attempts)" "infisical-token-auth:secret-not-found direct-env-fallback:fallback-expired"
ok "that is on record" in_log '^fallback-expired token=deploy'
daemon_stop
unlike "the direct value is in no log" "$(cat "$work/daemon.log")" "$pat"

# Two servers: the first is behind something that answers 403 with a web page.
standin_stop
chain_state >"$work/state.json"
standin_start "$work/state.json"
blocked_url=$standin_url blocked_control=$standin_control
standin_ask /fault -X POST -d '{"kind":"html-403","class":"any"}' >/dev/null
mv "$work/standin.sock" "$work/blocked.sock"
blocked_control=$work/blocked.sock
standin_start "$work/state.json"
identity_settings="url = $standin_url"
good_url=$standin_url
standin_url=$blocked_url
rm -f "$work/daemon.log"
{ token_deploy; echo 'refresh = 10s'; } | write_config
standin_url=$good_url
daemon_start
ok "with the first server blocked the first request succeeds" source_is infisical-token-auth
is "the status says what is wrong with the first" "$(control /v1/status | jq -r '[.servers[] | .code // "ok"] | join(" ")')" "upstream-blocked ok"
blocked_requests() { curl -s --unix-socket "$blocked_control" http://c/counters | jq .requests; }
before=$(blocked_requests)
control /v1/tokens/deploy/refresh -X POST >/dev/null
is "the next fetch does not pay for it" "$(blocked_requests)" "$before"
daemon_stop

# Request headers for an access proxy.
standin_ask /settings -X POST -d '{"access_proxy":{"header":"CF-Access-Client-Secret","value":"proxy-canary-1"}}' >/dev/null
identity_settings="header_file = $work/etc/headers"
token_deploy | write_config
(umask 077; printf '# for the access proxy\nCF-Access-Client-Id: abc\nCF-Access-Client-Secret: proxy-canary-1\n' >"$work/etc/headers")
rm -f "$work/daemon.log"
daemon_start
ok "an access proxy is passed with header_file" wait_for 5 source_is infisical-token-auth
unlike "its secret is in no log" "$(cat "$work/daemon.log"; control /v1/status)" proxy-canary
daemon_stop
identity_settings="header_file = $work/etc/headers
$universal"
token_deploy | write_config
pair "$client_secret"
rm "$work/etc/access-token"
daemon_start
ok "the headers are there for Universal Auth when the access token is not" wait_for 5 source_is infisical-universal-auth
daemon_stop
done_testing
