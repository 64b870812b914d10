#!/bin/sh
# forge-broker require: when a missing token fails a job, and when it is as it should be.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"

answer ready '200 OK' "$json" '{"ready":true}'
answer unready '503 Service Unavailable' "$problem_json" "$(problem no-usable-value '1 token is not usable' 'Each names its own.' \
        ',"ready":false,"tokens":[{"name":"deploy","code":"upstream-timeout","detail":"100% no\nanswer","remedy":"Wait, then: retry."}]')"
answer pending '503 Service Unavailable' "$problem_json" "$(problem no-usable-value '1 token is not usable' 'Each names its own.' \
        ',"ready":false,"tokens":[{"name":"deploy","code":"no-usable-value","detail":"no verdict yet","remedy":"r"}]')"
answer unknown '404 Not Found' "$problem_json" "$(problem unknown-token "there is no token 'nope'" 'Ask for another.')"
answer list '200 OK' "$json" '{"tokens":[{"name":"deploy"},{"name":"mirror"}]}'
answer refused '403 Forbidden' "$problem_json" "$(problem peer-refused 'uid 1000 may not ask' 'Run it as root.')"
repository='{"full_name":"example/site"}'
printf '{"pull_request":{"head":{"repo":{"full_name":"mallory/site"}},"base":{"repo":%s}}}' "$repository" >"$work/fork.json"
printf '{"pull_request":{"head":{"repo":%s},"base":{"repo":%s}}}' "$repository" "$repository" >"$work/same.json"
output=$work/output

# require FORGE EVENT PAYLOAD NAME...: in that forge's environment
require() {
        forge=$1 event=$2 payload=$3
        shift 3
        : >"$output"
        status=0
        case $forge in
        forgejo) set -- FORGEJO_ACTIONS=true GITHUB_ACTIONS=true FORGEJO_EVENT_NAME="$event" GITHUB_EVENT_NAME="$event" \
                FORGEJO_EVENT_PATH="$payload" FORGEJO_OUTPUT="$output" GITHUB_OUTPUT="$output" "$program" require "$@" ;;
        gitea) set -- GITEA_ACTIONS=true GITHUB_ACTIONS=true GITHUB_EVENT_NAME="$event" GITHUB_EVENT_PATH="$payload" \
                GITHUB_OUTPUT="$output" "$program" require "$@" ;;
        github) set -- GITHUB_ACTIONS=true GITHUB_EVENT_NAME="$event" GITHUB_EVENT_PATH="$payload" GITHUB_OUTPUT="$output" \
                "$program" require "$@" ;;
        gitlab) set -- GITLAB_CI=true CI_PIPELINE_SOURCE="$event" CI_MERGE_REQUEST_PROJECT_PATH=group/site \
                CI_MERGE_REQUEST_SOURCE_PROJECT_PATH="$payload" "$program" require "$@" ;;
        esac
        env "$@" --socket "$socket" >"$work/out" 2>"$work/err" || status=$?
}
output_is() { [ "$(cat "$output")" = "$1" ]; }
annotations() { grep -c '^::' "$work/err"; }

for forge in forgejo gitea github; do
        start "$work/ready"
        require $forge push '' deploy
        ok "$forge: an available token opens the gate" all 'ends 0' silent 'output_is available=true' '! grep -q "^::" "$work/err"' \
                'err_has "forge-broker: deploy is available"'
        start "$work/unready"
        require $forge push '' deploy
        ok "$forge: a push without it fails" all 'ends 1' silent 'output_is available=false' '[ "$(annotations)" = 1 ]' \
                'grep -q "^::error title=forge-broker require::token .deploy. is not available: upstream-timeout: 100%25 no?answer; " "$work/err"' \
                'err_has "Remedy: Wait, then: retry."' "err_has \"only who may write sets off 'push'\"" 'err_has "the gate stays shut"'
        require $forge pull_request "$work/same.json" deploy
        ok "$forge: so does a pull request from the repository itself" all 'ends 1' 'grep -q "^::error " "$work/err"' \
                'err_has "from a branch of example/site itself"'
        require $forge pull_request "$work/fork.json" deploy
        ok "$forge: a fork is warned, and goes on without" all 'ends 0' silent 'output_is available=false' '[ "$(annotations)" = 1 ]' \
                'grep -q "^::warning title=forge-broker require::" "$work/err"' 'err_has "from the fork mallory/site of example/site"'
        require $forge workflow_call "$work/fork.json" deploy
        ok "$forge: also in a workflow that its own one calls" all 'ends 0' 'grep -q "^::warning " "$work/err"'
        require $forge pull_request_target "$work/fork.json" deploy
        ok "$forge: what has secrets fails, and is not called trusted" all 'ends 1' 'grep -q "^::error " "$work/err"' \
                'err_has "is not trusted, but missing tokens are errors"'
        for event in something-new ''; do
                require $forge "$event" '' deploy
                ok "$forge: an event '$event' fails closed" all 'ends 1' 'grep -q "^::error " "$work/err"' 'err_has "unknown, so"'
        done
        require $forge pull_request "$work/nowhere.json" deploy
        ok "$forge: an event that cannot be read fails closed" all 'ends 1' 'grep -q "^::error " "$work/err"' 'err_has "cannot be opened"'
