# shellcheck shell=sh disable=SC2034,SC2154
# lib.sh's daemon in its unit, as 92-sandbox.t wants it: read by lib.sh where FORGE_BROKER_TEST_UNIT names a file, inside a machine
# that systemd runs and where everything is installed.
#
# It is forge-brokerd.service with all of its lines, as installed, and its three sockets, which systemd makes.  Drop-ins say what is
# this script's own: the configuration, the sockets' paths, where standard error goes, what of $work the daemon may see, and that
# nobody starts it again.  Each start is proved to be confined, and written down in that file: one line per start.
unit_service=forge-brokerd.service
unit_user=forge-broker
unit_runtime=/run/forge-broker-test
unit_environment=$unit_runtime/environment
unit_state=/var/lib/forge-broker
unit_sockets=

unit_property() { # PROPERTY [UNIT]
        systemctl show --property="$1" --value "${2:-$unit_service}"
}

# unit_setting NAME - a setting of [broker] as it stands in the configuration
unit_setting() {
        sed -n "s/^$1 = *//p" "$config_file"
}

# unit_drop_in UNIT - from standard input
unit_drop_in() {
        mkdir -p "/run/systemd/system/$1.d"
        cat >"/run/systemd/system/$1.d/test.conf"
}

# unit_socket UNIT PATH - PATH may be empty: then there is no such socket
unit_socket() {
        if [ -z "$2" ]; then
                ln -sfn /dev/null "/run/systemd/system/$1"
                return
        fi
        rm -f "/run/systemd/system/$1"
        unit_sockets="$unit_sockets $1"
        # $work stays writable, so even the jobs' socket can take its file along.
        printf '[Socket]\nListenStream=\nListenStream=%s\nRemoveOnStop=yes\n' "$2" | unit_drop_in "$1"
}

unit_configure() {
        unit_program=$(sed -n 's/^ExecStart=//p' "$(unit_property FragmentPath)")
        unit_drop_in "$unit_service" <<EOT
[Service]
ExecStart=
ExecStart=$unit_program --config $config_file
ExecStopPost=+/bin/sh -c 'echo "\$EXIT_CODE \$EXIT_STATUS" >$unit_runtime/ended'
BindReadOnlyPaths=$work
EnvironmentFile=-$unit_environment
StandardError=append:$daemon_log
Restart=no
EOT
        unit_sockets=
        unit_socket forge-brokerd.socket "$(unit_setting socket)"
        unit_socket forge-brokerd-control.socket "$(unit_setting control_socket)"
        unit_socket forge-brokerd-credentials.socket "$(unit_setting credential_socket)"
        systemctl daemon-reload
}

# What the configuration takes from the environment, and nothing else of this script's.
unit_write_environment() {
        sed -n 's/^direct_env = *//p' "$config_file" | sort -u | while read -r unit_name; do
                printenv "$unit_name" | sed "s/^/$unit_name=/"
        done >"$unit_environment"
}

# The remedy of credential-permissions: root's, and readable for the daemon's group.
daemon_may_read() {
        chgrp "$unit_user" "$@" && chmod 0640 "$@"
}

# $work/state is what the unit calls its state directory; systemd gives it to the daemon's user.
unit_mount_state() {
        mkdir -p "$work/state" "$unit_state"
        ! mountpoint --quiet "$unit_state" || umount "$unit_state"
        mount --bind "$work/state" "$unit_state"
}

unit_runs() {
        daemon_pid=$(unit_property MainPID)
        [ "$(readlink "/proc/$daemon_pid/exe")" = "$unit_program" ] || [ -e "$unit_runtime/ended" ]
}

# unit_confinement PID - what the kernel says of it, and systemd of all its settings together, for a filter may be a lesser one
unit_confinement() {
        sed -n 's/^Uid:[[:space:]]*//p' "/proc/$1/status" | tr '\t' '\n' | sort -u | xargs id --user --name | sed 's/^/user:/'
        sed -nE 's/^((Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):)[[:space:]]*/\1/p' "/proc/$1/status"
        sed -n 's/^0::/group:/p' "/proc/$1/cgroup"
        [ "$(readlink "/proc/$1/ns/user")" = "$(readlink /proc/self/ns/user)" ] || echo user-namespace
        [ "$(readlink "/proc/$1/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] || [ -e "/proc/$1/root/bin/sh" ] || echo own-root
        systemd-analyze security --threshold=11 "$unit_service" >/dev/null && echo exposure:1.1
}

daemon_start_only() {
        [ $# = 0 ] && [ -z "${FORGE_BROKER_TEST_LAUNCHER-}" ] || bail "nothing can stand in front of the daemon in its unit"
        : >>"$daemon_log"
        install -d -m 0700 "$unit_runtime"
        rm -f "$unit_runtime/ended"
        unit_configure
        unit_write_environment
        unit_mount_state
        find "${config_file%/*}" -type f -user root -perm 0600 | while read -r unit_file; do daemon_may_read "$unit_file"; done
        # shellcheck disable=SC2086
        systemctl start $unit_sockets || bail "the sockets do not start: $(systemctl status --no-pager $unit_sockets)"
        systemctl start --no-block "$unit_service"
        wait_for 20 unit_runs || bail "systemd does not start the daemon: $(systemctl status --no-pager "$unit_service")"
        rm -f "$unit_environment"
        if [ -e "$unit_runtime/ended" ]; then
                # not 0, which would signal this very script
                daemon_pid=none
                return
        fi
        printf '%s %s\n' "$(unit_property InvocationID)" "$(unit_confinement "$daemon_pid" | tr '\n' ' ')" >>"$FORGE_BROKER_TEST_UNIT"
}

unit_ended() {
        [ -e "$unit_runtime/ended" ]
}

# systemd's word for how it ended; who was killed by a signal has 128.  The sockets go with it: they would start another one.
daemon_wait() {
        wait_for 60 unit_ended || bail "the daemon does not end: $(systemctl status --no-pager "$unit_service")"
        read -r unit_code unit_status <"$unit_runtime/ended"
        # shellcheck disable=SC2086
        systemctl stop $unit_sockets "$unit_service"
        # Outside it would be root's: `doctor` of a script's own takes no other.
        chown -R root "$work/state"
        [ "$unit_code" = exited ] || return 128
        return "$unit_status"
}

daemon_stop() {
        # shellcheck disable=SC2086
        systemctl stop $unit_sockets "$unit_service"
        daemon_wait
}

unit_remove() {
        [ -n "$unit_sockets" ] || return 0
        # shellcheck disable=SC2086
        systemctl stop $unit_sockets "$unit_service"
        umount "$unit_state"
        rm -rf "$unit_runtime" /run/systemd/system/forge-brokerd*
        systemctl daemon-reload
}
at_exit unit_remove
