#!/bin/sh
# One of the machines of 92-sandbox.t: boots, and runs scripts inside it until none is left.
#
#   sandbox-machine.sh STAGE RESULTS SCRIPT...
#
# STAGE is what `make install DESTDIR=` made.  RESULTS is shared with the others: who makes the directory NAME.taken runs that script
# and leaves there what it said (log), its exit status (status), one line for each start of the daemon (starts) and those that systemd
# itself tells of (invocations).
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"
stage=$1
results=$2
shift 2

# The script is in no unit, as it is outside, and is root with the daemon's group, which may read the credentials that it makes.
# $1 is its name; 0 is the process that writes it, for systemd-run takes $$ for itself.
# shellcheck disable=SC2016
inside='
mkdir -p /sys/fs/cgroup/no-unit &&
echo 0 >/sys/fs/cgroup/no-unit/cgroup.procs &&
exec timeout --kill-after=20 400 setpriv --regid forge-broker --clear-groups sh "/srv/source/tests/integration/$1.t"'

run() { # NAME
        : >"$boot_root/srv/scripts/$1.starts"
        boot_do systemd-run --wait --pipe --collect --quiet --setenv=top_srcdir=/srv/source --setenv=top_builddir=/srv/build \
                --setenv=TMPDIR=/srv/scripts --setenv=FORGE_BROKER_TEST_UNIT="/srv/scripts/$1.starts" --setenv=FORGE_NAMES=1 \
                --setenv=FORGE_BROKER_TEST_CACHE=/srv/cache -- /bin/sh -c "$inside" sh "$1" >"$results/$1.taken/log" 2>&1 </dev/null
        echo $? >"$results/$1.taken/status"
        cp "$boot_root/srv/scripts/$1.starts" "$results/$1.taken/starts"
        boot_do journalctl --sync
        boot_do journalctl --quiet --output=json --output-fields=INVOCATION_ID,JOB_TYPE _PID=1 UNIT=forge-brokerd.service \
                >"$results/$1.taken/invocations"
}

boot_binds="--bind-ro=$top_srcdir:/srv/source --bind-ro=$top_builddir:/srv/build"
[ ! -d "$boot_cache/bin" ] || boot_binds="$boot_binds --bind-ro=$boot_cache/bin:/srv/cache/bin"
at_exit boot_stop
machine_boot
install -d -m 0755 "$boot_root/srv/scripts"
boot_canaries >"$results/canaries.$$"
for name; do
        mkdir "$results/$name.taken" 2>/dev/null || continue
        run "$name"
done
