#!/bin/sh
# forge-broker git-credential and rejected: git's protocol on one side, the broker's answers on the other.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"

answer match '200 OK' "$json" '{"name":"deploy","username":"bot","forge":"home","forge_type":"forgejo","forge_url":"https://git.example"}'
answer good '200 OK' "$json" "$(issuance forgejo fresh)"
answer stale '200 OK' "$json" "$(issuance forgejo stale)"
answer soon '200 OK' "$json" "$(issuance forgejo fresh | sed 's/"refresh_at":null/"refresh_at":"2033-05-18T03:33:20Z"/')"
answer past '200 OK' "$json" "$(issuance forgejo fresh | sed 's/"refresh_at":null/"refresh_at":"2003-05-18T03:33:20Z"/')"
answer elsewhere '404 Not Found' "$problem_json" "$(problem unknown-token 'no token is for https://other.example' 'Ask for another.')"
answer tied '503 Service Unavailable' "$problem_json" "$(problem no-usable-value 'deploy and mirror fit equally well' 'Set for.')"
answer none '503 Service Unavailable' "$problem_json" "$(problem no-usable-value 'no source of deploy has a value' 'See above.')"
answer list '200 OK' "$json" '{"tokens":[{"name":"deploy","forge":"home","forge_type":"forgejo","forge_url":"https://Git.example:443/code","state":"fresh","source":"infisical-token-auth","fingerprint":"3f9a1c02"},{"name":"empty","forge":"home","forge_type":"forgejo","forge_url":"https://git.example","state":"failed","source":null,"fingerprint":null}]}'
for verdict in changed rejected still-valid not-ours; do
        answer "$verdict" '200 OK' "$json" "{\"verdict\":\"$verdict\",\"name\":\"deploy\",\"code\":\"forge-token-rejected\",\"detail\":\"said no\",\"remedy\":\"Make one.\"}"
done

asked='protocol=https
host=git.example
path=o/r.git
'
# ask ACTION INPUT [WORD...]
ask() {
        action=$1 input=$2
        shift 2
        status=0
        printf '%s' "$input" | "$program" git-credential --socket "$socket" "$@" "$action" >"$work/out" 2>"$work/err" || status=$?
}
quiet() { [ ! -s "$work/err" ]; }

start "$work/match" "$work/good"
ask get "$asked
"
ok 'get gives user name and password' all 'ends 0' "out_is 'username=bot
password=$value'" quiet 'grep -q "^GET /v1/match?protocol=https&host=git.example&path=o%2Fr.git " "$work/log"' \
        'grep -q "^GET /v1/tokens/deploy " "$work/log"'
start "$work/match" "$work/good"
ask get 'protocol=https
host=git.example'
ok 'without a path and without the empty line too' all 'ends 0' "out_is 'username=bot
password=$value'" 'grep -q "^GET /v1/match?protocol=https&host=git.example " "$work/log"'
start "$work/match" "$work/good"
ask get 'url=https://me:secret@git.example:8443/o%2fp/r.git

'
ok 'a url stands for its parts' all 'ends 0' 'grep -q "^GET /v1/match?protocol=https&host=git.example%3A8443&path=o%2Fp%2Fr.git " "$work/log"' \
        '! grep -q secret "$work/log"'
start "$work/match" "$work/good"
ask get "wwwauth[]=Basic realm=\"x\"
unknown=1
${asked}host=second.example
"
ok 'unknown keys are skipped, the last of equal ones counts' all 'ends 0' 'grep -q "host=second.example" "$work/log"'
start "$work/match" "$work/good"
ask get "capability[]=authtype
capability[]=state
$asked
"
ok 'a git that knows authtype gets a credential that nobody stores' all 'ends 0' "out_is 'capability[]=authtype
authtype=Basic
ephemeral=1
credential=$(printf 'bot:%s' "$value" | base64 -w 0)'"
start "$work/match" "$work/good"
ask get "capability[]=authtype
capability[]=
$asked
"
ok 'an empty capability[] takes it back' all 'ends 0' "out_is 'username=bot
password=$value'"
start "$work/match" "$work/soon"
ask get "$asked"
ok 'other helpers are told to ask again at the next refresh' all 'ends 0' "out_is 'username=bot
password=$value
password_expiry_utc=2000000000'"
start "$work/match" "$work/past"
ask get "$asked"
ok 'a refresh that is past says nothing' all 'ends 0' "out_is 'username=bot
password=$value'"
start "$work/match" "$work/stale"
ask get "$asked"
ok 'the evidence line is printed when the value is not fresh' all 'ends 0' \
        'err_is "forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=stale fp=3f9a1c02"'

