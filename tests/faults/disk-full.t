#!/bin/sh
# No room for what the daemon keeps: an attempt to log in that cannot be written down is not made, and with room again it is, by
# itself; without a key for fingerprints there is no daemon, and it says why.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need mount mount
client_secret=cs-test-0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab
client_id=22222222-3333-4444-8555-666666666666

mkdir -p "$work/state"
mount -t tmpfs -o size=16k,mode=0700 tmpfs "$work/state" 2>/dev/null || skip_all "this root may not mount a tmpfs"
at_exit umount -l "$work/state"
fill() { dd if=/dev/zero of="$work/state/ballast" bs=1k count=64 2>/dev/null; [ "$(df --output=avail "$work/state" | tail -n 1)" -eq 0 ]; }
counter() { standin_ask /counters | jq -r "$1 // 0"; }
source_is() { [ "$(ask /v1/tokens/deploy | jq -r '.source // .code')" = "$1" ]; }

standin_state | jq --arg id "$client_id" --arg secret "$client_secret" \
        '.identities[0].universal_auth = {client_id: $id, ttl: 3600, max_ttl: 7200, client_secrets: [{secret: $secret}]}' >"$work/state.json"
standin_start "$work/state.json"
identity_settings="client_id_file = $work/etc/client-id
client_secret_file = $work/etc/client-secret"
token_deploy | write_config
(umask 077; echo not-a-token >"$work/etc/access-token"; echo "$client_id" >"$work/etc/client-id"; echo "$client_secret" >"$work/etc/client-secret")

# At the very first start.
ok "the file system is full" fill
daemon_start_only
wait "$daemon_pid"
is "a first start without room for the key ends with 1" "$?" 1
ok "and says which file" in_log 'fingerprint\.key.*(No space left|cannot)|state.*(No space left|cannot)' || note "$(cat "$work/daemon.log")"
rm "$work/state/ballast"
not_ok "no key is there that is not whole" test -e "$work/state/fingerprint.key"

# With a key, but no room for what a login has to write down first.
daemon_start
ok "with room it logs in" wait_for 10 source_is infisical-universal-auth
daemon_stop
standin_ask /counters/reset -X POST >/dev/null
find "$work/state" -type f -not -name fingerprint.key -delete
ok "the file system is full again" fill
daemon_start
refused() { [ "$(control /v1/status | jq -r '.tokens[0].state')" = failed ]; }
ok "the token has no value" wait_for 10 refused
is "no login was tried: it could not be counted" "$(counter .logins_ok) $(counter .logins_failed)" "0 0"
answer=$(ask /v1/tokens/deploy)
is "a job gets none" "$(printf '%s' "$answer" | jq -r .status)" 503
like "and reads what cannot be written" "$answer$(control /v1/status)" "$work/state.*(No space left|cannot be written)"
is "the daemon lives" "$(ask_status /healthz)" 200
rm "$work/state/ballast"
ok "with room again it logs in by itself" wait_for 40 source_is infisical-universal-auth
is "once" "$(counter .logins_ok)" 1

# With a value in hand a full file system is nobody's trouble.
ok "full once more" fill
is "a value that is held is issued" "$(ask /v1/tokens/deploy -H 'Accept: text/plain')" "$secret_value"
daemon_stop
is "it stops cleanly" $? 0
done_testing
