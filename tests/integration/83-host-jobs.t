#!/bin/sh
# Jobs that run on the host as their runner's user, in a systemd that was really booted: through sudo and the relay, and what
# is said where that cannot be.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"

machine_start

boot_do useradd --create-home --uid 1000 runner
# runner_job UNIT [PROPERTY...] -- CMD...: as the service of a runner would run a step of a job
runner_job() {
        unit=$1
        shift
        set -- -p User=runner "$@"
        boot_do systemd-run --wait --pipe --collect --quiet --unit="$unit" "$@" 2>"$work/err"
}
said() { cat "$work/err"; }

# Without a rule.
out=$(runner_job no-rule -- "$bin/forge-broker" get deploy)
is "without a sudo rule there is no token" "$? $out" "6 "
like "it says that the relay is needed, and by whom" "$(said)" '^forge-broker: uid 1000 needs the relay, and sudo does not run it: sudo: a password is required'
like "the remedy is the rule" "$(said)" "^remedy: .*runner ALL=\(root\) NOPASSWD: $libexec/forge-broker/relay \"\"\$"

# The operator allows it, with the shipped line.
install -m 0440 "$stage$doc/examples/forge-broker.sudoers" "$boot_root/etc/sudoers.d/forge-broker"
ok "sudo understands the shipped line" boot_do visudo -cf /etc/sudoers.d/forge-broker
is "with the shipped line a job of the runner gets its token" \
        "$(runner_job runner -p Environment=FORGEJO_REPOSITORY=example/site -- "$bin/forge-broker" get deploy)" "$secret_value"
like "the evidence line is there" "$(said)" '^forge-broker: deploy forgejo_token_source=infisical-token-auth '
unlike "nothing of sudo's is" "$(said)" 'sudo'
entry=$(record issued)
is "the record names the runner's unit" "$(field "$entry" FORGE_BROKER_PEER_UNIT)" runner.service
is "the record says that it was root who asked" "$(field "$entry" FORGE_BROKER_PEER_UID)" 0
is "the job's claims came along" "$(field "$entry" FORGE_BROKER_CLAIM_REPOSITORY)" example/site
if grep -q Forge-Broker-Via-Uid "$top_srcdir/src/broker/peer.c"; then
        is "and so did whose job it is" "$(field "$entry" FORGE_BROKER_CLAIM_VIA_UID)" 1000
else
        skip "and so did whose job it is" "this daemon does not record Forge-Broker-Via-Uid"
fi
like "list goes the same way" "$(runner_job runner -- "$bin/forge-broker" list)" '^deploy '
out=$(runner_job runner -- "$bin/forge-broker" get nope)
is "an unknown token is exit status 3 there too" "$? $out" "3 "
like "exec runs as the runner's user, with the token" \
        "$(runner_job runner -- "$bin/forge-broker" exec deploy -- sh -c 'echo "$(id -u) $FORGE_TOKEN"; ps --no-headers --ppid $$ -o stat')" "^1000 $secret_value\$"
unlike "and has no child that it did not start" "$(runner_job runner -- "$bin/forge-broker" exec deploy -- sh -c 'exec ps -o stat= --ppid $$')" 'Z'
is "a closed standard output gets nothing, and nobody else either" \
        "$(runner_job runner -- sh -c "$bin/forge-broker get deploy >&-; echo \$?")" 1
boot_do systemctl restart forge-brokerd.service
is "a restart of the broker does not matter" "$(runner_job runner -- "$bin/forge-broker" get deploy --timeout 20s)" "$secret_value"

is "on a terminal of its own it comes too" \
        "$(runner_job runner -- script --quiet --return --command "$bin/forge-broker get deploy --quiet" /dev/null | tr -d '\r')" "$secret_value"
daemon=$(boot_do systemctl show -P MainPID forge-brokerd.service)
[ "${daemon:-0}" -gt 1 ] || bail "the daemon does not run"
boot_do kill -STOP "$daemon"
start=$(date +%s%N)
out=$(runner_job runner -- "$bin/forge-broker" get deploy --timeout 700ms)
is "a broker that hangs is given up in time, by this way too" "$? $out $((($(date +%s%N) - start) / 1000000 < 2000))" "6  1"
boot_do kill -CONT "$daemon"
like "... and it says so" "$(said)" 'the broker did not answer within 700ms'

