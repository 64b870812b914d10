#!/bin/sh
# forge-broker exec: the value is in the command's environment and nowhere else, and the command runs as if called directly.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"

answer good '200 OK' "$json" "$(issuance forgejo fresh)"
answer unknown '404 Not Found' "$problem_json" "$(problem unknown-token "there is no token 'deploy'" 'Ask for another.')"
answer none '200 OK' "$json" '{"tokens":[]}'
note='forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=fresh fp=3f9a1c02'

start "$work/good"
# shellcheck disable=SC2016
run exec deploy -- sh -c 'printf "%s\n" "$FORGE_TOKEN"'
ok 'the value is in FORGE_TOKEN, and the evidence on stderr' all 'ends 0' "out_is '$value'" "err_is '$note'"
# shellcheck disable=SC2016
FORGE_TOKEN=old run exec deploy --env GH_TOKEN -q -- sh -c 'printf "%s %s\n" "$GH_TOKEN" "$FORGE_TOKEN"'
ok 'in another variable where --env says so' all 'ends 0' "out_is '$value old'" '[ ! -s "$work/err" ]'
FORGE_TOKEN=old run exec deploy -q -- env
ok 'in place of what was there, once' all '[ "$(grep -c ^FORGE_TOKEN= "$work/out")" = 1 ]' 'grep -qxF "FORGE_TOKEN=$value" "$work/out"'
run exec deploy --mask -- true
ok 'masked first where asked' all 'ends 0' silent 'err_has "::add-mask::canary%254711"'
FORGE_BROKER_TOKEN=deploy run exec -q -- sh -c 'echo "$#-$1-$2"' sh '' --json
ok 'the words behind -- are the command'\''s, options and empty ones too' all 'ends 0' 'out_is "2----json"'

run exec deploy -- sh -c 'exit 42'
ok 'the exit status passes through' ends 42
run exec deploy -- sh -c 'kill -TERM $$'
ok 'so does the signal that ends it' ends 143
run exec deploy -- /nowhere/command
ok 'a command that is not there is 127, with the name' all 'ends 127' silent "err_has \"cannot run '/nowhere/command'\""
run exec deploy -- "$work"
ok 'one that cannot be run is 126' all 'ends 126' silent 'err_has "Permission denied"'
run exec deploy
ok 'no command is a mistake' all 'ends 2' silent "err_has \"behind '--'\""
for bad in '' 1A 'A B' 'A=B' 'ä'; do
        run exec deploy --env "$bad" -- true
        ok "'$bad' is no variable" all 'ends 2' silent
done
start "$work/unknown" "$work/none"
run exec deploy -- sh -c 'echo ran'
ok 'without a value nothing is run' all 'ends 3' silent

# The command's process is the one that was started, with the caller's signals, limits and descriptors.
start "$work/good"
"$program" exec deploy -q --socket "$socket" -- sleep 60 >"$work/out" 2>"$work/err" &
client=$!
# becomes_sleep PID - a process is what started it until it is not
becomes_sleep() {
        tries=0
        while [ "$(cat "/proc/$1/comm")" != sleep ] && [ $tries -lt 200 ]; do
                sleep 0.05
                tries=$((tries + 1))
        done
}
becomes_sleep "$client"
status=0
ok 'the process becomes the command' grep -qx sleep "/proc/$client/comm"
ok 'the value is in its environment' grep -qz "^FORGE_TOKEN=$value\$" "/proc/$client/environ"
ok 'and not on its command line' all '! grep -q canary "/proc/$client/cmdline"'
ok 'and the caller'\''s limit of core dumps' \
        [ "$(grep '^Max core' "/proc/$client/limits")" = "$(grep '^Max core' /proc/self/limits)" ]
sleep 60 &
other=$!
becomes_sleep "$other"
ok 'what the caller ignores is ignored, and SIGPIPE is as it was' \
        [ "$(grep ^SigIgn "/proc/$client/status")" = "$(grep ^SigIgn "/proc/$other/status")" ]
ok 'it has the caller'\''s descriptors and none of ours' \
        [ "$(cd "/proc/$client/fd" && echo *)" = "$(cd "/proc/$other/fd" && echo *)" ]
kill "$other"
kill "$client"
status=0
wait "$client" || status=$?
client=
ok 'a signal reaches it' ends 143

done_testing
