# shellcheck shell=sh disable=SC2034
# Boots a real systemd for a test: systemd-nspawn over a tree that is made once and never written to.
#
#   . "$top_srcdir/tests/integration/boot.sh"
#   boot_possible || skip_all "$boot_why"
#   boot_start               a fresh machine in about half a second; boot_root is its / seen from here
#   boot_copy DIRECTORY      what `make install DESTDIR=` made, laid over its /
#   boot_do CMD...           for systemctl and the like: runs inside, but outside the machine's cgroups
#   boot_run CMD...          in a unit of its own, as a peer must be to be recognised; its output and status pass through
#   boot_stop                in order, then by force; also from a trap
#
# What each option of nspawn is for stands beside it; without SYSTEMD_SECCOMP=0 nspawn's own filter forbids bpf(2), and
# IPAddressDeny= of the unit under test is silently without effect, for example.

# A change here makes a new tree beside the old one.
boot_packages=systemd,systemd-sysv,dbus,libmicrohttpd12,libcurl4,libjansson4,libsystemd0,libssl3,libnss-systemd,ca-certificates,curl,jq,procps,util-linux,libcap2-bin,iproute2,openssl,sudo,git,python3,skopeo,strace
boot_suite=bookworm
# what of the host it sees, as options of nspawn: --bind-ro=SOURCE:TARGET
boot_binds=

boot_cache=${FORGE_BROKER_TEST_CACHE:-${XDG_CACHE_HOME:-/var/cache}/forge-broker-tests}
boot_why=
boot_pid=
boot_leader=
boot_root=
boot_cgroups=
boot_state=

# boot_possible - true, or false and the reason in boot_why
boot_possible() {
        if [ "$(id -u)" != 0 ]; then
                boot_why="a machine can only be booted by root"
        elif ! command -v systemd-nspawn >/dev/null; then
                boot_why="systemd-nspawn is missing (package systemd-container)"
        elif ! command -v mmdebstrap >/dev/null && [ ! -e "$(boot_tree)" ]; then
                boot_why="mmdebstrap is missing, and the tree is not made yet"
        elif ! unshare --mount --pid --fork true 2>/dev/null; then
                boot_why="this root may not make namespaces (no CAP_SYS_ADMIN)"
        elif ! grep -q cgroup2 /proc/self/mounts; then
                boot_why="there is no cgroup2 hierarchy here"
        else
                return 0
        fi
        return 1
}

# boot_tree - where the tree is or will be
boot_tree() {
        printf '%s/tree-%s' "$boot_cache" "$(printf '%s %s' "$boot_suite" "$boot_packages" | sha256sum | cut -c1-12)"
}

