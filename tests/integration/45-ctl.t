#!/bin/sh
# What an operator sees of forge-brokerctl's smaller commands, against the real daemon.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq

# ctl WORD... - $output, $errors, $status
ctl() {
        output=$("$brokerctl" --socket "$control_socket" "$@" 2>"$work/err")
        status=$?
        errors=$(cat "$work/err")
}

standin_state >"$work/state.json"
standin_start "$work/state.json"
{ token_deploy; printf '[token second]\nforge = home\nsecret_path = /forges\nsecret_name = second\nrefresh = 90s\n'; } | write_config
daemon_start
ok "every token is usable" daemon_ready

# refresh
ctl refresh deploy
is "refresh waits for the outcome" "$status $output" "0 deploy: fresh from infisical-token-auth, fingerprint $(control /v1/status | jq -r '.tokens[] | select(.name == "deploy").fingerprint')"
ctl refresh deploy
is "a second one within 10 s is refused" "$status" 5
like "with the time to wait" "$errors" 'too-many-requests'
ctl --json refresh second
is "as JSON" "$status $(printf '%s' "$output" | jq -r .name)" "0 second"
ctl refresh nope
is "an unknown token" "$status" 3
like "is named, with those that there are" "$errors" "no token 'nope'.*deploy, second"
ctl refresh '../status'
is "what cannot be a name" "$status" 2
ctl refresh
is "no name" "$status" 2

# check-config, show-config
output=$("$brokerctl" check-config "$config_file" 2>&1)
is "check-config accepts what the daemon runs with" "$? $output" "0 $config_file: 2 tokens, 1 identities, 1 forges, nothing wrong"
cp "$config_file" "$work/etc/bad.conf"
printf 'refesh = 5m\nmax_stale = never\n[token third]\nforge = nowhere\n' >>"$work/etc/bad.conf"
output=$("$brokerctl" check-config "$work/etc/bad.conf" 2>&1)
is "and rejects another" "$?" 1
like "with every mistake: a key" "$output" "^$work/etc/bad.conf:[0-9]+: .*'refesh'"
like "a value" "$output" "^$work/etc/bad.conf:[0-9]+: 'max_stale' is 'never'"
is "as JSON" "$("$brokerctl" --json check-config "$work/etc/bad.conf" | jq -c '[.valid, (.problems | length > 1)]')" '[false,true]'
output=$("$brokerctl" check-config "$work/etc/none.conf" 2>&1)
is "a file that is not there" "$?" 1
mkdir -p "$work/etc/conf.d"
printf '[token second]\nmax_stale = 2h ; a drop-in\n' >"$work/etc/conf.d/10-more.conf"
output=$("$brokerctl" show-config "$config_file" 2>&1)
is "show-config" "$?" 0
like "shows a setting with its line" "$output" "^refresh = 90s +; $config_file:[0-9]+\$"
like "one of a drop-in" "$output" "^max_stale = 2h +; $work/etc/conf.d/10-more.conf:2\$"
like "a default" "$output" "^max_connections = 64 +; default\$"
like "what is not set" "$output" "^; registry is not set\$"
unlike "and no credential" "$output" "$access_token|$secret_value"
mkdir "$work/etc2"
printf '%s\n' "$output" >"$work/etc2/forge-broker.conf"
is "what it prints is the same configuration" "$("$brokerctl" show-config "$work/etc2/forge-broker.conf" | sed 's/  *; [^ ]*$//')" \
        "$(printf '%s\n' "$output" | sed 's/  *; [^ ]*$//')"
is "as JSON" "$("$brokerctl" --json show-config "$config_file" | jq -c '.[] | select(.name == "second" and .key == "max_stale") | [.value, .file, .line]')" \
        "[\"2h\",\"$work/etc/conf.d/10-more.conf\",2]"
output=$("$brokerctl" show-config "$work/etc/bad.conf" 2>&1)
is "a rejected one is not shown" "$?" 1

