# shellcheck shell=sh disable=SC2034,SC2154
# For tests of the real static executable against a broker that is told how to answer: . job-lib.sh
program=${top_builddir:-.}/src/job/forge-broker
here=${top_srcdir:-.}/tests/unit
value='canary%4711:Z0+/='

skip_all() {
        echo "1..0 # SKIP $1"
        exit 0
}
command -v python3 >/dev/null 2>&1 || skip_all 'python3 is not installed: it plays the broker'
[ -x "$program" ] || skip_all "$program is not built"

unset FORGE_BROKER_TOKEN FORGE_BROKER_SOCKET
for name in REPOSITORY RUN_ID RUN_ATTEMPT JOB WORKFLOW EVENT_NAME REF ACTOR ACTIONS EVENT_PATH OUTPUT STEP_SUMMARY; do
        unset "FORGEJO_$name" "GITEA_$name" "GITHUB_$name"
done
unset CI_PROJECT_PATH CI_COMMIT_TAG CI_COMMIT_BRANCH CI_PIPELINE_ID CI_JOB_NAME CI_PIPELINE_SOURCE CI_COMMIT_REF_NAME GITLAB_USER_LOGIN GITLAB_CI
unset FORGE_BROKER_PROOF ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN FORGEJO_TOKEN GITEA_TOKEN GITHUB_TOKEN CI_JOB_TOKEN

# Short: a socket's path has 107 bytes at most.
work=$(mktemp -d /tmp/fb-cli.XXXXXX) || exit 99
broker=
client=
trap 'stop; [ -z "$client" ] || kill "$client" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
socket=$work/s

count=0
failed=0
# ok DESCRIPTION TEST...: one line of TAP
ok() {
        description=$1
        shift
        count=$((count + 1))
        if "$@"; then
                echo "ok $count - $description"
        else
                failed=1
                echo "not ok $count - $description"
                sed 's/^/#   out: /' "$work/out"
                sed 's/^/#   err: /' "$work/err"
                echo "#   status $status"
        fi
}

# start ANSWER...: a new broker; returns when it listens
start() {
        stop
        : >"$work/log"
        python3 "$here/test-job-broker.py" "$socket" "$work/log" "$@" &
        broker=$!
        tries=0
        while [ ! -S "$socket" ] && [ $tries -lt 200 ]; do
                sleep 0.05
                tries=$((tries + 1))
        done
}
stop() {
        [ -z "$broker" ] || { kill "$broker" && wait "$broker"; } 2>/dev/null
        broker=
        rm -f "$socket"
}
run() {
        status=0
        "$program" --socket "$socket" "$@" >"$work/out" 2>"$work/err" || status=$?
}
out_is() { printf '%s\n' "$1" | cmp -s - "$work/out"; }
err_is() { printf '%s\n' "$1" | cmp -s - "$work/err"; }
err_has() { grep -qF -e "$1" "$work/err"; }
silent() { [ ! -s "$work/out" ]; }
ends() { [ "$status" -eq "$1" ]; }
all() { # all 'cmd args' 'cmd args' ...
        for each; do
                eval "$each" || return 1
        done
}

# answer FILE STATUS TYPE BODY
answer() {
        printf 'HTTP/1.1 %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\nContent-Length: %s\r\n\r\n%s' \
                "$2" "$3" "$(printf %s "$4" | wc -c | tr -d ' ')" "$4" >"$work/$1"
}
issuance() { # issuance TYPE FRESHNESS
        printf '{"name":"deploy","token":"%s","username":"bot","forge":"home","forge_type":"%s","forge_url":"https://git.example","source":"infisical-token-auth","freshness":"%s","fetched_at":"2026-01-02T03:04:05Z","refresh_at":null,"version":7,"fingerprint":"3f9a1c02"}' \
                "$value" "$1" "$2"
}
problem() { # problem CODE DETAIL REMEDY [MORE]
        printf '{"type":"urn:forge-broker:%s","title":"t","status":0,"detail":"%s","code":"%s","remedy":"%s"%s}' \
                "$1" "$2" "$1" "$3" "${4-}"
}
json=application/json
problem_json=application/problem+json

# done_testing: the plan, and the status
done_testing() {
        echo "1..$count"
        exit "$failed"
}