# boot_make_tree - 20 to 40 seconds and 310 MB, once; several tests that come at the same time wait for the first
boot_make_tree() {
        boot_dir=$(boot_tree)
        [ ! -e "$boot_dir" ] || return 0
        mkdir -p "$boot_cache" || return 1
        (
                flock 9 || exit 1
                [ ! -e "$boot_dir" ] || exit 0
                rm -rf "$boot_dir.new"
                mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/doc/*' \
                        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
                        --include="$boot_packages" "$boot_suite" "$boot_dir.new" || exit 1
                for boot_unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
                                 e2scrub_reap.service console-getty.service getty.target systemd-logind.service \
                                 systemd-update-utmp.service systemd-update-utmp-runlevel.service \
                                 systemd-firstboot.service systemd-timesyncd.service; do
                        ln -sf /dev/null "$boot_dir.new/etc/systemd/system/$boot_unit" || exit 1
                done
                : >"$boot_dir.new/etc/machine-id"
                ln -sf /lib/systemd/system/multi-user.target "$boot_dir.new/etc/systemd/system/default.target" || exit 1
                mv "$boot_dir.new" "$boot_dir"
        ) 9>"$boot_cache/lock" >&2
}

# The machine gets cgroups of its own, else nspawn leaves its own in the root of the hierarchy.  Where a systemd runs on
# this host they come below the test's, which is a scope of its own then.
boot_make_cgroups() {
        boot_cgroups=
        for boot_mount in $(awk '$3 == "cgroup2" { print $2 } $3 == "cgroup" && $4 ~ /name=systemd/ { print $2 }' \
                            /proc/self/mounts); do
                boot_group=$boot_mount/forge-broker-test-$$
                mkdir -p "$boot_group" && boot_cgroups="$boot_cgroups $boot_group"
        done
}

# What is still in them is killed: a machine that outlives its nspawn, which was killed together with the test.
boot_remove_cgroups() {
        for boot_group in $boot_cgroups; do
                [ ! -e "$boot_group/cgroup.kill" ] || echo 1 >"$boot_group/cgroup.kill"
        done
        for boot_group in $boot_cgroups; do
                boot_deadline=$(($(date +%s) + 5))
                until find "$boot_group" -depth -type d -exec rmdir {} + 2>/dev/null || [ ! -e "$boot_group" ]; do
                        [ "$(date +%s)" -lt "$boot_deadline" ] || break
                        sleep 0.05
                done
        done
        boot_cgroups=
}

# Of tests that are gone: their number is their shell's.
boot_remove_stale() {
        for boot_group in $(awk '$3 == "cgroup2" { print $2 } $3 == "cgroup" && $4 ~ /name=systemd/ { print $2 }' \
                            /proc/self/mounts | sed 's|$|/forge-broker-test-*|'); do
                [ -d "$boot_group" ] && [ ! -e "/proc/${boot_group##*-}" ] && boot_cgroups="$boot_cgroups $boot_group"
        done
        boot_remove_cgroups
}

# boot_start - returns when the machine is up; boot_leader is its PID 1
boot_start() {
        boot_make_tree || { boot_why="mmdebstrap failed"; return 1; }
        boot_name=fb-$$
        boot_state=$(mktemp -d "${TMPDIR:-/tmp}/forge-broker-boot.XXXXXX") || return 1
        boot_wrap=
        if [ -d /run/systemd/system ]; then
                boot_wrap="systemd-run --scope --quiet --collect -p Delegate=yes"
        else
                boot_remove_stale
                boot_make_cgroups
        fi
        # overlay: every boot is a fresh machine; no machined and no D-Bus needed outside; loopback only
        # shellcheck disable=SC2016,SC2086
        SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_TMPFS_TMP=1 $boot_wrap sh -c '
                for group in '"$boot_cgroups"'; do echo $$ >"$group/cgroup.procs"; done
                exec "$@"' boot \
                systemd-nspawn --quiet --directory="$(boot_tree)" --machine="$boot_name" --hostname="$boot_name" \
                        --volatile=overlay --private-network --capability=all --link-journal=no --resolv-conf=off \
                        --timezone=off --keep-unit --register=no $boot_binds --boot \
                        </dev/null >"$boot_state/console" 2>&1 &
        boot_pid=$!
        boot_deadline=$(($(date +%s) + 60))
        boot_leader=
        while [ "$(date +%s)" -lt "$boot_deadline" ]; do
                if ! kill -0 "$boot_pid" 2>/dev/null; then
                        boot_why="systemd-nspawn ended: $(tail -n 3 "$boot_state/console" | tr '\n' ' ')"
                        boot_stop
                        return 1
                fi
                # the supervisor of a scope is systemd-run's exec, so nspawn is boot_pid in both cases
                boot_leader=$(tr -d ' ' <"/proc/$boot_pid/task/$boot_pid/children" 2>/dev/null)
                if [ -n "$boot_leader" ]; then
                        case $(boot_do systemctl is-system-running 2>/dev/null) in
                        running | degraded)
                                boot_root=/proc/$boot_leader/root
                                return 0 ;;
                        esac
                fi
                sleep 0.05
        done
        boot_why="the machine did not come up in 60 s"
        boot_stop
        return 1
}

boot_copy() {
        tar -C "$1" -cf - . | tar -C "$boot_root" --no-same-owner --keep-directory-symlink -xf -
}

boot_do() {
        nsenter -t "$boot_leader" -a -r -w -- "$@"
}

boot_run() {
        nsenter -t "$boot_leader" -a -r -w -- systemd-run --wait --pipe --collect --quiet -- "$@"
}

boot_stop() {
        [ -n "$boot_pid" ] || return 0
        kill -TERM "$boot_pid" 2>/dev/null
        boot_deadline=$(($(date +%s) + 10))
        while kill -0 "$boot_pid" 2>/dev/null && [ "$(date +%s)" -lt "$boot_deadline" ]; do
                sleep 0.05
        done
        kill -KILL "$boot_pid" 2>/dev/null
        wait "$boot_pid" 2>/dev/null
        boot_remove_cgroups
        rm -rf "$boot_state"
        boot_pid=
}

# boot_canaries - prints what this machine cannot enforce, one word per line: tests of it must be skipped, not passed
boot_canaries() {
        grep -qw pids "$boot_root/sys/fs/cgroup/cgroup.controllers" || echo pids
        grep -qw memory "$boot_root/sys/fs/cgroup/cgroup.controllers" || echo memory
        # a filtered connection is dropped (curl 28), an unfiltered one to a closed port refused (7)
        boot_do systemd-run --wait --pipe --collect --quiet -p IPAddressDeny=any -p User=nobody -- \
                curl --silent --max-time 0.5 http://127.0.0.1:9/ >/dev/null 2>&1
        [ $? = 28 ] || echo ip-filter
        boot_do systemd-run --wait --pipe --collect --quiet -p ProtectSystem=strict -- touch /usr/canary 2>/dev/null &&
                echo sandbox
        :
}
