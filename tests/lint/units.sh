#!/bin/sh
# The unit files as make installs them: systemd understands every line, and the sandbox keeps its score.
top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${top_builddir:-$top/build}
. "$top/tests/integration/tap.sh"

# Lower is better.  With ProtectProc=default, without which no record could name the peer's unit.
score_max=11

service=$build/systemd/forge-brokerd.service
[ -e "$service" ] || skip_all "$service is not built"

doctor=$build/systemd/forge-broker-doctor.service
unlike "every path is put in" "$(cat "$service" "$doctor" "$build/systemd/forge-brokerd.socket" \
        "$build/systemd/forge-broker-programs.service" "$build/systemd/jobs-directory")" '@[a-z]+@'

# What the check-up sees is what the daemon sees: all but what makes one a service and the other a command is the same line
# for line, in the same order, their programs aside.
shared() {
        sed -e 's|sbin/forge-broker[a-z]*|sbin/PROGRAM|g' "$1" |
                grep -Ev -e '^(#|;|$)' -e '^(Description|Documentation|PartOf|Also)=' -e '^\[Install\]' \
                        -e '^(Type|NotifyAccess|ExecStart|ExecReload|Sockets|Restart|RestartSec|WatchdogSec)=' \
                        -e '^(TimeoutStartSec|TimeoutStopSec|StandardInput|StandardOutput|StandardError)='
}
is "the check-up's unit is the daemon's but for what starts it" "$(shared "$doctor")" "$(shared "$service")"
like "... user, credentials and sandbox among it" "$(shared "$doctor" | tr '\n' ' ')" \
        'User=forge-broker .*LoadCredentialEncrypted=infisical-token .*RootDirectory=.*SystemCallFilter='

is "the catalog explains the records that there are" \
        "$(sed -n 's/^-- \([0-9a-f]\{32\}\)$/\1/p' "$top/systemd/forge-brokerd.catalog.in" | sort)" \
        "$(sed -n 's/^#define AUDIT_ID_.*"\([0-9a-f]*\)"$/\1/p' "$top/src/broker/audit.h" | sort)"
# systemctl shows unknown settings as warnings and goes on, so the quiet case is the only good one
if ! command -v systemd-analyze >/dev/null; then
        skip "systemd understands every line" "systemd-analyze is missing (package systemd)"
        skip "the sandbox keeps its score" "systemd-analyze is missing (package systemd)"
else
        work=$(mktemp -d) || exit 1
        trap 'rm -rf "$work"' EXIT
        printf '#!/bin/sh\n' >"$work/forge-brokerd"
        cp "$work/forge-brokerd" "$work/forge-brokerctl"
        cp "$work/forge-brokerd" "$work/jobs-directory"
        chmod +x "$work/forge-brokerd" "$work/forge-brokerctl" "$work/jobs-directory"
        for unit in forge-brokerd.service forge-broker-doctor.service forge-brokerd.socket forge-broker-programs.service forge-broker-metrics.service; do
                sed "s|^\(Exec[A-Z][A-Za-z]*=+\{0,1\}\)/[^ ]*/\([a-z-]*\)|\1$work/\2|" "$build/systemd/$unit" >"$work/$unit"
        done
        cp "$top/systemd/forge-brokerd-control.socket" "$top/systemd/forge-brokerd-credentials.socket" "$top/systemd/forge-broker-metrics.timer" "$work"
        # Named after what they mount, as they are installed.
        cp "$top/systemd/forge-broker.mount" "$work/run-forge\\x2dbroker.mount"
        cp "$top/systemd/forge-broker-jobs.mount" "$work/run-forge\\x2dbroker\\x2djobs.mount"
        for unit in forge-brokerd.service forge-broker-doctor.service forge-brokerd.socket forge-brokerd-control.socket \
                forge-brokerd-credentials.socket forge-broker-programs.service \
                forge-broker-metrics.service forge-broker-metrics.timer \
                    'run-forge\x2dbroker.mount' 'run-forge\x2dbroker\x2djobs.mount'; do
                is "systemd understands every line of $unit" \
                        "$(systemd-analyze verify --man=no --recursive-errors=no "$work/$unit" 2>&1)" ""
        done
        for unit in forge-brokerd.service forge-broker-doctor.service; do
                ok "the sandbox of $unit scores 1.1 or better" systemd-analyze security --offline=yes \
                        --threshold="$score_max" "$work/$unit"
        done
fi

done_testing
