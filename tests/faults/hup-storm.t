#!/bin/sh
# A thousand SIGHUPs in a second, with jobs at work: none loses its token, the last configuration is the one in force, and nothing
# is left behind.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3

standin_state >"$work/state.json"
standin_start "$work/state.json"
broker_settings='requests_per_second = 0'
token_deploy | write_config
daemon_start
ok "the token is usable" daemon_ready
descriptors() { find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l; }
anonymous() { awk '$1 == "RssAnon:" { print $2 }' "/proc/$daemon_pid/status"; }
reloads() { records config-loaded | wc -l; }
storm() { # prints in how many milliseconds
        python3 -c 'import os, signal, sys, time
pid, begun = int(sys.argv[1]), time.monotonic()
assert pid > 1
for i in range(1000):
    os.kill(pid, signal.SIGHUP)
    time.sleep(max(0, begun + i / 1100 - time.monotonic()))
print(round((time.monotonic() - begun) * 1000))' "$daemon_pid"
}
herd() { python3 "$top_srcdir/tests/integration/herd.py" "$jobs_socket" /v1/tokens/deploy 2000 8 --seconds 60 | jq -c .status; }

# The first one finds what the memory is after a thousand, and the second that it stays so.
for round in first second; do
        loads=$(reloads)
        herd >"$work/herd" &
        herd=$!
        milliseconds=$(storm)
        wait "$herd"
        note "$round storm: $milliseconds ms, $(($(reloads) - loads)) reloads, $(anonymous) KiB anonymous, $(descriptors) descriptors"
        is "the $round storm: each of 2000 requests has its token" "$(cat "$work/herd")" '{"200":2000}'
        ok "the $round storm: there were reloads" test "$(reloads)" -gt "$loads"
        if [ "$round" = first ]; then
                memory=$(anonymous) files=$(descriptors)
        fi
done
ok "descriptors are as before" test "$(descriptors)" -le "$files"
sanitized || ok "memory is as before, but for 256 KiB" test "$(anonymous)" -le $((memory + 256))

# Changed between two of the storm's signals: the last one must see it.
sed -i 's/secret_name = .*/secret_name = second/' "$config_file"
storm >/dev/null
has_second() { [ "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" = "$secret_value-2" ]; }
ok "what was written before the last signal is in force" wait_for 10 has_second
reads=$(standin_ask /counters | jq '.class.secret')
ok "Infisical was not asked once for each reload ($reads reads)" test "$reads" -le 10
daemon_stop
is "it stops cleanly" $? 0
done_testing
