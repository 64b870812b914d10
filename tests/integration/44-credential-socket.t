#!/bin/sh
# The socket of LoadCredential= without systemd: whoever forges its connecting address gets nothing, and a refusal is never an
# empty credential.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
need python3 python3
units_possible || skip_all "$units_why"

load() { python3 "$top_srcdir/tests/integration/load-credential.py" "$credential_socket" "$@"; }
unit=consumer-$units_tag.scope
other=other-$units_tag.scope
loads() { in_unit "$unit" python3 "$top_srcdir/tests/integration/load-credential.py" "$credential_socket" "$@"; }

standin_state >"$work/state.json"
standin_start "$work/state.json"
token_deploy | write_config
daemon_start
daemon_ready
is "the socket is 0600 root" "$(stat -c '%a %U' "$credential_socket")" "600 root"
is "a unit gets its credential: the value and nothing else" "$(loads "$unit" deploy)" "$secret_value"
like "that is on record as any issuance is" "$(records issued)" \
        "^issued token=deploy forgejo_token_source=infisical-token-auth freshness=fresh .* peer_uid=0 .*peer_unit=$unit"

# Forged, one by one.
is "in another unit's name: refused" "$(loads "$other" deploy)" refusal
like "... and on record with what did not match" "$(records refused)" \
        "^refused code=peer-refused detail=\".deploy. was asked for in the name of $other by a process of $unit\" .*peer_unit=$unit"
is "without a unit of its own: refused" "$(load "$unit" deploy)" refusal
like "... and on record" "$(records refused)" 'code=peer-refused detail=".deploy. was asked for .* by a process of no unit that is known"'
is "a token that is not there: refused" "$(loads "$unit" nope)" refusal
like "... and on record" "$(records refused)" '^refused token=nope code=unknown-token'
number=0
while IFS='	' read -r what name; do
        number=$((number + 1))
        is "$what: refused" "$(in_unit "forger-$number-$units_tag.scope" python3 "$top_srcdir/tests/integration/load-credential.py" \
                "$credential_socket" --name "$name")" refusal
        like "$what: on record" "$(records refused)" "^refused code=malformed-request .* peer_unit=forger-$number-$units_tag.scope"
