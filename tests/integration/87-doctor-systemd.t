#!/bin/sh
# `forge-brokerctl doctor` in a systemd that was really booted: the check-up's unit has the daemon's user, credentials,
# drop-ins and sandbox, asks a daemon that runs and stands in for one that does not, and leftovers are found where they are.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/boot.sh"

. "$top_srcdir/tests/integration/machine.sh"

need python3 python3
machine_prepare
config_dir=${sysconfdir:-/usr/local/etc}/forge-broker
client_id=22222222-3333-4444-8555-666666666666
client_secret=cs-test-0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab
direct_pat=direct-pat-0123456789abcdef

machine_boot

# doctor [OPTION...] - the report in $report, as JSON; its status in $status
doctor() {
        report=$(boot_do "$sbin/forge-brokerctl" doctor --json "$@" 2>"$work/doctor.err")
        status=$?
        printf '%s\n' "$report" >>"$work/reports"
}
# steps WORD... - "state code" of the steps found by their fixed words, from the roots down
steps() {
        steps_filter='.steps[]'
        for steps_word in "$@"; do
                steps_filter="$steps_filter | select(.step == \"$steps_word\" or .name == \"$steps_word\") | .steps[]"
        done
        printf '%s' "$report" | jq -r "[${steps_filter% | .steps\[\]}] | map(.state + (if .code then \" \" + .code else \"\" end)) | join(\", \")"
}
detail() { # word: of the first such step anywhere
        printf '%s' "$report" | jq -r --arg word "$1" '[.. | objects | select(.step? == $word)][0] | "\(.detail) \(.remedy)"'
}
show() { boot_do systemctl show -P "$1" "${2:-forge-brokerd.service}"; }
counter() { boot_do curl --silent --unix-socket /run/standin.sock http://c/counters | jq -r "$1 // 0"; }
drop_in() {
        mkdir -p "$boot_root/run/systemd/system/forge-brokerd.service.d"
        cat >"$boot_root/run/systemd/system/forge-brokerd.service.d/test.conf"
        boot_do systemctl daemon-reload
}
broken() { # name: of what is broken, one per line
        printf '%s' "$report" | jq -r '[.. | objects | select(.state? == "broken" and (.steps | length) == 0)] | map(.step) | join(" ")'
}

user=$(awk -F: '$1 == "forge-broker" { print $3 }' "$boot_root/etc/passwd")

standin_state | jq --arg id "$client_id" --arg secret "$client_secret" \
        '.identities[0].universal_auth = {client_id: $id, ttl: 3600, max_ttl: 7200, client_secrets: [{secret: $secret}]}' |
        machine_standin
# The forge's stand-in is Python, which the machine has not: it runs outside, in the machine's network.
printf '{"users":{"deploy-bot":{"id":7}},"tokens":{"%s":{"user":"deploy-bot"}}}\n' "$secret_value" >"$work/forge.json"
PYTHONDONTWRITEBYTECODE=1 nsenter -t "$boot_leader" -n python3 "$top_srcdir/tests/standin/forge-standin" --type forgejo \
        --state "$work/forge.json" --port 18081 --port-file "$work/forge.port" >"$work/forge.log" 2>&1 &
lib_pids="$lib_pids $!"
wait_for 10 test -s "$work/forge.port" || bail "the forge did not start: $(cat "$work/forge.log")"

mkdir -p "$boot_root$config_dir/conf.d"
cat >"$boot_root$config_dir/forge-broker.conf" <<EOT
[identity default]
url = http://127.0.0.1:18080
token_file = infisical-token
client_id_file = infisical-client-id
client_secret_file = infisical-client-secret
project_id = $project_id
environment = prod

[forge home]
type = forgejo
url = http://127.0.0.1:18081

$(token_deploy)
EOT
(umask 077 && mkdir -p "$boot_root/etc/credstore"
 printf '%s\n' "$access_token" >"$boot_root/etc/credstore/infisical-token"
 printf '%s\n' "$client_id" >"$boot_root/etc/credstore/infisical-client-id"
 printf '%s\n' "$client_secret" >"$boot_root/etc/credstore/infisical-client-secret")
drop_in <<'EOT'
[Service]
LoadCredential=infisical-token
LoadCredential=infisical-client-id
LoadCredential=infisical-client-secret
EOT
boot_do systemctl start forge-brokerd.socket forge-brokerd-control.socket

# No daemon: the unit does it all.
before=$(counter '.class.secret')
doctor
is "with the daemon down all is proven" "$status" 0 || note "$(cat "$work/doctor.err") $report"
is "the unit did it" "$(printf '%s' "$report" | jq -r .by)" unit
is "the daemon was not started for it" "$(show MainPID)" 0
is "the credentials are the unit's, by the daemon's drop-in" "$(steps identity credential-file)" "ok, ok, ok"
is "both sources of the token are proven" "$(steps token source)" "ok, ok"
is "each with its steps" "$(printf '%s' "$report" |
        jq -r '[.steps[] | select(.step == "token") | .steps[1].steps[].step] | join(" ")')" "credential project folder secret forge-token"
