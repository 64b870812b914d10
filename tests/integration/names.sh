# shellcheck shell=sh disable=SC2034
# For tests in which forges have their own names, and TLS: the script runs in a network and with a hosts file of its own, in
# which all of the names are this machine's.  To be read behind lib.sh:
#
#   . "$top_srcdir/tests/integration/names.sh"
#   own_names NAME...           a certificate for all of them: $work/ca.pem (its own authority), $work/key.pem
#   named_forge TYPE STATE HOST [OPTION...]      forge_start for HOST, and what write_config needs to reach it
need_root
need openssl openssl
need python3 python3
if [ -z "${FORGE_NAMES-}" ]; then
        unshare --mount --net true 2>/dev/null || skip_all "this machine gives no namespaces"
        trap - EXIT
        rm -rf "$work"
        FORGE_NAMES=1 exec unshare --mount --net --propagation private sh "$0" "$@"
fi

# The loopback of a new network is down: SIOCSIFFLAGS (0x8914) with IFF_UP | IFF_RUNNING.
own_names() {
        python3 -c '
import fcntl, socket, struct
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sh14x", b"lo", 0x41))' || bail "no loopback"
        echo "127.0.0.1 localhost $*" >"$work/hosts"
        mount --bind "$work/hosts" /etc/hosts || bail "no hosts file"
        at_exit umount /etc/hosts
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=forges \
                -addext "subjectAltName=$(printf 'DNS:%s,' "$@" | sed 's/,$//')" \
                -keyout "$work/key.pem" -out "$work/ca.pem" 2>/dev/null || bail "no certificate"
}

named_forge() {
        names_type=$1
        names_state=$2
        names_host=$3
        shift 3
        forge_start "$names_type" "$names_state" --port 443 --origin "https://$names_host" --certificate "$work/ca.pem" \
                --key "$work/key.pem" "$@"
        forge_url=https://$names_host
        forge_settings="ca_file = $work/ca.pem"
}