done <<EOT
nothing but digits	28f422ab6c34381e
no digits	/unit/$unit/deploy
other digits	28F4/unit/$unit/deploy
seventeen digits	28f422ab6c34381e0/unit/$unit/deploy
another word	28f422ab6c34381e/units/$unit/deploy
no unit	28f422ab6c34381e/unit//deploy
no credential	28f422ab6c34381e/unit/$unit/
one part only	28f422ab6c34381e/unit/deploy
a slash in the unit	28f422ab6c34381e/unit/a/$unit/deploy
a NUL in the name	28f422ab6c34381e/unit/$unit/dep\\x00loy
a NUL at its end	28f422ab6c34381e/unit/$unit/deploy\\x00
a line break in the unit	28f422ab6c34381e/unit/$unit\\n/deploy
EOT
longest=$(printf 'x%.0s' $(seq 1 $((107 - 23 - ${#unit}))))
is "the whole of sun_path: refused" "$(loads --name "28f422ab6c34381e/unit/$unit/$longest")" refusal
like "the whole of sun_path: it was read to its end" "$(records refused)" "code=unknown-token detail=\"no token is called '$longest'\""
is "a file's name: refused" "$(loads --path "$work/bound.sock")" refusal
is "no name: refused" "$(loads --unnamed)" refusal
unlike "nothing from outside breaks a line of the log" "$(cat "$work/daemon.log")" '^[^a-z<]'

# By uid.
chmod 0666 "$credential_socket"
is "with the mode loosened by hand another uid is refused" \
        "$(loads "$unit" deploy --uid 65534)" refusal
like "... and on record" "$(records refused)" '^refused code=peer-refused detail="uid 65534 is not 0"'
chmod 0600 "$credential_socket"
is "HTTP is not spoken here" "$(curl -s --max-time 20 --unix-socket "$credential_socket" -o /dev/null -w '%{http_code}' http://localhost/v1/tokens/deploy)" 000

# Rude ones, and the others meanwhile.
mkfifo "$work/hold"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        in_unit "rude-$i-$units_tag.scope" python3 "$top_srcdir/tests/integration/load-credential.py" "$credential_socket" "$unit" deploy \
                --count 10 --hold <"$work/hold" >"$work/held.$i" &
        lib_pids="$lib_pids $!"
done
exec 9>"$work/hold"
held() { [ "$(cat "$work"/held.* | grep -c connected)" = 12 ]; }
ok "a dozen units hold ten connections each and read nothing" wait_for 20 held
is "a unit's credential comes all the same" "$(loads "$unit" deploy)" "$secret_value"
is "and so does a job's token" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
held_by_daemon() { [ "$(find "/proc/$daemon_pid/fd" -lname 'socket:*' | wc -l)" -le "$1" ]; }
ok "of each unit only a few are kept open" wait_for 10 held_by_daemon 70
exec 9>&-
ok "when they end, all is let go" wait_for 10 held_by_daemon 12
is "a reader that is slow gets the whole refusal" "$(loads "$other" deploy --slow 1)" refusal
is "a herd of one unit's own gives way to itself, and no answer is cut short" \
        "$(loads "$unit" deploy --count 4 | sort | uniq -c | sed 's/^ *//')" "4 $secret_value"
loads "$unit" deploy --leave
loads "$other" deploy --leave
is "one who left before the answer does no harm" "$(loads "$unit" deploy)" "$secret_value"

# No descriptor for another connection: it waits, and is not left with an empty credential.
limit=$(prlimit --pid "$daemon_pid" --nofile --output SOFT --noheadings | tr -d ' ')
spare=0
while [ -h "/proc/$daemon_pid/fd/$spare" ]; do spare=$((spare + 1)); done
prlimit --pid "$daemon_pid" --nofile="$spare:"
loads "$unit" deploy >"$work/waiting" &
waiting=$!
ok "without a descriptor to spare nobody is accepted" wait_for 10 in_log 'credential socket: a connection cannot be accepted: Too many open files'
prlimit --pid "$daemon_pid" --nofile="$limit:"
wait "$waiting"
is "who came meanwhile gets its credential when there is one again" "$(cat "$work/waiting")" "$secret_value"

# The token's own rules.
{
        token_deploy
        printf 'units = consumer-*.scope\n'
        token_deploy | sed 's/deploy/second/; s/^secret_name.*/secret_name = second/'
        printf 'proof = required\njob_repositories = platform/*\n'
} | write_config
"$brokerctl" --socket "$control_socket" reload >/dev/null
is "a unit that the token's units name gets it" "$(loads "$unit" deploy)" "$secret_value"
is "another unit, in its own name: refused" "$(in_unit "$other" python3 "$top_srcdir/tests/integration/load-credential.py" \
        "$credential_socket" "$other" deploy)" refusal
like "... and on record with the rule" "$(records refused)" \
        "^refused token=deploy code=peer-refused .*token 'deploy' is not for unit '$other': units consumer-\*\.scope.*peer_unit=$other"
is "a token for jobs with a proof: refused" "$(loads "$unit" second)" refusal
like "... and on record, for no unit can show one" "$(records refused)" "^refused token=second code=proof-required .*peer_unit=$unit"

# Too often.
broker_settings='requests_per_second = 1'
token_deploy | write_config
"$brokerctl" --socket "$control_socket" reload >/dev/null
is "a unit that asks a thousand times at once is told to stop" \
        "$(in_unit "often-$units_tag.scope" python3 "$top_srcdir/tests/integration/load-credential.py" \
                "$credential_socket" "often-$units_tag.scope" deploy --times 1080 | sort | uniq -c | awk '$2 == "refusal" { refused = 1 } $2 != "refusal" { issued = $1 } END { print refused, (issued >= 1000 && issued < 1080) }')" "1 1"
like "... and that is on record" "$(records refused)" "code=too-many-requests detail=\"the processes of .*/often-$units_tag.scope ask more often"
is "the others are not" "$(loads "$unit" deploy)" "$secret_value"
broker_settings=
daemon_stop
is "it stops cleanly" $? 0
not_ok "and takes its socket along" test -e "$credential_socket"

# A value that is not usable yet.
rm -f "$work/daemon.log"
standin_ask /fault -X POST -d '{"kind":"delay","class":"secret","ms":1500,"count":1}' >/dev/null
token_deploy | write_config
daemon_start
is "who comes during the first fetch gets the value" "$(loads "$unit" deploy)" "$secret_value"
daemon_stop
standin_ask /fault -X POST -d '{"kind":"error-500","class":"secret","count":2}' >/dev/null
daemon_start
failed() { [ -n "$(records upstream-failed)" ]; }
wait_for 10 failed
is "who comes after a failure waits for the next attempt" "$(loads "$unit" deploy)" "$secret_value"
daemon_stop

# Refused by Infisical itself: waiting would change nothing.
rm -f "$work/daemon.log"
standin_ask /secret -X DELETE -d '{"path":"/forges","name":"deploy-bot@example.org"}' >/dev/null
daemon_start
failed_finally() { in_log '^upstream-failed token=deploy .*code=secret-not-found'; }
wait_for 10 failed_finally
is "a secret that is not there is refused" "$(loads "$unit" deploy)" refusal
like "... and on record as unavailable, with the reason" "$(records unavailable)" '^unavailable token=deploy code=no-usable-value detail=".*secret-not-found'
daemon_stop

# Stopped while somebody waits.
rm -f "$work/daemon.log"
standin_ask /secret -X PUT -d "{\"path\":\"/forges\",\"name\":\"deploy-bot@example.org\",\"value\":\"$secret_value\"}" >/dev/null
standin_ask /fault -X POST -d '{"kind":"delay","class":"secret","ms":20000,"count":1}' >/dev/null
daemon_start
sockets() { find "/proc/$daemon_pid/fd" -lname 'socket:*' | wc -l; }
fetching() { [ "$(standin_ask /counters | jq .in_flight)" = 1 ]; }
wait_for 10 fetching || note "nothing is being fetched"
before=$(sockets)
loads "$unit" deploy >"$work/waiting" &
waiting=$!
accepted() { [ "$(sockets)" -gt "$before" ]; }
ok "a unit waits" wait_for 10 accepted
daemon_stop
is "it stops cleanly with somebody waiting" $? 0
wait "$waiting"
is "who waited is refused, not left with an empty credential" "$(cat "$work/waiting")" refusal
standin_ask /fault -X DELETE >/dev/null

# No such socket.
mv "$config_file" "$work/saved.conf"
sed 's/^credential_socket = .*/credential_socket =/' "$work/saved.conf" >"$config_file"
daemon_start
daemon_ready
not_ok "an empty credential_socket is none" test -e "$credential_socket"
daemon_stop
done_testing
