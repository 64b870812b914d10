#!/bin/sh
# The units as `make install` puts them, in a systemd that was really booted: activation, credentials, the audit trail with
# the peers' units, reload, restart, crashes and the sandbox.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"

need_root
need jq jq
boot_possible || skip_all "$boot_why"
sanitized && skip_all "the sandbox forbids what the sanitizers need, and the machine has not their libraries"

config_dir=${sysconfdir:-/usr/local/etc}/forge-broker
bin=${bindir:-/usr/local/bin}
sbin=${sbindir:-/usr/local/sbin}
id_of() { # issued, refused, ...: from where the program has it
        sed -n "s/^#define AUDIT_ID_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_') *\"\([0-9a-f]*\)\"\$/\1/p" "$top_srcdir/src/broker/audit.h"
}

stage=$work/stage
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$top_builddir" install DESTDIR="$stage" >"$work/install.log" 2>&1 ||
        bail "make install failed: $(tail -n 5 "$work/install.log")"
# `make distcheck` installs below a prefix of its own, where no systemd looks.
unit_found=
for unit_dir in "$stage/lib/systemd/system" "$stage/usr/lib/systemd/system" "$stage/usr/local/lib/systemd/system"; do
        [ ! -e "$unit_dir/forge-brokerd.service" ] || unit_found=1
done
[ -n "$unit_found" ] || skip_all "the units are installed where systemd does not look for them"
boot_make_tree || skip_all "the machine's tree cannot be made: mmdebstrap failed, see the log"
boot_start || bail "the machine does not boot: $boot_why"
at_exit boot_stop
boot_copy "$stage"
install -m 0755 "$standin" "$boot_root/usr/local/bin/infisical-standin"
missing=$(boot_canaries | tr '\n' ' ')
note "not enforced by this machine's cgroups, and not tested here: ${missing:-nothing}"

service_is() { [ "$(boot_do systemctl show -P "$1" forge-brokerd.service)" = "$2" ]; }
show() { boot_do systemctl show -P "$1" "${2:-forge-brokerd.service}"; }
main_pid() { boot_do systemctl show -P MainPID forge-brokerd.service; }
# signal_daemon SIGNAL PID - never with the pid 0 of a service that does not run: that would be this very test
signal_daemon() {
        case $2 in
        '' | 0 | 1 | *[!0-9]*) return 1 ;;
        esac
        boot_do kill -"$1" "$2"
}
# job UNIT CMD... - as a unit of its own, like a runner's
job() {
        job_unit=$1
        shift
        boot_do systemd-run --wait --pipe --collect --quiet --unit="$job_unit" -- "$@"
}
get() { job "job-$1" "$bin/forge-broker" get deploy --timeout 20s 2>"$work/get.err"; }
# record KIND [FIELD=VALUE...] - the newest, as JSON
record() {
        boot_do journalctl --sync
        record_id=$(id_of "$1")
        shift
        boot_do journalctl --quiet --output=json --lines=1 "MESSAGE_ID=$record_id" "$@"
}
field() { printf '%s' "$1" | jq -r --arg name "$2" '.[$name] // ""'; }
drop_in() {
        mkdir -p "$boot_root/run/systemd/system/forge-brokerd.service.d"
        cat >"$boot_root/run/systemd/system/forge-brokerd.service.d/test.conf"
        boot_do systemctl daemon-reload
}

# What the administrator does.
ok "sysusers.d makes the user" boot_do systemd-sysusers
ok "tmpfiles.d makes the directories" boot_do systemd-tmpfiles --create
ok "the catalog is taken over" boot_do journalctl --update-catalog
boot_do systemctl daemon-reload
ok "the preset enables the sockets" boot_do systemctl preset forge-brokerd.socket forge-brokerd-control.socket forge-brokerd-credentials.socket
is "the jobs' socket is enabled" "$(boot_do systemctl is-enabled forge-brokerd.socket)" enabled
is "the control socket is enabled" "$(boot_do systemctl is-enabled forge-brokerd-control.socket)" enabled
is "the credentials' socket is enabled" "$(boot_do systemctl is-enabled forge-brokerd-credentials.socket)" enabled

standin_state >"$boot_root/etc/standin.json"
boot_do systemd-run --quiet --unit=standin infisical-standin --state /etc/standin.json --port 18080 \
        --port-file /run/standin.port --control /run/standin.sock
