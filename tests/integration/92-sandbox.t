#!/bin/sh
# The integration scripts once more, with the daemon in its unit under a booted systemd: what the sandbox forbids, the daemon does not
# need.  They run as they are, inside machines of their own (sandbox-machine.sh); lib.sh starts the daemon there as unit-daemon.sh says.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"
machines=4
results=$work/results

# Why a script is not run here; nothing for those that are.
left_out() { # NAME
        case $1 in
        40-old-kernel) echo "its daemon runs behind a filter that pretends another kernel" ;;
        40-recycled-pid) echo "it chooses pids, in a namespace where systemd cannot be asked" ;;
        47-alerts)
                PATH=$PATH:$boot_cache/bin command -v promtool >/dev/null ||
                        echo "promtool is missing (Debian: prometheus; tests/install-packages check unpacks it)" ;;
        70-audit) echo "it runs no daemon" ;;
        *) ! grep -q /boot.sh "$top_srcdir/tests/integration/$1.t" || echo "it boots a machine itself" ;;
        esac
}

# The slowest first, so that no machine is left with one of them at the end.
slowest="75-doctor 60-sources 38-forge-conformance 38-preflight-conformance 90-no-leak 35-rejected 48-policy-table 45-ctl"

machine_prepare
mkdir "$results"
names=
for script in "$top_srcdir"/tests/integration/[0-9]*.t; do
        name=${script##*/}
        name=${name%.t}
        reason=$(left_out "$name")
        if [ -n "$reason" ]; then
                [ "$name" = 92-sandbox ] || skip "$name" "$reason"
        else
                names="$names $name"
        fi
done
is "no script starts a daemon by itself" "$(cd "$top_srcdir/tests/integration" && grep -lE '"\$brokerd".*&$' [0-9]*.t)" ""

machine=0
pids=
while [ $machine -lt $machines ]; do
        # shellcheck disable=SC2086
        sh "$top_srcdir/tests/integration/sandbox-machine.sh" "$stage" "$results" $slowest $names >"$work/machine-$machine.log" 2>&1 &
        pids="$pids $!"
        lib_pids="$lib_pids $!"
        machine=$((machine + 1))
done
for pid in $pids; do
        wait "$pid" || note "a machine ended with $?"
done

# What says that the daemon was confined, in each of its starts.
confined='^[0-9a-f]{32} user:forge-broker CapInh:0+ CapPrm:0+ CapEff:0+ CapBnd:0+ CapAmb:0+ NoNewPrivs:1 Seccomp:2 group:/system.slice/forge-brokerd.service user-namespace own-root exposure:1.1 $'
# Starts that systemd does not know of, or not of that unit.
unknown() {
        sed 's/ .*//' "$1/starts" | sort -u >"$work/started"
        jq -r .INVOCATION_ID "$1/invocations" | sort -u | comm -23 "$work/started" -
}
report() { # NAME
        run=$results/$1.taken
        if [ ! -e "$run/starts" ]; then
                fail "$1: it was run" "$(tail -n 5 "$work"/machine-*.log)"
                return
        fi
        is "$1: its exit status and what failed" "$(cat "$run/status") $(grep -E '^(not ok|Bail out)' "$run/log")" "0 " ||
                note "$(grep -v '^ok ' "$run/log" | tail -n 60)"
        is "$1: it came to its end" "$(grep '^1\.\.' "$run/log")" "1..$(grep -cE '^(not )?ok ' "$run/log")"
        like "$1: it was not left out" "$(grep '^ok ' "$run/log" | grep -vc '# SKIP')" '^[1-9]'
        like "$1: its daemon ran" "$(wc -l <"$run/starts")" '^[1-9]'
        unlike "$1: ... and was confined each time" "$(grep -vE "$confined" "$run/starts")" .
        is "$1: ... by systemd, in its unit" "$(unknown "$run")" ""
        grep '^ok .* # SKIP' "$run/log" | sed 's/^ok [0-9]* - //' >"$work/skips"
        while IFS= read -r line; do
                skip "$1: ${line%% # SKIP *}" "${line##* # SKIP }"
        done <"$work/skips"
}
is "the machines enforce the sandbox and the address filter" "$(cat "$results"/canaries.* | grep -xE 'sandbox|ip-filter')" ""
for name in $names; do
        report "$name"
done
done_testing
