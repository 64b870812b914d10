#!/bin/sh
# SIGKILL at random moments under load, with the sockets that systemd keeps: who waits is served by the next process, a client whose
# answer was cut off asks once more, and no value leaves without a record that was written before.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"
machine_start
# Faster than shipped: each death is followed by a life.  The jobs here are one unit, and would share its budget.
printf '[Service]\nRestartSec=20ms\n' >"$boot_root/etc/systemd/system/forge-brokerd.service.d/quick.conf"
printf '[broker]\nrequests_per_second = 0\n' >>"$machine_config/forge-broker.conf"
boot_do systemctl daemon-reload

main_pid() { boot_do systemctl show -P MainPID forge-brokerd.service; }
is_ready() { boot_do curl --silent --fail --max-time 5 --output /dev/null --unix-socket /run/forge-broker/broker.sock http://localhost/readyz; }
ok "the token is usable" wait_for 20 is_ready

# Six jobs in a loop; each request has a number of its own, which its record repeats.
cat >"$boot_root/run/load" <<EOT
client() {
        i=0
        while [ ! -e /run/enough ]; do
                i=\$((i + 1))
                value=\$(GITHUB_ACTIONS=true GITHUB_RUN_ID=\$1\$i $bin/forge-broker get deploy --timeout 20s --quiet)
                echo "\$1\$i \$? \$value"
        done
}
for n in 100000 200000 300000 400000 500000 600000; do client "\$n" & done
wait
EOT
boot_do systemd-run --wait --pipe --collect --quiet --unit=load -- sh /run/load >"$work/load" 2>"$work/load.err" &
load=$!

kills=0 old=
while [ $kills -lt 25 ]; do
        wait_for 20 is_ready || break
        # 0 to 127 ms into its life; never the pid 0 of a service that does not run
        sleep "0.$(od -An -N1 -tu1 /dev/urandom | awk '{ printf "%03d", $1 / 2 }')"
        pid=$(main_pid)
        case $pid in
        '' | 0 | 1 | "$old" | *[!0-9]*) continue ;;
        esac
        boot_do kill -KILL "$pid" && kills=$((kills + 1)) old=$pid
done
is "it was killed 25 times" "$kills" 25
ok "and is back" wait_for 20 is_ready
: >"$boot_root/run/enough"
wait "$load"

asked=$(wc -l <"$work/load")
note "$asked requests"
ok "there was load" test "$asked" -ge 500
is "each request was served, with the value" "$(awk -v value="$secret_value" '$2 != 0 || $3 != value' "$work/load" | head -n 5)" "" ||
        note "$(sort "$work/load.err" | uniq -c | head -n 10)"
boot_do journalctl --sync
boot_do journalctl --quiet --output=json _SYSTEMD_UNIT=forge-brokerd.service |
        jq -r 'select(.MESSAGE | startswith("issued ")) | .FORGE_BROKER_CLAIM_RUN_ID // empty' | sort >"$work/recorded"
awk '{ print $1 }' "$work/load" | sort >"$work/served"
uniq "$work/recorded" >"$work/recorded-once"
is "each value that left has its record" "$(comm -23 "$work/served" "$work/recorded-once" | head -n 5)" ""
again=$(($(wc -l <"$work/recorded") - asked))
note "$again were recorded again: cut off between the record and the answer, or as it left"
ok "a request is repeated only for a kill that cut it off, each of six at most" test "$again" -le $((6 * kills))
is "and once: none has more than two records" "$(uniq -c "$work/recorded" | awk '$1 > 2')" ""
is "the sockets are there" "$(boot_do systemctl is-active forge-brokerd.socket forge-brokerd-control.socket | tr '\n' ' ')" "active active "
unlike "the value is nowhere in the journal" "$(boot_do journalctl --quiet --output=json)" "$secret_value"
done_testing
