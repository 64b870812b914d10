#!/bin/sh
# forge-broker, the real static executable, against a broker that is told how to answer.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"

answer good '200 OK' "$json" "$(issuance forgejo fresh)"
answer list '200 OK' "$json" '{"tokens":[{"name":"deploy","forge":"home","forge_type":"forgejo","forge_url":"https://git.example","for":["platform/*","a::b"],"state":"fresh","source":"infisical-token-auth"},{"name":"mirror","forge":"hub","forge_type":"github","forge_url":"https://github.com","state":"failed","source":null},{"name":"::set-env name=x::y"}]}'
answer ready '200 OK' "$json" '{"ready":true}'
answer unknown '404 Not Found' "$problem_json" "$(problem unknown-token "there is no token 'nope'" 'Ask for another.')"
answer refused '403 Forbidden' "$problem_json" "$(problem peer-refused 'uid 1000 may not ask' 'Run it as root.')"
answer none '503 Service Unavailable' "$problem_json" "$(problem no-usable-value 'no source of deploy has a value' 'See above.' \
        ',"attempts":[{"source":"infisical-token-auth","url":"https://a.example","code":"secret-not-found","detail":"no secret DEPLOY\n::error::x","remedy":"Make it."},{"source":"direct-env-fallback","url":null,"code":"fallback-disabled","detail":null,"remedy":null}]')"
answer unready '503 Service Unavailable' "$problem_json" "$(problem no-usable-value '1 token is not usable' 'Each names its own.' \
        ',"ready":false,"tokens":[{"name":"deploy","code":"upstream-timeout","detail":"no answer","remedy":"Wait."}]')"
note='forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=fresh fp=3f9a1c02'

# What get prints
start "$work/good"
run get deploy
ok 'get prints the value and a newline, and the evidence on stderr' all 'ends 0' "out_is '$value'" "err_is '$note'"
run get deploy -q
ok 'get -q prints nothing but the value' all 'ends 0' "out_is '$value'" '[ ! -s "$work/err" ]'
run get --json deploy
ok 'get --json prints the answer as it is' all 'ends 0' 'out_is "$(issuance forgejo fresh)"' "err_is '$note'"
run get --mask deploy
printf '%s\n::add-mask::canary%%254711:Z0+/=\n::add-mask::%s\n::add-mask::%s\n' "$note" \
        "$(printf 'x-access-token:%s' "$value" | base64 -w 0)" "$(printf 'bot:%s' "$value" | base64 -w 0)" >"$work/expected"
ok 'get --mask masks the escaped value and its base64 forms on stderr' all 'ends 0' "out_is '$value'" \
        'cmp -s "$work/expected" "$work/err"'
status=0
FORGE_BROKER_TOKEN=deploy FORGE_BROKER_SOCKET=$socket "$program" get >"$work/out" 2>"$work/err" || status=$?
ok 'NAME and socket come from the environment' all 'ends 0' "out_is '$value'"
run --timeout=5s get -- deploy
ok 'options may stand before the command' all 'ends 0' "out_is '$value'"
for type in gitea github gitlab other; do
        answer "$type" '200 OK' "$json" "$(issuance $type stale)"
done
start "$work/gitea" "$work/github" "$work/gitlab" "$work/other"
for marker in gitea_token_source github_token_source gitlab_token_source forge_token_source; do
        run get deploy
        ok "the marker of this forge is $marker" err_is \
                "forge-broker: deploy $marker=infisical-token-auth freshness=stale fp=3f9a1c02"
done
start "slow:$work/good"
run get deploy
ok 'an answer may come byte by byte' all 'ends 0' "out_is '$value'"

# What it sends
start "$work/good"
status=0
env FORGEJO_REPOSITORY=example/site GITHUB_REPOSITORY=other/one GITHUB_RUN_ID=1948 GITEA_ACTOR= GITHUB_ACTOR=ann \
        CI_COMMIT_REF_NAME=main \
        "$program" get deploy --socket "$socket" >"$work/out" 2>"$work/err" || status=$?
cr=$(printf '\r')
sent() { grep -qxF -e "$1$cr" "$work/log"; }
ok 'the request is one for one connection' all 'sent "GET /v1/tokens/deploy HTTP/1.1"' 'sent "Host: localhost"' \
        'sent "Connection: close"' 'sent "Accept: application/json"'
ok 'claims come from the environment, the forge'\''s own names first' all 'sent "Forge-Broker-Repository: example/site"' \
        'sent "Forge-Broker-Run-Id: 1948"' 'sent "Forge-Broker-Actor: ann"' 'sent "Forge-Broker-Ref: main"'
