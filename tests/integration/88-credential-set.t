#!/bin/sh
# A credential replaced under load, in a systemd that was really booted: one that does not work changes nothing, one that does
# loses no request.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"
. "$top_srcdir/tests/integration/machine.sh"

machine_start
new_token=at-new-9876543210zyxwvutsrqponmlkjihgfedcba
store=$boot_root/etc/credstore.encrypted
ctl() { boot_do "$sbin/forge-brokerctl" "$@"; }
# set_credential VALUE [OPTION...] - $output, $status; the value comes on standard input
set_credential() {
        printf '%s\n' "$1" >"$boot_root/run/input"
        shift
        output=$(boot_do sh -c '"$@" </run/input' sh "$sbin/forge-brokerctl" credential set "$@" 2>&1)
        status=$?
        rm "$boot_root/run/input"
}
pid() { boot_do systemctl show -P MainPID forge-brokerd.service; }
usable() { ctl status >/dev/null 2>&1; }
inside_standin() { boot_do curl --silent --unix-socket /run/standin.sock "$@"; }

# A first installation: nothing but the configuration.
rm "$boot_root/etc/credstore/infisical-token" "$boot_root/etc/systemd/system/forge-brokerd.service.d/test.conf"
boot_do systemctl daemon-reload
set_credential "$access_token"
is "a first credential is put into place" "$status" 0 || note "$output"
like "and proven before" "$output" '^  deploy: readable$'
like "and served after" "$output" '^every token of the identity is served from it'
like "it says what changed: before" "$output" '^before: no access token$'
like "now" "$output" '^now: an access token, which does not say whose it is'
ok "it is encrypted" test -s "$store/infisical-token"
not_ok "which means: not to be read" grep -aq "$access_token" "$store/infisical-token"
is "the file is root's alone" "$(stat -c '%a %u' "$store") $(ls "$store")" "700 0 infisical-token"
ok "status says that all is well" usable

# Load, from here to the end: a request after the other with the client, and with plain curl.
cat >"$boot_root/run/load" <<EOT
while :; do
        "\$@" >/run/got 2>/dev/null || { echo "lost: \$?" >>/run/lost-\$NAME; }
        grep -q $secret_value /run/got || echo "no value" >>/run/lost-\$NAME
        echo >>/run/count-\$NAME
done
EOT
boot_do systemd-run --quiet --unit=load-client --setenv=NAME=client -- sh -c 'exec sh /run/load "$@"' sh "$bin/forge-broker" get deploy -q
boot_do systemd-run --quiet --unit=load-curl --setenv=NAME=curl -- sh -c 'cd /run && sed s,/run/got,/run/got2, load >load2 && exec sh /run/load2 "$@"' sh \
        curl --silent --fail --max-time 20 --unix-socket /run/forge-broker/broker.sock http://localhost/v1/tokens/deploy
counted() { [ "$(wc -l <"$boot_root/run/count-$1" 2>/dev/null || echo 0)" -ge "$2" ]; }
ok "the load runs" wait_for 20 counted client 20
ok "with curl too" wait_for 20 counted curl 20

# What does not work changes nothing.
before=$(sha256sum <"$store/infisical-token")
daemon=$(pid)
set_credential at-wrong-0123456789abcdefghijklmnopqrstuvwxyz
is "a wrong token is refused" "$status" 1
like "with the code" "$output" 'deploy: credential-rejected: '
like "and the remedy" "$output" '^remedy: '
like "and it says that nothing was changed" "$output" 'nothing was changed$'
is "the file is the same, and alone" "$(sha256sum <"$store/infisical-token") $(ls "$store")" "$before infisical-token"
is "the service was not restarted" "$(pid)" "$daemon"
for bad in '' 'two words' "$(printf 'tab\there')"; do
        set_credential "$bad"
        is "what is no credential is refused: '$bad'" "$status $(sha256sum <"$store/infisical-token")" "1 $before"
done
set_credential "$(head -c 9000 /dev/zero | tr '\0' a)"
is "so is one that is too long" "$status" 1
set_credential x nobody
is "an identity that is not there" "$status" 2
set_credential "$(printf 'id\nsecret')" default --universal-auth
is "a kind that is not configured" "$status" 1
like "is named with its keys" "$output" "no client_id_file and client_secret_file"