# metrics
ctl metrics
is "metrics prints them" "$status" 0
like "as they are" "$output" '^forge_broker_token_usable\{token="deploy"\} 1$'
mkdir "$work/prom"
ctl metrics --textfile "$work/prom/forge-broker.prom"
is "into a file" "$status $output" "0 "
like "with the daemon's word that it is there" "$(cat "$work/prom/forge-broker.prom")" '^forge_broker_up 1$'
is "readable for the collector, and nothing beside it" "$(stat -c %a "$work/prom/forge-broker.prom") $(ls "$work/prom")" "644 forge-broker.prom"
ctl metrics --textfile "$work/nowhere/forge-broker.prom"
is "a directory that is not there" "$status" 1
like "is named" "$errors" "$work/nowhere/forge-broker.prom: No such file"

# status --watch, in a terminal of its own
ctl status --watch
is "--watch without a terminal is a mistake" "$status" 2
like "and says what to do" "$errors" "needs a terminal"
if command -v script >/dev/null; then
        : >"$work/screen"
        script -qec "stty rows 12 cols 60; exec '$brokerctl' --socket '$control_socket' status --interval 200ms" "$work/screen" >/dev/null 2>&1 </dev/null &
        script_pid=$!
        lib_pids="$lib_pids $script_pid"
        frames() { [ "$(grep -ao "$(printf '\033\\[H')" "$work/screen" | wc -l)" -ge "$1" ]; }
        ok "--watch draws again and again" wait_for 10 frames 3
        ok "each frame over the last, without clearing the screen" sh -c "! grep -qa '$(printf '\033\\[2J')' '$work/screen'"
        like "what status shows" "$(tr -d '\r' <"$work/screen" | sed 's/\x1b\[[0-9?]*[a-zA-Z]//g')" '^deploy +home +fresh'
        is "no line is wider than the terminal" "$(tr -d '\r' <"$work/screen" | sed 's/\x1b\[H/\n/g; s/\x1b\[[0-9?]*[a-zA-Z]//g' | grep -av '^Script' | awk 'length > 60' | wc -l)" 0
        daemon_stop
        ok "it survives the daemon" wait_for 10 grep -qa 'not running: there is no socket\|not running: nobody listens' "$work/screen"
        pkill -TERM -P "$script_pid" 2>/dev/null
        wait "$script_pid"
        ok "and gives the terminal back" grep -qa "$(printf '\033\\[?25h\033\\[?1049l')" "$work/screen"
else
        skip "--watch" "script is missing (Debian: bsdutils)"
        daemon_stop
fi

# Without a daemon
ctl metrics --textfile "$work/prom/forge-broker.prom"
is "without a daemon the file says so, and so does the status" "$status $(grep -v '^#' "$work/prom/forge-broker.prom")" "6 forge_broker_up 0"
ctl refresh deploy
is "refresh" "$status" 6
ctl status
is "status" "$status" 3
output=$("$brokerctl" check-config "$config_file")
is "check-config needs none" "$?" 0

# credential set, for files of one's own: no systemd takes part, the daemon sees the new file by itself
client_id=22222222-3333-4444-8555-666666666666
client_secret=cs-test-0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab
standin_stop
standin_state | jq --arg id "$client_id" --arg secret "$client_secret" \
        '.tokens += [{name: "new", identity: "broker", value: "at-new-0123456789abcdefghijklmnopqrstuvwxyz"}] |
         .identities[0].universal_auth = {client_id: $id, ttl: 3600, max_ttl: 7200, client_secrets: [{secret: $secret}]}' >"$work/state.json"
