#!/bin/sh
# LoadCredential= with the broker's socket, by a systemd that was really booted: units get their credential, and one that may not
# have it does not start.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"
machine_start

socket=/run/forge-broker-credentials.sock
# unit NAME PROPERTY... - starts it for as long as it takes to show its credentials; what is shown is in $work/out
unit() {
        unit_name=$1
        shift
        boot_do systemd-run --wait --pipe --collect --quiet --unit="$unit_name" "$@" -- sh /usr/local/bin/show-credentials \
                >"$work/out" 2>"$work/err"
}
cat >"$boot_root/usr/local/bin/show-credentials" <<'EOT'
for file in "$CREDENTIALS_DIRECTORY"/*; do
        printf '%s=<%s> ' "${file##*/}" "$(cat "$file")"
done
EOT
# guarded_unit NAME - the same as a unit file with the guard of the manual
guarded_unit() {
        : >"$boot_root/run/$1.out"
        cat >"$boot_root/run/systemd/system/$1.service" <<EOT
[Service]
Type=oneshot
LoadCredential=deploy:$socket
ExecStartPre=/usr/bin/test -s %d/deploy
ExecStart=/bin/sh /usr/local/bin/show-credentials
StandardOutput=truncate:/run/$1.out
EOT
        boot_do systemctl daemon-reload
        boot_do systemctl start "$1.service" 2>"$work/err"
        guarded_status=$?
        cat "$boot_root/run/$1.out" >"$work/out"
        return "$guarded_status"
}
shown() { cat "$work/out"; }
journal_of() { boot_do journalctl --sync; boot_do journalctl --quiet --output=cat --unit="$1"; }
refused_start() { # description, unit, code, detail
        is "$1: it did not start" "$(shown)" ""
        like "$1: systemd says why" "$(journal_of "$2")" 'status=243/CREDENTIALS'
        entry=$(record "${5:-refused}")
        is "$1: the record has the code" "$(field "$entry" FORGE_BROKER_CODE)" "$3"
        like "$1: ... and what happened" "$(field "$entry" MESSAGE)" "$4"
}

is "the socket is root's alone" "$(stat -c '%a %u %g' "$boot_root$socket")" "600 0 0"
is "the daemon does not run yet" "$(boot_do systemctl is-active forge-brokerd.service)" inactive
unit consumer -p LoadCredential="deploy:$socket"
is "a unit gets its credential, and that starts the daemon" "$? $(shown)" "0 deploy=<$secret_value> "
entry=$(record issued)
is "the record says which unit" "$(field "$entry" FORGE_BROKER_PEER_UNIT)" consumer.service
is "... that it was root, though the daemon sees a user namespace" "$(field "$entry" FORGE_BROKER_PEER_UID)" 0
is "... which token" "$(field "$entry" FORGE_BROKER_TOKEN)" deploy
is "... from which source" "$(field "$entry" FORGE_BROKER_SOURCE)" infisical-token-auth

unit mirror -p LoadCredential="deploy:$socket" -p DynamicUser=yes -p PrivateUsers=yes -p PrivateNetwork=yes -p Delegate=yes \
        -p Slice=ci.slice
is "a unit with a user and namespaces of its own gets it too" "$? $(shown)" "0 deploy=<$secret_value> "
is "the record says which" "$(field "$(record issued)" FORGE_BROKER_PEER_UNIT)" mirror.service
is "... in which slice" "$(field "$(record issued)" FORGE_BROKER_PEER_CGROUP)" /ci.slice/mirror.service
unit 'mirror@ci\x2d1' -p LoadCredential="deploy:$socket"
is "an instance whose name systemd escapes gets it" "$? $(shown)" "0 deploy=<$secret_value> "
guarded_unit guarded
is "the guard of the manual lets it pass" "$? $(shown)" "0 deploy=<$secret_value> "
boot_do journalctl --sync
is "each of its two commands is an issuance" \
        "$(boot_do journalctl --quiet --output=json FORGE_BROKER_PEER_UNIT=guarded.service | wc -l)" 2

# Who may not have it.
unit wrong -p LoadCredential="nope:$socket"
refused_start "a token that there is not" wrong.service unknown-token "no token is called 'nope'"
cat >"$boot_root/usr/local/bin/forge-a-name" <<'EOT'
use strict;
use Socket;
my ($path, $unit, $id) = @ARGV;
socket(my $peer, AF_UNIX, SOCK_STREAM, 0) or die $!;
bind($peer, pack_sockaddr_un("\0f0f0/unit/$unit/$id")) or die $!;
connect($peer, pack_sockaddr_un($path)) or die $!;
my $answer = do { local $/; <$peer> };
print length($answer) > 1048576 && $answer =~ /^\n+$/ ? "refusal\n" : "got: $answer\n";
EOT
forge() { boot_do systemd-run --wait --pipe --collect --quiet --unit="$1" -- perl /usr/local/bin/forge-a-name "$socket" "$2" "$3"; }
is "a unit that forges another's name gets nothing" "$(forge intruder consumer.service deploy)" refusal
entry=$(record refused)
is "... the record has the unit that it is" "$(field "$entry" FORGE_BROKER_PEER_UNIT)" intruder.service
like "... and the one that it said" "$(field "$entry" MESSAGE)" "code=peer-refused .* in the name of consumer.service by a process of intruder.service"
# The sanity of the forger: in its own name it asks as systemd does.
is "in its own name it would get what the unit gets" "$(forge intruder intruder.service deploy)" "got: $secret_value"
boot_do useradd --uid 1000 somebody
is "another uid cannot even connect" \
        "$(boot_do systemd-run --wait --pipe --collect --quiet -p User=1000 -- perl /usr/local/bin/forge-a-name "$socket" x y 2>&1 | grep -c denied)" 1