is "each source was read once" "$(($(counter '.class.secret') - before))" 2
is "one login was made" "$(counter .logins_ok)" 1
is "and its access token revoked" "$(counter .class.revoke)" 1
is "the journal takes a line and keeps it" "$(steps journal written), $(steps journal kept)" "ok, ok"
like "the journal says who wrote it" "$(detail kept)" "written by forge-broker-doctor.service as uid $user"
boot_do journalctl --sync
self_test=$(sed -n 's/^#define AUDIT_ID_SELF_TEST *"\([0-9a-f]*\)"$/\1/p' "$top_srcdir/src/broker/audit.h")
entry=$(boot_do journalctl --quiet --output=json --lines=1 "MESSAGE_ID=$self_test")
is "the line is no record: it has no instance and no number" \
        "$(printf '%s' "$entry" | jq -r '.FORGE_BROKER_INSTANCE, .FORGE_BROKER_SEQ, .FORGE_BROKER_SOURCE' | sort -u)" null
ok "the state directory stays the daemon's" test -z "$(find "$boot_root/var/lib/forge-broker" ! -uid "$user")"
not_ok "nothing is left of the answer" test -e "$boot_root/run/forge-broker-doctor.json"
is "what was asked is not asked by a start by hand" "$(boot_do systemctl start forge-broker-doctor.service 2>/dev/null; echo $?) $(counter .logins_ok)" "1 1"
boot_do systemctl reset-failed forge-broker-doctor.service

# The sandbox: what the unit cannot see is crossed there, and would be for the daemon.
mkdir -p "$boot_root/srv/private"
cp "$boot_root/etc/credstore/infisical-token" "$boot_root/srv/private/token"
chmod 0600 "$boot_root/srv/private/token"
sed -i 's|^token_file = .*|token_file = /srv/private/token|' "$boot_root$config_dir/forge-broker.conf"
doctor
is "a file outside the sandbox is crossed" "$(steps identity credential-file)" "broken credential-missing, ok, ok"
is "its source is not checked, the other is proven" "$(steps token source)" "not-checked, ok"
is "that is status 1" "$status" 1
sed -i 's|^token_file = .*|token_file = infisical-token|' "$boot_root$config_dir/forge-broker.conf"