standin_up() { boot_do curl --silent --output /dev/null http://127.0.0.1:18080/api/status; }
wait_for 10 standin_up || bail "the stand-in does not answer: $(boot_do journalctl -u standin --no-pager)"
mkdir -p "$boot_root$config_dir/conf.d"
cat >"$boot_root$config_dir/forge-broker.conf" <<EOT
[identity default]
url = http://127.0.0.1:18080
token_file = infisical-token
project_id = $project_id
environment = prod

[forge home]
type = forgejo
url = https://git.example.org

$(token_deploy)
EOT

# Activation, and no credential at all.
ok "the sockets start" boot_do systemctl start forge-brokerd.socket forge-brokerd-control.socket
is "the service is not started by that" "$(boot_do systemctl is-active forge-brokerd.service)" inactive
is "the jobs' socket is root's alone" "$(stat -c '%a %u %g' "$boot_root/run/forge-broker/broker.sock")" "600 0 0"
is "its directory is closed to other writers" "$(stat -c '%a %u' "$boot_root/run/forge-broker")" "755 0"
is "the control socket is root's alone" "$(stat -c '%a %u %g' "$boot_root/run/forge-broker-control.sock")" "600 0 0"
get 0 >"$work/out"
is "without a credential a job is told that there is no value" "$?" 5
ok "the first request started the service" wait_for 5 service_is ActiveState active ||
        note "$(boot_do journalctl --quiet --lines=20 --no-pager --output=cat -u forge-brokerd.service)"
status=$(boot_do "$sbin/forge-brokerctl" status 2>&1)
is "status says degraded by its exit status" "$?" 1
like "status names the missing credential" "$status" 'credential-missing'
like "status names the remedy" "$status" 'remedy: '
like "systemctl status names it too" "$(show StatusText)" 'credential-missing|deploy'

# Credentials.
(umask 077 && mkdir -p "$boot_root/etc/credstore.encrypted" "$boot_root/etc/credstore")
printf '%s' "$access_token" | boot_do systemd-creds encrypt --name=infisical-token - \
        /etc/credstore.encrypted/infisical-token 2>"$work/creds.err" || note "$(cat "$work/creds.err")"
ok "restart after the credential was put into the encrypted store" boot_do systemctl restart forge-brokerd.service
is "LoadCredentialEncrypted= brings the token" "$(get 1)" "$secret_value"
rm "$boot_root/etc/credstore.encrypted/infisical-token"
(umask 077 && printf '%s\n' "$access_token" >"$boot_root/etc/credstore/infisical-token")
drop_in <<'EOT'
[Service]
LoadCredential=infisical-token
EOT
ok "restart with a plain credential and a drop-in" boot_do systemctl restart forge-brokerd.service
is "LoadCredential= brings the token" "$(get 2)" "$secret_value"

# The record.
entry=$(record issued)
is "the record says which unit asked" "$(field "$entry" FORGE_BROKER_PEER_UNIT)" job-2.service
is "the record says in which cgroup" "$(field "$entry" FORGE_BROKER_PEER_CGROUP)" /system.slice/job-2.service
is "no container is made up" "$(field "$entry" FORGE_BROKER_PEER_CONTAINER)" ""
is "the record says which token" "$(field "$entry" FORGE_BROKER_TOKEN)" deploy
is "the record says from which source" "$(field "$entry" FORGE_BROKER_SOURCE)" infisical-token-auth
is "the record says how fresh" "$(field "$entry" FORGE_BROKER_FRESHNESS)" fresh
is "the record says who" "$(field "$entry" FORGE_BROKER_PEER_UID)" 0
is "the record is the daemon's own" "$(field "$entry" _SYSTEMD_UNIT)" forge-brokerd.service
like "the record's text has the marker" "$(field "$entry" MESSAGE)" ' forgejo_token_source=infisical-token-auth '
like "the fingerprint is eight hex digits" "$(field "$entry" FORGE_BROKER_FINGERPRINT)" '^[0-9a-f]{8}$'
entry=$(boot_do journalctl --quiet --output=cat --catalog --output=short -n 1 "MESSAGE_ID=$(id_of issued)")
like "journalctl -x explains it" "$entry" 'A forge token was issued: deploy'
like "journalctl -x names the peer's unit" "$entry" 'job-2\.service'

# What Docker's systemd driver makes, and what is below it.
docker_id=3f9a1c02d4e5b6a73f9a1c02d4e5b6a73f9a1c02d4e5b6a73f9a1c02d4e5b6a7
job runner systemd-run --scope --quiet --unit="docker-$docker_id.scope" "$bin/forge-broker" get deploy --timeout 20s >/dev/null 2>&1
entry_docker=$(record issued)
is "a container's peer has the container's scope as its unit" "$(field "$entry_docker" FORGE_BROKER_PEER_UNIT)" "docker-$docker_id.scope"
is "... and the engine and id of the container" "$(field "$entry_docker" FORGE_BROKER_PEER_CONTAINER)" "docker:$docker_id"
like "... which the text shortens as docker ps does" "$(field "$entry_docker" MESSAGE)" ' peer_container=docker:3f9a1c02d4e5 '

# The process.
pid=$(main_pid)
proc=$boot_root/proc/$pid
user=$(awk -F: '$1 == "forge-broker" { print $3 }' "$boot_root/etc/passwd")
is "the daemon runs as its own user" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "$proc/status")" "$user $user $user $user"
is "it has no capability and cannot get one" \
        "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' "$proc/status" | sort -u)" 0000000000000000
