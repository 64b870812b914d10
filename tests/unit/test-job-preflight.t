#!/bin/sh
# forge-broker preflight and whoami: what they ask, what they make of each answer, and what stays out of sight.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"

# report IDENTITY NEEDS [MORE]
report() {
        printf '{"name":"deploy","forge":"home","forge_type":"forgejo","forge_url":"https://git.example","repository":"o/r","source":"infisical-token-auth","freshness":"fresh","fingerprint":"3f9a1c02","identity":%s,"needs":[%s],"warnings":[]%s}' \
                "$1" "$2" "${3-}"
}
need() { # need NAME VERDICT EVIDENCE [CODE REMEDY]
        printf '{"need":"%s","verdict":"%s","evidence":"%s","code":%s,"remedy":%s}' "$1" "$2" "$3" "${4-null}" "${5-null}"
}
known='{"verdict":"yes","login":"deploy-bot","kind":"personal-access-token","scopes":["read:user","write:repository"],"expires_at":"2030-01-02T03:04:05Z","code":null,"evidence":null,"remedy":null}'
undisclosed='{"verdict":"yes","login":null,"kind":null,"scopes":null,"expires_at":null,"code":null,"evidence":"it may not read its own user","remedy":null}'
dead='{"verdict":"no","login":null,"kind":null,"scopes":null,"expires_at":null,"code":"forge-token-rejected","evidence":"the forge does not know this token","remedy":"Rotate the secret."}'
untold='{"verdict":"cannot-tell","login":null,"kind":null,"scopes":null,"expires_at":null,"code":"upstream-blocked","evidence":"a proxy answered","remedy":"Try the internal address."}'
allowed=$(need contents:write yes 'an empty request was refused for its emptiness alone')
refused=$(need release:write no 'the token has not the scope\n::set-env name=x::y' '"forge-scope-missing"' '"Add write:repository, then: rotate."')
unsure=$(need issues:write cannot-tell 'the forge does not say' '"forge-cannot-tell"' '"Ask with --write-probe."')
note='forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=fresh fp=3f9a1c02'
good_answer() { # good_answer FILE IDENTITY NEEDS [MORE]
        file=$1
        shift
        answer "$file" '200 OK' "$json" "$(report "$@")"
}
good_answer yes "$known" "$allowed"
good_answer mixed "$known" "$allowed,$refused,$unsure"
good_answer unsure "$known" "$allowed,$unsure"
good_answer dead "$dead" "$(need contents:write no 'the forge does not know this token' '"forge-token-rejected"' '"Rotate the secret."')"
# asked BODY: what the broker got, to the byte
asked() { tail -n 1 "$work/log" >"$work/body" && [ "$(cat "$work/body")" = "$1" ]; }
out_has() { grep -qxF -e "$1" "$work/out"; }

# Outside of a job
start "$work/yes"
run preflight deploy --repo o/r --need contents:write
printf '%s\n' 'yes          identity        deploy-bot, personal-access-token, scopes read:user write:repository, until 2030-01-02T03:04:05Z' \
        'yes          contents:write  an empty request was refused for its emptiness alone' >"$work/expected"
ok 'a proven need is a line, and the evidence line says whose token' all 'ends 0' 'cmp -s "$work/out" "$work/expected"' "err_is '$note'"
ok 'it is asked for and nothing else' all 'grep -q "^POST /v1/tokens/deploy/preflight HTTP/1.1" "$work/log"' \
        "asked '{\"write_probe\":false,\"repository\":\"o/r\",\"needs\":[\"contents:write\"]}'"
run preflight deploy --repo o/r --need contents:write -q
ok '-q leaves the evidence line out' all 'ends 0' '[ ! -s "$work/err" ]'
run preflight deploy --json --repo o/r --need contents:write
ok '--json prints the answer as it is' all 'ends 0' "out_is '$(report "$known" "$allowed")'"
start "$work/mixed"
run preflight deploy --repo o/r --need contents:write,release:write --need=issues:write
ok 'one refused need is exit status 1, whatever the others are' all 'ends 1' \
        'out_has "no           release:write   forge-scope-missing: the token has not the scope?::set-env name=x::y"' \
        'out_has "             remedy: Add write:repository, then: rotate."' \
        'out_has "cannot tell  issues:write    forge-cannot-tell: the forge does not say"' \
        'err_has "needs that are refused: 1 of 3"' '! grep -q "^::" "$work/out" "$work/err"'
ok 'needs with commas and repeated are all asked for' \
        asked '{"write_probe":false,"repository":"o/r","needs":["contents:write","release:write","issues:write"]}'