# Every claim, in the words of each runner.
claims() { # PREFIX or gitlab
        start "$work/good"
        status=0
        case $1 in
        gitlab) set -- CI_PROJECT_PATH=v1 CI_PIPELINE_ID=v2 CI_JOB_NAME=v3 CI_PIPELINE_SOURCE=v4 CI_COMMIT_REF_NAME=v5 GITLAB_USER_LOGIN=v6 ;;
        *) set -- "$1REPOSITORY=v1" "$1RUN_ID=v2" "$1JOB=v3" "$1EVENT_NAME=v4" "$1REF=v5" "$1ACTOR=v6" "$1RUN_ATTEMPT=v7" "$1WORKFLOW=v8" ;;
        esac
        env "$@" "$program" get deploy --socket "$socket" >"$work/out" 2>"$work/err" || status=$?
        sed -n "s/^Forge-Broker-\(.*\)$cr\$/\1/p" "$work/log" | sort | tr '\n' ' ' >"$work/claims"
}
claims_are() { [ "$(cat "$work/claims")" = "$1" ]; }
for prefix in FORGEJO_ GITEA_ GITHUB_; do
        claims $prefix
        ok "all claims of a job with $prefix variables are sent" claims_are \
                'Actor: v6 Event: v4 Job: v3 Ref: v5 Repository: v1 Run-Attempt: v7 Run-Id: v2 Workflow: v8 '
done
claims gitlab
ok 'all claims that a job of GitLab has are sent' claims_are 'Actor: v6 Event: v4 Job: v3 Ref: v5 Repository: v1 Run-Id: v2 '

start "$work/good"
status=0
env GITHUB_JOB="$(printf 'a\r\nX-Injected: yes')" GITHUB_WORKFLOW="$(printf '%0400d' 7)" \
        "$program" get deploy --socket "$socket" >"$work/out" 2>"$work/err" || status=$?
ok 'a claim cannot add a header line' all 'sent "Forge-Broker-Job: a??X-Injected: yes"' '! grep -q "^X-Injected" "$work/log"'
ok 'a claim is cut at 255 bytes' sent "Forge-Broker-Workflow: $(printf '%0252d' 0)..."
ok 'what is not set is not sent' all '! grep -q "^Forge-Broker-Event" "$work/log"' '! grep -q "^Forge-Broker-Run-Attempt" "$work/log"'

# list
start "$work/list"
run list
cat >"$work/expected" <<'EOF'
NAME    FORGE  TYPE     URL                  FOR               STATE   SOURCE
deploy  home   forgejo  https://git.example  platform/*, a::b  fresh   infisical-token-auth
mirror  hub    github   https://github.com   -                 failed  -
EOF
ok 'list prints a table, and no name that cannot be one' all 'ends 0' 'cmp -s "$work/expected" "$work/out"'

# The broker's own errors
start "$work/unknown" "$work/list"
run get nope
ok 'an unknown token is exit code 3, with the known names' all 'ends 3' silent \
        "err_has \"forge-broker: unknown-token: there is no token 'nope'\"" 'err_has "known tokens: deploy, mirror"' \
        'err_has "remedy: Ask for another."'
start "$work/refused"
run get deploy
ok 'a refusal is exit code 4' all 'ends 4' silent 'err_has "forge-broker: peer-refused: uid 1000 may not ask"'
start "$work/none"
run get deploy
cat >"$work/expected" <<'EOF'
forge-broker: no-usable-value: no source of deploy has a value
  tried infisical-token-auth at https://a.example: secret-not-found: no secret DEPLOY?::error::x
    remedy: Make it.
  tried direct-env-fallback: fallback-disabled
remedy: See above.
EOF
ok 'no usable value is exit code 5, with each attempt; no line can become a command' all 'ends 5' silent \
        'cmp -s "$work/expected" "$work/err"'
answer html '502 Bad Gateway' text/html '<html>no</html>'
start "$work/html"
run get deploy
ok 'an error without an explanation says so' all 'ends 5' silent 'err_has "status 502, without the broker"'