done
start "$work/unready"
require gitlab push '' deploy
ok 'gitlab: a push without it fails, in plain lines' all 'ends 1' silent '[ "$(annotations)" = 0 ]' \
        'err_has "forge-broker: error: token '\''deploy'\'' is not available"'
require gitlab merge_request_event mallory/site deploy
ok 'gitlab: a fork is warned' all 'ends 0' '[ "$(annotations)" = 0 ]' 'err_has "forge-broker: warning: "' \
        'err_has "from the fork mallory/site of group/site"'
require gitlab merge_request_event group/site deploy
ok 'gitlab: a merge request from the project itself fails' all 'ends 1' 'err_has "error: "'

# What "available" means
start "$work/ready" "$work/unready"
require github push '' deploy mirror
ok 'one of two is not enough' all 'ends 1' 'output_is available=false' 'err_has "1 of 2 tokens missing"'
start "$work/ready"
require github push '' deploy mirror -q
ok 'two are, quietly' all 'ends 0' 'output_is available=true' '[ ! -s "$work/err" ]' \
        'grep -q "^GET /readyz/deploy " "$work/log"' 'grep -q "^GET /readyz/mirror " "$work/log"' '! grep -q "^GET /v1" "$work/log"'
require github pull_request "$work/fork.json" deploy
ok 'what a fork could get is said' all 'ends 0' 'output_is available=true' "err_has \"the broker's own rules\""
start "$work/pending" "$work/pending" "$work/ready"
require github push '' deploy
ok 'a broker that was just started is waited for' all 'ends 0' '[ "$(grep -c "^GET " "$work/log")" = 3 ]'
start "$work/pending"
require github push '' deploy --timeout 300ms
ok 'but not for ever' all 'ends 1' 'err_has "no verdict yet"'
start "$work/unknown" "$work/list"
require github push '' nope
ok 'a token that does not exist is missing, and the known ones are named' all 'ends 1' 'output_is available=false' \
        'err_has "unknown-token"' 'err_has "known tokens: deploy, mirror"'
start "$work/refused"
require github push '' deploy
ok 'a refusal is one' all 'ends 1' 'output_is available=false' 'err_has "peer-refused"'
require github pull_request "$work/fork.json" deploy
ok "and a warning for a fork" all 'ends 0' 'output_is available=false' 'grep -q "^::warning " "$work/err"'
stop
require github push '' deploy
ok 'so is a broker that is not there, with its cause' all 'ends 1' 'output_is available=false' 'err_has "the broker is not running"'
require github pull_request "$work/fork.json" deploy
ok 'also for a fork' all 'ends 0' 'output_is available=false' 'err_has "the broker is not running"'

start "$work/ready"
status=0
GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_OUTPUT=$work/nowhere "$program" require deploy --socket "$socket" \
        >"$work/out" 2>"$work/err" || status=$?
ok 'an output that cannot be written is an error' all 'ends 1' 'err_has "cannot write the step output"'
status=0
FORGE_BROKER_TOKEN=deploy "$program" require --socket "$socket" >"$work/out" 2>"$work/err" || status=$?
ok 'outside of a job it needs no output; NAME comes from the environment' all 'ends 0' silent
start "$work/unready"
require github "$(printf 'x\n::set-env name=a::b')" '' deploy
ok 'no line of it can become a command' all 'ends 1' '! grep -q "^::set-env" "$work/err"'
run require
ok 'no NAME is a usage error' all 'ends 2' silent 'err_has "which tokens?"'
run require deploy ../x
ok 'so is one that cannot be' all 'ends 2' silent 'err_has "cannot be a token"'
done_testing
