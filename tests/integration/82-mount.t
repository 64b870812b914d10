#!/bin/sh
# What jobs see of the broker's directory, in a systemd that was really booted: root in a container uses the socket and the
# programs and changes neither, and goes on using them while units are restarted and programs replaced.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"

machine_start
run=$boot_root/run/forge-broker
jobs=/run/forge-broker/bin/forge-broker         # as a job calls it

# mounted PATH - its own options and those of its superblock
mounted() { awk -v path="$1" '$5 == path { mount = $6; sub(/^.* - /, ""); print $1, mount, $3 }' "$boot_root/proc/1/mountinfo"; }
closed() { mounted /run/forge-broker | grep -Eq ' ro,[^ ]*$'; }

# In place, and in order.
programs_are() { [ "$(boot_do systemctl show -P ActiveState forge-broker-programs.service)" = "$1" ]; }
ok "the socket brings the programs along" wait_for 10 programs_are active
like "the directory is a file system of its own, and its superblock is read-only" "$(mounted /run/forge-broker)" '^tmpfs .* ro(,[^ ]*)?$'
like "it is small" "$(mounted /run/forge-broker)" 'size=8192k,nr_inodes=64'
like "programs may run from it, without privileges" "$(mounted /run/forge-broker | sed 's/ [^ ]*$//')" 'nosuid,nodev'
unlike "... unlike from /run" "$(mounted /run/forge-broker)" 'noexec'
like "jobs get it by a bind that is read-only too" "$(mounted /run/forge-broker-jobs)" '^tmpfs ro,'
is "the socket is root's alone" "$(stat -c '%a %u %g' "$run/broker.sock")" "600 0 0"
is "nobody else can hold up its units" "$(stat -c '%a %u' "$boot_root/run/forge-broker.lock")" "600 0"
is "the program is the one that is installed" "$(sha256sum <"$run/bin/forge-broker")" "$(sha256sum <"$boot_root$bin/forge-broker")"
is "git finds its helper by name" "$(readlink "$run/bin/git-credential-forge-broker")" forge-broker
is "so does docker" "$(readlink "$run/bin/docker-credential-forge-broker")" forge-broker
is "nothing else is there" "$(find "$run" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" \
        "bin broker.sock docker-credential-forge-broker forge-broker git-credential-forge-broker "

# A container as a runner makes it: a root of its own with the bind, and, where asked, the bind remounted writable by the
# runtime.  Root there is the host's, without the capability to mount, as in docker's and podman's default.
cat >"$boot_root/run/container" <<'EOT'
set -e
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/usr /mnt/run/forge-broker /mnt/proc
mount --rbind /usr /mnt/usr
mount --bind /proc /mnt/proc
for link in bin lib lib64; do [ ! -L /$link ] || ln -s usr/$link /mnt/$link; done
mount --bind /run/forge-broker-jobs /mnt/run/forge-broker
[ "$1" = ro ] || mount -o remount,bind,rw /mnt/run/forge-broker
exec chroot /mnt setpriv --bounding-set -sys_admin,-sys_module,-sys_rawio,-sys_ptrace --inh-caps -all --no-new-privs sleep infinity
EOT
container_start() { # NAME ro|rw
        boot_do systemd-run --quiet --collect --unit="$1" -- unshare --mount --propagation private sh /run/container "$2"
        wait_for 10 container_runs "$1" || bail "the container does not start: $(boot_do journalctl --no-pager -u "$1")"
}
container_pid() { boot_do systemctl show -P MainPID "$1.service"; }
container_runs() {
        container_at=$(container_pid "$1")
        [ "${container_at:-0}" -gt 0 ] && grep -qx sleep "$boot_root/proc/$container_at/comm"
}
# inside NAME CMD... - with the capabilities that the container's processes have
inside() {
        inside_pid=$(container_pid "$1")
        shift
        case $inside_pid in
        '' | 0 | 1 | *[!0-9]*) return 99 ;;
        esac
        boot_do systemd-run --wait --pipe --collect --quiet -- nsenter -t "$inside_pid" -m -r -w -- \
                setpriv --bounding-set -sys_admin,-sys_module,-sys_rawio,-sys_ptrace --inh-caps -all --no-new-privs "$@"
}

for mode in ro rw; do
        container_start "container-$mode" "$mode"
        name=container-$mode
        is "$mode: a job gets its token through the bind" "$(inside $name $jobs get deploy --timeout 20s 2>"$work/err")" "$secret_value"
        while read -r what; do
                inside $name sh -c "cd /run/forge-broker && $what" >"$work/out" 2>&1
                is "$mode: $what" "$? $(grep -Eo 'Read-only file system' "$work/out" | head -n 1)" "1 Read-only file system"
        done <<'EOT'
rm -f broker.sock
mv broker.sock other
ln broker.sock other || exit 1
touch new
chmod 0666 broker.sock
chown 1000 broker.sock
mkdir new
rm -f bin/forge-broker
mv bin/forge-broker bin/other
cp -f /usr/bin/true bin/forge-broker
ln -sf /usr/bin/true bin/git-credential-forge-broker
chmod 4777 bin/forge-broker
mv bin other
EOT
        inside $name sh -c ': >/run/forge-broker/bin/forge-broker' 2>"$work/err"
        like "$mode: the program cannot be written to" "$(cat "$work/err")" 'Read-only file system|Text file busy'
        not_ok "$mode: nor can the file system be made writable" inside $name mount -o remount,rw /run/forge-broker
        not_ok "$mode: nor the bind" inside $name mount -o remount,bind,rw /run/forge-broker
        ok "$mode: the host's is as it was" closed
        is "$mode: and the job's token still comes" "$(inside $name $jobs get deploy --timeout 20s 2>/dev/null)" "$secret_value"