start "$work/unsure"
run preflight deploy --repo o/r --need contents:write,issues:write
ok 'what cannot be told is exit status 7, never 0' all 'ends 7' 'err_has "needs that cannot be told: 1 of 2"' \
        'out_has "             remedy: Ask with --write-probe."'
start "$work/dead"
run preflight deploy --repo o/r --need contents:write
ok 'a dead token is exit status 1' all 'ends 1' 'out_has "no           identity        forge-token-rejected: the forge does not know this token"'
good_answer other "$dead" "$allowed"
start "$work/other"
run preflight deploy --repo o/r --need contents:write
ok 'even if a need seemed proven' all 'ends 1' 'err_has "the forge does not take this token"'

# An answer proves only what it says
start "$work/yes"
run preflight deploy --repo o/r --need contents:write,pull:write
ok 'a need that the answer leaves out cannot be told' all 'ends 7' \
        "out_has 'cannot tell  pull:write      the broker'\\''s answer says nothing of it'"
run preflight deploy --repo o/r --need pull:write
ok 'and what was not asked for proves nothing' all 'ends 7' '! grep -q contents:write "$work/out"'
run preflight deploy --repo o/r --ref main --need pull:write
ok 'the same goes for a ref' all 'ends 7' 'grep -q "^cannot tell  ref " "$work/out"'
for verdict in '"YES"' '"maybe"' '""' true null 1 '["yes"]'; do
        good_answer odd "$known" "{\"need\":\"contents:write\",\"verdict\":$verdict}"
        start "$work/odd"
        run preflight deploy --repo o/r --need contents:write
        ok "a verdict $verdict is none" ends 7
done
for body in '{}' '{"identity":[]}' '{"identity":"yes","needs":[]}' '[]' '{"identity":{"verdict":"yes"},"needs":{}}'; do
        answer odd '200 OK' "$json" "$body"
        start "$work/odd"
        run preflight deploy --repo o/r --need contents:write
        ok "an answer $body is none" all 'ends 6' silent
done
good_answer odd "$known" "\"x\",null,[],{\"need\":7},$allowed" ',"more":{"a":[1]}'
start "$work/odd"
run preflight deploy --repo o/r --need contents:write
ok 'what is not understood beside it does not matter' ends 0

# What is asked
start "$work/yes"
run preflight deploy --repo 'g/s/r' --ref refs/tags/v1 --image o/app --need contents:write,release:write,packages:write,contents:write --write-probe
ok 'everything that can be given is sent' \
        asked '{"write_probe":true,"repository":"g/s/r","image":"o/app","ref":"refs/tags/v1","needs":["contents:write","release:write","packages:write"]}'
