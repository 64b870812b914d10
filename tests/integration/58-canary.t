#!/bin/sh
# One token through every command of forge-broker: every process that is started is watched, and afterwards the value is in no
# argument, in no environment but that of exec's own command, in no file but the output that get --output writes, in no log.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need strace strace
need git git
need python3 python3
sanitized && skip_all "a process that is traced cannot be checked for leaks at its end"
strace -o /dev/null true 2>/dev/null || skip_all "processes cannot be traced here"

export HOME="$work/user" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
unset FORGE_BROKER_TOKEN GIT_CONFIG_COUNT GITHUB_OUTPUT FORGEJO_OUTPUT DOCKER_CONFIG
mkdir -p "$HOME" "$work/root/o" "$work/runner"
canary=$secret_value
forms() { # every form in which it could be somewhere
        printf '%s\n' "$canary"
        for user in deploy-bot x-access-token; do printf '%s:%s' "$user" "$canary" | base64 -w 0; echo; done
        printf '%s' "$canary" | base64 -w 0 | sed 's/=*$//'
        echo
}
forms >"$work/runner/forms"

echo "{ \"$canary\": { \"name\": \"deploy\", \"may\": \"write\" } }" >"$work/runner/identities"
PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/standin/git-server" --root "$work/root" --identities "$work/runner/identities" \
        --port-file "$work/git.port" --log "$work/git.log" >"$work/git.err" 2>&1 &
lib_pids="$lib_pids $!"
wait_for 10 test -s "$work/git.port" || bail "the git server did not start"
standin_state >"$work/runner/state.json"
standin_start "$work/runner/state.json"
forge_url=http://127.0.0.1:$(cat "$work/git.port")
forge_settings="registry = 127.0.0.1:$(cat "$work/git.port")"
token_deploy | write_config
daemon_start
ok "the token is usable" daemon_ready
export FORGE_BROKER_SOCKET="$jobs_socket" FORGEJO_ACTIONS=true GITHUB_ACTIONS=true GITHUB_REPOSITORY=o/r GITHUB_EVENT_NAME=push \
        FORGEJO_OUTPUT="$work/output" GITHUB_OUTPUT="$work/output"
: >"$work/output"
git init -q --bare "$work/root/o/r.git"
git init -q "$work/clone"
git -C "$work/clone" -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m one
git -C "$work/clone" remote add origin "$forge_url/o/r.git"

# found FILE... - the lines with the value in any form
found() { cat "$@" 2>/dev/null | grep -aF -f "$work/runner/forms"; }

# watched DESCRIPTION STATUS INPUT WORD... - runs it; then looks at all that it started, at all files, at the log
number=0
watched() {
        description=$1 wanted=$2 input=$3
        shift 3
        number=$((number + 1))
        printf '%b' "$input" | (cd "$work/clone" && strace -f -v -s 65536 -e trace=execve,execveat -o "$work/trace" "$@") \
                >"$work/out" 2>"$work/err"
        is "$description ends as it should" "$?" "$wanted" || note "$(cat "$work/err")"
        ok "$description was watched" grep -q 'execve(' "$work/trace"
        is "$description: the value is in nobody's arguments or environment" "$(found "$work/trace" | sed 's/\(.\{120\}\).*/\1/')" ""
        is "$description: nor in its messages" "$(grep -v '^::add-mask::' "$work/err" | grep -aF -f "$work/runner/forms")" ""
        is "$description: nor in a file" "$(cd "$work" && find . -type f -not -path './runner/*' -not -name out -not -name err -not -name trace \
                -not -name output -exec grep -laF -f runner/forms {} + 2>/dev/null)" ""
        is "$description: nor in the daemon's log" "$(found "$work/daemon.log")" ""
}
prints() { ok "$1: the value is what it prints" grep -qF "$canary" "$work/out"; }
silent() { is "$1: it prints no value" "$(found "$work/out")" ""; }

