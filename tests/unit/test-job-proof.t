#!/bin/sh
# The job's proof: what is one, in which order, and that it is shown only where the broker asks for it.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"

answer good '200 OK' "$json" "$(issuance forgejo fresh)"
answer ready '200 OK' "$json" '{"ready":true}'
answer match '200 OK' "$json" '{"name":"deploy","username":"bot","forge_type":"forgejo"}'
answer asks '401 Unauthorized' "$problem_json" "$(problem proof-required 'deploy is for proven jobs' 'Present a proof.')"
answer insufficient '403 Forbidden' "$problem_json" "$(problem proof-insufficient 'job_refs cannot be decided' 'Use an ID token.')"
answer rejected '403 Forbidden' "$problem_json" "$(problem proof-rejected 'it expired' 'Request a new one.')"
answer other '401 Unauthorized' "$problem_json" "$(problem peer-refused 'no challenge of ours' 'None.')"
answer foreign '401 Unauthorized' text/html 'proof-required'
printf '{"pull_request":{"head":{"repo":{"full_name":"mallory/site"}},"base":{"repo":{"full_name":"example/site"}}}}' >"$work/fork.json"
cr=$(printf '\r')
url='https://git.example/_apis/idtoken?placeholder=true'

# in_job FORGE VARIABLES WORD...: the client in a job of that forge
in_job() {
        case $1 in
        forgejo) detect='FORGEJO_ACTIONS=true GITHUB_ACTIONS=true' ;;
        gitea) detect='GITEA_ACTIONS=true GITHUB_ACTIONS=true' ;;
        github) detect='GITHUB_ACTIONS=true' ;;
        gitlab) detect='GITLAB_CI=true' ;;
        *) detect= ;;
        esac
        variables=$2
        shift 2
        status=0
        # shellcheck disable=SC2086 # two lists of words without blanks
        env $detect $variables "$program" --socket "$socket" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}