run preflight deploy --repo 'o/"r\' --ref main --need pull:write
ok 'odd names are quoted' asked '{"write_probe":false,"repository":"o/\"r\\","ref":"main","needs":["pull:write"]}'
# in_job VARIABLE=VALUE... -- WORDS
in_job() {
        status=0
        env "$@" --socket "$socket" >"$work/out" 2>"$work/err" || status=$?
}
in_job GITHUB_REPOSITORY=o/own GITHUB_REF=refs/tags/v2 FORGE_BROKER_TOKEN=deploy "$program" preflight --need contents:write
ok 'name, repository and ref are the job'\''s own' all 'ends 0' 'grep -q "^POST /v1/tokens/deploy/preflight " "$work/log"' \
        "asked '{\"write_probe\":false,\"repository\":\"o/own\",\"ref\":\"refs/tags/v2\",\"needs\":[\"contents:write\"]}'"
in_job GITHUB_REPOSITORY=x/y FORGEJO_REPOSITORY=o/own FORGEJO_REF=refs/heads/main "$program" preflight deploy --need release:write
ok 'a ref of its own only where something is pushed' asked '{"write_probe":false,"repository":"o/own","needs":["release:write"]}'
in_job GITHUB_REPOSITORY=o/own GITHUB_REF=refs/pull/7/merge "$program" preflight deploy --need contents:write
ok 'a pull request has none that anybody pushes to' asked '{"write_probe":false,"repository":"o/own","needs":["contents:write"]}'
in_job GITHUB_REPOSITORY=o/own GITHUB_REF=refs/heads/main "$program" preflight deploy --repo o/r --need contents:write
ok 'another repository has another ref' asked '{"write_probe":false,"repository":"o/r","needs":["contents:write"]}'
in_job GITHUB_REPOSITORY=o/own GITHUB_REF=refs/tags/v2 "$program" preflight deploy --ref v2 --need contents:write
ok 'a bare name that the job knows for a tag is one' \
        asked '{"write_probe":false,"repository":"o/own","ref":"refs/tags/v2","needs":["contents:write"]}'
in_job GITLAB_CI=true CI_PROJECT_PATH=g/s/r CI_COMMIT_TAG=v3 "$program" preflight deploy --need contents:write
ok 'GitLab names tags' asked '{"write_probe":false,"repository":"g/s/r","ref":"refs/tags/v3","needs":["contents:write"]}'
in_job GITLAB_CI=true CI_PROJECT_PATH=g/s/r CI_COMMIT_BRANCH=main "$program" preflight deploy --need contents:write
ok 'and branches' asked '{"write_probe":false,"repository":"g/s/r","ref":"refs/heads/main","needs":["contents:write"]}'

# In a forge's job
for forge in FORGEJO_ACTIONS GITEA_ACTIONS GITHUB_ACTIONS; do
        good_answer mixed "$known" "$allowed,$refused,$unsure" ',"extra":0'
        start "$work/mixed"
        : >"$work/summary"
        in_job $forge=true GITHUB_STEP_SUMMARY="$work/summary" "$program" preflight deploy --repo o/r \
                --need contents:write,release:write,issues:write
        ok "$forge: an error for no, a warning for what cannot be told" all 'ends 1' '[ "$(grep -c "^::" "$work/err")" = 2 ]' \
                'grep -q "^::error title=forge-broker preflight::release:write with token .deploy. in o/r: no: forge-scope-missing: the token has not the scope?::set-env name=x::y Remedy: Add write:repository, then: rotate.$" "$work/err"' \
                'grep -q "^::warning title=forge-broker preflight::issues:write .* Remedy: Ask with --write-probe.$" "$work/err"' \
                '! grep -q "^ *::" "$work/out"' 'grep -q "^yes .* contents:write " "$work/out"'
        ok "$forge: a table in the summary" all 'grep -qxF "### forge-broker preflight: deploy in o/r" "$work/summary"' \
                '[ "$(grep -c "^|" "$work/summary")" = 6 ]' 'grep -q "^| contents:write | yes | " "$work/summary"' \
                'grep -q "^| release:write | no | forge-scope-missing: " "$work/summary"'
done
start "$work/yes"
: >"$work/summary"
in_job FORGEJO_ACTIONS=true FORGEJO_STEP_SUMMARY="$work/summary" "$program" preflight deploy --repo o/r --need contents:write
ok 'no annotation where all is well' all 'ends 0' '! grep -q "^::" "$work/err"' '[ "$(grep -c "^|" "$work/summary")" = 4 ]'
in_job FORGEJO_ACTIONS=true FORGEJO_STEP_SUMMARY="$work/nowhere/x" "$program" preflight deploy --repo o/r --need contents:write
ok 'a summary that cannot be written is said, and changes no verdict' all 'ends 0' 'err_has "cannot write the step summary"'
good_answer markup "$known" "$(need contents:write no 'a | b <script> [x](y) `z` \\ *e*' '"forge-cannot-tell"')"
start "$work/markup"
: >"$work/summary"
in_job GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$work/summary" "$program" preflight deploy --repo o/r --need contents:write
ok 'what the forge says is no markup in the summary' grep -qF \
        '| contents:write | no | forge-cannot-tell: a \| b \<script\> \[x\](y) \`z\` \\ \*e\* |  |' "$work/summary"
good_answer command "$(printf '%s' "$known" | sed 's/deploy-bot/##[set-output name=x]y/')" "$(need contents:write no '##[add-mask]a ##[error]b' '"forge-cannot-tell"' '"##[debug]c"')"
start "$work/command"
for job in GITHUB_ACTIONS=true GITLAB_CI=true; do
        : >"$work/summary"
        in_job $job GITHUB_STEP_SUMMARY="$work/summary" "$program" preflight deploy --repo o/r --need contents:write
        ok "$job: nor a command of the runner's old kind" all 'ends 1' 'grep -qF "##?set-output name=x]y" "$work/out"' \
                'grep -qF "##?add-mask]a ##?error]b" "$work/out"' '! grep -qF "##[" "$work/out" "$work/err" "$work/summary"'
done
answer warned '200 OK' "$json" "$(report "$known" "$allowed" | sed 's/"warnings":\[\]/"warnings":["release 7 was left behind\\n::x::"]/')"
start "$work/warned"
run preflight deploy --repo o/r --need contents:write
ok 'a warning is no refusal' all 'ends 0' 'err_has "forge-broker: warning: release 7 was left behind?::x::"'
in_job GITHUB_ACTIONS=true "$program" preflight deploy --repo o/r --need contents:write
ok 'in a job it is an annotation' all 'ends 0' 'grep -q "^::warning title=forge-broker preflight::release 7 was" "$work/err"'

# A token of the job's own
good_answer own "$undisclosed" "$allowed"
sed 's/"source":[^,]*,"freshness":[^,]*,"fingerprint":[^,]*,//' "$work/own" >"$work/own.short"
body=$(sed '1,/^.$/d' "$work/own.short")
answer own '200 OK' "$json" "$body"
start "$work/own"
in_job OWN_TOKEN="$value" "$program" preflight deploy --repo o/r --need contents:write --token-env OWN_TOKEN
ok 'a token of the environment goes into the body, and has no source' all 'ends 0' '[ ! -s "$work/err" ]' \
        "asked '{\"write_probe\":false,\"repository\":\"o/r\",\"needs\":[\"contents:write\"],\"token\":\"$value\"}'" \
        'out_has "yes          identity        valid, undisclosed: it may not read its own user"'
ok 'and nowhere else' all '! grep -qF "$value" "$work/out" "$work/err"' '[ "$(grep -cF "$value" "$work/log")" = 1 ]'
in_job OWN_TOKEN="$value" "$program" whoami deploy --token-env OWN_TOKEN
ok 'whoami takes one as well' all 'ends 0' "asked '{\"write_probe\":false,\"token\":\"$value\"}'" '! grep -qF "$value" "$work/out" "$work/err"'
start hang
env OWN_TOKEN="$value" "$program" preflight deploy --repo o/r --need contents:write --token-env OWN_TOKEN --socket "$socket" \
        >"$work/out" 2>"$work/err" &
client=$!
tries=0
until [ -s "$work/log" ] || [ $tries -ge 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
done
ok 'nor is it an argument while it waits' all '[ -s "$work/log" ]' 'grep -qa preflight "/proc/$client/cmdline"' \
        '! grep -qaF "$value" "/proc/$client/cmdline"'
kill "$client"
wait "$client" 2>/dev/null
client=
answer asks '401 Unauthorized' "$problem_json" "$(problem proof-required 'this token is for proven jobs' 'Add it.')"
start "$work/asks" "$work/own"
in_job FORGEJO_ACTIONS=true FORGEJO_TOKEN="$value" "$program" preflight deploy --repo o/r --need contents:write --token-env FORGEJO_TOKEN
ok 'the automatic token may be what is asked about, and the proof of the job' all 'ends 0' '[ "$(grep -o "POST /v1/" "$work/log" | wc -l)" = 2 ]' \
        '[ "$(grep -c "^Authorization: Bearer " "$work/log")" = 1 ]'
for bad in '' 'two words' "$(printf 'a\nb')" "$(printf '\303\244')"; do
        in_job OWN_TOKEN="$bad" "$program" preflight deploy --repo o/r --need contents:write --token-env OWN_TOKEN
        ok "'$(printf %s "$bad" | tr '\n' '?')' is no token" all 'ends 2' silent 'err_has OWN_TOKEN'
done
in_job "$program" preflight deploy --repo o/r --need contents:write --token-env OWN_TOKEN
ok 'a variable that is not set is named' all 'ends 2' "err_has \"the environment variable 'OWN_TOKEN' is not set\""
in_job "$program" preflight deploy --repo o/r --need contents:write --token-env 'A=B'
ok 'a name that no variable can have, too' all 'ends 2' "err_has \"'A=B' is not set\""

# whoami
start "$work/yes"
run whoami deploy
printf '%-8s %s\n' user deploy-bot forge 'https://git.example (forgejo)' kind personal-access-token \
        scopes 'read:user write:repository' expires 2030-01-02T03:04:05Z >"$work/expected"
ok 'whoami says as whom, with which scopes, until when' all 'ends 0' 'cmp -s "$work/out" "$work/expected"' "err_is '$note'" \
        "asked '{\"write_probe\":false}'"
good_answer who "$undisclosed" ''
start "$work/who"
run whoami deploy
ok 'a token that may not read its own user is a good one' all 'ends 0' \
        'out_has "user     valid, undisclosed: it may not read its own user"' 'out_has "scopes   not readable"' 'out_has "expires  not known"'
good_answer who "$dead" ''
start "$work/who"
run whoami deploy
ok 'a dead one is exit status 1' all 'ends 1' silent 'err_has "forge-token-rejected: the forge does not know this token"' \
        'err_has "remedy: Rotate the secret."'
good_answer who "$untold" ''
start "$work/who"
run whoami deploy
ok 'an answer that is not the forge'\''s is exit status 7' all 'ends 7' silent 'err_has "upstream-blocked: a proxy answered"'
run whoami deploy --json
ok 'also with --json' all 'ends 7' "out_is '$(report "$untold" '')'"
in_job GITHUB_ACTIONS=true "$program" whoami deploy
ok 'in a job with an annotation' all 'ends 7' 'grep -q "^::warning title=forge-broker whoami::identity with token .deploy.: cannot tell: " "$work/err"'

# What is refused
answer refused '403 Forbidden' "$problem_json" "$(problem proof-insufficient "'o/r' is not in for= of token 'deploy'" 'Add it.')"
answer slow '503 Service Unavailable' "$problem_json" "$(problem upstream-timeout 'the forge has not answered everything yet' 'Ask again.')"
answer unknown '404 Not Found' "$problem_json" "$(problem unknown-token "there is no token 'nope'" 'Ask for another.')"
answer list '200 OK' "$json" '{"tokens":[{"name":"deploy"},{"name":"mirror"}]}'
start "$work/refused"
run preflight deploy --repo o/r --need contents:write
ok 'a refusal is exit status 4' all 'ends 4' silent 'err_has "proof-insufficient: "' 'err_has "remedy: Add it."'
in_job GITHUB_ACTIONS=true "$program" preflight deploy --repo o/r --need contents:write
ok 'in a job with an annotation, too' all 'ends 4' 'err_has "proof-insufficient: "' \
        'grep -q "^::error title=forge-broker preflight::token .deploy.: proof-insufficient: .* Remedy: Add it.$" "$work/err"'
start "$work/slow"
in_job FORGEJO_ACTIONS=true "$program" whoami deploy
ok 'a warning where it cannot be told' all 'ends 7' \
        'grep -q "^::warning title=forge-broker whoami::token .deploy.: upstream-timeout: .* Remedy: Ask again.$" "$work/err"'
run preflight deploy --repo o/r --need contents:write
ok 'a forge that is too slow is exit status 7' all 'ends 7' silent 'err_has "upstream-timeout: "' 'err_has "remedy: Ask again."'
run whoami deploy
ok 'also for whoami' ends 7
start "$work/unknown" "$work/list"
run preflight nope --repo o/r --need contents:write
ok 'an unknown token is exit status 3, and the known ones are named' all 'ends 3' 'err_has "known tokens: deploy, mirror"'
stop
run preflight deploy --repo o/r --need contents:write
ok 'no broker is exit status 6' all 'ends 6' silent
run preflight deploy --repo o/r
ok 'no need is a mistake' all 'ends 2' 'err_has "--need contents:write"'
start "$work/yes"
run preflight deploy --need packages:write --image o/app
ok 'but a package needs no repository' all 'ends 7' 'asked "{\"write_probe\":false,\"image\":\"o/app\",\"needs\":[\"packages:write\"]}"'
run preflight deploy --need contents:write
ok 'no repository is one outside of a job' all 'ends 2' 'err_has "which repository?"' 'err_has "--repo OWNER/NAME"'
run preflight deploy --repo o/r --need contents:write,everything
ok 'an unknown need is one, and the needs are named' all 'ends 2' "err_has \"there is no need 'everything'\"" \
        'err_has "contents:read, contents:write, release:write, packages:write, issues:write, pull:write"'
run preflight deploy --repo o/r --need contents:write,
ok 'so is an empty one' all 'ends 2' "err_has \"there is no need ''\""
run preflight deploy --repo o/r --need packages:write
ok 'a package has a name' all 'ends 2' 'err_has "--image OWNER/NAME"'
for place in r /r o/ o//r 'o/a b' "$(printf 'o/\033r')" "o/$(printf '%0300d' 1)"; do
        run preflight deploy --repo "$place" --need contents:write
        ok "'$(printf %.20s "$place" | tr -c 'a-z0-9/ \n' '?')' is no repository" all 'ends 2' 'err_has "OWNER/NAME"'
done
run preflight deploy --repo o/r.git --need contents:write
ok 'a URL has .git, and a repository does not' all 'ends 2' "err_has \"leave the '.git' out\""
run preflight deploy --repo o/r --need contents:write --write-probe
ok 'a write probe is for releases alone' all 'ends 2' 'err_has "which is not among the needs"' 'err_has "add --need release:write"'
run preflight deploy --repo o/r --ref "$(printf 'x\ny')" --need contents:write
ok 'nor is every text a ref' all 'ends 2' 'err_has "is no ref"'
set --
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
        set -- "$@" --need pull:write
done
run preflight deploy --repo o/r "$@"
ok 'an option without end is a mistake' all 'ends 2' 'err_has "--need is given too often"'
done_testing
