# shellcheck shell=sh disable=SC2034,SC2154
# A booted machine with everything installed and a broker that has a token: for tests of what stands around it.  Needs lib.sh
# and boot.sh.
#
#   machine_start            installs, boots, configures, starts the sockets; skips the script where that cannot be; it is these:
#   machine_prepare, machine_boot, machine_standin <STATE, machine_configure, machine_credential
#   stage, bin, sbin, libexec, doc   where things were installed; stage is the DESTDIR here
#   record KIND [FIELD=VALUE...]     the newest audit record of that kind, as JSON
#   field RECORD NAME

bin=${bindir:-/usr/local/bin}
sbin=${sbindir:-/usr/local/sbin}
libexec=${libexecdir:-/usr/local/libexec}
doc=${docdir:-/usr/local/share/doc/forge-broker}
stage=$work/stage

machine_install() {
        env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$top_builddir" install DESTDIR="$stage" >"$work/install.log" 2>&1 ||
                bail "make install failed: $(tail -n 5 "$work/install.log")"
        # `make distcheck` installs below a prefix of its own, where no systemd looks.
        for machine_units in "$stage/lib/systemd/system" "$stage/usr/lib/systemd/system" "$stage/usr/local/lib/systemd/system"; do
                [ ! -e "$machine_units/forge-brokerd.service" ] || return 0
        done
        skip_all "the units are installed where systemd does not look for them"
}

machine_configure() {
        machine_config=$boot_root${sysconfdir:-/usr/local/etc}/forge-broker
        mkdir -p "$machine_config"
        cat >"$machine_config/forge-broker.conf" <<EOT
[identity default]
url = http://127.0.0.1:18080
token_file = infisical-token
project_id = $project_id
environment = prod

[forge home]
type = forgejo
url = https://git.example.org

$(token_deploy)
EOT
}

# A plain one: what an encrypted one does is 80-systemd's and 88-credential-set's affair.
machine_credential() {
        (umask 077 && mkdir -p "$boot_root/etc/credstore" && printf '%s\n' "$access_token" >"$boot_root/etc/credstore/infisical-token")
        mkdir -p "$boot_root/etc/systemd/system/forge-brokerd.service.d"
        printf '[Service]\nLoadCredential=infisical-token\n' >"$boot_root/etc/systemd/system/forge-brokerd.service.d/test.conf"
}

machine_standin_up() {
        boot_do curl --silent --output /dev/null http://127.0.0.1:18080/api/status
}

# What there must be before a machine can be booted.
machine_prepare() {
        need_root
        need jq jq
        boot_possible || skip_all "$boot_why"
        sanitized && skip_all "the sandbox forbids what the sanitizers need, and the machine has not their libraries"
        machine_install
        boot_make_tree || skip_all "the machine's tree cannot be made: mmdebstrap failed, see the log"
        at_exit boot_stop
}

# A fresh one, with what an administrator does once; may be called again after boot_stop.
machine_boot() {
        boot_start || bail "the machine does not boot: $boot_why"
        boot_copy "$stage"
        install -m 0755 "$standin" "$boot_root/usr/local/bin/infisical-standin"
        boot_do systemd-sysusers || bail "systemd-sysusers failed"
        boot_do systemd-tmpfiles --create || bail "systemd-tmpfiles failed"
        boot_do journalctl --update-catalog || bail "journalctl --update-catalog failed"
        boot_do systemctl daemon-reload
}

# Infisical's stand-in, with the state on standard input.
machine_standin() {
        cat >"$boot_root/etc/standin.json"
        boot_do systemd-run --quiet --unit=standin infisical-standin --state /etc/standin.json --port 18080 \
                --port-file /run/standin.port --control /run/standin.sock
        wait_for 10 machine_standin_up || bail "the stand-in does not answer: $(boot_do journalctl -u standin --no-pager)"
}

machine_start() {
        machine_prepare
        machine_boot
        standin_state | machine_standin
        machine_configure
        machine_credential
        boot_do systemctl daemon-reload
        boot_do systemctl start forge-brokerd.socket forge-brokerd-control.socket forge-brokerd-credentials.socket || bail "the sockets do not start"
}

record() {
        boot_do journalctl --sync
        machine_id=$(sed -n "s/^#define AUDIT_ID_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_') *\"\([0-9a-f]*\)\"\$/\1/p" \
                "$top_srcdir/src/broker/audit.h")
        shift
        boot_do journalctl --quiet --output=json --lines=1 "MESSAGE_ID=$machine_id" "$@"
}

field() {
        printf '%s' "$1" | jq -r --arg name "$2" '.[$name] // ""'
}