is "it gets no new privileges" "$(awk '/^NoNewPrivs:/ { print $2 }' "$proc/status")" 1
is "its system calls are filtered" "$(awk '/^Seccomp:/ { print $2 }' "$proc/status")" 2
like "it dumps no core" "$(cat "$proc/limits")" 'Max core file size +0 +0 '
unlike "it does not see the rest of the machine" "$(ls "$proc/root/")" '^(boot|home|media|mnt|opt|srv)$'
not_ok "it does not see the credential stores" test -e "$proc/root/etc/credstore/infisical-token"
is "nothing that it may write to can be executed" \
        "$(awk '$6 ~ /(^|,)rw(,|$)/ && $6 !~ /noexec/ && $5 !~ /^\/proc/ { print $5, $6 }' "$proc/mountinfo")" ""
is "only itself and libraries can be executed" \
        "$(awk '$6 !~ /noexec/ && $5 !~ /^(\/usr)?\/lib(32|64)?$|\/forge-brokerd$/ { print $5 }' "$proc/mountinfo" |
                grep -Ev -e '^/(run/systemd|etc|usr(/local)?/share)/' -e "^$config_dir\$")" ""
not_ok "it cannot write to its root" touch "$proc/root/canary"
not_ok "it cannot write to /etc" touch "$proc/root/etc/canary"
# One that is no unicast, and where nobody listens: what the filter drops takes its time, what it lets through is refused at once.
# shellcheck disable=SC2016
from_its_group() {
        boot_run sh -c 'echo 0 >/sys/fs/cgroup/system.slice/forge-brokerd.service/cgroup.procs &&
                exec curl --silent --max-time 0.5 "http://$1:9/"' sh "$1"
        echo $?
}
boot_do ip address add 240.0.0.1/32 dev lo
if printf '%s' "$missing" | grep -q ip-filter; then
        skip "it cannot reach what is no unicast address" "this machine has no address filter"
else
        is "it cannot reach what is no unicast address" "$(from_its_group 240.0.0.1)" 28
fi
is "... it is the filter that is in the way" "$(boot_do curl --silent --max-time 0.5 http://240.0.0.1:9/; echo $?)" 7
is "it can reach others" "$(from_its_group 127.0.0.1)" 7
is "its state is its own" "$(stat -c '%a %U' "$boot_root/var/lib/forge-broker" | sed "s/UNKNOWN/forge-broker/")" \
        "700 $(stat -c %U "$boot_root/var/lib/forge-broker" | sed 's/UNKNOWN/forge-broker/')"
is "systemctl says what it is doing" "$(show StatusText | grep -c .)" 1
is "the watchdog is armed" "$(show WatchdogUSec)" 30s
ok "the sandbox scores 1.1 or better" boot_do systemd-analyze security --threshold=11 forge-brokerd.service
is "systemd understands the installed units" \
        "$(boot_do systemd-analyze verify --man=no forge-brokerd.service forge-brokerd.socket forge-brokerd-control.socket forge-brokerd-credentials.socket 2>&1)" ""

