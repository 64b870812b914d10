#!/bin/sh
# The audit in a systemd that was really booted: what was issued to another unit is what is counted, what users forge is not,
# journalctl finds and explains the records, and two machines' journals make one report.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"

. "$top_srcdir/tests/integration/machine.sh"

machine_prepare
id_of() { # issued, refused, ...: from where the program has it
        sed -n "s/^#define AUDIT_ID_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_') *\"\([0-9a-f]*\)\"\$/\1/p" "$top_srcdir/src/broker/audit.h"
}

# machine - boots one with the daemon in it, as an administrator would set it up
machine() {
        machine_boot
        boot_do systemctl preset forge-brokerd.socket forge-brokerd-control.socket >/dev/null 2>&1
        standin_state | machine_standin
        machine_configure
        (umask 077 && mkdir -p "$boot_root/etc/credstore.encrypted")
        printf '%s' "$access_token" | boot_do systemd-creds encrypt --name=infisical-token - \
                /etc/credstore.encrypted/infisical-token 2>"$work/creds.err" || note "$(cat "$work/creds.err")"
        boot_do useradd --uid 1000 somebody
        started=$(boot_do date +%s.%6N)
        boot_do systemctl start forge-brokerd.socket forge-brokerd-control.socket
}
# runs FIRST LAST - a job of a runner for each, with what a forge's runner puts into its environment
runs() {
        runs_i=$1
        while [ "$runs_i" -le "$2" ]; do
                boot_do systemd-run --wait --pipe --collect --quiet --unit=job-$runs_i -E GITHUB_REPOSITORY=example/site \
                        -E GITHUB_ACTIONS=true -E GITHUB_RUN_ID=$runs_i -E GITHUB_RUN_ATTEMPT=1 -E GITHUB_EVENT_NAME=push \
                        -- "$bin/forge-broker" get deploy --timeout 20s >>"$work/values" 2>>"$work/get.err" ||
                        note "run $runs_i: $(tail -n 3 "$work/get.err")"
                runs_i=$((runs_i + 1))
        done
}
# audit [OPTION...] - since the machine was set up: before, its journal had nothing to say
audit() {
        boot_do journalctl --sync
        boot_do "$sbin/forge-brokerctl" audit --since "@$started" "$@"
}
as_somebody() { boot_do systemd-run --wait --pipe --collect --quiet --unit=intruder -p User=1000 "$@"; }

machine
audit --forbid direct-env-fallback >"$work/out"
is "before the first issuance nothing is proved" "$?" 1
like "... for there is no record" "$(cat "$work/out")" 'nothing proves that it ran here'

runs 1948 1952
is "five values were issued" "$(sort "$work/values" | uniq -c | sed 's/^ *//')" "5 $secret_value"
audit --json >"$work/report"
is "audit counts what was issued: five" "$(jq '.sources["infisical-token-auth"].issued' "$work/report")" 5
is "... from no other source" "$(jq -c '[.sources["infisical-universal-auth"].issued, .sources["direct-env-fallback"].issued]' "$work/report")" '[0,0]'
is "... in five runs, which are claimed" "$(jq -c '.sources["infisical-token-auth"].runs | [.distinct, .proven, .claimed]' "$work/report")" '[5,0,5]'
is "... nothing is missing, nobody else wrote any" "$(jq -c '[(.holes | length), .foreign.count]' "$work/report")" '[0,0]'
audit --require 'infisical-token-auth>=5' --require 'infisical-token-auth:runs>=5' --forbid direct-env-fallback >"$work/out"
is "the gate is met" "$?" 0
audit --require 'infisical-token-auth>=6' >"$work/out"
is "for one more it is not" "$?" 1
like "... and says so" "$(cat "$work/out")" '5 issuances, 1 short of 6'
audit --since yesterday --require 'infisical-token-auth>=5' >"$work/out"
is "a window that is older than this machine is a hole" "$?" 1
like "... and it says since when there is a journal" "$(cat "$work/out")" 'the journal begins at'

is "journalctl MESSAGE_ID= finds the same five" \
        "$(boot_do journalctl --quiet --output=json "MESSAGE_ID=$(id_of issued)" | jq -r ._SYSTEMD_UNIT | sort | uniq -c | sed 's/^ *//')" \
        "5 forge-brokerd.service"
is "... for the units that asked" \
        "$(boot_do journalctl --quiet --output=json "MESSAGE_ID=$(id_of issued)" | jq -r .FORGE_BROKER_PEER_UNIT | tr '\n' ' ')" \
        "job-1948.service job-1949.service job-1950.service job-1951.service job-1952.service "
explained=$(boot_do journalctl --quiet --catalog -n 1 "MESSAGE_ID=$(id_of issued)")
like "journalctl -x explains a record" "$explained" 'A forge token was issued: deploy'
like "... with its source" "$explained" 'It came from the source infisical-token-auth and is fresh'

# Others write the same.
printf 'MESSAGE=issued token=deploy forgejo_token_source=direct-env-fallback\nMESSAGE_ID=%s\n%s\n%s\n%s\n%s\n%s\n' "$(id_of issued)" \
        FORGE_BROKER_SOURCE=direct-env-fallback FORGE_BROKER_TOKEN=deploy FORGE_BROKER_FRESHNESS=fresh \
        FORGE_BROKER_INSTANCE=00000000000000000000000000000000 FORGE_BROKER_SEQ=1 >"$boot_root/run/forged"