watched get 0 '' "$broker" get deploy
prints get
watched "get --json" 0 '' "$broker" get deploy --json
prints "get --json"
watched "get --mask" 0 '' "$broker" get deploy --mask
is "get --mask: masks the value first" "$(grep -cF "::add-mask::$canary" "$work/err")" 1
watched "get --output" 0 '' "$broker" get deploy --output token
silent "get --output"
is "get --output: the value is in the one file that it may be in" "$(grep -cF "$canary" "$work/output")" 1
watched list 0 '' "$broker" list
silent list
watched wait 0 '' "$broker" wait deploy
silent wait
watched require 0 '' "$broker" require deploy
silent require
watched rejected 5 '' "$broker" rejected deploy --timeout 20s
silent rejected
watched preflight 7 '' "$broker" preflight deploy --need contents:write,release:write
silent preflight
watched whoami 7 '' "$broker" whoami deploy --json
silent whoami
asked="protocol=http\nhost=127.0.0.1:$(cat "$work/git.port")\npath=o/r.git\n"
watched "git-credential get" 0 "$asked" "$broker" git-credential get
prints "git-credential get"
watched "git-credential store" 0 "${asked}username=deploy-bot\npassword=$canary\n" "$broker" git-credential store
silent "git-credential store"
watched "git-credential erase" 0 "${asked}username=deploy-bot\npassword=something-else\n" "$broker" git-credential erase
silent "git-credential erase"
watched "docker-credential get" 0 "127.0.0.1:$(cat "$work/git.port")" "$broker" docker-credential get
prints "docker-credential get"
watched "docker-credential list" 0 '' "$broker" docker-credential list
silent "docker-credential list"
watched "setup docker" 0 '' "$broker" setup docker
silent "setup docker"
watched git-check 1 '' "$broker" git-check origin
silent git-check
watched git 0 '' "$broker" git -- push origin HEAD:refs/heads/main
silent git
is "git: it was pushed as the broker's token" "$(git -C "$work/root/o/r.git" rev-parse --verify -q refs/heads/main >/dev/null && awk '{ print $NF }' "$work/git.log" | sort -u | tr '\n' ' ')" "- deploy "
git -C "$work/clone" -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m two
watched "git that fails" 1 '' "$broker" git -- push "--force-with-lease=main:$(git hash-object /dev/null)" origin HEAD:main
silent "git that fails"
like "git that fails: a preflight was made" "$(cat "$work/err")" "^forge-broker:   .* contents:write "
watched "git with a name" 0 '' "$broker" git deploy -- fetch origin
silent "git with a name"

# exec is the one whose command has it in its environment, and nowhere else.
(cd "$work/clone" && strace -f -v -s 65536 -e trace=execve,execveat -o "$work/trace" "$broker" exec deploy -- sh -c 'true; true') >"$work/out" 2>"$work/err"
is "exec ends as it should" "$?" 0
is "exec: the value is in the environment of its command" "$(found "$work/trace" | grep ' = 0$' | grep -c "\"FORGE_TOKEN=$canary\"")" 1
is "exec: and in nothing else that was started" "$(found "$work/trace" | grep -vc "^[0-9]* *execve(\"[^\"]*/sh\", \[\"sh\", \"-c\", \"true; true\"\], \[.*\"FORGE_TOKEN=")" 0
is "exec: nor in a message" "$(found "$work/err" "$work/out")" ""

# preflight of a token of the job's own: it is in the client's environment because it was in the job's.
(cd "$work/clone" && OWN_TOKEN=$canary strace -f -v -s 65536 -e trace=execve,execveat -o "$work/trace" \
        "$broker" preflight deploy --token-env OWN_TOKEN --need contents:write) >"$work/out" 2>"$work/err"
is "preflight --token-env ends as it should" "$?" 7
is "preflight --token-env: the value is in the environment that it was started with" \
        "$(found "$work/trace" | grep -c "^[0-9]* *execve(\"[^\"]*/forge-broker\", .*\"OWN_TOKEN=")" 1
is "preflight --token-env: in no argument" "$(found "$work/trace" | sed 's/], \[.*//' | found -)" ""
is "preflight --token-env: nor in a message" "$(found "$work/err" "$work/out")" ""
is "preflight --token-env: nor in the daemon's log" "$(found "$work/daemon.log")" ""
is "preflight --token-env: nor in a file" "$(cd "$work" && find . -type f -not -path './runner/*' -not -name trace -not -name output \
        -exec grep -laF -f runner/forms {} + 2>/dev/null)" ""

done_testing
