#!/bin/sh
# What operators were bitten by, each from end to end: the real daemon, a forge, real git and the client of a job.  First
# what happened then, in the forge's words; then what is said now, and when.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need git git
need jq jq
need python3 python3
[ -x "$(git --exec-path)/git-http-backend" ] || skip_all "git http-backend is missing (Debian: git)"

clone_token=fb-clone-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
export HOME="$work/user" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_CONFIG_GLOBAL GIT_ASKPASS SSH_ASKPASS GIT_DIR GIT_WORK_TREE
unset FORGE_BROKER_TOKEN FORGE_BROKER_PROOF GITHUB_TOKEN FORGEJO_TOKEN GITEA_TOKEN
mkdir -p "$HOME"
git config --global init.defaultBranch main
git config --global advice.detachedHead false
export FORGE_BROKER_SOCKET="$jobs_socket"
standin_state >"$work/state.json"
standin_start "$work/state.json"

# begin TYPE STATE [SECTION] - a forge with that state and platform/app, a broker with the token deploy, and a clone
begin() {
        rm -rf "$work/git" "$work/clone" "$work/run/broker.sock"
        printf '%s\n' "$2" >"$work/forge.json"
        git init --quiet --bare "$work/git/platform/app.git"
        forge_start "$1" "$work/forge.json" --git-root "$work/git"
        : >"$work/daemon.log"
        { token_deploy; printf '%s\n' "${3-}"; } | write_config
        daemon_start
        daemon_ready || bail "not ready: $(tail -n 5 "$work/daemon.log")"
        git init --quiet "$work/clone"
        git -C "$work/clone" commit --quiet --allow-empty --message first
        git -C "$work/clone" push --quiet "$work/git/platform/app.git" main
        git -C "$work/clone" remote add origin "$forge_url/platform/app.git"
        git -C "$work/clone" commit --quiet --allow-empty --message second
        git -C "$work/clone" tag v1
}
finish() {
        unlike "$1: no token is in a log, an answer or a message" "$(cat "$work/daemon.log" "$work/forge.log" "$work/seen")" \
                "$secret_value|$access_token|$clone_token|$(printf 'x-access-token:%s' "$clone_token" | base64 -w 0)"
        daemon_stop
        forge_stop
}
# job REF WORD... - the client as a step of a job of platform/app for that ref; $status, $output, $said, $work/summary
job() {
        case $forge_type in
        forgejo) job_of=FORGEJO_ACTIONS ;;
        gitea) job_of=GITEA_ACTIONS ;;
        github) job_of=GITHUB_ACTIONS ;;
        esac
        job_ref=$1
        shift
        : >"$work/summary"
        output=$(cd "$work/clone" && env $job_of=true GITHUB_ACTIONS=true GITHUB_REPOSITORY=platform/app GITHUB_REF="$job_ref" \
                GITHUB_EVENT_NAME=push GITHUB_STEP_SUMMARY="$work/summary" "$broker" "$@" 2>"$work/said")
        status=$?
        said=$(cat "$work/said")
        printf '%s\n%s\n' "$output" "$said" >>"$work/seen"
        cat "$work/summary" >>"$work/seen"
}
# push WORD... - plain git
push() {
        said=$(git -C "$work/clone" push "$@" 2>&1)
        status=$?
}
# on_forge REF - what the forge has there
on_forge() {
        git -C "$work/git/platform/app.git" rev-parse --quiet --verify "$1"
}
# publish TAG - the last step of a release, with the token of the environment: the HTTP status
# shellcheck disable=SC2016 # for the shell that has the token
publish() {
        job refs/tags/v1 -q exec deploy -- sh -c 'printf "header = \"Authorization: token %s\"\n" "$FORGE_TOKEN" |
                curl --silent --config - --output /dev/null --write-out "%{http_code}" --json "{\"tag_name\":\"$2\"}" "$1"' sh \
                "${forge_api:-$forge_url/api/v1}/repos/platform/app/releases" "$1"
}
token() { # VALUE JSON - what the forge knows of a token from now on
        forge_ask /tokens -X PUT -d "{\"$1\":$2}" >/dev/null
}

# A token clamped to read before a release: half an hour of build, then 403 in the first second of publishing.
begin forgejo "$(jq -n --arg value "$secret_value" '{"users": {"deploy-bot": {}}, "organizations": {"platform": {}},
        "tokens": {($value): {"user": "deploy-bot", "scopes": ["read:repository", "read:user"]}},
        "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "write"}}}}')"
