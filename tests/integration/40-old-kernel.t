#!/bin/sh
# shellcheck disable=SC2086
# Debian 12's own kernel (6.1) has neither SO_PEERPIDFD nor, as it boots, memfd_secret(2).  The daemon is started without both, and
# what peers and secrets are promised holds there as well; what does not hold is said in each record.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
need python3 python3
$old_kernel true 2>"$work/err" || skip_all "$(cat "$work/err")"
units_possible || skip_all "$units_why"

standin_state >"$work/state.json"
standin_start "$work/state.json"
token_deploy | write_config
daemon_start $old_kernel
daemon_ready
is "its system calls are filtered" "$(awk '/^Seccomp:/ { print $2 }' "/proc/$daemon_pid/status")" 2
is "no memory is the kernel's own secret" "$(grep -c secretmem "/proc/$daemon_pid/maps")" 0
sanitized || like "the region of secrets is locked and not dumped instead" \
        "$(awk '$1 == "VmFlags:" && / lo / && / dd / { found++ } END { print found + 0 }' "/proc/$daemon_pid/smaps")" '^[1-9]'
in_unit "ordinary-$units_tag.scope" "$broker" get deploy --socket "$jobs_socket" >"$work/out" 2>/dev/null
is "a job gets its token" "$(cat "$work/out")" "$secret_value"
like "its record says that the unit is not pinned" "$(records issued)" "^issued token=deploy .* peer_unit=ordinary-$units_tag.scope unit_pinned=no "
daemon_stop
is "it stops cleanly" $? 0

# The scripts about peers and secrets, with the daemon on such a kernel.
FORGE_BROKER_TEST_LAUNCHER=$old_kernel
export FORGE_BROKER_TEST_LAUNCHER
for script in 10-issue 40-peers 40-containers 44-credential-socket 90-no-leak; do
        # Its scan is not for the sanitizers.
        [ "$script" = 90-no-leak ] && sanitized && continue
        sh "$top_srcdir/tests/integration/$script.t" >"$work/$script.log" 2>&1
        is "$script holds: exit status" "$?" 0
        is "$script holds: what failed" "$(grep '^not ok' "$work/$script.log")" ""
        like "$script holds: it was not left out" "$(grep -c '^ok' "$work/$script.log")" '^[1-9]'
done
done_testing
