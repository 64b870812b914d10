#!/bin/sh
# The journal stands still, and then it is gone: no value without its record, nothing hangs, the watchdog has no reason to
# strike, and when the journal is back so is the broker, by itself.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"
need python3 python3
ulimit -n 8192 2>/dev/null || ulimit -n "$(ulimit -H -n)"
machine_start

# Far sharper than shipped: what stops the loop for a second would end the daemon.
mkdir -p "$boot_root/etc/systemd/system/forge-brokerd.service.d"
printf '[Service]\nWatchdogSec=1s\n' >"$boot_root/etc/systemd/system/forge-brokerd.service.d/watchdog.conf"
boot_do systemctl daemon-reload

show() { boot_do systemctl show -P "$1" forge-brokerd.service; }
get() { boot_do systemd-run --wait --pipe --collect --quiet -- "$bin/forge-broker" get deploy --timeout 20s 2>"$work/get.err"; }
code() { boot_do curl --silent --max-time 10 --unix-socket /run/forge-broker/broker.sock http://localhost/v1/tokens/deploy | jq -r '.code // .source'; }
code_is() { [ "$(code)" = "$1" ]; }
# many COUNT - so many requests at once, from outside of the machine; how many ended in which way
many() {
        python3 "$top_srcdir/tests/integration/herd.py" "$boot_root/run/forge-broker/broker.sock" /v1/tokens/deploy "$1" 1000 --seconds 60 |
                jq -c .status
}
of() { printf '%s' "$1" | jq ".[\"$2\"] // 0"; }
seconds_since() { echo $(($(date +%s) - $1)); }
# signal_journal SIGNAL - never to a pid that is none
signal_journal() {
        journal_pid=$(boot_do systemctl show -P MainPID systemd-journald.service)
        case $journal_pid in
        '' | 0 | 1 | *[!0-9]*) bail "journald has no pid" ;;
        esac
        boot_do kill -"$1" "$journal_pid"
}
healthy() { # the daemon itself answers at once, on both sockets
        boot_do curl --silent --fail --max-time 1 --output /dev/null --unix-socket /run/forge-broker/broker.sock http://localhost/healthz &&
                boot_do curl --silent --fail --max-time 1 --output /dev/null --unix-socket /run/forge-broker-control.sock http://localhost/v1/status
}

is "a token is issued" "$(get)" "$secret_value"
pid=$(show MainPID)
is "the watchdog is sharp" "$(show WatchdogUSec)" 1s

# Frozen: what fits the socket's queue is recorded, the rest is not issued.
signal_journal STOP
start=$(date +%s)
result=$(many 3000)
elapsed=$(seconds_since "$start")
note "while journald stood still: $result in $elapsed s"
served=$(of "$result" 200)
is "each of 3000 requests is answered" "$((served + $(of "$result" 503)))" 3000
ok "in time: those that wait for the journal wait 2 s" test "$elapsed" -le 20
ok "not all of them with a value" test "$(of "$result" 503)" -gt 0
is "the code is audit-unavailable" "$(code)" audit-unavailable
start=$(date +%s)
get >"$work/out"
is "a job's get fails with 5" "$?" 5
ok "and does not hang" test "$(seconds_since "$start")" -le 10
is "it prints no value" "$(cat "$work/out")" ""
like "it says what is wrong, and the remedy" "$(tr '\n' ' ' <"$work/get.err")" 'audit-unavailable.*systemd-journald'
ok "the daemon itself answers at once" healthy
get >"$work/parked" &
parked=$!
signal_journal CONT
wait "$parked"
is "a request that waits while the journal wakes up is served" "$? $(cat "$work/parked")" "0 $secret_value"
ok "issuing goes on by itself" wait_for 10 code_is infisical-token-auth
is "nobody restarted the daemon" "$(show MainPID) $(show NRestarts)" "$pid 0"

# What was issued is what is recorded.
instance=$(field "$(record issued)" FORGE_BROKER_INSTANCE)
sequence() { boot_do journalctl --quiet --output=json "FORGE_BROKER_INSTANCE=$instance" _SYSTEMD_UNIT=forge-brokerd.service | jq -r .FORGE_BROKER_SEQ | sort -n; }
is "no record of this start is missing" "$(sequence | awk '$1 != NR { print "seq", $1, "is record", NR; exit }')" ""
issued=$(boot_do journalctl --quiet --output=json "FORGE_BROKER_INSTANCE=$instance" _SYSTEMD_UNIT=forge-brokerd.service |
        jq -r 'select(.MESSAGE | startswith("issued ")) | .FORGE_BROKER_SEQ' | wc -l)
ok "each value that left has its record" test "$issued" -ge $((served + 3))
ok "and few others have: those that were asked for meanwhile" test "$issued" -le $((served + 6))
unavailable() { [ "$(field "$(record unavailable)" FORGE_BROKER_CODE)" = audit-unavailable ]; }
ok "what was not issued is on record, too" wait_for 15 unavailable

# Gone: journald and its sockets.
sockets="systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket"
# shellcheck disable=SC2086
ok "journald stops" boot_do systemctl stop $sockets systemd-journald.service
is "it is gone" "$(boot_do systemctl is-active systemd-journald.service)" inactive
start=$(date +%s)
is "a request is refused" "$(code)" audit-unavailable
get >"$work/out"
is "a job's get fails with 5" "$?" 5
is "it prints no value" "$(cat "$work/out")" ""
ok "both at once: there is nothing to wait for" test "$(seconds_since "$start")" -le 3
result=$(many 500)
is "no request gets a value" "$result" '{"503":500}'
ok "the daemon itself answers at once" healthy
like "metrics tell" "$(boot_do "$sbin/forge-brokerctl" metrics)" \
        '^forge_broker_refusals_total\{token="deploy",code="audit-unavailable"\} [0-9]{3,}$'
# shellcheck disable=SC2086
ok "journald starts again" boot_do systemctl start $sockets systemd-journald.service
ok "issuing goes on by itself" wait_for 10 code_is infisical-token-auth
is "a job gets its token" "$(get)" "$secret_value"
entry=$(record issued)
is "with a record" "$(field "$entry" FORGE_BROKER_INSTANCE)" "$instance"
like "of the job's unit" "$(field "$entry" FORGE_BROKER_PEER_UNIT)" '^run-.*\.service$'
is "and still nobody restarted the daemon" "$(show MainPID) $(show NRestarts)" "$pid 0"
unlike "the value is nowhere in the journal" "$(boot_do journalctl --quiet --output=json)" "$secret_value"
done_testing