done
like "the runtime had remounted the second one's bind writable" \
        "$(awk '$5 == "/run/forge-broker" { print $6 }' "$boot_root/proc/$(container_pid container-rw)/mountinfo")" '^rw,'

# The moment in which systemd makes a socket: what holds then is the bind's own mode.
boot_do "$libexec/forge-broker/jobs-directory" open
inside container-ro touch /run/forge-broker/new 2>"$work/err"
like "while it is open, the read-only bind is closed all the same" "$(cat "$work/err")" 'Read-only file system'
ok "the bind that the runtime made writable is not: the moment is kept short" inside container-rw touch /run/forge-broker/new
rm -f "$run/new"
boot_do "$libexec/forge-broker/jobs-directory" close
ok "and it is closed again" closed

# Restarts, with the containers running on.
served() { # DESCRIPTION
        is "$1: the jobs' tokens come" \
                "$(inside container-ro $jobs get deploy --timeout 20s 2>&1 | tail -n 1) $(inside container-rw $jobs get deploy --timeout 20s 2>&1 | tail -n 1)" \
                "$secret_value $secret_value"
        ok "$1: the directory is closed" closed
}
number=$(stat -c %d "$run")
boot_do systemctl restart forge-brokerd.service
served "service restarted"
boot_do systemctl daemon-reload
served "daemon-reload"
ok "the socket is restarted, under a service that runs" boot_do systemctl restart forge-brokerd.socket
served "socket restarted"
boot_do systemctl stop forge-brokerd.socket forge-brokerd.service
inside container-ro $jobs get deploy >/dev/null 2>"$work/err"
like "everything stopped: the job is told that the socket is stale" "$(cat "$work/err")" 'broker.sock is stale'
boot_do systemctl start forge-brokerd.socket
served "everything stopped and started"
for each in 1 2 3 4 5 6; do
        boot_do systemctl stop forge-brokerd.service
        boot_do systemctl restart forge-brokerd.socket forge-broker-programs.service || note "restart $each failed"
done
served "socket and programs restarted together, six times"
not_ok "the directory cannot be taken away from under the jobs by mistake" boot_do systemctl stop 'run-forge\x2dbroker.mount'
not_ok "nor the bind" boot_do systemctl stop 'run-forge\x2dbroker\x2djobs.mount'
is "it is the same file system all the time" "$(stat -c %d "$run")" "$number"

# Programs replaced, while one of them runs.
boot_do systemd-run --quiet --collect --unit=old nsenter -t "$(container_pid container-ro)" -m -r -w -- \
        $jobs wait deploy --socket /run/none --timeout 60s
old_runs() { old_pid=$(container_pid old) && [ "${old_pid:-0}" -gt 0 ] && grep -qx forge-broker "$boot_root/proc/$old_pid/comm"; }
wait_for 10 old_runs || bail "the old program does not run"
upgrade() { # as a package does it
        { cat "$boot_root$bin/forge-broker"; printf '%s' "$1"; } >"$boot_root$bin/.upgraded"
        chmod 0755 "$boot_root$bin/.upgraded"
        mv "$boot_root$bin/.upgraded" "$boot_root$bin/forge-broker"
}
current() { inside "$1" sha256sum $jobs | cut -d' ' -f1; }
wanted() { sha256sum <"$boot_root$bin/forge-broker" | cut -d' ' -f1; }
upgrade 2
ok "the programs are replaced" boot_do systemctl restart forge-broker-programs.service
is "running containers see the new one" "$(current container-ro) $(current container-rw)" "$(wanted) $(wanted)"
served "programs replaced"
ok "the old one that runs is left alone" old_runs
boot_do systemctl stop old.service
upgrade 3
boot_do systemctl restart forge-broker-programs.service
is "and is gone with the next one" "$(ls -A "$run/bin" | sort | tr '\n' ' ')" \
        "docker-credential-forge-broker forge-broker git-credential-forge-broker "
served "programs replaced again"

cat >"$boot_root/run/many" <<EOT
i=0
while [ \$i -lt 60 ]; do
        i=\$((i + 1))
        $jobs get deploy --timeout 20s --quiet || echo "lost: \$?"
done
EOT
cp "$boot_root/run/many" "$boot_root/proc/$(container_pid container-ro)/root/many"
inside container-ro sh /many >"$work/many" 2>&1 &
many=$!
for each in 1 2 3; do
        upgrade 4
        boot_do systemctl restart forge-broker-programs.service forge-brokerd.service || note "restart $each failed"
done
wait "$many"
is "an upgrade of program and daemon loses none of 60 requests" "$(sort "$work/many" | uniq -c | sed 's/^ *//')" "60 $secret_value"
boot_do systemctl stop container-ro.service container-rw.service

done_testing
