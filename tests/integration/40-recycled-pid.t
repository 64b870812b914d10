#!/bin/sh
# A process that asks and ends before the daemon looks, and whose pid is another's by then: with SO_PEERPIDFD that fools nobody,
# and without it the record says that it might.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# A pid namespace of the test's own, where it may say which pid comes next.
if [ -z "${FORGE_BROKER_TEST_NAMESPACE-}" ] && [ "$(id -u)" = 0 ] && unshare --pid --fork --mount-proc true 2>/dev/null; then
        FORGE_BROKER_TEST_NAMESPACE=1
        export FORGE_BROKER_TEST_NAMESPACE
        exec unshare --pid --fork --kill-child --mount-proc sh "$0"
fi
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
need python3 python3
[ -n "${FORGE_BROKER_TEST_NAMESPACE-}" ] || skip_all "this root may not make a pid namespace"
[ ! -d /run/systemd/system ] || skip_all "systemd cannot be asked for control groups from inside a pid namespace"
units_possible || skip_all "$units_why"
[ -w /proc/sys/kernel/ns_last_pid ] || skip_all "this kernel does not let a test choose a pid (CONFIG_CHECKPOINT_RESTORE)"

good=good-$units_tag.scope
bad=bad-$units_tag.scope
in_unit "$good" true
in_unit "$bad" true
cat >"$work/recycle.py" <<'PY'
"""recycle.py SOCKET DAEMON GOOD BAD: one of BAD asks and ends; one of GOOD gets its pid; then the daemon looks."""
import os, signal, socket, sys, time

path, daemon, good, bad = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
answers, says = os.pipe()
signal.alarm(60)


def enter(group):
    with open(f"{group}/cgroup.procs", "w") as processes:
        processes.write("0")


def stopped(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def asker():
    enter(bad)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    if os.fork() > 0:
        os._exit(0)         # the connection lives on in the child, under the pid of one that has ended
    connection.settimeout(20)
    data = b""
    while more := connection.recv(65536):
        data += more
    os.write(says, data.partition(b"\r\n\r\n")[2])
    os._exit(0)


os.kill(daemon, signal.SIGSTOP)
while not stopped(daemon):
    time.sleep(0.01)
first = os.fork()
if first == 0:
    asker()
os.waitpid(first, 0)
for _ in range(50):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(first - 1))
    second = os.fork()
    if second == 0:
        os.close(says)
        enter(good)
        signal.pause()
    if second == first:
        break
    os.kill(second, signal.SIGKILL)
    os.waitpid(second, 0)
while second == first and not open(f"/proc/{first}/cgroup").read().rstrip().endswith(os.path.basename(good)):
    time.sleep(0.01)
os.kill(daemon, signal.SIGCONT)
os.close(says)
answer = b""
while more := os.read(answers, 65536):
    answer += more
os.kill(second, signal.SIGKILL)
os.waitpid(second, 0)
print("recycled" if second == first else "not recycled", first)
print(answer.decode())
PY
recycle() {
        python3 "$work/recycle.py" "$jobs_socket" "$daemon_pid" "$units_mount/$good" "$units_mount/$bad" >"$work/out" 2>"$work/err"
        pid=$(sed -n 's/^recycled //p' "$work/out")
        [ -n "$pid" ] || note "$(cat "$work/out" "$work/err")"
        answer=$(tail -n +2 "$work/out")
}

standin_state >"$work/state.json"
standin_start "$work/state.json"
{ token_deploy; echo "units = $good"; } | write_config
if python3 -c 'import socket; a, b = socket.socketpair(); a.getsockopt(socket.SOL_SOCKET, 77, 4)' 2>/dev/null; then
        daemon_start
        daemon_ready
        is "one of the unit itself gets the token" \
                "$(in_unit "$good" curl --silent --unix-socket "$jobs_socket" http://localhost/v1/tokens/deploy | jq -r .token)" "$secret_value"
        recycle
        like "the pid of who asked is another's when the daemon looks" "$pid" '^[0-9]+$'
        is "it is refused" "$(printf '%s' "$answer" | jq -r .code)" peer-refused
        like "... for its unit is not known" "$(printf '%s' "$answer" | jq -r .detail)" "not for a process whose unit is not known"
        like "the record has its pid" "$(records refused)" "^refused token=deploy code=peer-refused .* peer_pid=$pid( |\$)"
        unlike "... and nobody's unit" "$(records refused)" "peer_pid=$pid .*peer_(unit|container)="
        is "nothing was issued under that pid" "$(records issued | grep -c "peer_pid=$pid ")" 0
        daemon_stop
else
        skip "with SO_PEERPIDFD a recycled pid fools nobody" "this kernel has no SO_PEERPIDFD"
fi

# As documented: on such a kernel `units` guards against accidents, not against a hostile root.
rm -f "$work/daemon.log"
# shellcheck disable=SC2086
daemon_start $old_kernel
daemon_ready
recycle
like "without SO_PEERPIDFD the pid is another's as well" "$pid" '^[0-9]+$'
is "... and decides" "$(printf '%s' "$answer" | jq -r .token)" "$secret_value"
like "the record says that the unit is not certain" "$(records issued)" "^issued token=deploy .* peer_pid=$pid peer_unit=$good unit_pinned=no "
daemon_stop
done_testing
