# shellcheck shell=sh disable=SC2154
# Processes in control groups of their own, named as systemd and the container engines name them, without booting a machine.
# Needs lib.sh.
#
#   units_possible || skip_all "$units_why"
#   units_tag                     16 hex digits of this script's own, for the names of its units: others run at the same time
#   units_id                      64 of them, as the id of a container
#   in_unit NAME.scope CMD...     runs CMD there; its output and status pass through
#
# Where a systemd runs it makes the scopes; elsewhere they are directories of the cgroup2 hierarchy, removed at the end.
units_why=
units_mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
units_tag=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
units_id=$units_tag$units_tag$units_tag$units_tag

units_remove() {
        sort -u "$work/units" 2>/dev/null | while read -r units_group; do
                [ ! -e "$units_group/cgroup.kill" ] || echo 1 >"$units_group/cgroup.kill"
                wait_for 5 rmdir "$units_group" 2>/dev/null
        done
}
at_exit units_remove

units_possible() {
        units_name=test-$units_tag.scope
        if [ "$(id -u)" != 0 ]; then
                units_why="control groups can only be made by root"
        elif [ -z "$units_mount" ]; then
                units_why="there is no cgroup2 hierarchy here"
        elif ! in_unit "$units_name" grep -q "^0::.*/$units_name\$" /proc/self/cgroup 2>/dev/null; then
                units_why="no control group can be made here"
        else
                return 0
        fi
        return 1
}

in_unit() {
        units_unit=$1
        shift
        if [ -d /run/systemd/system ]; then
                systemd-run --scope --quiet --collect --unit="$units_unit" -- "$@"
                return
        fi
        units_group=$units_mount/$units_unit
        # a file, for this may be a subshell
        echo "$units_group" >>"$work/units"
        [ -d "$units_group" ] || mkdir "$units_group" || return 1
        # shellcheck disable=SC2016
        sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' in_unit "$units_group" "$@"
}
