#!/bin/sh
# Canaries as proofs: a job's automatic token, a request token and ID tokens go through every path, good and bad; afterwards they are
# in no log, no file, and in no memory at all.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
sanitized && skip_all "the sanitizers' shadow of the memory is too large to scan"

canary() {
        printf 'canary-%s-%s' "$1" "$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"
}
automatic=$(canary automatic)
request=$(canary request)
bad=$(canary bad)
job='"job":{"repository":"platform/app"}'

standin_state >"$work/state.json"
standin_start "$work/state.json"
cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": { "id": 7 } }, "repositories": { "platform/app": { "private": true } },
  "oidc": { "requests": { "$request": { $job } } },
  "tokens": { "$secret_value": { "user": "deploy-bot" }, "$automatic": { "kind": "job", $job } } }
EOT
forge_start forgejo "$work/forge.json"
forge_settings='oidc_audience = forge-broker'
{
        token_deploy
        printf 'proof = required\njob_repositories = platform/*\njob_events =\n'
} | write_config
daemon_start
daemon_ready
url="$forge_url/api/actions/_apis/pipelines/workflows/42/idtoken?placeholder=true"

show() { # PROOF [CURL OPTION...]
        printf 'Authorization: Bearer %s\n' "$1" >"$work/proof"
        shift
        ask /v1/tokens/deploy -H "@$work/proof" "$@" | jq -r '.code // .source'
        rm -f "$work/proof"
}
mint() {
        forge_ask /id-token -d "$1" | jq -r .value
}
# What of a proof could be anywhere: all of it, and of an ID token its signature, in both forms.
pieces() {
        printf '%s\n' "$@"
        for piece in "$@"; do
                case $piece in
                *.*.*) printf '%s\n' "$piece" | sed 's/.*\.//' ;;
                esac
        done
}
is_clean() {
        pieces "$@" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1 &&
                ! grep -Eqv '^open=0 locked=0( |$)' "$work/scan"
}
# What libcurl and libmicrohttpd hold while a request is under way is gone once it is answered.
scan() { # what, PROOF...
        scan_what=$1
        shift
        wait_for 15 is_clean "$@"
        unlike "$scan_what: in no memory" "$(cat "$work/scan")" '^open=[1-9]|locked=[1-9]|Error'
}
printf 'platform/app\n' | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan"
is "an automatic token is taken" "$(show "$automatic")" infisical-token-auth
printf 'platform/app\n' | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan"
like "the scan does find what the forge said of the job" "$(cat "$work/scan")" '^open=[1-9]'
scan "an automatic token" "$automatic"

is "a bad one is not" "$(show "$bad")" proof-rejected
scan "a bad one" "$bad"

good=$(mint "{$job}")
expired=$(mint "{$job,\"shift\":{\"exp\":-300}}")
is "an ID token is taken" "$(show "$good")" infisical-token-auth
is "an expired one is not" "$(show "$expired")" proof-rejected
is "nor is one that is cut short" "$(show "${good%????}")" proof-rejected
scan "ID tokens" "$good" "$expired"

is "a request token is taken" "$(show "$request" -H "Forge-Broker-Id-Token-Url: $url")" infisical-token-auth
scan "a request token" "$request"
is "but not elsewhere" "$(show "$request" -H "Forge-Broker-Id-Token-Url: https://evil.example/")" proof-rejected
scan "a request token that was refused" "$request"

# Answers that break off, and a forge that never answers: the client's patience ends first.
for kind in truncated html close slow; do
        control /v1/reload -X POST >/dev/null
        forge_ask /fault -X PUT -d "{\"kind\":\"$kind\"}" >/dev/null
        like "$kind: nobody can tell" "$(show "$automatic")" '^proof-insufficient$'
        like "$kind: nor by the ID token" "$(show "$request" -H "Forge-Broker-Id-Token-Url: $url")" '^proof-insufficient$'
        scan "$kind" "$automatic" "$request"
done
forge_ask /fault -X PUT -d '{"delay":3}' >/dev/null
control /v1/reload -X POST >/dev/null
printf 'Authorization: Bearer %s\n' "$automatic" >"$work/proof"
curl --silent --max-time 0.5 --unix-socket "$jobs_socket" -H "@$work/proof" http://localhost/v1/tokens/deploy
is "a client that does not wait" $? 28
rm -f "$work/proof"
scan "of a client that left" "$automatic"
forge_ask /fault -X PUT -d '{}' >/dev/null

# Requests that are refused before anybody looks at the proof.
for path in /v1/tokens/nope /v1/nothing /healthz; do
        printf 'Authorization: Bearer %s\n' "$bad" >"$work/proof"
        ask "$path" -H "@$work/proof" >/dev/null
        ask "$path" -X DELETE -H "@$work/proof" >/dev/null
        ask "$path" -H "@$work/proof" -H "@$work/proof" >/dev/null
        ask "$path" -H "@$work/proof" -H "X: $(head -c 9000 /dev/zero | tr '\0' x)" >/dev/null
        rm -f "$work/proof"
done
scan "with requests that are none" "$bad"

canaries="$automatic|$request|$bad|${good##*.}|${expired##*.}"
unlike "no proof is in the log" "$(cat "$work/daemon.log")" "$canaries"
unlike "nor in the state directory" "$(grep -ral -E "$canaries" "$work/state" || true)" .
unlike "nor in the forge's addresses" "$(forge_ask /requests/summary)" "$canaries|\"token_in_url\": true"
daemon_stop
is "it stops cleanly" $? 0
done_testing