# A daemon that runs is asked, and its sessions are used.
since=$(date +%s)
boot_do systemctl start forge-brokerd.service
boot_do curl --silent -X POST --unix-socket /run/standin.sock http://c/counters/reset >/dev/null
pid=$(show MainPID)
doctor
is "with the daemon up all is proven" "$status" 0 || note "$(cat "$work/doctor.err") $report"
is "the daemon did it" "$(printf '%s' "$report" | jq -r .by)" daemon
is "it is the same process" "$(show MainPID)" "$pid"
is "what a restart would read is seen from the unit" "$(steps next-start configuration), $(steps next-start identity credential-file)" "ok, ok, ok, ok"
like "the journal says that the daemon wrote the line" "$(detail kept)" "written by forge-brokerd.service as uid $user"
is "a login was made by the daemon" "$(counter .logins_ok)" 1
doctor
is "a second check-up uses the session that is there" "$(counter .logins_ok) $status" "1 0"
records=$(boot_do curl --silent --unix-socket /run/forge-broker-control.sock http://c/v1/status | jq .broker.records)
boot_do journalctl --sync
is "check-ups leave no gap in the records" \
        "$(boot_do journalctl --quiet --output=json -u forge-brokerd.service | jq -r 'select(._PID == "'"$pid"'") | .FORGE_BROKER_SEQ // empty' | sort -n | wc -l)" "$records"

boot_do curl --silent --output /dev/null --unix-socket /run/forge-broker/broker.sock http://c/v1/tokens/deploy
boot_do journalctl --sync
audit=$(boot_do "$sbin/forge-brokerctl" audit --since "@$since" --require 'infisical-token-auth>=1' 2>&1)
is "and the audit counts the one issuance, without a hole" "$?" 0 || note "$audit"
unlike "... nor anything foreign" "$audit" '[1-9][0-9]* .*foreign'

printf 'nonsense\n' >"$boot_root$config_dir/conf.d/broken.conf"
rm "$boot_root/etc/credstore/infisical-client-secret"
doctor
is "what would break the next start is crossed while the daemon still runs well" "$(steps configuration), $(steps next-start configuration), $(steps token)" \
        "ok, broken, ok"
like "with the line" "$(printf '%s' "$report" | jq -r '[.. | objects | select(.step? == "problem")][0].name')" 'conf\.d/broken\.conf:1'
rm "$boot_root$config_dir/conf.d/broken.conf"
doctor
is "so is a credential that is gone" "$(steps next-start identity credential-file)" "ok, ok, broken credential-missing"
(umask 077; printf '%s\n' "$client_secret" >"$boot_root/etc/credstore/infisical-client-secret")

# Leftovers.
cat >"$boot_root/etc/runner.env" <<EOT
# of the runner
GITEA_INSTANCE_URL=https://git.example.org
export_like=no
PLATFORM_TOKEN="$secret_value"
OLD_PAT=$direct_pat
EOT
chmod 0600 "$boot_root/etc/runner.env"
cat >"$boot_root/etc/systemd/system/forgejo-runner.service" <<'EOT'
[Service]
ExecStart=/bin/sleep infinity
EnvironmentFile=/etc/runner.env
Environment=HOME=/var/lib/runner "WITH_BLANK=a b"
EOT
cat >"$boot_root/etc/systemd/system/build-farm.service" <<EOT
[Service]
ExecStart=/bin/sleep infinity
Environment="FARM_TOKEN=$secret_value"
EOT
cat >>"$boot_root$config_dir/forge-broker.conf" <<EOT
direct_env = OLD_PAT
direct_env_until = $(date -u -d '+30 days' +%F)
EOT
mkdir -p "$boot_root/etc/sudoers.d"
# shellcheck disable=SC2016
printf '# /usr/libexec/forge-broker/relay\nrunner ALL=(root) NOPASSWD: /usr/libexec/forge-broker/relay ""\n' >"$boot_root/etc/sudoers.d/runner"
(umask 077 && printf 'OLD_PAT=%s\n' "$direct_pat" >"$boot_root/etc/forge-brokerd.env")
drop_in <<'EOT'
[Service]
LoadCredential=infisical-token
LoadCredential=infisical-client-id
LoadCredential=infisical-client-secret
EnvironmentFile=/etc/forge-brokerd.env
EOT
boot_do systemctl stop forge-brokerd.service
doctor
leftovers() { printf '%s' "$report" | jq -r '[.steps[] | select(.step == "leftovers") | .steps[] | select(.name == "'"$1"'") | .steps[] | .state + " " + .name] | sort | join(", ")'; }
is "what is left in a runner's EnvironmentFile= is found by its name and by its value" "$(leftovers forgejo-runner.service)" \
        "broken OLD_PAT in /etc/runner.env, broken PLATFORM_TOKEN in /etc/runner.env"
like "Infisical's own value must be rotated" "$(printf '%s' "$report" | jq -r '[.. | objects | select(.name? == "PLATFORM_TOKEN in /etc/runner.env")][0] | .detail, .remedy')" \
        'Create a new token at the forge, store it in Infisical, revoke the old one'
is "the daemon's own dated fallback is a note" "$(leftovers forge-brokerd.service)" "note OLD_PAT in /etc/forge-brokerd.env"
is "the fallback is proven from the unit's environment, up to the forge" "$(steps token direct-env-fallback date), $(steps token direct-env-fallback variable), $(steps token direct-env-fallback forge-token)" \
        "ok, ok, broken forge-token-rejected"
is "leftovers are status 1" "$status" 1
like "a rule of sudo that opens the socket is named" "$(detail sudo-rule)" 'runner ALL=\(root\) NOPASSWD'
is "a comment is none" "$(printf '%s' "$report" | jq '[.steps[] | select(.step == "sudo-rule")] | length')" 1
boot_do systemctl start forge-brokerd.service
doctor --unit build-farm.service
is "with the daemon up as well, and in a unit that is named" "$(leftovers build-farm.service)" "broken FARM_TOKEN in Environment="
like "Environment= is shown to every user" "$(printf '%s' "$report" | jq -r '[.. | objects | select(.name? == "FARM_TOKEN in Environment=")][0].detail')" 'shown to every user'
rm "$boot_root/etc/systemd/system/build-farm.service" "$boot_root/etc/systemd/system/forgejo-runner.service"

# A drop-in that would make the unit a second daemon.
drop_in <<EOT
[Service]
LoadCredential=infisical-token
ExecStart=
ExecStart=$sbin/forge-brokerd
EOT
doctor
like "a drop-in that replaces ExecStart= is told, and no second daemon started" "$(detail unit)" 'replaces ExecStart='

# Nothing of it shows a secret.
boot_do journalctl --sync
is "no secret in any report" "$(cat "$work/reports" "$work/doctor.err" | grep -acF -e "$secret_value" -e "$access_token" -e "$client_secret" -e "$direct_pat")" 0
is "none in the journal" "$(boot_do journalctl --quiet --output=export | grep -acF -e "$secret_value" -e "$access_token" -e "$client_secret" -e "$direct_pat")" 0
is "none in /run" "$(grep -rlaF -e "$secret_value" -e "$access_token" -e "$direct_pat" "$boot_root"/run/forge-broker* 2>/dev/null | grep -v /credentials/)" ""
like "for people there are ticks and crosses" "$(boot_do env LC_ALL=C.UTF-8 "$sbin/forge-brokerctl" doctor)" '^✓ identity default'
like "and words where the locale has none" "$(boot_do env LC_ALL=C "$sbin/forge-brokerctl" doctor)" '^ok identity default'

done_testing