# Others.
as_1000() {
        boot_do systemd-run --wait --pipe --collect --quiet --unit=intruder -p User=1000 -- \
                curl --silent --write-out ' %{http_code}' --unix-socket "$1" "http://localhost$2"
        echo " $?"
}
boot_do useradd --uid 1000 somebody
is "uid 1000 cannot connect: the file's mode" "$(as_1000 /run/forge-broker/broker.sock /v1/tokens/deploy)" " 000 7"
is "uid 1000 cannot connect to the control socket" "$(as_1000 /run/forge-broker-control.sock /v1/status)" " 000 7"
boot_do mount -o remount,rw /run/forge-broker
chmod 0666 "$boot_root/run/forge-broker/broker.sock"
answer=$(as_1000 /run/forge-broker/broker.sock /v1/tokens/deploy)
like "with the mode loosened by hand the daemon refuses it" "$answer" ' 403 0$'
like "... and says why" "$answer" 'peer-refused'
unlike "... and gives nothing away" "$answer" "$secret_value"
entry=$(record refused)
is "the refusal is recorded" "$(field "$entry" FORGE_BROKER_CODE)" peer-refused
like "... and journalctl -x has the code's title and remedy from the daemon's own table" \
        "$(boot_do journalctl --quiet --catalog -n 1 "MESSAGE_ID=$(id_of refused)" | LC_ALL=C tr -cd '\n -~' | tr -s ' \n' ' ')" \
        'peer-refused: This process may not ask\. Only uid 0 of this host is served'
is "... with the unit that tried" "$(field "$entry" FORGE_BROKER_PEER_UNIT)" intruder.service
unlike "... and not as root" "$(field "$entry" FORGE_BROKER_PEER_UID)" '^0$'
chmod 0600 "$boot_root/run/forge-broker/broker.sock"
boot_do mount -o remount,ro /run/forge-broker

# Reload.
sed 's/^secret_name = deploy.*/secret_name = second/; s/^\[token deploy\]/[token second]/' >"$boot_root$config_dir/conf.d/second.conf" <<EOT
$(token_deploy)
EOT
ok "systemctl reload takes a good configuration" boot_do systemctl reload forge-brokerd.service
is "the new token is served" "$(job job-3 "$bin/forge-broker" get second --timeout 20s 2>/dev/null)" "$secret_value-2"
is "the process is the same" "$(main_pid)" "$pid"
printf '[token third]\nforge = nowhere\nsecret_pth = /x\n' >"$boot_root$config_dir/conf.d/third.conf"
not_ok "systemctl reload fails for a bad one" boot_do systemctl reload forge-brokerd.service
is "the service stays" "$(main_pid) $(show ActiveState)" "$pid active"
is "the old configuration stays in force" "$(job job-4 "$bin/forge-broker" get second --timeout 20s 2>/dev/null)" "$secret_value-2"
like "the mistakes are in the journal with file and line" \
        "$(boot_do journalctl --sync; boot_do journalctl --quiet --output=cat -u forge-brokerd.service)" 'conf\.d/third\.conf:[0-9]+: '
like "status says that the reload was rejected" "$(boot_do "$sbin/forge-brokerctl" status 2>&1)" 'REJECTED|rejected'
rm "$boot_root$config_dir/conf.d/third.conf"
ok "systemctl reload takes the corrected one" boot_do systemctl reload forge-brokerd.service

# The journal goes away for a moment.
ok "the journal restarts" boot_do systemctl restart systemd-journald.service
is "a token is issued after that" "$(get 5)" "$secret_value"
is "... and recorded" "$(field "$(record issued)" FORGE_BROKER_PEER_UNIT)" job-5.service

# Stop, start, restart.
ok "stop" boot_do systemctl stop forge-brokerd.service
is "it stopped cleanly" "$(show Result) $(show ExecMainCode) $(show ExecMainStatus)" "success 1 0"
is "its sockets stay" "$(boot_do systemctl is-active forge-brokerd.socket forge-brokerd-control.socket | tr '\n' ' ')" "active active "
is "the next request starts it again" "$(get 6)" "$secret_value"

cat >"$boot_root/run/many" <<EOT
i=0
while [ \$i -lt 60 ]; do
        i=\$((i + 1))
        $bin/forge-broker get deploy --timeout 20s --quiet || echo "lost: \$?"
done
EOT
job many sh /run/many >"$work/many" 2>&1 &
many=$!
boot_do systemctl restart forge-brokerd.service
boot_do systemctl restart forge-brokerd.service
wait "$many"
is "two restarts lose none of 60 requests" "$(sort "$work/many" | uniq -c | sed 's/^ *//')" "60 $secret_value"

