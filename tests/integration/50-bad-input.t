#!/bin/sh
# Bad credentials and configurations: a specific error with its remedy each, and nothing leaked.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq

standin_state >"$work/state.json"
standin_start "$work/state.json"
token_deploy | write_config
attempt_is() { [ "$(ask /v1/tokens/deploy | jq -r '.attempts[0].code')" = "$1" ]; }

# name, code, what makes the file
try() {
        : >"$work/daemon.log"
        rm -rf "$work/etc/access-token"
        eval "$3"
        daemon_start
        ok "a credential that is $1 is $2" wait_for 5 attempt_is "$2"
        remedy=$(ask /v1/tokens/deploy | jq -r '.attempts[0].remedy')
        like "$1: the remedy names the file or what to do" "$remedy" "$4"
        unlike "$1: nothing of it is shown" "$(cat "$work/daemon.log"; ask /v1/tokens/deploy; control /v1/status)" "$access_token"
        daemon_stop
        is "$1: the daemon stops cleanly" $? 0
}
try missing credential-missing : access-token
try world-readable credential-permissions 'echo $access_token >$work/etc/access-token; chmod 0644 $work/etc/access-token' access-token
try group-writable credential-permissions 'echo $access_token >$work/etc/access-token; chmod 0660 $work/etc/access-token' access-token
try "somebody else's" credential-permissions 'echo $access_token >$work/etc/access-token; chmod 0600 $work/etc/access-token; chown 1234 $work/etc/access-token' access-token
try empty credential-missing 'umask 077; : >$work/etc/access-token' access-token
try blank credential-missing 'umask 077; printf " \n\t\n" >$work/etc/access-token' access-token
try binary credential-missing 'umask 077; head -c 300 /dev/urandom >$work/etc/access-token' access-token
try huge credential-missing 'umask 077; head -c 20000 /dev/zero | tr "\\0" a >$work/etc/access-token' access-token
try "a directory" credential-permissions 'mkdir -m 700 $work/etc/access-token' access-token
try "a fifo" credential-permissions 'mkfifo -m 600 $work/etc/access-token' access-token
try wrong credential-rejected 'umask 077; echo not-a-token-at-all >$work/etc/access-token' 'credential|token'

# A configuration with twelve mistakes: all are told, each with its line, and nothing starts.
cat >"$work/etc/bad.conf" <<'EOT'
[broker]
socket = relative.sock
request_timeout = soon
max_connections = many
verbose = yes
[identity default]
url = http://infisical.example.org
token_file = t
project_id = p
[forge home]
type = subversion
url = git.example.org
[token deploy]
forge = elsewhere
secret_path = no/slash
secret_name =
refresh = 1
proof = perhaps
EOT
"$brokerd" --config "$work/etc/bad.conf" >"$work/out" 2>&1
is "a configuration with twelve mistakes is refused with 78" $? 78
for line in 2 3 4 5 7 11 12 14 15 16 17 18; do
        like "line $line is named" "$(cat "$work/out")" "bad.conf:$line: "
done
"$brokerd" --config "$work/etc/none.conf" >"$work/out" 2>&1
is "a missing configuration is refused with 78" $? 78
like "and named" "$(cat "$work/out")" 'none.conf'
"$brokerd" --nonsense >"$work/out" 2>&1
is "an unknown option is a usage error" $? 2

# Reload: a bad one keeps the old, a good one is in force, in both ways.
: >"$work/daemon.log"
token_deploy | write_config
daemon_start
daemon_ready
cp "$config_file" "$work/good.conf"
echo 'nonsense = 1' >>"$config_file"
"$brokerctl" --socket "$control_socket" reload >"$work/out" 2>&1
is "a rejected reload exits with 1" $? 1
like "and tells file and line" "$(cat "$work/out")" 'forge-broker.conf:[0-9]+: '
is "the old configuration is in force" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
is "status says that the reload was rejected" "$(control /v1/status | jq -r .broker.reload_failed)" true
ok "the rejection is on record" in_log '^config-rejected '
{ cat "$work/good.conf"; printf '\n[token second]\nforge = home\nsecret_path = /forges\nsecret_name = second\n'; } >"$config_file"
ok "a good reload exits with 0" "$brokerctl" --socket "$control_socket" reload
second() { [ "$(ask /v1/tokens/second -H 'Accept: text/plain')" = "$secret_value-2" ]; }
ok "and the new token is served" wait_for 5 second
total=$(standin_ask /counters | jq .requests)
kill -HUP "$daemon_pid"
loaded() { [ "$(records config-loaded | wc -l)" -ge 3 ]; }
ok "SIGHUP reloads too" wait_for 5 loaded
is "a reload takes values over and asks nothing anew" "$(standin_ask /counters | jq .requests)" "$total"
is "the value is served on" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
daemon_stop
is "it stops cleanly" $? 0

# A reload that shortens the times must not strand a value that was good under the longer ones.
{ token_deploy; echo 'refresh = 1h'; } | write_config
daemon_start
daemon_ready
old_enough=$(($(date +%s) + 11))
aged() { [ "$(date +%s)" -ge "$old_enough" ]; }
wait_for 13 aged
{ token_deploy; printf 'refresh = 10s\nmax_stale = 0s\n'; } | write_config
"$brokerctl" --socket "$control_socket" reload >/dev/null
served() { [ "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" = "$secret_value" ]; }
ok "a value too old for the new times is fetched anew at once" wait_for 3 served
daemon_stop
is "and it stops cleanly" $? 0
done_testing