requests() { [ "$(grep -c '^\(GET\|POST\) ' "$work/log")" = "$1" ]; }
proofs() { grep -i -e '^authorization:' -e '^forge-broker-id-token-url:' "$work/log" | tr -d '\r'; }
shown() { [ "$(proofs)" = "Authorization: Bearer $1${2:+
Forge-Broker-Id-Token-Url: $2}" ]; }
none_shown() { [ -z "$(proofs)" ]; }
everything="FORGE_BROKER_PROOF=a.b.c ACTIONS_ID_TOKEN_REQUEST_URL=$url ACTIONS_ID_TOKEN_REQUEST_TOKEN=request
        FORGEJO_TOKEN=of-forgejo GITEA_TOKEN=of-gitea GITHUB_TOKEN=of-github CI_JOB_TOKEN=of-gitlab"

# When
start "$work/good"
in_job forgejo "$everything" get deploy
ok 'a broker that does not ask for proof is shown none' all 'ends 0' 'out_is "$value"' 'requests 1' none_shown
for not_asking in other foreign insufficient; do
        start "$work/$not_asking" "$work/good"
        in_job forgejo "$everything" get deploy
        ok "nor is one that refuses otherwise: $not_asking" all 'ends 4' 'requests 1' none_shown
done
start "$work/asks" "$work/good"
in_job forgejo "$everything" get deploy
ok 'one that asks is shown it in a second request' all 'ends 0' 'out_is "$value"' 'requests 2' 'shown a.b.c'
ok 'which is otherwise the first one again' [ "$(tr -d '\r' <"$work/log" | grep -v '^Authorization' | sort | uniq -c | awk 'NF > 1 && $1 != 2')" = '' ]
start "$work/asks"
in_job forgejo "$everything" get deploy
ok 'one that keeps asking is not shown it again' all 'ends 4' silent 'requests 2' 'shown a.b.c' 'err_has proof-required'
start "$work/asks" close "$work/good"
in_job forgejo "$everything" get deploy
ok 'a broker that is restarted in between is asked again' all 'ends 0' 'out_is "$value"' 'requests 3'

# Which, and in which order
order() { # FORGE VARIABLES PROOF [URL]
        start "$work/asks" "$work/good"
        in_job "$1" "$2" get deploy
        ok "$1: of $(printf '%s' "$2" | sed 's/=[^ ]*//g' | tr -s ' \n' ' ') it shows $3" all 'ends 0' 'out_is "$value"' "shown '$3' '${4-}'"
}
all_tokens='FORGEJO_TOKEN=of-forgejo GITEA_TOKEN=of-gitea GITHUB_TOKEN=of-github CI_JOB_TOKEN=of-gitlab'
id_token="ACTIONS_ID_TOKEN_REQUEST_URL=$url ACTIONS_ID_TOKEN_REQUEST_TOKEN=request"
for forge in forgejo github gitlab; do
        order $forge "$everything" a.b.c
        order $forge "FORGE_BROKER_PROOF= $id_token $all_tokens" request "$url"
done
order forgejo "$all_tokens" of-forgejo
order forgejo 'FORGEJO_TOKEN= GITHUB_TOKEN=of-github' of-github
order gitea "$all_tokens" of-github
order gitea 'GITEA_TOKEN=of-gitea' of-gitea
order github "$all_tokens" of-github
order gitlab "$all_tokens" of-gitlab
order forgejo "ACTIONS_ID_TOKEN_REQUEST_URL=$url FORGEJO_TOKEN=of-forgejo" of-forgejo
order forgejo 'ACTIONS_ID_TOKEN_REQUEST_TOKEN=request FORGEJO_TOKEN=of-forgejo' of-forgejo
order none 'FORGE_BROKER_PROOF=a.b.c' a.b.c

# A job with nothing to show
lacks() { # FORGE VARIABLES WORDS-OF-THE-REMEDY
        start "$work/asks" "$work/good"
        in_job "$1" "$2" get deploy
        ok "$1: without proof it says what to add: $3" all 'ends 4' silent 'requests 1' none_shown \
                'err_has "proof-required: deploy is for proven jobs"' "err_has '$3'"
}
lacks forgejo '' 'enable-openid-connect: true'
lacks forgejo '' 'FORGE_BROKER_PROOF: ${{ forgejo.token }}'
lacks gitea '' 'FORGE_BROKER_PROOF: ${{ gitea.token }}'
lacks github 'GITEA_TOKEN=of-gitea' 'permissions: { id-token: write }'
lacks gitlab '' 'id_tokens: { FORGE_BROKER_PROOF: { aud: AUDIENCE } }'
lacks none "$all_tokens" 'put the job'\''\'\'''\''s ID token into the variable FORGE_BROKER_PROOF'

# What was shown is named where it did not do; its value never is.
for refusal in rejected insufficient; do
        start "$work/asks" "$work/$refusal"
        in_job forgejo 'FORGEJO_TOKEN=canary-proof' get deploy
        ok "proof-$refusal names the proof" all 'ends 4' silent 'requests 2' "err_has proof-$refusal:" \
                'err_has "the proof of this job: the value of FORGEJO_TOKEN"' '! grep -q canary "$work/err"'
done
start "$work/asks" "$work/rejected"
in_job github "ACTIONS_ID_TOKEN_REQUEST_URL=$url ACTIONS_ID_TOKEN_REQUEST_TOKEN=canary-proof" get deploy
ok 'an ID token too' all 'ends 4' 'err_has "the ID token for which ACTIONS_ID_TOKEN_REQUEST_URL is asked"' '! grep -q canary "$work/err"'

# What is no proof is not sent.
unfit() { # WORDS VARIABLE VALUE [VARIABLE VALUE]
        start "$work/asks" "$work/good"
        status=0
        env FORGEJO_ACTIONS=true FORGEJO_TOKEN=of-forgejo "$2=$3" "${4-NOTHING}=${5-}" "$program" --socket "$socket" get deploy >"$work/out" 2>"$work/err" || status=$?
        ok "not sent: $1" all 'ends 4' silent 'requests 1' none_shown "err_has '$1'" '! grep -q canary "$work/err"'
}
unfit 'FORGE_BROKER_PROOF cannot be shown as this job' FORGE_BROKER_PROOF "canary
Forge-Broker-Via-Uid: 0"
unfit 'it has a blank, a line break or' FORGE_BROKER_PROOF 'canary and more'
unfit 'or another character that no token has' FORGE_BROKER_PROOF "$(printf 'canary\303\251')"
unfit 'it has 4097 bytes, and the broker takes 4096' FORGE_BROKER_PROOF "$(printf '%04097d' 7)"
unfit 'ACTIONS_ID_TOKEN_REQUEST_URL cannot be shown' ACTIONS_ID_TOKEN_REQUEST_URL "$url$cr" ACTIONS_ID_TOKEN_REQUEST_TOKEN canary
unfit 'it has 2049 bytes, and the broker takes 2048' ACTIONS_ID_TOKEN_REQUEST_URL "$(printf '%02049d' 7)" ACTIONS_ID_TOKEN_REQUEST_TOKEN canary
start "$work/asks" "$work/good"
long=$(printf '%04096d' 7)
in_job forgejo "FORGE_BROKER_PROOF=$long" get deploy
ok 'the longest is sent' all 'ends 0' 'out_is "$value"' 'shown "$long"'

# Every command, and the helpers
start "$work/asks" "$work/good"
in_job forgejo 'FORGE_BROKER_PROOF=a.b.c' exec deploy -- sh -c '[ "$FORGE_TOKEN" = "$1" ]' sh "$value"
ok 'exec shows it' all 'ends 0' 'shown a.b.c'
start "$work/asks" "$work/ready"
in_job forgejo 'FORGE_BROKER_PROOF=a.b.c' wait deploy
ok 'wait shows it' all 'ends 0' 'requests 2' 'shown a.b.c'
start "$work/asks"
in_job forgejo '' wait deploy --timeout 20s
ok 'wait does not wait for what the job lacks' all 'ends 4' 'requests 1'
start "$work/asks" "$work/match" "$work/asks" "$work/good"
printf 'protocol=https\nhost=git.example\npath=o/r\n' |
        env FORGE_BROKER_PROOF=a.b.c "$program" --socket "$socket" git-credential get >"$work/out" 2>"$work/err"
status=$?
ok "git's helper shows it, each time that it is asked for" all 'ends 0' 'requests 4' '[ "$(proofs | grep -c a.b.c)" = 2 ]' 'grep -qxF "password=$value" "$work/out"'
start "$work/asks" "$work/match" "$work/asks" "$work/good"
printf 'registry.example' | env FORGE_BROKER_PROOF=a.b.c "$program" --socket "$socket" docker-credential get >"$work/out" 2>"$work/err"
status=$?
ok "docker's helper likewise" all 'ends 0' 'requests 4' '[ "$(proofs | grep -c a.b.c)" = 2 ]'
answer verdict '200 OK' "$json" '{"verdict":"changed","name":"deploy"}'
start "$work/asks" "$work/verdict"
in_job forgejo 'FORGE_BROKER_PROOF=a.b.c' rejected deploy --fingerprint 3f9a1c02
ok 'rejected sends its report with it' all 'ends 0' 'out_is changed' 'shown a.b.c' '[ "$(grep -c "^{\"fingerprint" "$work/log")" = 2 ]'

# The gate
start "$work/asks"
in_job forgejo 'FORGEJO_EVENT_NAME=push' require deploy
ok 'require: a push that proves nothing fails' all 'ends 1' 'grep -q "^::error .*token .deploy. is not available: proof-required: deploy is for proven jobs" "$work/err"' 'err_has enable-openid-connect'
: >"$work/output"
in_job forgejo "FORGEJO_EVENT_NAME=pull_request FORGEJO_EVENT_PATH=$work/fork.json FORGEJO_OUTPUT=$work/output" require deploy
ok 'require: a fork that proves nothing is warned' all 'ends 0' 'grep -q "^::warning " "$work/err"' '[ "$(cat "$work/output")" = available=false ]'
start "$work/asks" "$work/insufficient"
: >"$work/output"
in_job forgejo "FORGEJO_TOKEN=of-fork FORGEJO_EVENT_NAME=pull_request FORGEJO_EVENT_PATH=$work/fork.json FORGEJO_OUTPUT=$work/output" require deploy
ok 'require: nor does one help whose proof is not enough' all 'ends 0' 'shown of-fork' '[ "$(cat "$work/output")" = available=false ]'
start "$work/asks" "$work/ready"
in_job forgejo 'FORGEJO_TOKEN=of-push FORGEJO_EVENT_NAME=push' require deploy
ok 'require: a push that proves itself passes' all 'ends 0' 'shown of-push'

done_testing