start "$work/elsewhere"
ask get "$asked"
ok 'for a host without a token: nothing, so that git asks elsewhere' all 'ends 0' silent quiet
for other in 'protocol=ssh
host=git.example' 'protocol=cert
path=/x' 'protocol=https' 'host=git.example' ''; do
        ask get "$other"
        ok "nothing for: $(echo "$other" | tr '\n' ' ')" all 'ends 0' silent quiet
done
start "$work/none"
ask get "$asked"
ok 'a broker that cannot serve stops git, with the reason' all 'ends 5' 'out_is quit=1' 'err_has "no source of deploy"'
start "$work/tied"
ask get "$asked"
ok 'so do two tokens that fit equally well' all 'ends 5' 'out_is quit=1' 'err_has "remedy: Set for."'
start "$work/match" "$work/none"
ask get "$asked"
ok 'never an empty password' all 'ends 5' 'out_is quit=1' '! grep -q password "$work/out"'
stop
ask get "$asked"
ok 'a broker that is not there stops git' all 'ends 6' 'out_is quit=1' 'err_has "there is no "'

# A token that was named is for its own forge alone
start "$work/list" "$work/good"
ask get 'protocol=https
host=GIT.example
path=code/o/r.git' --token deploy
ok '--token gives it for its forge' all 'ends 0' "out_is 'username=bot
password=$value'" '! grep -q match "$work/log"'
for other in 'protocol=http
host=git.example' 'protocol=https
host=git.example:8443' 'protocol=https
host=git.example.evil.example' 'protocol=https
host=git.example
path=codex/r.git' 'protocol=https
host=example'; do
        start "$work/list" "$work/good"
        ask get "$other" --token deploy
        ok "and nothing for $(echo "$other" | tr '\n' ' ')" all 'ends 0' silent quiet
done
start "$work/list"
ask get "$asked" --token nope
ok 'a name that does not exist stops git' all 'ends 3' 'out_is quit=1' 'err_has "known tokens: deploy, empty"'

# What is not the protocol
for bad in 'protocol' "$(printf 'protocol=https\nhost=git.example\tx')" "$(printf 'protocol=https\nhost=git.example\rx')" 'url=git.example'; do
        ask get "$bad"
        ok "refused: $(printf %s "$bad" | tr '\n\t\r' '   ')" all 'ends 2' silent 'err_has "git'\''s credential protocol"'
done
status=0
printf 'protocol=https\nhost=git.example\0.evil\n\n' | "$program" git-credential --socket "$socket" get >"$work/out" 2>"$work/err" || status=$?
ok 'refused: a NUL' all 'ends 2' silent
status=0
{ printf 'protocol=https\nhost='; head -c 70000 /dev/zero | tr '\0' a; } |
        "$program" git-credential --socket "$socket" get >"$work/out" 2>"$work/err" || status=$?
ok 'refused: a line without an end' all 'ends 2' silent
status=0
yes 'a=b' | head -c 10000000 | "$program" git-credential --socket "$socket" get >"$work/out" 2>"$work/err" || status=$?
ok 'refused: a request without an end' all 'ends 2' silent

# Other actions, the other name
for action in store capability frobnicate; do
        start "$work/good"
        ask "$action" "$asked
password=x
"
        case $action in
        capability) ok 'capability' all 'ends 0' "out_is 'version 0
capability authtype'" quiet ;;
        *) ok "$action does nothing" all 'ends 0' silent quiet '[ ! -s "$work/log" ]' ;;
        esac
done
run git-credential
ok 'no action is a mistake' all 'ends 2' silent
ln -s "$(realpath "$program")" "$work/git-credential-forge-broker"
start "$work/match" "$work/good"
status=0
printf '%s' "$asked" | FORGE_BROKER_SOCKET=$socket PATH="$work:$PATH" git -c credential.helper= -c credential.helper=forge-broker \
        -c credential.useHttpPath=true credential fill >"$work/out" 2>"$work/err" || status=$?