publish v1
is "clamped: then, the last step of the job failed" "$output" 403
job refs/tags/v1 preflight deploy --need contents:read,release:write
is "clamped: now its first one does" "$status" 1
like "clamped: by the need that is not met" "$output" '^no           release:write   forge-scope-missing: .*write:repository'
like "clamped: what is met is told apart" "$output" '^yes          contents:read '
like "clamped: with what to change" "$output" '^             remedy: .*write:repository'
like "clamped: as whom it came" "$output" '^yes          identity        deploy-bot, .*scopes read:repository read:user'
like "clamped: as an error of the job" "$said" "^::error title=forge-broker preflight::release:write with token 'deploy' in platform/app: no: forge-scope-missing"
like "clamped: in the step's summary" "$(cat "$work/summary")" '^\| release:write \| no \| forge-scope-missing'
is "clamped: and nothing was made by asking" "$(forge_ask /left | jq -c .repositories)" "{}"
token "$secret_value" '{"user": "deploy-bot", "scopes": ["write:repository", "read:user"]}'
job refs/tags/v1 preflight deploy --need release:write
is "clamped: with the scope it passes" "$status" 0 || note "$output"
unlike "clamped: and says nothing of errors" "$said" '^::'
publish v1
is "clamped: and so does the release" "$output" 201
finish clamped

# A push refused because of the clone token's identity: git came as the runner's read-only account, which checkout had left
# in a header, and the fault was looked for in the account that was meant.
begin forgejo "$(jq -n --arg value "$secret_value" --arg clone "$clone_token" '{"users": {"deploy-bot": {}, "runner": {}},
        "organizations": {"platform": {}},
        "tokens": {($value): {"user": "deploy-bot", "scopes": ["write:repository", "read:user"]},
                   ($clone): {"user": "runner", "scopes": ["write:repository", "read:user"]}},
        "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "write", "runner": "read"}}}}')"
header=$(printf 'x-access-token:%s' "$clone_token" | base64 -w 0)
git -C "$work/clone" config "http.$forge_url/.extraheader" "AUTHORIZATION: basic $header"
push origin v1
is "hijacked: then, the push was refused" "$status" 1
like "hijacked: without a word on who pushed" "$said" 'Forgejo: User permission denied for writing\.'
job refs/tags/v1 git-check
is "hijacked: now git-check tells" "$status" 1
like "hijacked: who it is, and where that comes from" "$output" \
        "an Authorization header \(http.extraheader\): user 'x-access-token', from $work/clone/.git/config:[0-9]+; the broker's token for it is 'deploy'"
like "hijacked: under a name" "$said" 'forge-identity-hijacked'
export CLONE_TOKEN="$clone_token"
job refs/tags/v1 whoami deploy --token-env CLONE_TOKEN
like "hijacked: whoami names the account behind such a token" "$status $output" '^0 user     runner'
job refs/tags/v1 preflight deploy --token-env CLONE_TOKEN --need contents:read,contents:write --ref main
is "hijacked: preflight says that it may not push" "$status" 1
like "hijacked: but read" "$output" '^yes          contents:read '
like "hijacked: and whom to give the right" "$output" '^no           contents:write  forge-permission-missing: .*runner'
unset CLONE_TOKEN
forge_ask /requests -X DELETE >/dev/null
job refs/tags/v1 git -- push origin v1
is "hijacked: forge-broker git pushes as the account that is meant" "$status $(on_forge refs/tags/v1)" "0 $(git -C "$work/clone" rev-parse v1)" ||
        note "$said"
like "hijacked: and says where its token is from" "$said" '^forge-broker: deploy forgejo_token_source=infisical-token-auth'
is "hijacked: the checkout's header went nowhere" "$(forge_ask /requests | grep -c "$header")" 0
token "$secret_value" '{"user": "runner", "scopes": ["write:repository", "read:user"]}'
git -C "$work/clone" tag v2
job refs/tags/v2 git -- push origin v2
is "hijacked: where the account itself may not, the push ends as git ended" "$status $(on_forge refs/tags/v2)" "1 "
like "hijacked: who authenticated is said below" "$said" \
        "^forge-broker: git push failed; at $forge_url/platform/app.git it authenticated with the broker's token 'deploy', which is runner"
like "hijacked: and what that account may not do there" "$said" '^forge-broker:   no           contents:write  forge-permission-missing: .*runner'
like "hijacked: with the remedy" "$said" '^forge-broker:   remedy: .*runner'
finish hijacked

# The first step of a push succeeds for readers at this forge, and proves nothing.
begin forgejo "$(jq -n --arg value "$secret_value" '{"users": {"deploy-bot": {}}, "organizations": {"platform": {}},
        "tokens": {($value): {"user": "deploy-bot", "scopes": ["write:repository", "read:user"]}},
        "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "read"}}}}')"
job refs/heads/main preflight deploy --need contents:write
is "a reader: the advertisement of a push is there" \
        "$(forge_ask /requests | jq -c '[.[] | select(.path | endswith("service=git-receive-pack")) | .status]')" "[200]"
