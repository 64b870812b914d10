#!/bin/sh
# The client shows the job's proof by itself, in every command that uses a token; and the proof is in nobody's arguments, in no
# message, no file and no log, whatever the client starts.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
need strace strace
sanitized && skip_all "a process that is traced cannot be checked for leaks at its end"
strace -o /dev/null true 2>/dev/null || skip_all "processes cannot be traced here"

export HOME="$work/user" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
unset FORGE_BROKER_TOKEN FORGE_BROKER_PROOF GIT_CONFIG_COUNT GITHUB_OUTPUT FORGEJO_OUTPUT DOCKER_CONFIG
mkdir -p "$HOME" "$work/runner"
proof=canary-of-a-job-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
request=canary-of-a-request-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n%s\n' "$proof" "$request" >"$work/runner/proofs"

standin_state >"$work/state.json"
standin_start "$work/state.json"
jq -n --arg value "$secret_value" --arg proof "$proof" --arg request "$request" '{"job": {"repository": "platform/app"}} as $job |
        {"users": {"deploy-bot": {}}, "organizations": {"platform": {}},
         "tokens": {($value): {"user": "deploy-bot"}, ($proof): ({"kind": "job"} + $job)}, "oidc": {"requests": {($request): $job}},
         "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "write"}}}}' >"$work/runner/forge.json"
forge_start forgejo "$work/runner/forge.json"
host=${forge_url#http://}
forge_settings="oidc_audience = forge-broker
registry = $host"
{
        token_deploy
        printf 'proof = required\njob_repositories = platform/*\nfor = platform/*\n'
} | write_config
daemon_start
daemon_ready || bail "not ready"
export FORGE_BROKER_SOCKET="$jobs_socket" FORGEJO_ACTIONS=true FORGEJO_REPOSITORY=platform/app FORGEJO_EVENT_NAME=push

found() { cat "$@" 2>/dev/null | grep -aF -f "$work/runner/proofs"; }
# Its own environment has the proof, and so has that of what it runs: of what was started only the arguments are looked at.
arguments() { sed -n 's/.*execve("[^"]*", \(\[.*\]\), \[.*/\1/p' "$1"; }

# watched PROOF DESCRIPTION STATUS INPUT WORD... - runs it with that proof in its environment; then looks at all that it left
watched() {
        shown=$1 description="$2, $1" wanted=$3 input=$4
        shift 4
        (
                case $shown in
                given) export FORGE_BROKER_PROOF="$proof" ;;
                automatic) export FORGEJO_TOKEN="$proof" ;;
                requested)
                        export ACTIONS_ID_TOKEN_REQUEST_TOKEN="$request"
                        export ACTIONS_ID_TOKEN_REQUEST_URL="$forge_url/api/actions/_apis/pipelines/workflows/42/idtoken?placeholder=true"
                        ;;
                esac
                printf '%b' "$input" | strace -f -v -s 65536 -e trace=execve,execveat -o "$work/runner/trace" "$@"
        ) >"$work/out" 2>"$work/err"
        is "$description ends as it should" "$?" "$wanted" || note "$(cat "$work/err")"
        # Its own environment has the proof, and so has that of what it runs: that is the job's.
        sed -n 's/^[^(]*("[^"]*", \(\[[^]]*\]\).*/\1/p' "$work/runner/trace" >"$work/runner/arguments"
        ok "$description was watched" test -s "$work/runner/arguments"
        is "$description: the proof is in nobody's arguments" "$(found "$work/runner/arguments")" ""
        is "$description: nor in what it says" "$(found "$work/out" "$work/err")" ""
        is "$description: nor in a file" "$(cd "$work" && find . -type f -not -path './runner/*' -exec grep -laF -f runner/proofs {} + 2>/dev/null)" ""
}
issues() { ok "$description: with the value" grep -qF "$secret_value" "$work/out"; }

for kind in given automatic requested; do
        watched $kind get 0 '' "$broker" get deploy
        issues
        watched $kind exec 0 '' "$broker" exec deploy -- sh -c 'echo "$FORGE_TOKEN"'
        issues
        watched $kind git-credential 0 "protocol=http\nhost=$host\npath=platform/app.git\n" "$broker" git-credential get
        issues
        watched $kind docker-credential 0 "$host" "$broker" docker-credential get
        issues
        watched $kind require 0 '' "$broker" require deploy
        watched $kind wait 0 '' "$broker" wait deploy
        watched $kind rejected 0 '' "$broker" rejected deploy
        like "$kind: rejected: the forge was asked" "$(cat "$work/out")" '^still-valid$'
        watched $kind preflight 0 '' "$broker" preflight deploy --repo platform/app --need contents:read
        watched $kind whoami 0 '' "$broker" whoami deploy
        watched $kind list 0 '' "$broker" list
done
is "each issuance is on record as proven" "$(records issued | grep -c 'verified=\(run-api\|oidc\)')" "$(records issued | wc -l)"

watched nothing get 4 '' "$broker" get deploy
like "without proof: it says what to add to the workflow" "$(cat "$work/err")" 'proof-required: .*|enable-openid-connect: true'
watched nothing "require of a push" 1 '' "$broker" require deploy
like "without proof: the gate stays shut" "$(cat "$work/err")" "::error .*token 'deploy' is not available: proof-required"
jq -n '{"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}, "base": {"repo": {"full_name": "platform/app"}}}}' >"$work/runner/fork.json"
: >"$work/runner/output"
export FORGEJO_EVENT_NAME=pull_request FORGEJO_EVENT_PATH="$work/runner/fork.json" FORGEJO_OUTPUT="$work/runner/output"
watched nothing "require of a fork's pull request" 0 '' "$broker" require deploy
is "a fork's job without proof is told so, and goes on" "$(cat "$work/runner/output") $(grep -c '^::warning ' "$work/err")" "available=false 1"
daemon_stop
is "a clean stop" $? 0
done_testing