ok 'git finds it as "forge-broker"' all 'ends 0' 'grep -qx "username=bot" "$work/out"' 'grep -qxF "password=$value" "$work/out"'
start "$work/none"
status=0
printf '%s' "$asked" | FORGE_BROKER_SOCKET=$socket PATH="$work:$PATH" GIT_TERMINAL_PROMPT=0 git -c credential.helper= \
        -c credential.helper=forge-broker credential fill >"$work/out" 2>"$work/err" || status=$?
ok 'and stops when it is told to quit' all '[ "$status" -ne 0 ]' silent 'err_has "told us to quit"' 'err_has "no source of deploy"'

# That git asked is told to `forge-broker git`
start "$work/match" "$work/good"
status=0
printf '%s' "$asked" | FORGE_BROKER_GIT_REPORT_FD=5 "$program" git-credential --socket "$socket" get >"$work/out" 2>"$work/err" 5>"$work/report" || status=$?
ok 'who was asked for is reported, without the value' [ "$(cat "$work/report")" = "deploy	https://git.example/o/r.git	deploy forgejo_token_source=infisical-token-auth freshness=fresh fp=3f9a1c02" ]
for bad in 1 2 x 99999999999999999999 -3 ''; do
        start "$work/match" "$work/good"
        status=0
        printf '%s' "$asked" | FORGE_BROKER_GIT_REPORT_FD=$bad "$program" git-credential --socket "$socket" get >"$work/out" 2>"$work/err" || status=$?
        ok "a report to '$bad' is left out" all 'ends 0' "out_is 'username=bot
password=$value'" quiet
done

# erase
start "$work/match" "$work/good" "$work/still-valid"
ask erase "${asked}username=bot
password=$value
"
ok 'erase of the issued value is reported, and the verdict told' all 'ends 0' silent 'err_has "deploy: still-valid: the forge accepts"' \
        'grep -q "^POST /v1/tokens/deploy/rejected " "$work/log"' 'grep -qF "{\"fingerprint\":\"3f9a1c02\"}" "$work/log"' \
        '! grep -q canary "$work/log"' '! grep -q canary "$work/err"'
start "$work/match" "$work/good" "$work/changed"
ask erase "capability[]=authtype
${asked}authtype=Basic
credential=$(printf 'bot:%s' "$value" | base64 -w 0)
"
ok 'so is one with an authtype' all 'ends 0' 'err_has "deploy: changed: "'
start "$work/match" "$work/good" "$work/rejected"
ask erase "${asked}password=canary-of-somebody-else
"
ok 'another value is not reported: it is not ours' all 'ends 0' silent 'err_has "not the broker'\''s"' '! grep -q ^POST "$work/log"' \
        '! grep -q canary "$work/err"'
start "$work/good"
ask erase "$asked"
ok 'nothing is asked for an erase without a password' all 'ends 0' silent quiet '[ ! -s "$work/log" ]'

# rejected
start "$work/list" "$work/changed"
run rejected deploy
ok 'rejected reports the present value without fetching it' all 'ends 0' 'out_is changed' 'grep -qF "{\"fingerprint\":\"3f9a1c02\"}" "$work/log"' \
        '! grep -q "^GET /v1/tokens/deploy" "$work/log"'
start "$work/rejected"
run rejected deploy --fingerprint 0123abcd
ok 'the verdict "rejected" is exit code 1, with the remedy' all 'ends 1' 'out_is rejected' 'err_has "remedy: Make one."' \
        'grep -qF "{\"fingerprint\":\"0123abcd\"}" "$work/log"'
start "$work/not-ours"
run rejected deploy --fingerprint 0123abcd -q
ok '"not-ours" too' all 'ends 1' 'out_is not-ours' quiet
start "$work/list" "$work/still-valid"
run rejected deploy
ok '"still-valid" is not' all 'ends 0' 'out_is still-valid'
start "$work/list"
run rejected empty
ok 'no value, nothing to report' all 'ends 5' silent 'err_has "no value of"'
run rejected nope
ok 'no such token' all 'ends 3' silent
for bad in '' 3f9a1c0 3F9A1C02 '3f9a1c02"'; do
        run rejected deploy --fingerprint "$bad"
        ok "'$bad' is no fingerprint" all 'ends 2' silent
done

done_testing