chmod 0644 "$boot_root/run/forged"
as_somebody -- sh -c 'logger --journald </run/forged'
# through the journal's own socket, with what only journald may say, and a field twice
printf '%s\n' _SYSTEMD_UNIT=forge-brokerd.service _UID=997 _TRANSPORT=journal FORGE_BROKER_SOURCE=infisical-token-auth \
        >>"$boot_root/run/forged"
cat >"$boot_root/run/send.pl" <<'EOT'
use Socket;
local $/;
open(my $file, "<", $ARGV[0]) or die;
socket(my $journal, PF_UNIX, SOCK_DGRAM, 0) or die;
send($journal, <$file>, 0, sockaddr_un("/run/systemd/journal/socket")) or die;
EOT
chmod 0644 "$boot_root/run/send.pl"
ok "a user can write to the journal's socket" as_somebody -- perl /run/send.pl /run/forged
real=$(boot_do journalctl --quiet --output=export -n 1 "MESSAGE_ID=$(id_of issued)" _SYSTEMD_UNIT=forge-brokerd.service |
        grep -E '^(MESSAGE|MESSAGE_ID|PRIORITY|SYSLOG_IDENTIFIER|FORGE_BROKER_[A-Z_]*)=')
printf '%s\n' "$real" >"$boot_root/run/copied"
as_somebody -- sh -c 'logger --journald </run/copied'
# even root, from another unit
boot_run sh -c 'logger --journald </run/copied'
audit --json >"$work/report"
is "forged records are not counted" "$(jq '.sources | map(.issued) | add' "$work/report")" 5
# (which program it was is known only if journald looked before it ended)
is "... but reported, with who wrote them" "$(jq -r '.foreign.writers | group_by(.uid)[] | "\(.[0].uid) \(map(.count) | add)"' \
        "$work/report" | sort | tr '\n' ' ')" "0 1 1000 3 "
is "... and make no hole and no repeated number" "$(jq '.holes | length' "$work/report")" 0
audit --require 'infisical-token-auth>=5' --forbid direct-env-fallback >"$work/out"
is "the gate is still met" "$?" 0

# A restart, a refusal.
boot_do systemctl restart forge-brokerd.service
runs 1953 1954
boot_do systemd-run --wait --pipe --collect --quiet -- "$bin/forge-broker" get nothere >/dev/null 2>&1
boot_do systemctl stop forge-brokerd.service
audit --json >"$work/report"
is "a restart is counted and is no hole" "$(jq -c '[.daemon.starts, (.holes | length), .sources["infisical-token-auth"].issued]' "$work/report")" '[2,0,7]'
is "the refusal is counted" "$(jq -c '.refusals | map([.code, .count])' "$work/report")" '[["unknown-token",1]]'

# Who may read it.
as_somebody -- "$sbin/forge-brokerctl" audit >"$work/out" 2>&1
is "a user who may not read the journal gets no report" "$?" 7
like "... but the remedy" "$(cat "$work/out")" 'group systemd-journal'
boot_do usermod --append --groups systemd-journal somebody
as_somebody -- "$sbin/forge-brokerctl" audit --since "@$started" --require 'infisical-token-auth>=7' >"$work/out" 2>&1
is "a member of systemd-journal gets it" "$?" 0

# Another machine, and both journals in one place, as systemd-journal-remote or a copy would leave them.
mkdir -p "$work/fleet"
boot_do journalctl --flush --sync
first=$(cat "$boot_root/etc/machine-id")
cp -r "$boot_root/var/log/journal/$first" "$work/fleet/" 2>/dev/null || cp -r "$boot_root/run/log/journal/$first" "$work/fleet/"
first_started=$started
boot_stop
machine
runs 1 3
boot_do journalctl --sync
second=$(cat "$boot_root/etc/machine-id")
mkdir -p "$boot_root/run/fleet"
cp -r "$work/fleet/$first" "$boot_root/run/fleet/"
cp -r "$boot_root/var/log/journal/$second" "$boot_root/run/fleet/" 2>/dev/null ||
        cp -r "$boot_root/run/log/journal/$second" "$boot_root/run/fleet/"
boot_do "$sbin/forge-brokerctl" audit --directory /run/fleet --since "@$first_started" --json >"$work/report"
is "two machines' journals: the sum" "$(jq '.sources["infisical-token-auth"].issued' "$work/report")" 10
is "... and a row for each" "$(jq -c '.hosts | map({(.machine_id): .sources["infisical-token-auth"].issued}) | add | [.["'"$first"'"], .["'"$second"'"]]' "$work/report")" '[7,3]'
is "... the second of which cannot have what was before its time" "$(jq -r '.holes[].kind' "$work/report" | sort -u)" window
cp -r "$work/fleet/$first" "$boot_root/var/log/journal/" 2>/dev/null || cp -r "$work/fleet/$first" "$boot_root/run/log/journal/"
boot_do "$sbin/forge-brokerctl" audit --merge --since "@$first_started" --allow-holes --require 'infisical-token-auth>=10' >"$work/out"
is "--merge takes what was collected beside this machine's own" "$?" 0
boot_do "$sbin/forge-brokerctl" audit --since "@$first_started" --json >"$work/report"
is "without it only this machine's counts" "$(jq '.sources["infisical-token-auth"].issued' "$work/report")" 3

done_testing
