#!/bin/sh
# A core after all: the daemon forbids it, so here it is made to believe that it did.  With the kernel's secret memory, and with the
# locked pages that an older kernel leaves it, no credential is in the core nor in memory that is not locked.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
sanitized && skip_all "the sanitizers' shadow of the memory is too large to scan"
case $(cat /proc/sys/kernel/core_pattern) in
*/* | \|*) skip_all "cores do not go where the program runs: /proc/sys/kernel/core_pattern" ;;
esac
pretend=$top_builddir/tests/faults/pretend
"$pretend" dumpable true 2>/dev/null || skip_all "a core's size cannot be unlimited here, or system calls not filtered"
canary() { printf '%s-canary-%s' "$1" "$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"; }
access_token=$(canary at) secret_value=$(canary fb) client_secret=$(canary cs) direct_value=$(canary pat)
next_value=$(canary next) proof_value=$(canary proof)

standin_state | jq --arg secret "$client_secret" \
        '.identities[0].universal_auth = {client_id: "22222222-3333-4444-8555-666666666666", ttl: 3600, max_ttl: 7200,
                                          client_secrets: [{secret: $secret}]}' >"$work/state.json"
standin_start "$work/state.json"
identity_settings="client_id_file = $work/etc/client-id
client_secret_file = $work/etc/client-secret"
{ token_deploy; printf 'direct_env = CANARY_PAT\ndirect_env_until = %s\n' "$(date -u -d '+30 days' +%F)"; } | write_config
(umask 077; echo 22222222-3333-4444-8555-666666666666 >"$work/etc/client-id"; echo "$client_secret" >"$work/etc/client-secret")
put() {
        standin_ask /secret -X PUT -d "{\"project\":\"platform\",\"environment\":\"prod\",\"path\":\"/forges\",\"name\":\"deploy-bot@example.org\",\"value\":\"$1\"}" >/dev/null
}
source_is() { [ "$(ask /v1/tokens/deploy | jq -r '.source // .code')" = "$1" ]; }
live_scan() {
        printf '%s\n' "$access_token" "$client_secret" "$direct_value" "$secret_value" "$next_value" "$proof_value" |
                python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
        [ "$(grep -c '^open=0 ' "$work/scan")" = 6 ]
}
copies() { grep -acF -e "$1" "$work/core" || true; }

for kernel in own old; do
        set -- env CANARY_PAT="$direct_value" "$pretend" dumpable
        [ "$kernel" = own ] || set -- "$@" "$pretend" old-kernel
        put "$secret_value"
        # A core is written where the process is.
        cd "$work" || exit 1
        daemon_start "$@"
        ok "$kernel kernel: the token is usable" daemon_ready
        maps=$(grep -c secretmem "/proc/$daemon_pid/maps")
        if [ "$kernel" = old ]; then
                is "old kernel: there is no secret memory" "$maps" 0
                like "old kernel: the pages in its place are locked, and left out of dumps and children" \
                        "$(grep '^VmFlags:' "/proc/$daemon_pid/smaps")" ' wf .* ?lo.* dd|lo .*(wf.* dd|dd.* wf)'
        else
                note "mappings of secret memory on this machine's kernel: $maps"
        fi
        # Each credential is used, in ways that go well and that do not.
        ask /v1/tokens/deploy -H "Authorization: Bearer $proof_value" >/dev/null
        "$broker" get deploy --socket "$jobs_socket" >/dev/null 2>&1
        for kind in truncated garbage drop; do
                put "$next_value-$kind"
                standin_ask /fault -X POST -d "{\"kind\":\"$kind\",\"class\":\"secret\",\"count\":2}" >/dev/null
                (umask 077; echo "$access_token-$kind" >"$work/etc/access-token")
                "$brokerctl" --socket "$control_socket" reload >/dev/null
                control /v1/tokens/deploy/refresh -X POST >/dev/null
        done
        standin_ask /fault -X DELETE >/dev/null
        python3 -c 'import socket, sys
for _ in range(20):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(b"GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\n\r\n")
    s.close()' "$jobs_socket"
        ok "$kernel kernel: by Universal Auth it is usable as well" wait_for 20 source_is infisical-universal-auth
        ok "$kernel kernel: no canary is in memory that is not locked" wait_for 15 live_scan || note "$(cat "$work/scan")"
        case $daemon_pid in '' | 0 | 1) bail "the daemon has no pid" ;; esac
        kill -SEGV "$daemon_pid"
        wait "$daemon_pid" 2>/dev/null
        ok "$kernel kernel: there is a core" test -s "$work/core" || break
        ok "$kernel kernel: it holds the daemon's ordinary memory" test "$(copies deploy-bot@example.org)" -gt 0
        for canary in "$access_token" "$client_secret" "$direct_value" "$secret_value" "$next_value" "$proof_value"; do
                is "$kernel kernel: ${canary%%-*} is not in the core" "$(copies "$canary")" 0
        done
        rm -f "$work/core"
        (umask 077; echo "$access_token" >"$work/etc/access-token")
done
done_testing