# Answers that are none
garbage() { # garbage DESCRIPTION WORDS
        start "$work/garbage"
        run get deploy
        ok "$1 is refused, and said" all 'ends 6' silent "err_has '$2'" '! err_has canary'
}
printf 'SSH-2.0-OpenSSH_9.2\r\n' >"$work/garbage"
garbage 'something that is not HTTP' 'the first line is no status line'
answer garbage '200 OK' text/html '<html>canary</html>'
garbage 'a web page' 'the answer is not JSON but'
answer garbage '200 OK' "$json" '{"name":"deploy","token":"canary"'
garbage 'JSON that is cut' 'is not JSON: neither a comma nor the end'
answer garbage '200 OK' "$json" '["canary"]'
garbage 'JSON of another shape' 'no object'
answer garbage '200 OK' "$json" "$(issuance forgejo fresh | sed 's/"token"/"tokem"/')"
garbage 'an issuance without a value' "has no proper"
answer garbage '200 OK' "$json" "$(issuance forgejo fresh | sed 's/canary%/canary\\n/')"
garbage 'a value with a line break' "has no proper"
answer garbage '200 OK' "$json" "$(issuance forgejo fresh | sed 's/"deploy"/"other"/')"
garbage 'an issuance of another token' "has no proper"
printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"token":"canary' >"$work/garbage"
garbage 'an answer that is cut off' 'in the middle of the answer'
{ printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n'; head -c 300000 /dev/zero | tr '\0' ' '; } >"$work/garbage"
garbage 'an endless answer' 'larger than 256 KiB'

# Repeating
start close "$work/good"
run get deploy
ok 'a connection that ends before the first byte is repeated' all 'ends 0' "out_is '$value'"
start close close "$work/good"
run get deploy
ok 'but only once' all 'ends 6' silent 'err_has "without an answer, twice"' '[ "$(grep -c "^GET " "$work/log")" -eq 2 ]'

# Out of reach, each cause for itself
start hang
run get deploy --timeout 300ms
ok 'a broker that hangs is given up in time' all 'ends 6' silent 'err_has "the broker did not answer within 300ms"' \
        'err_has "The broker may be starting"'
stop
python3 -c '
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(0)
first = socket.socket(socket.AF_UNIX)
first.connect(sys.argv[1])
open(sys.argv[2], "w").close()
time.sleep(60)' "$socket" "$work/full" &
broker=$!
tries=0
while [ ! -e "$work/full" ] && [ $tries -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
done
run get deploy --timeout 300ms
ok 'a broker whose queue is full is given up in time' all 'ends 6' silent \
        'err_has "the broker did not accept the connection within 300ms"'
stop
start hang
kill "$broker" 2>/dev/null
wait "$broker" 2>/dev/null
broker=
run get deploy
ok 'a stale socket is named' all 'ends 6' 'err_has "is stale: the broker that made it does not listen any more"'
rm -f "$socket"
run get deploy
ok 'a missing socket is named' all 'ends 6' 'err_has "/s: the broker is not running"'
: >"$socket"
run get deploy
ok 'a file that is no socket is named' all 'ends 6' 'err_has "/s is not a socket"'
rm -f "$socket"
run get deploy --socket "$work/missing/s"
ok 'a missing directory is named' all 'ends 6' 'err_has "it is not mounted into this container"'
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null 2>&1; then
        start "$work/good"
        chmod 711 "$work"
        chmod 600 "$socket"
        cp "$program" "$work/program"
        status=0
        setpriv --reuid 65534 --regid 65534 --clear-groups "$work/program" get deploy --socket "$socket" \
                >"$work/out" 2>"$work/err" || status=$?
        ok 'who is not root is told his uid' all 'ends 6' silent 'err_has "runs as uid 65534 and may not use"' \
                'err_has "the broker serves root only"' 'err_has "Never sudo on forge-broker itself"'
        status=0
        setpriv --reuid 65534 --regid 65534 --clear-groups "$work/program" wait deploy --timeout 60s --socket "$socket" \
                >"$work/out" 2>"$work/err" || status=$?
        ok 'and wait does not wait for that to change' all 'ends 6' 'err_has "runs as uid 65534 and may not use"'
        status=0
        setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user \
                "$work/program" get deploy --socket "$socket" >"$work/out" 2>"$work/err" || status=$?
        if grep -q '^unshare:' "$work/err"; then
                ok 'root of a user namespace is told that he is not root # SKIP no user namespaces here' true
        else
                ok 'root of a user namespace is told that he is not root' all 'ends 6' silent \
                        'err_has "uid 0 of this container may not use"' 'err_has "it is not root on the host"'
        fi
else
        ok 'who is not root is told his uid # SKIP needs root and setpriv' true
        ok 'and wait does not wait for that to change # SKIP needs root and setpriv' true
fi

# wait
start "$work/unready" "$work/unready" close close "$work/ready"
run wait deploy
ok 'wait waits until the token is usable' all 'ends 0' silent 'err_has "forge-broker: deploy is usable"' \
        '[ "$(grep -c "^GET /readyz/deploy " "$work/log")" -eq 5 ]'
start "$work/unready"
run wait deploy --timeout 300ms
ok 'wait ends with the last reason' all 'ends 5' 'err_has "forge-broker: no-usable-value: 1 token is not usable"' \
        'err_has "  token deploy: upstream-timeout: no answer"' 'err_has "    remedy: Wait."'
start "$work/unknown" "$work/list"
run wait nope --timeout 60s
ok 'wait ends at once for an unknown token' all 'ends 3' 'err_has "known tokens: deploy, mirror"'
stop
run wait deploy --timeout 200ms
ok 'wait without a broker ends with exit code 6' all 'ends 6' 'err_has "the broker is not running"'
status=0
"$program" wait deploy --socket "$socket" --timeout 30s >"$work/out" 2>"$work/err" &
client=$!
sleep 0.2
start "$work/ready"
wait "$client" || status=$?
client=
ok 'wait waits for a broker that is started later' all 'ends 0' 'err_has "deploy is usable"'

# Usage
usage() { # usage WORDS ARGUMENT...
        words=$1
        shift
        status=0
        "$program" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
        ok "'$*' is a usage error" all 'ends 2' silent 'err_has "$words"' 'err_has "--help"'
}
usage 'which command?'
usage "there is no command 'gte'" gte deploy
usage "there is no option '--outpt'" get deploy --outpt x
usage "there is no option '-x'" -x
usage 'which token?' get
usage 'one NAME is enough' get a b
usage "cannot be a token's name" get ../status
usage "cannot be a token's name" get "$(printf '%065d' 1)"
usage "cannot be a token's name" wait 'a b'
usage '--timeout takes a duration' get deploy --timeout 10
usage '--timeout takes a duration' get deploy --timeout 0s
usage '--timeout needs a value' get deploy --timeout
usage '--json takes no value' get deploy --json=yes
usage "'deploy' is too much" list deploy
run get deploy --socket "/$(printf '%0120d' 1)"
ok 'a socket path that is too long is a usage error' all 'ends 2' 'err_has "longer than 107 bytes"'
run --version
ok '--version' all 'ends 0' 'grep -q "^forge-broker [0-9]" "$work/out"'
for command in '' docker-credential get list require setup wait; do
        run $command --help
        ok "'$command --help' goes to standard output" all 'ends 0' 'grep -q "^usage: forge-broker" "$work/out"' '[ ! -s "$work/err" ]'
done

# Standard output that takes nothing
if [ -w /dev/full ]; then
        start "$work/good"
        for command in 'get deploy' 'get deploy --json' '--help' '--version'; do
                : >"$work/out"
                status=0
                "$program" --socket "$socket" $command >/dev/full 2>"$work/err" || status=$?
                ok "'$command' notices a full disk" all 'ends 1' 'err_has "cannot write to standard output"'
        done
else
        ok 'a full disk is noticed # SKIP no /dev/full' true
fi
start "$work/good"
status=0
"$program" get deploy --socket "$socket" 2>"$work/err" >&- || status=$?
: >"$work/out"
ok 'a closed standard output is noticed, and the socket does not take its place' all 'ends 1' '! grep -qF "$value" "$work/log"'
mkfifo "$work/fifo"
{ read -r gone <"$work/fifo"; status=0; "$program" get deploy --socket "$socket" 2>"$work/err" || status=$?
        echo "$status" >"$work/status"; } | { exec <&-; echo gone >"$work/fifo"; }
status=$(cat "$work/status")
ok 'a reader that has left is an error and no signal' all 'ends 1' 'err_has "cannot write to standard output"'

# Where the value is not
start hang
"$program" get deploy --mask --socket "$socket" --timeout 20s >"$work/out" 2>"$work/err" &
client=$!
tries=0
while ! grep -q '^GET ' "$work/log" && [ $tries -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
done
tr '\0' ' ' <"/proc/$client/cmdline" >"$work/cmdline"
status=0
ok 'the command line has the name and never the value' all 'grep -q "get deploy" "$work/cmdline"' '! grep -qF canary "$work/cmdline"'
ok 'core dumps are off' grep -q '^Max core file size  *0 ' "/proc/$client/limits"
kill "$client" 2>/dev/null
wait "$client" 2>/dev/null
client=

# Alone in the world
if [ "$(id -u)" -eq 0 ] && command -v chroot >/dev/null 2>&1; then
        mkdir -p "$work/root"
        cp "$program" "$work/root/forge-broker"
        socket=$work/root/s
        start "$work/good"
        status=0
        chroot "$work/root" /forge-broker get deploy --socket /s >"$work/out" 2>"$work/err" || status=$?
        ok 'it runs in a root directory that holds only itself and the socket' all 'ends 0' "out_is '$value'" "err_is '$note'" \
                '[ "$(ls -A "$work/root" | wc -l)" -eq 2 ]'
else
        ok 'it runs in a root directory that holds only itself and the socket # SKIP needs root' true
fi

done_testing
