#!/bin/sh
# Which job gets which token: the kernel's unit and the forge's word decide, on every route; what a job says of itself decides
# nothing; and each decision is on record with its rule.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
need python3 python3
with_units=yes
units_possible || with_units=

runner=runner-$$.scope
other=other-$$.scope
docker=docker-$(printf '%064d' $$).scope

standin_state >"$work/state.json"
standin_start "$work/state.json"
cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": { "id": 7 } },
  "repositories": { "platform/app": { "private": true, "access": { "deploy-bot": "write" } }, "other/app": {} },
  "tokens": { "$secret_value": { "user": "deploy-bot" },
              "job-on-main": { "kind": "job", "job": { "repository": "platform/app", "run": 77, "actor": "alice" } },
              "job-of-a-fork": { "kind": "job", "job": { "repository": "platform/app", "event": "pull_request", "fork": true } },
              "job-of-agit": { "kind": "job", "job": { "repository": "platform/app", "event": "pull_request", "event_payload":
                { "pull_request": { "flow": 1, "head": { "repo": { "full_name": "platform/app" } },
                                    "base": { "repo": { "full_name": "platform/app" } } } } } } } }
EOT
forge_start forgejo "$work/forge.json"
forge_settings='oidc_audience = forge-broker'
same_secret='forge = home
secret_path = /forges
secret_name = deploy-bot@example.org
username = deploy-bot'
rules() { # UNIT that gets "runner"
        write_config <<EOT
[token open]
$same_secret
[token runner]
$same_secret
for = platform/*
units = $1, docker-*.scope
[token proven]
$same_secret
for = proven/*
proof = required
job_repositories = platform/*
job_refs = refs/heads/main, refs/tags/v*
[token both]
$same_secret
for = both/*
units = $1
proof = required
job_repositories = platform/*
EOT
}
rules "$runner"
daemon_start
daemon_ready || bail "not ready: $(tail "$work/daemon.log")"

mint() { forge_ask /id-token -d "$1" | jq -r .value; }
# show PROOF - for curl: in no argument, and not in the test's own
show() { printf 'Authorization: Bearer %s\n' "$1" >"$work/proof"; }
asks() { # UNIT PATH [CURL OPTION...]
        asks_unit=$1 asks_path=$2
        shift 2
        set -- curl --silent --max-time 30 --dump-header "$work/head" --unix-socket "$jobs_socket" "$@" "http://localhost$asks_path"
        [ -z "$with_units" ] || set -- in_unit "$asks_unit" "$@"
        "$@" >"$work/answer"
}
code() { jq -r '.code // .source // "none"' "$work/answer"; }
last() { records "$1" | tail -n 1; }
count() { records "$1" | wc -l; }
metric() { control /metrics | sed -n "s/^forge_broker_refusals_total{token=\"$1\",code=\"$2\"} //p"; }

# units.
units_decide() {
        asks "$runner" /v1/tokens/runner
        is "a process of the unit gets the token" "$(code)" infisical-token-auth
        like "... by the rule that the record names" "$(last issued)" "token=runner .* peer_unit=$runner( unit_pinned=no)? rule=\"units $runner\" verified=no"
        asks "$docker" /v1/tokens/runner
        is "a container of this host gets it by the pattern" "$(code)" infisical-token-auth
        like "... which the record names" "$(last issued)" "peer_container=docker:0+[0-9]* rule=\"units docker-\*.scope\" verified=no"
        asks "$other" /v1/tokens/runner
        is "one of another unit does not" "$(code)" peer-refused
        like "... and is told the rule" "$(jq -r .detail "$work/answer")" "not for unit '$other': units $runner, docker-"
        like "... which is on record" "$(last refused)" "token=runner code=peer-refused .* peer_unit=$other( unit_pinned=no)? rule=\"units $runner, docker-"
        asks "$other" /v1/tokens/open
        is "a token without a rule is for all of them" "$(code)" infisical-token-auth
        unlike "... and names none" "$(last issued)" ' rule='
        setpriv --reuid=65534 --clear-groups --regid=65534 true 2>/dev/null && {
                chmod 0666 "$jobs_socket"
                in_unit "$runner" setpriv --reuid=65534 --regid=65534 --clear-groups curl --silent --unix-socket "$jobs_socket" \
                        http://localhost/v1/tokens/runner >"$work/answer"
                chmod 0600 "$jobs_socket"
        }
        is "the unit does not let in who is not root" "$(code)" peer-refused
}

# What is described to whom.
units_see() {
        names() { jq -r '[.tokens[].name] | join(" ")' "$work/answer"; }
        asks "$other" /v1/tokens
        is "a job is told of the tokens that it may ask for" "$(names)" "open proven"
        is "... and which of them want a proof" "$(jq -c '[.tokens[].proof]' "$work/answer")" '["none","required"]'
        asks "$runner" /v1/tokens
        is "... another one of more" "$(names)" "open runner proven both"
        is "an operator of all" "$(control /v1/tokens | jq '.tokens | length')" 4
        asks "$other" /v1/tokens/nope
        like "nor does a wrong name tell of them" "$(jq -r .detail "$work/answer")" 'known: open, proven$'
        asks "$runner" '/v1/match?protocol=http&host=127.0.0.1:'"${forge_url##*:}"'&path=platform/app'
        is "match names the token that is for the place" "$(jq -r '.name, .proof' "$work/answer" | tr '\n' ' ')" "runner none "
        asks "$other" '/v1/match?protocol=http&host=127.0.0.1:'"${forge_url##*:}"'&path=platform/app'
        is "... and no other one to whom that is not given" "$(code)" peer-refused
        asks "$other" '/v1/match?protocol=http&host=127.0.0.1:'"${forge_url##*:}"'&path=proven/app'
        is "... that a proof is wanted is told without one" "$(jq -r '.name, .proof' "$work/answer" | tr '\n' ' ')" "proven required "
        asks "$other" /readyz/runner
        is "how a token stands is told to its units" "$(code)" peer-refused
        asks "$runner" /readyz/runner
        is "... and is" "$(jq -r .ready "$work/answer")" true
        is "... and to operators" "$(control /readyz/runner | jq -r .ready)" true
        for route in rejected preflight; do
                asks "$other" "/v1/tokens/runner/$route" -d '{"fingerprint":"00000000"}'
                is "$route is not for other units" "$(code)" "$([ $route = rejected ] && echo peer-refused || echo malformed-request)"
        done
        asks "$other" /v1/tokens/runner/preflight -d '{}'
        is "nor a preflight that asks nothing" "$(code)" peer-refused
        is "who makes the rules may have a token read again" "$(control /v1/tokens/runner/refresh -X POST | jq -r .state)" fresh
        is "... and is given it as everybody else is" "$(control /v1/tokens/runner | jq -r .code)" peer-refused
}

if [ -n "$with_units" ]; then
        units_decide
        units_see
else
        note "rules about units are not tested here: $units_why"
fi

# proof.
refusals=$(count refused)
asks "$other" /v1/tokens/proven
is "without a proof" "$(code)" proof-required
like "... a challenge" "$(tr -d '\r' <"$work/head" | tr '\n' ' ')" '^HTTP/1.1 401 .*WWW-Authenticate: Bearer realm="forge-broker"'
is "... which is no incident" "$(count refused)" "$refusals"
is "... but counted" "$(metric proven proof-required)" 1
for route in rejected preflight; do
        asks "$other" "/v1/tokens/proven/$route" -d "$([ $route = rejected ] && echo '{"fingerprint":"00000000"}' || echo '{}')"
        is "$route wants one, too" "$(code)" proof-required
done
show "$(mint '{"job":{"repository":"platform/app","run":77,"actor":"alice"}}')"
asks "$other" /v1/tokens/proven -H "@$work/proof" -H 'Forge-Broker-Repository: evil/site' -H 'Forge-Broker-Job: build'
is "with one that fits the rules" "$(code)" infisical-token-auth
like "... the record says who vouched, by which rule, and what the forge says instead of the job" "$(last issued)" \
        'rule="job_repositories platform/\*, job_events push, job_refs refs/heads/main" verified=oidc proven_repo=platform/app proven_run=77 .*proven_event=push proven_ref=refs/heads/main proven_actor=alice job=build$'
asks "$other" /v1/tokens/proven/rejected -H "@$work/proof" -d '{"fingerprint":"00000000"}'
is "a report with it is heard" "$(jq -r .verdict "$work/answer")" not-ours
asks "$other" /v1/tokens/proven/preflight -H "@$work/proof" -d '{}'
is "... and a preflight" "$(jq -r .identity.login "$work/answer")" deploy-bot
show job-on-main
asks "$other" /v1/tokens/proven -H "@$work/proof"
is "the job's automatic token is one" "$(code)" infisical-token-auth
like "... of another kind" "$(last issued)" 'verified=run-api proven_repo=platform/app proven_run=77'

refuses() { # what, code, rule, JOB
        show "$(mint "{\"job\":$4}")"
        asks "$other" /v1/tokens/proven -H "@$work/proof"
        is "$1" "$(code)" "$2"
        like "... by the rule that the record names" "$(records refused)" "token=proven code=$2 .* rule=\"$3\" verified=oidc proven_repo="
}
refuses "another repository's job" peer-refused 'job_repositories platform/\*' '{"repository":"other/app"}'
refuses "a pull request's" peer-refused 'job_events push, create, schedule, workflow_dispatch, release' \
        '{"repository":"platform/app","event":"pull_request"}'
refuses "a branch's that is not named" peer-refused 'job_refs refs/heads/main, refs/tags/v\*' \
        '{"repository":"platform/app","ref":"refs/heads/Main"}'
for who in fork agit; do
        show "job-of-$([ $who = fork ] && echo a-)$who"
        asks "$other" /v1/tokens/proven -H "@$work/proof"
        is "the job of a pull request of $who" "$(code)" peer-refused
        like "... never, whatever the rules" "$(jq -r .detail "$work/answer")" "a fork's or an AGit pull request, which never gets"
done
like "... which is on record" "$(records refused)" "rule=\"no fork's or AGit pull request\" verified=run-api"
show not-a-token
asks "$other" /v1/tokens/proven -H "@$work/proof"
is "what the forge does not know" "$(code)" proof-rejected
like "... is on record, too" "$(records refused)" 'token=proven code=proof-rejected .* rule="proof required"'

# Both: the unit first, and the forge is not asked about whom it does not let in.
units_come_first() {
        forge_ask /requests -X DELETE >/dev/null
        show "$(mint '{"job":{"repository":"platform/app","run":78}}')"
        asks "$other" /v1/tokens/both -H "@$work/proof"
        is "a good proof from another unit" "$(code)" peer-refused
        show job-on-main-2
        asks "$other" /v1/tokens/both -H "@$work/proof"
        is "... costs the forge no question" "$(forge_ask /requests | jq '[.[] | select(.path | test("actions/run|keys"))] | length')" 0
        show "$(mint '{"job":{"repository":"platform/app","run":79}}')"
        asks "$runner" /v1/tokens/both -H "@$work/proof"
        is "both fit" "$(code)" infisical-token-auth
        like "... and both are named" "$(last issued)" "rule=\"units $runner, job_repositories platform/\*, job_events push\" verified=oidc"
}

[ -z "$with_units" ] || units_come_first

# Where tokens may be tried out: only where they are for.
show "$(mint '{"job":{"repository":"platform/app"}}')"
asks "$other" /v1/tokens/proven/preflight -H "@$work/proof" -d '{"repository":"other/app","needs":["contents:read"]}'
is "no preflight where the token is not for" "$(code)" proof-insufficient
asks "$other" /v1/tokens/proven/preflight -H "@$work/proof" \
        -d '{"repository":"platform/app","needs":["release:write"],"write_probe":true}'
is "no write probe that is not allowed" "$(code)" proof-insufficient
like "... both on record" "$(records refused)" 'token=proven code=proof-insufficient .* rule="write_probe no" verified=oidc'
asks "$other" /v1/tokens/proven/preflight -H "@$work/proof" -d '{"repository":"platform/app","needs":["contents:read"]}'
is "one where its jobs run" "$(jq -r '.needs[0].verdict' "$work/answer")" yes

# That tokens are open is said where operators look.
sentence='every container with the mount gets this token, fork pull requests included'
like "the log says it at the start" "$(cat "$work/daemon.log")" "proof = none: open: $sentence"
like "... and of units what is true of them" "$(cat "$work/daemon.log")" \
        'proof = none: runner: every root process of its units gets this token, whatever job it works for'
is "the status says it of each" "$(control /v1/status | jq -c '[.tokens[] | [.name, .exposure != null]]')" \
        '[["open",true],["runner",true],["proven",false],["both",false]]'
like "... for people" "$("$brokerctl" --socket "$control_socket" status)" "^proof = none: open: $sentence"
like "doctor says it" "$("$brokerctl" --socket "$control_socket" doctor)" 'who gets it: every container with the mount gets this token'

# A request that waits wakes under the rules of then.
rules_change() {
        printf '[token late]\nforge = home\nsecret_path = /forges\nsecret_name = second\nunits = %s\n' "$runner" >"$work/late"
        rules "$runner"
        cat "$work/late" >>"$config_file"
        standin_ask /fault -X POST -d '{"kind":"delay","class":"secret","ms":8000}' >/dev/null
        control /v1/reload -X POST >/dev/null
        asks "$runner" /v1/tokens/late &
        asking=$!
        waiting() { [ "$(control /v1/status | jq -r '.tokens[] | select(.name == "late") | .fetching')" = true ]; }
        ok "a request waits for its token" wait_for 5 waiting
        standin_ask /fault -X DELETE >/dev/null
        sed "s/^units = $runner\$/units = $other/" "$config_file" >"$work/changed"
        cat "$work/changed" >"$config_file"
        is "the rules change meanwhile" "$(control /v1/reload -X POST | jq -r .status)" reloaded
        wait "$asking"
        is "... and it is refused by the new ones" "$(code)" peer-refused
        asks "$other" /v1/tokens/late
        is "... which let another one in" "$(code)" infisical-token-auth
}

[ -z "$with_units" ] || rules_change
daemon_stop
is "it stops cleanly" $? 0
done_testing