# The right one.
inside_standin --data "{\"name\":\"new\",\"identity\":\"broker\",\"value\":\"$new_token\"}" http://localhost/tokens >/dev/null
rm -f "$boot_root/run/exec.log"
set_credential "$new_token"
is "the right one is taken" "$status" 0 || note "$output"
not_ok "the file is another" test "$(sha256sum <"$store/infisical-token")" = "$before"
is "and alone" "$(ls "$store")" infisical-token
not_ok "the service was restarted" test "$(pid)" = "$daemon"
inside_standin --data '{"reason":"token"}' http://localhost/tokens/test/revoke >/dev/null
ok "a refresh with the new one works" ctl refresh deploy
ok "with the old one revoked all is well" usable

# One that Infisical accepts and the daemon cannot use: it is taken back.
inside_standin --data '{"name":"third","identity":"broker","value":"at-third-0123456789abcdefghijklmnopqrstuvw"}' http://localhost/tokens >/dev/null
before=$(sha256sum <"$store/infisical-token")
boot_do mv /usr/bin/systemctl /usr/bin/systemctl.real
cat >"$boot_root/usr/bin/systemctl" <<'EOT'
#!/bin/sh
if [ "$1" = restart ] && [ ! -e /run/restart-failed ]; then
        : >/run/restart-failed
        exit 1
fi
exec /usr/bin/systemctl.real "$@"
EOT
chmod +x "$boot_root/usr/bin/systemctl"
set_credential at-third-0123456789abcdefghijklmnopqrstuvw
is "a restart that fails" "$status" 1
like "takes the new one back" "$output" 'the old credential is in place again$'
is "byte for byte" "$(sha256sum <"$store/infisical-token") $(ls "$store")" "$before infisical-token"
boot_do mv /usr/bin/systemctl.real /usr/bin/systemctl
ok "and all is well" wait_for 20 usable

# One that the unit does not load, because a drop-in names another file: it would look as if all were well.
printf '%s\n' "$new_token" >"$boot_root/etc/another"
mkdir -p "$boot_root/etc/systemd/system/forge-brokerd.service.d"
printf '[Service]\nLoadCredential=infisical-token:/etc/another\n' >"$boot_root/etc/systemd/system/forge-brokerd.service.d/another.conf"
boot_do systemctl daemon-reload
set_credential at-third-0123456789abcdefghijklmnopqrstuvw
is "a credential that the unit is not given" "$status" 1
like "is told with where to look" "$output" 'the unit was not given what is in /etc/credstore.encrypted/infisical-token now'
is "and taken back" "$(sha256sum <"$store/infisical-token") $(ls "$store")" "$before infisical-token"
rm "$boot_root/etc/systemd/system/forge-brokerd.service.d/another.conf" "$boot_root/etc/another"
boot_do systemctl daemon-reload
boot_do systemctl restart forge-brokerd.service
ok "all is well again" wait_for 20 usable

# No request was lost.
more=$(($(wc -l <"$boot_root/run/count-client") + 20))
ok "the load still runs" wait_for 20 counted client "$more"
boot_do systemctl stop load-client load-curl
note "requests meanwhile: $(wc -l <"$boot_root/run/count-client") of forge-broker, $(wc -l <"$boot_root/run/count-curl") of curl"
is "forge-broker lost none" "$(cat "$boot_root/run/lost-client" 2>/dev/null)" ""
is "curl lost none" "$(cat "$boot_root/run/lost-curl" 2>/dev/null)" ""

# Where the values are not.
boot_do journalctl --sync
boot_do journalctl --no-pager --output=export >"$work/journal"
for value in "$access_token" "$new_token" at-wrong-0123456789 at-third-0123456789; do
        not_ok "$(printf '%.8s' "$value")... is not in the journal" grep -aqF "$value" "$work/journal"
        is "nor in a file" "$(grep -rlaF "$value" "$boot_root/etc" "$boot_root/var/lib" "$boot_root/var/tmp" "$boot_root/tmp" "$boot_root/run/credentials" 2>/dev/null |
                grep -v -e /etc/standin.json -e /run/credentials/ | tr '\n' ' ')" ""
done

done_testing