is "a reader: and contents:write is refused all the same" "$status" 1
like "a reader: by who may write" "$output" '^no           contents:write  forge-permission-missing: .*deploy-bot'
finish "a reader"

# The same clamp where the release's own token is the job's automatic one, which the broker does not issue.
begin github "$(jq -n --arg value "$secret_value" --arg own "$clone_token" '{"users": {"owner": {}}, "organizations": {"platform": {}},
        "tokens": {($value): {"user": "owner"},
                   ($own): {"kind": "installation", "repositories": ["platform/app"], "permissions": {"contents": "read"}}},
        "repositories": {"platform/app": {"private": true, "access": {"owner": "admin"}, "branches": ["main"]}}}')" \
        'write_probe = yes'
export GITHUB_TOKEN="$clone_token"
job refs/tags/v1 preflight deploy --token-env GITHUB_TOKEN --need contents:read,release:write
is "automatic token: its clamp is told in the first step" "$status" 1
like "automatic token: by the need that is not met" "$output" '^no           release:write   forge-scope-missing: '
like "automatic token: with the setting that nobody in the job can see" "$output" 'remedy: .*Workflow permissions'
like "automatic token: as an error of the job" "$said" '^::error title=forge-broker preflight::release:write '
unlike "automatic token: and as none of the broker's" "$said" 'github_token_source='
token "$clone_token" '{"kind": "installation", "repositories": ["platform/app"], "permissions": {"contents": "write"}}'
job refs/tags/v1 preflight deploy --token-env GITHUB_TOKEN --need release:write
is "automatic token: that it may is not proven without writing" "$status" 7
like "automatic token: and is no yes" "$output" '^cannot tell  release:write '
like "automatic token: what would prove it is named" "$output" '^             remedy: .*--write-probe'
like "automatic token: and it is a warning of the job" "$said" '^::warning title=forge-broker preflight::release:write '
job refs/tags/v1 preflight deploy --token-env GITHUB_TOKEN --need release:write --write-probe
is "automatic token: with a write probe it is" "$status" 0 || note "$output"
is "automatic token: which made a draft, and took it away again" \
        "$(forge_ask /requests | jq -c '[.[] | select(.path | test("/releases(/[0-9]+)?$")) | [.method, .status]] | map(select(.[1] == 201 or .[1] == 204))') $(forge_ask /left | jq -c '[.repositories[].releases[]?]')" \
        '[["POST",201],["DELETE",204]] []'
unset GITHUB_TOKEN
finish "automatic token"

# A rule that the App's token does not pass and the owner's PAT does.
begin github "$(jq -n --arg app "$secret_value" --arg pat "$secret_value-2" '{"users": {"owner": {}}, "organizations": {"platform": {}},
        "tokens": {($app): {"kind": "installation", "app": "release-app[bot]", "repositories": ["platform/app"],
                            "permissions": {"contents": "write"}},
                   ($pat): {"user": "owner", "scopes": ["repo"]}},
        "repositories": {"platform/app": {"private": true, "access": {"owner": "admin"}, "branches": ["main", "release"],
                "rulesets": [{"id": 5, "branches": ["release"], "rules": ["pull_request"], "bypass": {"owner": "always"}}]}}}')" \
        '[token owner]
forge = home
secret_path = /forges
secret_name = second
username = owner'
job refs/heads/main git deploy -- push origin HEAD:release
is "ruleset: then, the App's push was refused" "$status $(on_forge refs/heads/release)" "1 "
like "ruleset: in the forge's words" "$said" 'remote: error: GH013: Repository rule violations found for refs/heads/release'
like "ruleset: now who authenticated is said below" "$said" \
        "^forge-broker: git push failed; at $forge_url/platform/app.git it authenticated with the broker's token 'deploy'"
like "ruleset: and which rule it does not pass" "$said" '^forge-broker:   no           contents:write  forge-branch-protected: .*ruleset 5 .*refs/heads/release'
like "ruleset: and what would let it" "$said" '^forge-broker:   remedy: .*bypass list'
job refs/heads/main preflight deploy --need contents:write --ref release
is "ruleset: preflight says so before" "$status" 1
like "ruleset: of that ref" "$output" '^no           contents:write  forge-branch-protected: .*refs/heads/release'
job refs/heads/main preflight deploy --need contents:write
is "ruleset: and not of another" "$status" 0 || note "$output"
job refs/heads/main preflight owner --need contents:write --ref release
is "ruleset: the owner's token passes it" "$status" 0 || note "$output"
job refs/heads/main git owner -- push origin HEAD:release
is "ruleset: and so does its push" "$status $(on_forge refs/heads/release)" "0 $(git -C "$work/clone" rev-parse HEAD)"
like "ruleset: by its bypass" "$said" 'remote: Bypassed rule violations for refs/heads/release'
finish ruleset
done_testing