# Where the host logs what sudo's commands read and write, it is anything but tokens.
printf 'Defaults log_input, log_output, !compress_io\nrunner ALL=(root) NOPASSWD: /usr/bin/printf\n' >"$boot_root/etc/sudoers.d/00-log"
chmod 0440 "$boot_root/etc/sudoers.d/00-log"
runner_job logged -- sudo -n printf logged-by-sudo >/dev/null
ok "sudo logs what its commands write" grep -raqF logged-by-sudo "$boot_root/var/log/sudo-io"
is "a job gets its token there too" "$(runner_job logged -p Environment=FORGE_BROKER_PROOF=canary-of-a-job -- "$bin/forge-broker" get deploy)" "$secret_value"
is "no log of sudo has it" "$(grep -raclF -e "$secret_value" -e canary-of-a-job "$boot_root/var/log/sudo-io" | wc -l)" 0
rm -r "$boot_root/etc/sudoers.d/00-log" "$boot_root/var/log/sudo-io"

# The relay is no way to anything else.
runner_sudo() { runner_job intruder -- sh -c "printf '$1 HTTP/1.1\r\nHost: a\r\n\r\n' | sudo -n $libexec/forge-broker/relay"; }
for request in 'GET /v1/status' 'POST /v1/reload' 'POST /v1/tokens/deploy/refresh' 'GET /metrics'; do
        is "$request does not go through it" "$(runner_sudo "$request")" ""
        like "... and it says so" "$(said)" '^forge-broker-relay: this request is not passed on: '
done
not_ok "with an argument sudo does not run it" runner_job intruder -- sudo -n "$libexec/forge-broker/relay" --help
not_ok "nor anything else" runner_job intruder -- sudo -n "$bin/forge-broker" list
boot_do useradd --uid 1001 other
not_ok "nor for another user" boot_do systemd-run --wait --pipe --collect --quiet -p User=other -- \
        "$bin/forge-broker" get deploy

# What keeps sudo from working.
out=$(runner_job hardened -p NoNewPrivileges=yes -- "$bin/forge-broker" get deploy)
is "NoNewPrivileges=yes: no token" "$? $out" "6 "
like "it says that no new privileges may be had" "$(said)" '^forge-broker: uid 1000 needs the relay, and sudo cannot run it: this job may get no new privileges$'
like "the remedy names the setting" "$(said)" '^remedy: .*NoNewPrivileges=no'
out=$(runner_job implied -p ProtectKernelModules=yes -- "$bin/forge-broker" get deploy)
is "a setting that implies it: no token" "$? $out" "6 "
like "... and the same words" "$(said)" 'this job may get no new privileges'
out=$(runner_job namespaced -p PrivateUsers=yes -- "$bin/forge-broker" get deploy)
is "in a user namespace of its own: no token" "$? $out" "6 "
like "sudo's own words are passed on" "$(said)" 'sudo does not run it: sudo: '
start=$(date +%s)
out=$(runner_job hardened -p NoNewPrivileges=yes -- "$bin/forge-broker" wait deploy --timeout 60s)
is "wait does not wait for that to change" "$? $(($(date +%s) - start < 30))" "6 1"

# The broker is not there.
boot_do systemctl stop forge-brokerd.socket forge-brokerd.service
runner_job runner -- "$bin/forge-broker" get deploy
like "a broker that is not running is named" "$(said)" '^forge-broker: the relay: cannot connect to /run/forge-broker/broker.sock: Connection refused'
boot_do systemctl start forge-brokerd.socket
is "and once it runs it serves again" "$(runner_job runner -- "$bin/forge-broker" get deploy --timeout 20s)" "$secret_value"

mv "$boot_root/usr/bin/sudo" "$boot_root/usr/bin/sudo.away"
runner_job runner -- "$bin/forge-broker" get deploy
like "without sudo it says so" "$(said)" 'there is no /usr/bin/sudo to run it'
mv "$boot_root/usr/bin/sudo.away" "$boot_root/usr/bin/sudo"
rm "$boot_root$libexec/forge-broker/relay"
runner_job runner -- "$bin/forge-broker" get deploy
like "without the relay it says who is served" "$(said)" 'runs as uid 1000 and may not use .*: the broker serves root only'

boot_do journalctl --sync
is "the token is nowhere in the journal" "$(boot_do journalctl --quiet --output=export | grep -acF -e "$secret_value")" 0

done_testing