{
        token_deploy | sed 's/deploy/second/; s/^secret_name.*/secret_name = second/'
        echo 'units = chosen-*.service'
} >>"$machine_config/forge-broker.conf"
ok "a token with a rule of units is added" boot_do systemctl reload forge-brokerd.service
unit chosen-1 -p LoadCredential="second:$socket"
is "a unit that the rule names gets it" "$? $(shown)" "0 second=<$secret_value-2> "
unit other-1 -p LoadCredential="second:$socket"
refused_start "a unit that the rule does not name" other-1.service peer-refused 'units chosen-\*\.service'
unit both -p LoadCredential="deploy:$socket" -p LoadCredential="second:$socket"
is "one of two credentials refused: it does not start either" "$(shown)" ""

# Restarts.
cat >"$boot_root/run/starts" <<EOT
i=0
while [ \$i -lt 30 ]; do
        i=\$((i + 1))
        systemd-run --wait --pipe --collect --quiet --unit=start-\$i -p LoadCredential=deploy:$socket -- \\
                sh -c 'echo "<\$(cat "\$CREDENTIALS_DIRECTORY/deploy")>"' || echo "failed: \$?"
done
EOT
boot_do sh /run/starts >"$work/starts" 2>&1 &
starts=$!
for restart in 1 2 3; do
        boot_do systemctl restart forge-brokerd.service || note "restart $restart failed"
done
wait "$starts"
is "three restarts of the daemon spoil none of 30 starts" "$(sort "$work/starts" | uniq -c | sed 's/^ *//')" "30 <$secret_value>"

# No value, or not in time.
standin_inside() { boot_do curl --silent --show-error --unix-socket /run/standin.sock "$@"; }
boot_do systemctl stop forge-brokerd.service
standin_inside http://s/fault -X POST -d '{"kind":"delay","class":"secret","ms":2500,"count":1}' >/dev/null
unit early -p LoadCredential="deploy:$socket"
is "a unit that starts during the first fetch waits for it" "$? $(shown)" "0 deploy=<$secret_value> "
standin_inside http://s/secret -X DELETE -d '{"path":"/forges","name":"deploy-bot@example.org"}' >/dev/null
boot_do systemctl restart forge-brokerd.service
unit late -p LoadCredential="deploy:$socket"
refused_start "a token without a value" late.service no-usable-value 'secret-not-found' unavailable

# Stopped and killed while a unit waits.
standin_inside http://s/secret -X PUT -d "{\"path\":\"/forges\",\"name\":\"deploy-bot@example.org\",\"value\":\"$secret_value\"}" >/dev/null
main_pid() { boot_do systemctl show -P MainPID forge-brokerd.service; }
# has_consumer PID - it has taken a connection of the credential socket
has_consumer() {
        for inode in $(boot_do cat /proc/net/unix | awk -v path="$socket" '$8 == path && $6 == "03" { print $7 }'); do
                [ -n "$(find "$boot_root/proc/$1/fd" -lname "socket:\[$inode\]" 2>/dev/null)" ] && return 0
        done
        return 1
}
waits() { # how it ends meanwhile, who waits
        meanwhile=$1
        shift
        boot_do systemctl stop forge-brokerd.service
        standin_inside http://s/fault -X POST -d '{"kind":"delay","class":"secret","ms":20000}' >/dev/null
        boot_do systemctl start --no-block forge-brokerd.service
        asked() { [ "$(standin_inside http://s/counters | jq .in_flight)" = 1 ]; }
        wait_for 10 asked || note "nothing is being fetched"
        pid=$(main_pid)
        case $pid in
        '' | 0 | 1 | *[!0-9]*) bail "the daemon does not run" ;;
        esac
        "$@" &
        waiting=$!
        ok "a unit waits for a value" wait_for 20 has_consumer "$pid"
        case $meanwhile in
        stopped) boot_do systemctl stop forge-brokerd.service ;;
        killed) boot_do kill -KILL "$pid" ;;
        esac
        standin_inside http://s/fault -X DELETE >/dev/null
        wait "$waiting"
}
waits stopped unit waits-stopped -p LoadCredential="deploy:$socket"
is "the daemon is stopped meanwhile: the unit does not start" "$(shown)" ""
like "... and systemd says why" "$(journal_of waits-stopped.service)" 'status=243/CREDENTIALS'
waits killed guarded_unit waits-killed
is "the daemon is killed meanwhile: the guard of the manual keeps the unit from starting" "$(shown)" ""
like "... for the credential is empty, which only the unit can notice" "$(journal_of waits-killed.service)" "ExecStartPre|Control process exited.*status=1"
unit after -p LoadCredential="deploy:$socket"
is "and the next one gets its credential" "$? $(shown)" "0 deploy=<$secret_value> "
unlike "no value is in the journal" "$(boot_do journalctl --quiet --no-pager --output=export)" "$secret_value"
done_testing
