#!/bin/sh
# The gate and the step outputs of real jobs' environments, over the real broker; a canary goes through all of it.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
secret_value=fb-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
access_token=at-canary-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')

standin_state >"$work/state.json"
standin_start "$work/state.json"
forge_settings='registry = registry.example.org'
{ token_deploy; echo 'for = platform/*'; } | write_config
daemon_start
ok "every token is usable" daemon_ready

unset FORGEJO_ACTIONS GITEA_ACTIONS GITHUB_ACTIONS GITLAB_CI
FORGE_BROKER_SOCKET=$jobs_socket HOME=$work/user
export FORGE_BROKER_SOCKET HOME
mkdir "$work/user" "$work/seen"
repository='{"id":1,"full_name":"example/site"}'
printf '{"action":"opened","pull_request":{"flow":0,"head":{"repo":{"id":2,"full_name":"mallory/site"}},"base":{"repo":%s}}}' \
        "$repository" >"$work/fork.json"

# job EVENT CMD... - a step of a Forgejo job; its log in $work/seen/log, its outputs in $work/outputs
job() {
        job_event=$1
        shift
        : >"$work/outputs"
        env FORGEJO_ACTIONS=true GITHUB_ACTIONS=true FORGEJO_EVENT_NAME="$job_event" GITHUB_EVENT_NAME="$job_event" \
                FORGEJO_EVENT_PATH="$work/fork.json" GITHUB_OUTPUT="$work/outputs" FORGEJO_OUTPUT="$work/outputs" \
                "$broker" "$@" >>"$work/seen/log" 2>&1
}
last() { tail -n "${1:-5}" "$work/seen/log"; }

seq_before=$(control /v1/status | jq .broker.records)
ok "the gate is open" job push require deploy
is "the output says so" "$(cat "$work/outputs")" available=true
is "and no value was issued for it" "$(control /v1/status | jq .broker.records)" "$seq_before"
ok "a fork may go on" job pull_request require deploy
like "told that a rule of the broker's would have to keep the token from it" "$(last)" "the broker's own rules"
ok "wait is silent about the value" job push wait deploy
ok "list shows what it is for" job push list
like "with the forge and the target" "$(last)" '^deploy +home +forgejo +https://git.example.org +platform/\* +fresh'
ok "setup docker needs no value" job push setup docker
is "nothing of all this was an issuance" "$(control /v1/status | jq .broker.records)" "$seq_before"

not_ok "an unknown token shuts it" job push require nope
like "with the known names" "$(last)" 'known tokens: deploy'
not_ok "one of two as well" job push require deploy nope
is "which the output says" "$(cat "$work/outputs")" available=false
standin_ask /secret -X DELETE -d '{"path":"/forges","name":"deploy-bot@example.org"}' >/dev/null
control /v1/tokens/deploy/refresh -X POST >/dev/null
not_ok "a secret that is gone shuts it" job push require deploy
like "with the source's own diagnosis as an annotation" "$(last)" \
        "^::error title=forge-broker require::token 'deploy' is not available: secret-not-found: .*only who may write sets off 'push'\. Remedy: "
ok "and lets a fork go on" job pull_request require deploy
like "with a warning that names the fork" "$(last)" '^::warning .*from the fork mallory/site of example/site'
is "and an output" "$(cat "$work/outputs")" available=false
standin_ask /secret -X PUT -d "{\"project\":\"platform\",\"environment\":\"prod\",\"path\":\"/forges\",\"name\":\"deploy-bot@example.org\",\"value\":\"$secret_value\"}" >/dev/null
daemon_stop
not_ok "so does a broker that is not running" job push require deploy
like "which is named" "$(last)" 'the broker'
daemon_start
ok "one that was just started is waited for" job push require deploy
unlike "nothing so far has shown a value" "$(cat "$work/seen/log")" 'canary'

# The one place where a value goes into a file.
seq_before=$(control /v1/status | jq .broker.records)
ok "get --output sets a step's output" job push get deploy --output token
is "which is the value" "$(cat "$work/outputs")" "token=$secret_value"
is "and one issuance" "$(($(control /v1/status | jq .broker.records) - seq_before))" 1
is "the log has it in mask commands alone" "$(grep -F "$secret_value" "$work/seen/log" | grep -vc '^::add-mask::')" 0
like "masked before it is written" "$(last 4)" "^::add-mask::$secret_value\$"
like "with the evidence" "$(last 4)" '^forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=fresh'
daemon_stop
is "it stops cleanly" $? 0

rm -f "$work/state.json" "$work/outputs"
sed -i '/^::add-mask::/d' "$work/seen/log"
is "the canary is in no other file or log" "$(grep -rlF -e "$secret_value" "$work" | sort)" ""
done_testing
