#!/bin/sh
# Proofs of github.com's jobs, under its own names and with TLS: three hosts have a part in it, each must be who it is, and no other is
# shown anything.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/names.sh"
need jq jq

own_names github.com api.github.com token.actions.githubusercontent.com run-1.actions.githubusercontent.com evil.example \
        actions.githubusercontent.com.evil.example
standin_state >"$work/state.json"
standin_start "$work/state.json"
job='"job":{"repository":"platform/app"}'
cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": { "id": 7 } }, "repositories": { "platform/app": { "private": true } },
  "oidc": { "requests": { "request-of-a-job": { $job } } },
  "tokens": { "$secret_value": { "user": "deploy-bot" },
              "ghs_0123456789": { "kind": "installation", "repositories": ["platform/app"] } } }
EOT
named_forge github "$work/forge.json" github.com
settings=$forge_settings

# configure SETTING... - of the forge; the daemon anew
configure() {
        forge_settings=$(printf '%s\n' "$@")
        {
                token_deploy
                printf 'proof = required\njob_repositories = platform/*\n'
        } | write_config
        daemon_start
        daemon_ready || bail "not ready"
        forge_ask /requests -X DELETE >/dev/null
}
show() { # PROOF [CURL OPTION...]
        printf 'Authorization: Bearer %s\n' "$1" >"$work/proof"
        shift
        ask /v1/tokens/deploy -H "@$work/proof" "$@" >"$work/answer"
        jq -r '.code // .source' "$work/answer"
}
# hosts PATTERN - which hosts were asked for such a path
hosts() {
        forge_ask /requests | jq -r --arg path "$1" '[.[] | select(.path | test($path)) | .host] | unique | join(" ")'
}
request() {
        show request-of-a-job -H "Forge-Broker-Id-Token-Url: $1"
}
path='/api/actions/_apis/pipelines/workflows/42/idtoken?api-version=2.0'
token=$(forge_ask /id-token -d "{$job}" | jq -r .value)

configure "$settings" 'oidc_audience = forge-broker'
is "an ID token" "$(show "$token")" infisical-token-auth
is "its issuer was asked" "$(hosts well-known)" token.actions.githubusercontent.com
is "a request token" "$(request "https://run-1.actions.githubusercontent.com$path")" infisical-token-auth
is "the runner's service was asked" "$(hosts idtoken)" run-1.actions.githubusercontent.com
is "the forge itself may be" "$(request "https://github.com$path&again=1")" infisical-token-auth
forge_ask /requests -X DELETE >/dev/null
for address in "https://evil.example$path" "https://actions.githubusercontent.com.evil.example$path" \
        "http://run-1.actions.githubusercontent.com$path" "https://run-1.actions.githubusercontent.com:8443$path" \
        "https://evil.example/run-1.actions.githubusercontent.com$path" \
        "https://run-1.actions.githubusercontent.com@evil.example$path"; do
        is "not there: $address" "$(request "$address")" proof-rejected
done
is "nobody was shown it" "$(hosts idtoken)" ''
is "an automatic token does not tell whether it is a fork's" "$(show ghs_0123456789)" proof-insufficient
is "which api.github.com was asked" "$(hosts installation)" api.github.com
daemon_stop
is "a clean stop" $? 0

# Somebody who is not who he says.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=stranger -keyout "$work/other.key" \
        -out "$work/other.pem" 2>/dev/null
configure "ca_file = $work/other.pem" 'oidc_audience = forge-broker'
is "keys of an issuer that nobody vouches for" "$(show "$token")" proof-insufficient
like "and why" "$(jq -r .detail "$work/answer")" '^(forge .*: )?upstream-tls: '
is "a request to a service that nobody vouches for" "$(request "https://run-1.actions.githubusercontent.com$path")" proof-insufficient
is "an automatic token" "$(show ghs_0123456789)" proof-insufficient
is "none of them saw anything" "$(forge_ask /requests | jq length)" 0
daemon_stop
is "a clean stop at the end" $? 0
unlike "no proof is in the log" "$(cat "$work/daemon.log")" 'ghs_|request-of|eyJ'
done_testing
