# shellcheck shell=sh disable=SC2034
# For tests that run the daemon by itself, without systemd: a directory of its own, the stand-in, sockets of its own, and
# its log in a file.  Nothing here sleeps for a fixed time: everything waits for what it wants to see.
#
#   . "$top_srcdir/tests/integration/lib.sh"
#   need_root                          skips the script where it does not run as root (only root is served)
#   sanitized                          true for a build with the sanitizers, whose memory is not like the real one's
#   standin_state >"$work/state.json"  a state with what write_config asks for: project, token, secret
#   standin_start "$work/state.json"   standin_url, standin_control (its control socket), standin_pid
#   forge_start TYPE STATE             a forge: forge_url, forge_type for write_config, forge_ask PATH for its control socket
#   write_config <<EOT                 the identity, the forge, and what stands here; before, what differs may be set in
#                                      broker_settings, identity_settings, forge_type, forge_url, forge_settings
#   daemon_start                       jobs_socket, control_socket, credential_socket, daemon_pid, $work/daemon.log
#   ask PATH [CURL OPTION...]          a request to the jobs' socket: the body; headers in $work/head
#   ask_status PATH [CURL OPTION...]   only the HTTP status
#   control PATH [CURL OPTION...]      the same on the control socket
#   wait_for SECONDS CMD...            until CMD succeeds; false after that time
#   daemon_stop                        SIGTERM, and its exit status
#   daemon_wait                        the exit status of one that ends by something else
#   put_credential FILE VALUE          a file beside the configuration, replaced at once as an operator's tool would
#
# With FORGE_BROKER_TEST_UNIT the daemon is started by systemd in its unit, as unit-daemon.sh says; scripts need not know.
#
# Everything that was started is stopped and $work removed when the script ends, however it ends; KEEP=1 keeps $work.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir/build}
. "$top_srcdir/tests/integration/tap.sh"

brokerd=$top_builddir/src/daemon/forge-brokerd
brokerctl=$top_builddir/src/ctl/forge-brokerctl
broker=$top_builddir/src/job/forge-broker
standin=$top_builddir/tests/standin/infisical-standin
old_kernel="$top_builddir/tests/faults/pretend old-kernel"       # two words: a launcher

work=$(mktemp -d "${TMPDIR:-/tmp}/forge-broker-test.XXXXXX") || exit 1
chmod 0755 "$work"      # a peer that is not root must reach the socket's directory
config_file=$work/etc/forge-broker.conf
jobs_socket=$work/run/broker.sock
control_socket=$work/control.sock
credential_socket=$work/credentials.sock
daemon_log=$work/daemon.log
lib_pids=
lib_at_exit=
daemon_pid=
standin_pid=

# What the stand-in's state, the credential and the configuration agree on.
project_id=11111111-2222-4333-8444-555555555555
access_token=${FORGE_BROKER_TEST_ACCESS_TOKEN:-at-test-0123456789abcdefghijklmnopqrstuvwxyz}
secret_value=${FORGE_BROKER_TEST_SECRET:-fb-test-secret-0123456789abcdef0123456789abcdef}

# at_exit CMD... - one more thing to do when the script ends
at_exit() {
        lib_at_exit="$*; $lib_at_exit"
}

lib_cleanup() {
        lib_status=$?
        trap - EXIT
        eval "$lib_at_exit"
        for lib_pid in $lib_pids; do
                kill -TERM "$lib_pid" 2>/dev/null
        done
        for lib_pid in $lib_pids; do
                wait_for 10 lib_gone "$lib_pid" || kill -KILL "$lib_pid" 2>/dev/null
        done
        [ -n "${KEEP-}" ] && note "kept: $work" || rm -rf "$work"
        exit "$lib_status"
}
trap lib_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# A child that ended and was not waited for is gone as well.
lib_gone() {
        lib_state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
        [ -z "$lib_state" ] || [ "$lib_state" = Z ]
}

wait_for() {
        lib_deadline=$(($(date +%s) + $1 + 1))
        shift
        until "$@"; do
                [ "$(date +%s)" -lt "$lib_deadline" ] || return 1
                sleep 0.02
        done
}

need_root() {
        [ "$(id -u)" = 0 ] || skip_all "the broker serves root only, and this is not root"
}

sanitized() {
        grep -aq __asan_init "$brokerd"
}

need() { # command, Debian package
        command -v "$1" >/dev/null || skip_all "$1 is missing (Debian: $2)"
}

standin_state() {
        cat <<EOT
{
  "settings": { "v4": true, "generation": "C" },
  "projects": [ { "id": "$project_id", "slug": "platform", "environments": [ { "slug": "prod", "folders": [
    { "path": "/" },
    { "path": "/forges", "secrets": [
      { "name": "deploy-bot@example.org", "value": "$secret_value", "version": 7 },
      { "name": "second", "value": "$secret_value-2", "version": 1 } ] } ] } ] } ],
  "identities": [ { "name": "broker", "memberships": [ { "project": "platform", "role": "viewer" } ],
                    "token_auth": { "ttl": 2592000, "max_ttl": 2592000, "uses_limit": 0 } } ],
  "tokens": [ { "name": "test", "identity": "broker", "value": "$access_token" } ]
}
EOT
}

# standin_start STATE [OPTION...] - returns when it listens
standin_start() {
        lib_state_file=$1
        shift
        standin_control=$work/standin.sock
        rm -f "$work/standin.port"
        "$standin" --state "$lib_state_file" --port 0 --port-file "$work/standin.port" --control "$standin_control" "$@" \
                >"$work/standin.log" 2>&1 &
        standin_pid=$!
        lib_pids="$lib_pids $standin_pid"
        wait_for 10 test -s "$work/standin.port" || bail "the stand-in did not start: $(cat "$work/standin.log")"
        standin_port=$(cat "$work/standin.port")
        standin_url=http://127.0.0.1:$standin_port
}