cat >"$boot_root/run/curls" <<'EOT'
i=0
while [ $i -lt 200 ]; do
        i=$((i + 1))
        curl --silent --show-error --max-time 20 --header 'Accept: text/plain' --unix-socket /run/forge-broker/broker.sock \
                http://localhost/v1/tokens/deploy || echo " lost: $?"
        echo
done
EOT
job curls sh /run/curls >"$work/curls" 2>&1 &
curls=$!
for restart in 1 2 3 4; do
        boot_do systemctl restart forge-brokerd.service || note "restart $restart failed"
done
wait "$curls"
is "four restarts lose none of 200 requests of plain curl" "$(sort "$work/curls" | uniq -c | sed 's/^ *//')" "200 $secret_value"

# A rotation: what systemd placed does not change under a running service, so it is a restart, and no request is lost.
standin_inside() { boot_do curl --silent --show-error --unix-socket /run/standin.sock "$@"; }
next_token=$(standin_inside -X POST -d '{"name":"next","identity":"broker"}' http://c/tokens | jq -r '.value // .token.value')
next_used() { standin_inside http://c/counters | jq '.token.next // 0'; }
(umask 077 && printf '%s\n' "$next_token" >"$boot_root/etc/credstore/infisical-token")
boot_do systemctl reload forge-brokerd.service
boot_do curl --silent --output /dev/null --unix-socket /run/forge-broker-control.sock -X POST http://c/v1/tokens/deploy/refresh
is "a reload does not bring a credential of systemd's" "$(next_used)" 0
job rotation sh /run/many >"$work/many" 2>&1 &
many=$!
boot_do systemctl restart forge-brokerd.service
wait "$many"
is "the restart that brings it loses none of 60 requests" "$(sort "$work/many" | uniq -c | sed 's/^ *//')" "60 $secret_value"
unlike "the new credential is in use" "$(next_used)" '^0$'
standin_inside -X POST -d '{}' http://c/tokens/test/revoke >/dev/null
boot_do systemctl restart forge-brokerd.service
is "and the old one is not needed any more" "$(get 9)" "$secret_value"

# Crashes.  Faster restarts than shipped, so that systemd's limits would strike if they were in force.
drop_in <<'EOT'
[Service]
LoadCredential=infisical-token
RestartSec=20ms
WatchdogSec=1s
EOT
boot_do systemctl restart forge-brokerd.service
killed=0
alive() { pid=$(main_pid) && [ "$pid" != 0 ] && [ "$pid" != "$old" ]; }
old=
while [ "$killed" -lt 8 ] && wait_for 5 alive; do
        signal_daemon KILL "$pid" 2>/dev/null
        old=$pid
        killed=$((killed + 1))
done
is "eight crashes in a row" "$killed" 8
is "the sockets survive them" "$(boot_do systemctl is-active forge-brokerd.socket forge-brokerd-control.socket | tr '\n' ' ')" "active active "
is "the next request is served" "$(get 7)" "$secret_value"

printf 'nonsense\n' >"$boot_root$config_dir/conf.d/broken.conf"
boot_do systemctl stop forge-brokerd.service
boot_do systemd-run --quiet --collect --unit=waiting -p StandardOutput=file:/run/waiting.out -- \
        "$bin/forge-broker" get deploy --timeout 60s
starts() { [ "$(show NRestarts)" -ge 25 ]; }
ok "a daemon that cannot start is tried again and again" wait_for 30 starts
is "the sockets survive that" "$(boot_do systemctl is-active forge-brokerd.socket forge-brokerd-control.socket | tr '\n' ' ')" "active active "
rm "$boot_root$config_dir/conf.d/broken.conf"
ok "the request that waited all the time is served" wait_for 20 grep -qx "$secret_value" "$boot_root/run/waiting.out"

# A loop that hangs.
old=0
hang() { alive && signal_daemon STOP "$pid"; }
ok "a daemon is made to hang" wait_for 20 hang
is "the watchdog replaces a daemon that hangs, and the request that found it is served" "$(get 8)" "$secret_value"
unlike "it is another process" "$(main_pid)" "^$pid\$"

boot_do journalctl --sync
is "the token and the credential are nowhere in the journal" \
        "$(boot_do journalctl --quiet --output=export | grep -acF -e "$secret_value" -e "$access_token" -e "$next_token")" 0

done_testing