standin_start "$work/state.json"
rm -r "$work/etc/conf.d"
identity_settings="client_id_file = $work/etc/client-id
client_secret_file = $work/etc/client-secret"
token_deploy | write_config
daemon_start
ok "every token is usable again" daemon_ready
credential() { # VALUE [WORD...]
        printf '%s\n' "$1" >"$work/input"
        shift
        output=$("$brokerctl" --socket "$control_socket" credential set --config "$config_file" "$@" <"$work/input" 2>&1)
        status=$?
}
files() { (cd "$work/etc" && echo *); }
before=$(stat -c '%a %u %i' "$work/etc/access-token")
credential at-wrong-0123456789
is "a wrong access token changes nothing" "$status $(stat -c '%a %u %i' "$work/etc/access-token")" "1 $before"
credential at-new-0123456789abcdefghijklmnopqrstuvwxyz
is "a good one is put in place and served" "$status" 0 || note "$output"
is "with owner and mode of the old one" "$(stat -c '%a %u' "$work/etc/access-token") $(cat "$work/etc/access-token")" \
        "${before% *} at-new-0123456789abcdefghijklmnopqrstuvwxyz"
is "and nothing beside it" "$(files)" "access-token bad.conf forge-broker.conf"
standin_ask /counters/reset -X POST >/dev/null
credential "$client_id
wrong-secret" --universal-auth
is "a wrong pair changes nothing" "$status $(files)" "1 access-token bad.conf forge-broker.conf"
like "and is told as the login's failure" "$output" '  login: credential-rejected'
# Not within the second of the read before, and within the ten in which the daemon reads nothing more on demand.
sleep 1.1
is "it was one login" "$(standin_ask /counters | jq -r '.logins_ok, .class.login' | tr '\n' ' ')" "0 1 "
credential "$client_id
$client_secret" --universal-auth
is "a good pair is put in place" "$status $(files)" "0 access-token bad.conf client-id client-secret forge-broker.conf" || note "$output"
is "after one login, whose session is ended" "$(standin_ask /counters | jq -r '.logins_ok, .class.revoke' | tr '\n' ' ')" "1 1 "
unlike "nothing of it is printed" "$output" "$client_secret|$secret_value"
output=$("$brokerctl" credential get 2>&1)
is "there is only 'credential set'" "$?" 2
if command -v script >/dev/null; then
        : >"$work/screen"
        mkfifo "$work/keyboard"
        script -qec "'$brokerctl' --socket '$control_socket' credential set --config '$config_file'" "$work/screen" \
                >/dev/null 2>&1 <"$work/keyboard" &
        lib_pids="$lib_pids $!"
        exec 5>"$work/keyboard"
        wait_for 10 grep -qa 'is not shown' "$work/screen"
        echo at-typed-0123456789 >&5
        wait_for 20 grep -qa 'nothing was changed' "$work/screen"
        exec 5>&-
        ok "a terminal is asked" grep -qa 'access token (is not shown): ' "$work/screen"
        ok "and its answer is taken" grep -qa 'nothing was changed' "$work/screen"
        not_ok "and not shown" grep -qa at-typed "$work/screen"
        : >"$work/screen"
        script -qec "'$brokerctl' --socket '$control_socket' credential set --config '$config_file'; stty -a" "$work/screen" \
                >/dev/null 2>&1 <"$work/keyboard" &
        lib_pids="$lib_pids $!"
        exec 5>"$work/keyboard"
        wait_for 10 grep -qa 'is not shown' "$work/screen"
        printf '\003' >&5
        ok "Ctrl-C ends it" wait_for 10 grep -qa 'interrupted' "$work/screen"
        ok "and the terminal has its echo again" wait_for 10 grep -qaE '(^|[ ;])echo( |$)' "$work/screen"
        exec 5>&-
else
        skip "a terminal is asked" "script is missing (Debian: bsdutils)"
fi
daemon_stop

for command in check-config credential metrics refresh reload show-config status; do
        like "$command --help" "$("$brokerctl" "$command" --help)" "^Usage: forge-brokerctl $command"
        ok "$command is in --help" sh -c "'$brokerctl' --help | grep -q '^  $command '"
done

done_testing