standin_stop() {
        kill -TERM "$standin_pid" 2>/dev/null
        wait "$standin_pid" 2>/dev/null
}

# standin_ask PATH [CURL OPTION...] - its control API
standin_ask() {
        lib_path=$1
        shift
        curl --silent --show-error --max-time 10 --unix-socket "$standin_control" "$@" "http://localhost$lib_path"
}

# forge_start TYPE STATE [OPTION...] - the forge stand-in; returns when it listens
forge_start() {
        forge_type=$1
        lib_state_file=$2
        shift 2
        forge_control=$work/forge.sock
        rm -f "$work/forge.port" "$forge_control"
        PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/standin/forge-standin" --type "$forge_type" \
                --state "$lib_state_file" --port-file "$work/forge.port" --control "$forge_control" "$@" \
                >"$work/forge.log" 2>&1 &
        forge_pid=$!
        lib_pids="$lib_pids $forge_pid"
        wait_for 10 test -s "$work/forge.port" || bail "the forge did not start: $(cat "$work/forge.log")"
        forge_url=http://127.0.0.1:$(cat "$work/forge.port")
}

forge_stop() {
        kill -TERM "$forge_pid" 2>/dev/null
        wait "$forge_pid" 2>/dev/null
}

# forge_ask PATH [CURL OPTION...] - its control API
forge_ask() {
        lib_path=$1
        shift
        curl --silent --show-error --max-time 10 --unix-socket "$forge_control" "$@" "http://localhost$lib_path"
}

# write_config - [broker] first, from $broker_settings; the sections on standard input last
write_config() {
        mkdir -p "$work/etc" "$work/run" "$work/state"
        chmod 0700 "$work/state"
        (umask 077 && printf '%s\n' "$access_token" >"$work/etc/access-token")
        cat >"$config_file" <<EOT
[broker]
socket = $jobs_socket
control_socket = $control_socket
credential_socket = $credential_socket
log = stderr
${broker_settings-}

[identity default]
url = ${standin_url-http://127.0.0.1:9}
token_file = $work/etc/access-token
project_id = $project_id
environment = prod
${identity_settings-}

[forge home]
type = ${forge_type-forgejo}
url = ${forge_url-https://git.example.org}
${forge_settings-}

EOT
        cat >>"$config_file"
}

# The token that standin_state has, as a section for write_config.
token_deploy() {
        cat <<'EOT'
[token deploy]
forge = home
secret_path = /forges
secret_name = deploy-bot@example.org
username = deploy-bot
EOT
}

# daemon_start_only [CMD...] - starts it and does not wait; CMD goes in front of it (valgrind, say), and so does
# $FORGE_BROKER_TEST_LAUNCHER in every script
daemon_start_only() {
        : >>"$daemon_log"
        # shellcheck disable=SC2086
        STATE_DIRECTORY=$work/state ${FORGE_BROKER_TEST_LAUNCHER-} "$@" "$brokerd" --config "$config_file" >>"$daemon_log" 2>&1 &
        daemon_pid=$!
        lib_pids="$lib_pids $daemon_pid"
}

lib_answers() {
        lib_gone "$daemon_pid" && return 0
        curl --silent --output /dev/null --max-time 2 --unix-socket "$jobs_socket" http://localhost/healthz
}

# daemon_start [CMD...] - returns when it answers; bails out with its log if it ends instead
daemon_start() {
        daemon_start_only "$@"
        wait_for "${daemon_start_seconds:-20}" lib_answers && ! lib_gone "$daemon_pid" ||
                bail "the daemon did not start: $(tail -n 20 "$work/daemon.log")"
}

# daemon_ready - until every token is usable
daemon_ready() {
        wait_for "${1:-20}" lib_ready
}

lib_ready() {
        [ "$(ask_status /readyz)" = 200 ]
}

daemon_wait() {
        wait "$daemon_pid"
}

daemon_stop() {
        kill -TERM "$daemon_pid" 2>/dev/null
        daemon_wait
}

# Here it is root and reads what is root's.
daemon_may_read() {
        :
}

put_credential() {
        lib_file=$work/etc/$1
        (umask 077 && printf '%s\n' "$2" >"$lib_file.new" && daemon_may_read "$lib_file.new" && mv "$lib_file.new" "$lib_file")
}

ask() {
        lib_path=$1
        shift
        curl --silent --show-error --max-time 30 --dump-header "$work/head" --unix-socket "$jobs_socket" "$@" \
                "http://localhost$lib_path"
}

ask_status() {
        lib_path=$1
        shift
        curl --silent --max-time 30 --output /dev/null --write-out '%{http_code}' --unix-socket "$jobs_socket" "$@" \
                "http://localhost$lib_path"
}

control() {
        lib_path=$1
        shift
        curl --silent --show-error --max-time 30 --dump-header "$work/head" --unix-socket "$control_socket" "$@" \
                "http://localhost$lib_path"
}

# in_log REGEXP - some line of the daemon's log matches
in_log() {
        grep -Eq -- "$1" "$work/daemon.log"
}

# records KIND - the audit records of that kind on stderr so far
records() {
        grep -E "(^|[> ])$1 " "$work/daemon.log"
}

[ -z "${FORGE_BROKER_TEST_UNIT-}" ] || . "$top_srcdir/tests/integration/unit-daemon.sh"
